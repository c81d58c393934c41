"""Looking at a configuration as a whole: oslo.config looks at a value when it is asked for it."""

from collections.abc import Mapping

from oslo_config import cfg


def check(conf: cfg.ConfigOpts) -> None:
    """Read every option that is registered.

    Raises:
        oslo_config.cfg.Error: a file or the environment gives one a value that it cannot have.
    """
    for name in conf:
        value = conf[name]
        if isinstance(value, Mapping):
            for option in value:
                value[option]
