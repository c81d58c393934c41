"""[DEFAULT] and [wsgi]: the built-in web server of nova-api."""

from oslo_config import cfg

OPTS: list[cfg.Opt] = [
    cfg.HostAddressOpt('osapi_compute_listen', default='0.0.0.0', help='''
Address on which nova-api listens when it is its own web server.'''),
    cfg.PortOpt('osapi_compute_listen_port', default=8774, help='''
Port on which nova-api listens when it is its own web server.'''),
    cfg.IntOpt('osapi_compute_workers', min=1, help='''
Processes of nova-api when it is its own web server; unset is one.'''),
    cfg.HostAddressOpt('metadata_listen', default='127.0.0.1', help='''
Address on which nova-api-metadata listens when it is its own web server.'''),
    cfg.PortOpt('metadata_listen_port', default=8775, help='''
Port on which nova-api-metadata listens when it is its own web server.'''),
    cfg.IntOpt('metadata_workers', min=1, help='''
Processes of nova-api-metadata when it is its own web server; unset is one.'''),
]
WSGI_OPTS: list[cfg.Opt] = [
    cfg.IntOpt('default_pool_size', default=16, min=1, help='''
Requests that one process serves at the same time.'''),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTS)
    conf.register_opts(WSGI_OPTS, group='wsgi')


def list_opts() -> dict[str, list[cfg.Opt]]:
    return {'DEFAULT': OPTS, 'wsgi': WSGI_OPTS}
