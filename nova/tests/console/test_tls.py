"""TLS on both sides of a proxy: with users, and with the VNC servers of hypervisors."""

import contextlib
import socket
import ssl
import struct
import threading

import pytest

from nova.console import rfb
from nova.tests.console.cell import Cell, proxied, told
from nova.tests.console.certificates import Authority

X509_NONE = struct.pack('>I', 260)


class VNC:
    """The beginning of a VNC server that wants VeNCrypt with certificates; afterwards it answers in capitals.

    Attributes:
        heard: what came before TLS had begun.
    """

    def __init__(self, context, kinds=bytes([rfb.VENCRYPT])):
        self.context, self.kinds, self.heard = context, kinds, b''
        self.listening = socket.create_server(('127.0.0.1', 0))
        self.address = self.listening.getsockname()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listening.accept()
                with contextlib.suppress(OSError, AssertionError), client:
                    self._greet(client)

    def _read(self, client, count):
        found = client.recv(count, socket.MSG_WAITALL)
        self.heard += found
        return found

    def _greet(self, client):
        client.sendall(rfb.VERSION)
        self._read(client, 12)
        client.sendall(bytes([len(self.kinds)]) + self.kinds)
        if self._read(client, 1) == bytes([rfb.VENCRYPT]):
            client.sendall(b'\0\2')
            assert self._read(client, 2) == b'\0\2'
            client.sendall(b'\0\2' + struct.pack('>I', 257) + X509_NONE)
            assert self._read(client, 4) == X509_NONE
            client.sendall(b'\1')
            client = self.context.wrap_socket(client, server_side=True)
        client.sendall(b'\0\0\0\0')
        while said := client.recv(1000):
            client.sendall(said.upper())


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


def server_context(authority, clients=False):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.sign('server'))
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(authority.file)
    return context


def options(authority, schemes='vencrypt', more=''):
    return f'[vnc]\nauth_schemes = {schemes}\nvencrypt_ca_certs = {authority.file}\n{more}'


def greet(client):
    """What a noVNC page says until it is let in; answers what the proxy says then."""
    heard = told(client)
    if heard is None:
        return None
    assert heard == rfb.VERSION
    client.sendmsg(rfb.VERSION)
    heard = told(client)
    if heard is None:
        return None
    assert heard == bytes([1, rfb.NONE]), 'the user needs nothing but his token'
    client.sendmsg(bytes([rfb.NONE]))
    return told(client)


def test_a_hypervisor_that_wants_tls(tmp_path, authority):
    """It may ask for a certificate of the proxy as well; nothing is sent in the clear once it is let in."""
    cert, key = authority.sign('proxy')
    more = f'vencrypt_client_cert = {cert}\nvencrypt_client_key = {key}\n'
    vnc = VNC(server_context(authority, clients=True))
    with proxied(Cell(tmp_path, 'novnc', options(authority, more=more))) as cell:
        client = cell.connect(cell.token(vnc.address))
        assert greet(client) == b'\0\0\0\0'
        client.sendmsg(b'secret')
        assert told(client) == b'SECRET'
        client.sendmsg(b'x' * 1000)
        assert told(client) == b'X' * 1000
        assert vnc.heard == rfb.VERSION + bytes([rfb.VENCRYPT]) + b'\0\2' + X509_NONE


def test_a_hypervisor_that_nobody_has_signed(tmp_path, authority):
    (tmp_path / 'other').mkdir()
    vnc = VNC(server_context(Authority(tmp_path / 'other', 'stranger')))
    with proxied(Cell(tmp_path, 'novnc', options(authority))) as cell:
        assert greet(cell.connect(cell.token(vnc.address))) is None


@pytest.mark.parametrize(('schemes', 'let_in'), [('vencrypt', False), ('vencrypt,none', True)])
def test_a_hypervisor_without_tls(tmp_path, authority, schemes, let_in):
    vnc = VNC(None, bytes([rfb.NONE]))
    with proxied(Cell(tmp_path, 'novnc', options(authority, schemes))) as cell:
        assert greet(cell.connect(cell.token(vnc.address))) == (b'\0\0\0\0' if let_in else None)


def test_a_certificate_that_is_not_there(tmp_path, authority):
    authority.file.unlink()
    with pytest.raises(AssertionError, match='vencrypt'), proxied(Cell(tmp_path, 'novnc', options(authority))):
        pass


def test_users_come_by_tls_alone(tmp_path, authority, monkeypatch):
    monkeypatch.setenv('SSL_CERT_FILE', str(authority.file))
    cert, key = authority.sign('users')
    text = f'[console]\nssl_only = true\ncert = {cert}\nkey = {key}\nssl_minimum_version = tlsv1_2\n'
    vnc = VNC(server_context(authority))
    with proxied(Cell(tmp_path, 'novnc', text + options(authority), tls=True)) as cell:
        client = cell.connect(cell.token(vnc.address))
        assert greet(client) == b'\0\0\0\0'
        client.sendmsg(b'both sides')
        assert told(client) == b'BOTH SIDES'
        with socket.create_connection(('127.0.0.1', cell.port)) as plain:
            plain.sendall(b'GET / HTTP/1.1\r\n\r\n')
            with contextlib.suppress(ConnectionResetError):
                assert not plain.recv(1000), 'who speaks no TLS gets no answer'


def test_a_console_ends_with_its_token(tmp_path):
    with socket.create_server(('127.0.0.1', 0)) as guest, proxied(
            Cell(tmp_path, options='[consoleauth]\nenforce_session_timeout = true\n')) as cell:
        client = cell.connect(cell.token(guest.getsockname(), seconds=3))
        guest.accept()
        assert told(client) is None
