"""The web server of the sandbox and of standalone."""

import contextlib
import socket
import threading
import time

from nova.cmd import web
from nova.sandbox import app


def answer(environ, start_response):
    start_response('200 OK', [('Content-Length', '2')])
    return [b'ok']


def talk_over_many(host, port, count=150):
    """Each connection is answered while all that came before it stay open, as pools of clients keep them."""
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            client = stack.enter_context(socket.create_connection((host, port), timeout=5))
            client.sendall(b'GET / HTTP/1.1\r\nHost: test\r\n\r\n')
            assert client.recv(1000).startswith(b'HTTP/1.1 200')


def test_idle_connections_keep_nobody_out():
    server = app.Server(answer).start()
    try:
        talk_over_many(server.host, server.port)
    finally:
        server.stop()


def test_a_request_that_hangs_does_not_keep_the_server():
    asked, released = threading.Event(), threading.Event()

    def hang(environ, start_response):
        asked.set()
        released.wait(30)
        return answer(environ, start_response)
    server = app.Server(hang).start()
    with socket.create_connection((server.host, server.port), timeout=5) as client:
        client.sendall(b'GET / HTTP/1.1\r\nHost: test\r\n\r\n')
        assert asked.wait(5)
        began = time.monotonic()
        server.stop(0.2)
        assert time.monotonic() - began < 2
        assert client.recv(100) == b''
    released.set()


def test_nothing_is_written_once_the_pipe_is_to_be_closed():
    rung = []
    bell = app.Bell(lambda: rung.append(1))
    bell.ring()
    bell.silence()
    bell.ring()
    assert rung == [1]


def test_nor_at_nova_api():
    listen = socket.create_server(('127.0.0.1', 0))
    server = web.WebServer(answer, listen, size=4, grace=1)
    server.start()
    try:
        talk_over_many(*listen.getsockname())
    finally:
        server.stop()
