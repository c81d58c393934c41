"""A cell with a console proxy, which is a process of its own."""

import contextlib
import socket
import subprocess
import sys
import threading

from websockify import websocket

from nova import conf as nova_conf
from nova import objects
from nova.db import migrate, session
from nova.objects.console_token import ConsoleToken
from nova.objects.question import ConsolePlace
from nova.tests.fixtures.waiting import until


class Cell:
    """A cell's database with one server, and how a proxy of that cell is configured.

    Args:
        options: further lines of nova.conf.
        tls: users come by TLS.
    """

    def __init__(self, folder, kind='serial', options='', tls=False):
        self.kind, self.scheme = kind, 'wss' if tls else 'ws'
        with socket.create_server(('127.0.0.1', 0)) as free:
            self.port = free.getsockname()[1]
        self.file = folder / 'nova.conf'
        group, name = {'serial': ('serial_console', 'serialproxy'), 'novnc': ('vnc', 'novncproxy')}[kind]
        self.file.write_text(f'{options}\n[database]\nconnection = sqlite:///{folder}/cell.db\n[{group}]\n'
                             f'{name}_host = 127.0.0.1\n{name}_port = {self.port}\n')
        self.log = folder / 'log'
        self.db = session.Databases(nova_conf.new(config_files=[str(self.file)])).main
        migrate.sync(self.db, 'cell')
        flavor = objects.Flavor(id=1, flavorid='1', name='f', memory_mb=1, vcpus=1, root_gb=1)
        self.server = objects.Instance.new(project_id='p', user_id='u', vm_state='active', flavor=flavor)
        self.db.write(lambda conn: self.server.copy().create(conn))

    def token(self, address, kind=None, seconds=60, server=None):
        place = ConsolePlace(base_url='ws://x/', host=address[0], port=address[1], tls_port=None,
                             internal_access_path=None)
        return self.db.write(lambda conn: ConsoleToken.create(
            conn, server or self.server.uuid, kind or self.kind, place, seconds)).token

    def connect(self, token, origin=None):
        client = Client(f'/?token={token}')
        client.connect(f'{self.scheme}://127.0.0.1:{self.port}/', origin=origin, protocols=['binary'])
        return client


class Client(websocket.WebSocket):
    """A websocket whose address has a query, which the library leaves out."""

    def __init__(self, path):
        super().__init__()
        self.path = path

    def send_request(self, kind, path):
        super().send_request(kind, self.path)


@contextlib.contextmanager
def proxied(cell):
    """The cell, while its proxy runs."""
    program = {'serial': 'serial', 'novnc': 'vnc'}[cell.kind]
    with open(cell.log, 'w') as log:
        proxy = subprocess.Popen(
            [sys.executable, '-m', 'nova.cmd.console', program, '--config-file', str(cell.file)],
            stdout=log, stderr=log, start_new_session=True)

    def listens():
        assert proxy.poll() is None, cell.log.read_text()
        with contextlib.suppress(OSError), socket.create_connection(('127.0.0.1', cell.port), 1):
            return True
    try:
        until(listens, 60)
        yield cell
    finally:
        proxy.terminate()
        proxy.wait(60)


def told(client):
    """What comes: bytes, or None when the proxy has closed."""
    for _ in range(1000):
        try:
            return client.recv()
        except (websocket.WebSocketWantReadError, websocket.WebSocketWantWriteError):
            threading.Event().wait(0.01)
    raise AssertionError('nothing came')
