"""[neutron]: the network service."""

from oslo_config import cfg

from nova.conf import _ksa

GROUP, SERVICE = 'neutron', 'network'
OPTS: list[cfg.Opt] = [
    cfg.StrOpt('ovs_bridge', default='br-int', help='''
Integration bridge for ports whose binding names none.'''),
    cfg.StrOpt('default_floating_pool', default='nova', help='''
Pool of floating addresses where a request names none.'''),
    cfg.IntOpt('http_retries', default=3, min=0, help='''
How often a request to the network service is repeated after it failed to connect.'''),
    cfg.BoolOpt('service_metadata_proxy', default=False, help='''
Metadata requests come through the network service's proxy, which names server and project in headers.'''),
    cfg.StrOpt('metadata_proxy_shared_secret', default='', secret=True, help='''
Secret with which the proxy signs the server's id.'''),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    _ksa.register(conf, GROUP, SERVICE, OPTS)


def list_opts() -> dict[str, list[cfg.Opt]]:
    return {GROUP: _ksa.listed(SERVICE, OPTS)}
