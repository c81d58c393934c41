"""One proxy: who has a token is connected to what it opens, until either side ends or, where asked, the token
does."""

import select
import socket
from collections.abc import Callable, Collection
from typing import NoReturn

from websockify import websocketproxy

from nova.common import clock, threads
from nova.console import origin, rfb
from nova.objects.console_token import ConsoleToken

Find = Callable[[str], ConsoleToken | None]
"""What a token opens; asked in the process of the connection."""

Secure = Callable[[socket.socket, rfb.User], socket.socket]

_REFUSED = 1008
"""Code of a websocket that is closed because of what was asked."""
_AWAY = 1011
"""Code of one whose other side cannot be reached."""
_CONNECT_SECONDS = 10.0
_MOST = 4096
"""Bytes of what a hypervisor answers to an access path."""


class Refused(Exception):
    """A connection is not made; the text is for the log and the client, and names no token."""


class Handler(websocketproxy.ProxyRequestHandler):
    """One connection."""

    server: 'Proxy'

    def new_websocket_client(self) -> None:
        """Called once the websocket is open."""
        try:
            token = self._allowed()
        except Refused as error:
            self._close(_REFUSED, str(error))
        try:
            target = self._reach(token)
        except (OSError, Refused, rfb.Failed) as error:
            self._close(_AWAY, f'The console of {token.instance_uuid} cannot be reached: {error}')
        self.log_message('Opened the %s console of %s', token.console_type, token.instance_uuid)
        if self.server.ends_with_token:
            left = max(0.0, token.expires - clock.timestamp())
            threads.later('console-end', left, _end, target)
        try:
            self.do_proxy(target)
        finally:
            _end(target)

    def log_request(self, code: int | str = '-', size: int | str = '-') -> None:
        """Not what the library does: tokens are in paths."""
        self.log_message('%s %s', self.command, str(code))

    def _allowed(self) -> ConsoleToken:
        proxy = self.server
        if not origin.allowed(self.headers.get('Origin'), self.headers.get('Host'), proxy.origins):
            raise Refused('Pages of this origin may not open consoles')
        said = origin.token_of(self.path)
        token = proxy.find(said) if said else None
        if token is None or token.console_type not in proxy.kinds:
            raise Refused('The token is unknown, has ended, or is for another kind of console')
        return token

    def _reach(self, token: ConsoleToken) -> socket.socket:
        target = socket.create_connection((token.host, token.port), _CONNECT_SECONDS)
        try:
            target.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if token.internal_access_path and self.server.says_path:
                _say_path(target, token.internal_access_path)
            if self.server.secure is not None:
                target = self.server.secure(target, _User(self))
            target.settimeout(None)
        except BaseException:
            target.close()
            raise
        return target

    def _close(self, code: int, why: str) -> NoReturn:
        self.log_message('%s', why)
        raise self.CClose(code, why)


class _User:
    """See `rfb.User`."""

    def __init__(self, handler: Handler) -> None:
        self._handler, self._heard = handler, b''

    def send(self, data: bytes) -> None:
        while self._handler.send_frames([data] if data else []):
            data = b''
            select.select([], [self._handler.request], [], _CONNECT_SECONDS)

    def receive(self, count: int) -> bytes:
        deadline = clock.Deadline(_CONNECT_SECONDS)
        while len(self._heard) < count:
            ready, _, _ = select.select([self._handler.request], [], [], deadline.left())
            if not ready:
                raise rfb.Failed('The user says nothing')
            parts, closed = self._handler.recv_frames()
            self._heard += b''.join(parts)
            if closed:
                raise rfb.Failed('The user has left')
        found, self._heard = self._heard[:count], self._heard[count:]
        return found


class Proxy(websocketproxy.WebSocketProxy):
    """A listening proxy; each connection has a process of its own.

    Args:
        find: what a token opens.
        kinds: of consoles that it is for.
        origins: further hosts whose pages may open consoles.
        ends_with_token: connections end when their token does.
        says_path: the hypervisor wants to hear the token's access path first.
        secure: leads the hypervisor and the user to an agreement, and answers what to pass on from there.
        options: of websockify: ``listen_host``, ``listen_port``, ``web``, ``cert``, ``key``, ``ssl_only`` ...
    """

    def __init__(self, find: Find, kinds: Collection[str], origins: Collection[str], ends_with_token: bool,
                 says_path: bool = False, secure: Secure | None = None, **options: object) -> None:
        self.find, self.kinds, self.origins = find, frozenset(kinds), frozenset(origins)
        self.ends_with_token, self.says_path, self.secure = ends_with_token, says_path, secure
        super().__init__(Handler, **options)


def _say_path(target: socket.socket, path: str) -> None:
    """Ask the hypervisor for the console of a path.

    Raises:
        Refused: it has none.
    """
    target.sendall(f'CONNECT {path} HTTP/1.1\r\n\r\n'.encode())
    heard = b''
    while b'\r\n\r\n' not in heard:
        part = target.recv(1) if len(heard) < _MOST else b''
        if not part:
            raise Refused('the hypervisor does not know it')
        heard += part
    if b' 200 ' not in heard.split(b'\r\n', 1)[0] + b' ':
        raise Refused('the hypervisor does not know it')


def _end(target: socket.socket) -> None:
    try:
        target.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
    finally:
        target.close()
