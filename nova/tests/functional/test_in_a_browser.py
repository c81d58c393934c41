"""The two web pages in headless Chromium: the one that shows the API, and noVNC with the screen of a guest.

On demand (``-m slow``); needs ``chromium`` and ``novnc`` of the distribution and ``playwright`` from PyPI.
Pictures go where ``NOVA_TEST_PICTURES`` says, to be looked at.
"""

import contextlib
import os
import pathlib
import shutil
import socket
import struct
import threading
from urllib import parse

import pytest

from nova.console import rfb
from nova.tests.console.cell import Cell, proxied

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

NOVNC = pathlib.Path('/usr/share/novnc')
WIDTH, HEIGHT = 320, 200
COLOURS = ((200, 30, 30), (30, 160, 60), (40, 80, 200))
"""Of the stripes on the guest's screen, from left to right."""


@pytest.fixture(scope='module')
def browser():
    from playwright import sync_api
    program = shutil.which('chromium')
    assert program, 'chromium is not installed'
    with sync_api.sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=program, args=['--no-sandbox'])
        yield made
        made.close()


@pytest.fixture
def pictures(tmp_path):
    folder = pathlib.Path(os.environ.get('NOVA_TEST_PICTURES', tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Screen:
    """A VNC server whose screen has three stripes."""

    def __init__(self):
        self.listening = socket.create_server(('127.0.0.1', 0))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listening.accept()
                with contextlib.suppress(OSError, struct.error), client:
                    self._show(client)

    def _show(self, client):
        def read(count):
            return client.recv(count, socket.MSG_WAITALL)
        client.sendall(rfb.VERSION)
        read(12)
        client.sendall(bytes([1, rfb.NONE]))
        read(1)
        client.sendall(b'\0\0\0\0')
        read(1)
        pixels = struct.pack('>BBBBHHHBBBxxx', 32, 24, 0, 1, 255, 255, 255, 0, 8, 16)
        name = b'guest'
        client.sendall(struct.pack('>HH', WIDTH, HEIGHT) + pixels + struct.pack('>I', len(name)) + name)
        sizes = {0: 19, 3: 9, 4: 7, 5: 5}
        while kind := read(1):
            if kind[0] == 2:
                count, = struct.unpack('>xH', read(3))
                read(4 * count)
                continue
            said = read(sizes[kind[0]])
            if kind[0] == 3 and not said[0]:
                row = b''.join(bytes((*COLOURS[x * 3 // WIDTH], 0)) for x in range(WIDTH))
                client.sendall(struct.pack('>BxHHHHHi', 0, 1, 0, 0, WIDTH, HEIGHT, 0) + row * HEIGHT)


def test_the_page_of_the_api(browser, cloud, pictures):
    base = cloud.deployment.url('compute')
    asked, wrong = [], []
    page = browser.new_page(viewport={'width': 1400, 'height': 900})
    page.on('request', lambda request: asked.append(request.url))
    page.on('pageerror', lambda error: wrong.append(str(error)))
    page.goto(f'{base}/docs?version=2.53')
    page.get_by_text('List the zones that servers can be in').first.wait_for(timeout=300_000)
    page.screenshot(path=pictures / 'api.png')
    page.close()
    assert {parse.urlsplit(url).netloc for url in asked if not url.startswith(('data:', 'blob:'))} == {
        parse.urlsplit(base).netloc}, 'nothing is fetched from elsewhere'
    assert not wrong


def test_the_screen_of_a_guest(browser, tmp_path, pictures):
    assert NOVNC.is_dir(), 'novnc is not installed'
    screen = Screen()
    with proxied(Cell(tmp_path, 'novnc', f'[console]\nweb = {NOVNC}\n')) as cell:
        token = cell.token(screen.listening.getsockname())
        page = browser.new_page(viewport={'width': 800, 'height': 600})
        page.goto(f'http://127.0.0.1:{cell.port}/vnc_auto.html?autoconnect=true&path=%3Ftoken%3D{token}')
        page.wait_for_function(f"""() => {{
            const canvas = document.querySelector('canvas');
            if (!canvas || canvas.width !== {WIDTH}) return false;
            const data = canvas.getContext('2d').getImageData(0, 0, {WIDTH}, 1).data;
            return [50, 160, 270].every((x, n) =>
                [0, 1, 2].every(c => data[x * 4 + c] === {[list(each) for each in COLOURS]}[n][c]));
        }}""", timeout=120_000)
        page.screenshot(path=pictures / 'novnc.png')
        page.close()
    screen.listening.close()
