"""Options of oslo libraries that every service here uses, and the defaults we set on them."""

import oslo_messaging.opts
from oslo_config import cfg
from oslo_policy import opts as policy_opts


def set_defaults(conf: cfg.ConfigOpts | None = None) -> None:
    """Defaults of ours for library options; the sample generator calls this as well."""
    if conf is not None:
        policy_opts.set_defaults(conf, policy_file='policy.yaml')
        conf.set_default('control_exchange', 'nova')


def register_opts(conf: cfg.ConfigOpts) -> None:
    for group, options in oslo_messaging.opts.list_opts():
        if group is None:
            conf.register_opts(options)
    set_defaults(conf)


def list_opts() -> dict[str, list[cfg.Opt]]:
    return {}
