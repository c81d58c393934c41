"""Options of a client of another service, as keystoneauth names them."""

import copy

from keystoneauth1 import loading
from oslo_config import cfg


def register(conf: cfg.ConfigOpts, group: str, service_type: str | None = None,
             options: tuple[cfg.Opt, ...] | list[cfg.Opt] = ()) -> None:
    """Register session, credential and (with a service type) endpoint options beside the group's own."""
    conf.register_opts(options, group=group)
    loading.register_session_conf_options(conf, group)
    loading.register_auth_conf_options(conf, group)
    if service_type:
        conf.register_opts(_adapter(service_type), group=group)


def listed(service_type: str | None = None, options: tuple[cfg.Opt, ...] | list[cfg.Opt] = ()
           ) -> list[cfg.Opt]:
    """The same for the sample file, with the options of the usual credential plugin."""
    found = [*options, *loading.get_session_conf_options(), *loading.get_auth_common_conf_options(),
             *loading.get_auth_plugin_conf_options('password')]
    return found + (_adapter(service_type) if service_type else [])


def _adapter(service_type: str) -> list[cfg.Opt]:
    defaults: dict[str, object] = {'service-type': service_type, 'valid-interfaces': ['internal', 'public']}
    options = copy.deepcopy(loading.get_adapter_conf_options(include_deprecated=False))
    for option in options:
        if option.name in defaults:
            option.default = defaults[option.name]
    return options
