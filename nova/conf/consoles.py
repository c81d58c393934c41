"""[vnc], [spice], [serial_console], [mks], [console], [consoleauth]: looking at guests."""

from oslo_config import cfg

_VNC = [
    cfg.BoolOpt('enabled', default=True, help='''
Guests on this host have a VNC console.'''),
    cfg.StrOpt('server_listen', default='127.0.0.1', help='''
Address on which guests' VNC servers listen.'''),
    cfg.StrOpt('server_proxyclient_address', default='127.0.0.1', help='''
Address of this host under which the proxy reaches them.'''),
    cfg.StrOpt('novncproxy_base_url', default='http://127.0.0.1:6080/vnc_auto.html', help='''
Where users reach nova-novncproxy.'''),
    cfg.StrOpt('novncproxy_host', default='127.0.0.1', help='''
Address on which nova-novncproxy listens.'''),
    cfg.PortOpt('novncproxy_port', default=6080, help='''
Its port.'''),
    cfg.ListOpt('auth_schemes', item_type=cfg.types.String(choices=['none', 'vencrypt']), default=['none'],
                help='''
How nova-novncproxy may be let in by guests' VNC servers, the best first: none, or vencrypt, which is TLS. A
server that offers neither is not connected to.'''),
    cfg.StrOpt('vencrypt_ca_certs', default='/etc/pki/nova-novncproxy/ca-cert.pem', help='''
Certificates of those who sign the certificates of VNC servers; PEM.'''),
    cfg.StrOpt('vencrypt_client_cert', help='''
Certificate that nova-novncproxy shows to VNC servers that ask for one; PEM.'''),
    cfg.StrOpt('vencrypt_client_key', help='''
Its key, where it is not in the same file.'''),
]
_SPICE = [
    cfg.BoolOpt('enabled', default=False, help='''
Guests on this host have a SPICE console.'''),
    cfg.StrOpt('server_listen', default='127.0.0.1', help='''
Address on which guests' SPICE servers listen.'''),
    cfg.StrOpt('server_proxyclient_address', default='127.0.0.1', help='''
Address of this host under which the proxy reaches them.'''),
    cfg.StrOpt('html5proxy_base_url', default='http://127.0.0.1:6082/spice_auto.html', help='''
Where users reach nova-spicehtml5proxy.'''),
    cfg.StrOpt('html5proxy_host', default='127.0.0.1', help='''
Address on which nova-spicehtml5proxy listens.'''),
    cfg.PortOpt('html5proxy_port', default=6082, help='''
Its port.'''),
    cfg.StrOpt('spice_direct_proxy_base_url', default='http://127.0.0.1:13002/nova', help='''
Where users reach a proxy that speaks SPICE itself (API 2.99).'''),
]
_SERIAL = [
    cfg.BoolOpt('enabled', default=False, help='''
Guests on this host have a serial console.'''),
    cfg.StrOpt('base_url', default='ws://127.0.0.1:6083/', help='''
Where users reach nova-serialproxy.'''),
    cfg.StrOpt('proxyclient_address', default='127.0.0.1', help='''
Address of this host under which the proxy reaches serial consoles; guests listen on it.'''),
    cfg.StrOpt('port_range', default='10000:20000', help='''
Ports of this host for serial consoles: the first, and the first that is none of them.'''),
    cfg.StrOpt('serialproxy_host', default='127.0.0.1', help='''
Address on which nova-serialproxy listens.'''),
    cfg.PortOpt('serialproxy_port', default=6083, help='''
Its port.'''),
]
_MKS = [
    cfg.BoolOpt('enabled', default=False, help='''
Guests on this host have a MKS console.'''),
    cfg.StrOpt('mksproxy_base_url', default='http://127.0.0.1:6090/', help='''
Where users reach the proxy to it.'''),
]
_CONSOLE = [
    cfg.StrOpt('web', default='/usr/share/novnc', help='''
Folder of the pages that nova-novncproxy and nova-spicehtml5proxy serve beside the consoles; one that is not
there serves none.'''),
    cfg.StrOpt('cert', help='''
Certificate of the proxies, with which they speak TLS; PEM.'''),
    cfg.StrOpt('key', help='''
Its key, where it is not in the same file.'''),
    cfg.BoolOpt('ssl_only', default=False, help='''
Proxies speak nothing but TLS.'''),
    cfg.ListOpt('allowed_origins', default=[], help='''
Hosts, besides the proxy's own, whose pages may open consoles.'''),
    cfg.StrOpt('ssl_ciphers', help='''
Ciphers that proxies offer to users, as OpenSSL names them; empty is its default.'''),
    cfg.StrOpt('ssl_minimum_version', default='default', choices=['default', 'tlsv1_1', 'tlsv1_2', 'tlsv1_3'],
               help='''
Least version of TLS that proxies speak with users.'''),
]
_AUTH = [
    cfg.IntOpt('token_ttl', default=600, min=0, help='''
Seconds for which a console may be opened by its address.'''),
    cfg.BoolOpt('enforce_session_timeout', default=False, help='''
Open consoles are closed as well when their token ends.'''),
]
_GROUPS = {'vnc': _VNC, 'spice': _SPICE, 'serial_console': _SERIAL, 'mks': _MKS, 'console': _CONSOLE,
           'consoleauth': _AUTH}


def register_opts(conf: cfg.ConfigOpts) -> None:
    for group, options in _GROUPS.items():
        conf.register_opts(options, group=group)


def list_opts() -> dict[str, list[cfg.Opt]]:
    return dict(_GROUPS)
