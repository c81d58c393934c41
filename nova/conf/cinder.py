"""[cinder]: the volume service."""

from oslo_config import cfg

from nova.conf import _ksa

GROUP = 'cinder'
OPTS: list[cfg.Opt] = [
    cfg.StrOpt('catalog_info', default='block-storage::publicURL', help='''
Where the catalog has the volume service: service type, service name (may be empty) and interface.'''),
    cfg.StrOpt('endpoint_template', help='''
URL used instead of the catalog's, with %(project_id)s where the project belongs.'''),
    cfg.StrOpt('os_region_name', help='''
Region of the volume service.'''),
    cfg.StrOpt('region_name', help='''
Region of the volume service, in the word of the other sections; os_region_name goes before it.'''),
    cfg.IntOpt('http_retries', default=3, min=0, help='''
How often a request to the volume service is repeated after it failed to connect.'''),
    cfg.BoolOpt('cross_az_attach', default=True, help='''
Servers may use volumes of other availability zones.'''),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    _ksa.register(conf, GROUP, None, OPTS)


def list_opts() -> dict[str, list[cfg.Opt]]:
    return {GROUP: _ksa.listed(None, OPTS)}
