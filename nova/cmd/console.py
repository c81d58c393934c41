"""nova-novncproxy, nova-serialproxy, nova-spicehtml5proxy: users' way to the consoles of a cell's guests."""

import dataclasses
import functools
import pathlib
import sys
from typing import TYPE_CHECKING

from oslo_config import cfg
from oslo_log import log

from nova import conf as nova_conf
from nova.common import threads
from nova.common.jsonutil import JsonObject

if TYPE_CHECKING:
    from nova.console import proxy
    from nova.objects.console_token import ConsoleToken


@dataclasses.dataclass(frozen=True)
class Kind:
    """A program.

    Attributes:
        group, option: where its address is: ``<option>_host`` and ``<option>_port``.
        kinds: of consoles that it is for.
        pages: it serves the pages of ``[console] web`` too.
    """

    program: str
    group: str
    option: str
    kinds: tuple[str, ...]
    pages: bool = True


VNC = Kind('nova-novncproxy', 'vnc', 'novncproxy', ('novnc',))
SPICE = Kind('nova-spicehtml5proxy', 'spice', 'html5proxy', ('spice-html5',))
SERIAL = Kind('nova-serialproxy', 'serial_console', 'serialproxy', ('serial',), pages=False)


def finder(conf: cfg.ConfigOpts) -> 'proxy.Find':
    """Looks tokens up in the cell's database, which each connection's process opens itself."""
    def find(token: str) -> 'ConsoleToken | None':
        from nova.db import session
        from nova.objects.console_token import ConsoleToken
        dbs = session.Databases(conf)
        try:
            with dbs.main.read() as conn:
                return ConsoleToken.find(conn, token)
        finally:
            dbs.dispose()
    return find


def make(conf: cfg.ConfigOpts, kind: Kind) -> 'proxy.Proxy':
    """The proxy, listening to nobody yet.

    Raises:
        ValueError: it cannot serve as it is configured.
    """
    from nova.console import proxy
    section, common = conf[kind.group], conf.console
    web = common.web if kind.pages and common.web and pathlib.Path(common.web).is_dir() else None
    if common.ssl_only and not (common.cert and pathlib.Path(common.cert).is_file()):
        raise ValueError('[console] ssl_only needs a certificate, [console] cert.')
    options: JsonObject = {
        'listen_host': getattr(section, f'{kind.option}_host'),
        'listen_port': getattr(section, f'{kind.option}_port'), 'web': web, 'file_only': True,
        'ssl_only': common.ssl_only, 'cert': common.cert or '', 'key': common.key,
        'ssl_ciphers': common.ssl_ciphers, 'target_host': 'ignored', 'target_port': 'ignored'}
    if common.ssl_minimum_version != 'default':
        from websockify import websocketproxy
        options['ssl_options'] = websocketproxy.select_ssl_version(common.ssl_minimum_version)
    return proxy.Proxy(finder(conf), kind.kinds, common.allowed_origins,
                       conf.consoleauth.enforce_session_timeout,
                       secure=_secure(conf) if kind is VNC else None, **options)


def _secure(conf: cfg.ConfigOpts) -> 'proxy.Secure | None':
    """What is agreed with VNC servers about security; None where they are passed on to as they are.

    Raises:
        ValueError: a certificate cannot be used.
    """
    from nova.console import rfb
    vnc = conf.vnc
    if 'vencrypt' not in vnc.auth_schemes:
        return None
    try:
        wrap = rfb.wrapper(vnc.vencrypt_ca_certs, vnc.vencrypt_client_cert, vnc.vencrypt_client_key)
    except OSError as error:
        raise ValueError(f'The certificates of [vnc] vencrypt_* cannot be used: {error}') from error
    return functools.partial(rfb.agree, schemes=vnc.auth_schemes, wrap=wrap)


def run(kind: Kind, arguments: list[str] | None = None) -> int:
    threads.choose('threading')
    try:
        conf = nova_conf.new(sys.argv[1:] if arguments is None else arguments)
        log.setup(conf, 'nova')
        made = make(conf, kind)
    except (cfg.Error, OSError, ValueError) as error:
        print(f'{kind.program}: {error}', file=sys.stderr)
        return 1
    made.start_server()
    return 0


def novnc() -> int:
    return run(VNC)


def spice() -> int:
    return run(SPICE)


def serial() -> int:
    return run(SERIAL)


if __name__ == '__main__':
    programs = {'vnc': VNC, 'spice': SPICE, 'serial': SERIAL}
    sys.exit(run(programs[sys.argv.pop(1)]))
