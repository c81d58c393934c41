"""[oslo_limit]: reading unified limits of the identity service; the names are those of oslo.limit."""

from oslo_config import cfg

from nova.conf import _ksa

GROUP, SERVICE = 'oslo_limit', 'identity'

OPTS: list[cfg.Opt] = [
    cfg.StrOpt('endpoint_id', help='\nid of the Compute endpoint whose service and region have the limits.'),
    cfg.StrOpt('endpoint_service_type', default='compute', help='\n'
               'Type of the service that has the limits, where no endpoint_id is set.'),
    cfg.StrOpt('endpoint_service_name', help='\nName of the service, where several are of its type.'),
    cfg.StrOpt('endpoint_region_name', help='\nRegion that has the limits; unset are those of no region.'),
    cfg.StrOpt('endpoint_interface', default='public',
               choices=['public', 'publicURL', 'internal', 'internalURL', 'admin', 'adminURL'],
               help='\nInterface of the endpoint that is looked up.'),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    _ksa.register(conf, GROUP, SERVICE, OPTS)


def list_opts() -> dict[str, list[cfg.Opt]]:
    return {GROUP: _ksa.listed(SERVICE, OPTS)}
