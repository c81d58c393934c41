"""A proxy as a program: who has a token reaches the guest's console, nobody else does."""

import contextlib
import socket
import subprocess
import sys
import threading

import pytest

from nova.common import uuids
from nova.console import origin
from nova.tests.console.cell import Cell, proxied, told


@pytest.mark.parametrize(('page', 'host', 'others', 'may'), [
    (None, 'proxy:6080', (), True), ('http://proxy:6080', 'proxy:6080', (), True),
    ('https://proxy', 'proxy:6080', (), True), ('http://evil', 'proxy:6080', (), False),
    ('http://dashboard:80', 'proxy:6080', ('dashboard',), True), ('null', 'proxy', (), False),
    ('file:///x', 'proxy', (), False), ('http://[::1]:80', '[::1]:6080', (), True),
    ('http://', None, (), False)])
def test_pages(page, host, others, may):
    assert origin.allowed(page, host, others) is may


@pytest.mark.parametrize(('path', 'token'), [
    ('/?token=t', 't'), ('/websockify?token=a&token=b', 'b'), ('/vnc_auto.html?path=%3Ftoken%3Dt', 't'),
    ('/', None), ('/?path=x', None), ('/?token=', None)])
def test_tokens(path, token):
    assert origin.token_of(path) == token


@pytest.fixture
def guest():
    """A console that answers each line in capitals; its address."""
    server = socket.create_server(('127.0.0.1', 0))

    def serve():
        with contextlib.suppress(OSError):
            while True:
                client, _ = server.accept()
                with client:
                    while said := client.recv(100):
                        client.sendall(said.upper())
    threading.Thread(target=serve, daemon=True).start()
    yield server.getsockname()
    server.close()


@pytest.fixture
def cell(tmp_path):
    with proxied(Cell(tmp_path)) as made:
        yield made


def test_who_has_a_token_reaches_the_console(cell, guest):
    token = cell.token(guest)
    client = cell.connect(token)
    client.sendmsg(b'hello')
    assert told(client) == b'HELLO'
    client.shutdown(socket.SHUT_RDWR)
    assert token not in cell.log.read_text()


def test_nobody_else_does(cell, guest):
    refused = {
        'guessed': 'guessed', 'ended': cell.token(guest, seconds=0),
        'of another kind': cell.token(guest, 'novnc'),
        'of no server': cell.token(guest, server=uuids.generate())}
    for why, token in refused.items():
        assert told(cell.connect(token)) is None, why
    good = cell.token(guest)
    assert told(cell.connect(good, origin='http://evil.example')) is None
    client = cell.connect(good, origin='http://127.0.0.1')
    client.sendmsg(b'x')
    assert told(client) == b'X'


def test_a_console_that_is_away(cell):
    with socket.create_server(('127.0.0.1', 0)) as gone:
        address = gone.getsockname()
    assert told(cell.connect(cell.token(address))) is None


def test_a_certificate_is_needed_for_tls_alone(tmp_path):
    file = tmp_path / 'nova.conf'
    file.write_text('[console]\nssl_only = true\n')
    done = subprocess.run([sys.executable, '-m', 'nova.cmd.console', 'vnc', '--config-file', str(file)],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and '[console] cert' in done.stderr
