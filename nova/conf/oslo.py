"""Options of oslo libraries that every service here uses, and the defaults we set on them."""

from oslo_config import cfg
from oslo_policy import opts as policy_opts


def set_defaults(conf: cfg.ConfigOpts | None = None) -> None:
    """Defaults of ours for library options; the sample generator calls this as well."""
    if conf is not None:
        policy_opts.set_defaults(conf, policy_file='policy.yaml', enforce_scope=True,
                                 enforce_new_defaults=True)


def register_opts(conf: cfg.ConfigOpts) -> None:
    set_defaults(conf)


def list_opts() -> dict[str, list[cfg.Opt]]:
    return {}
