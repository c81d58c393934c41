"""TLS between the proxy and a guest's VNC server: what RFB 3.8 says before a picture is sent.

It is VeNCrypt on the hypervisor's side, and nothing on the user's: the token has let him in, and his websocket
may have TLS of its own.
"""

import socket
import ssl
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

VERSION = b'RFB 003.008\n'
NONE, VENCRYPT = 1, 19
SCHEMES: Mapping[str, int] = {'none': NONE, 'vencrypt': VENCRYPT}
"""Names of `[vnc] auth_schemes`."""
_X509_NONE = 260
_LONGEST_REASON = 4096

Wrap = Callable[[socket.socket], socket.socket]
"""Begins TLS as a client, and answers the socket that speaks it."""


class Failed(Exception):
    """The two sides do not agree; the text is for the log and the user."""


class User(Protocol):
    """The user's side."""

    def send(self, data: bytes) -> None: ...

    def receive(self, count: int) -> bytes:
        """So many bytes.

        Raises:
            Failed: he has left.
        """


def agree(server: socket.socket, user: User, schemes: Sequence[str], wrap: Wrap) -> socket.socket:
    """Lead both sides to where security is agreed, and answer the socket to pass on from there.

    Args:
        schemes: `SCHEMES` that may be used with the hypervisor, the best first.

    Raises:
        Failed: they do not get there.
        OSError: the hypervisor's side breaks off, or its certificate is not believed.
    """
    if _read(server, len(VERSION)) < VERSION:
        raise Failed('The hypervisor speaks an older RFB than 3.8')
    server.sendall(VERSION)
    user.send(VERSION)
    if user.receive(len(VERSION)) != VERSION:
        raise Failed('The user speaks another RFB than 3.8')
    offered = _offered(server)
    chosen = next((SCHEMES[name] for name in schemes if SCHEMES[name] in offered), None)
    if chosen is None:
        raise Failed(f'The hypervisor offers none of {", ".join(schemes)} (but {list(offered)})')
    user.send(bytes([1, NONE]))
    if user.receive(1) != bytes([NONE]):
        raise Failed('The user wants another kind of security')
    server.sendall(bytes([chosen]))
    return _encrypt(server, wrap) if chosen == VENCRYPT else server


def _offered(server: socket.socket) -> bytes:
    count = _read(server, 1)[0]
    if count:
        return _read(server, count)
    length, = struct.unpack('>I', _read(server, 4))
    reason = _read(server, min(length, _LONGEST_REASON)).decode(errors='replace')
    raise Failed(f'The hypervisor refuses: {reason}')


def _encrypt(server: socket.socket, wrap: Wrap) -> socket.socket:
    """VeNCrypt 0.2 with certificates on the hypervisor's side, and nothing else to be let in."""
    if _read(server, 2) < bytes([0, 2]):
        raise Failed('The hypervisor speaks an older VeNCrypt than 0.2')
    server.sendall(bytes([0, 2]))
    if _read(server, 1) != b'\0':
        raise Failed('The hypervisor does not want VeNCrypt 0.2')
    kinds = struct.unpack(f'>{(count := _read(server, 1)[0])}I', _read(server, 4 * count))
    if _X509_NONE not in kinds:
        raise Failed('The hypervisor does not offer TLS with certificates')
    server.sendall(struct.pack('>I', _X509_NONE))
    if _read(server, 1) != b'\1':
        raise Failed('The hypervisor does not begin TLS')
    return wrap(server)


def _read(server: socket.socket, count: int) -> bytes:
    found = b''
    while len(found) < count:
        part = server.recv(count - len(found))
        if not part:
            raise Failed('The hypervisor has closed the connection')
        found += part
    return found


def wrapper(ca: str, cert: str | None, key: str | None) -> Wrap:
    """TLS with a hypervisor whose certificate this authority has signed; ours is shown where there is one.

    Hypervisors are reached by addresses that need not be in their certificates, so names are not compared.

    Raises:
        OSError: a file cannot be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.load_verify_locations(ca)
    if cert:
        context.load_cert_chain(cert, key)
    return context.wrap_socket
