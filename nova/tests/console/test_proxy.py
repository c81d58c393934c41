"""A proxy as a program: who has a token reaches the guest's console, nobody else does."""

import contextlib
import socket
import subprocess
import sys
import threading

import pytest
from websockify import websocket

from nova import conf as nova_conf
from nova import objects
from nova.common import uuids
from nova.console import origin
from nova.db import migrate, session
from nova.objects.console_token import ConsoleToken
from nova.objects.question import ConsolePlace
from nova.tests.fixtures.waiting import until


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


class Cell:
    """A cell's database with one server, and a proxy of that cell."""

    def __init__(self, folder):
        with socket.create_server(('127.0.0.1', 0)) as free:
            self.port = free.getsockname()[1]
        self.file = folder / 'nova.conf'
        self.file.write_text(f'[database]\nconnection = sqlite:///{folder}/cell.db\n[serial_console]\n'
                             f'serialproxy_host = 127.0.0.1\nserialproxy_port = {self.port}\n')
        self.db = session.Databases(nova_conf.new(config_files=[str(self.file)])).main
        migrate.sync(self.db, 'cell')
        flavor = objects.Flavor(id=1, flavorid='1', name='f', memory_mb=1, vcpus=1, root_gb=1)
        self.server = objects.Instance.new(project_id='p', user_id='u', vm_state='active', flavor=flavor)
        self.db.write(lambda conn: self.server.copy().create(conn))

    def token(self, address, kind='serial', seconds=60, server=None):
        place = ConsolePlace(base_url='ws://x/', host=address[0], port=address[1], tls_port=None,
                             internal_access_path=None)
        return self.db.write(lambda conn: ConsoleToken.create(
            conn, server or self.server.uuid, kind, place, seconds)).token

    def connect(self, token, origin=None):
        client = Client(f'/?token={token}')
        client.connect(f'ws://127.0.0.1:{self.port}/', origin=origin, protocols=['binary'])
        return client


class Client(websocket.WebSocket):
    """A websocket whose address has a query, which the library leaves out."""

    def __init__(self, path):
        super().__init__()
        self.path = path

    def send_request(self, kind, path):
        super().send_request(kind, self.path)


@pytest.fixture
def cell(tmp_path):
    made = Cell(tmp_path)
    with open(tmp_path / 'log', 'w') as log:
        proxy = subprocess.Popen([sys.executable, '-m', 'nova.cmd.console', 'serial', '--config-file',
                                  str(made.file)],
                                 stdout=log, stderr=log, start_new_session=True)

    def listens():
        assert proxy.poll() is None, (tmp_path / 'log').read_text()
        with contextlib.suppress(OSError), socket.create_connection(('127.0.0.1', made.port), 1):
            return True
    until(listens, 20)
    made.log = tmp_path / 'log'
    yield made
    proxy.terminate()
    proxy.wait(10)


def told(client):
    """What comes: bytes, or None when the proxy has closed."""
    for _ in range(1000):
        try:
            return client.recv()
        except (websocket.WebSocketWantReadError, websocket.WebSocketWantWriteError):
            threading.Event().wait(0.01)
    raise AssertionError('nothing came')


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
