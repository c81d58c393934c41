"""Calls end when their time is over, and none holds up another, whatever the broker does."""

import contextlib
import socket
import threading
import time

import pytest

from nova import errors
from nova.common import clock
from nova.rpc import calls, looks


@contextlib.contextmanager
def listening(says=None):
    """A server that accepts, and says something or nothing."""
    with socket.create_server(('127.0.0.1', 0)) as server:
        held = []

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    held.append(server.accept()[0])
                    if says is not None:
                        held[-1].recv(8)
                        held[-1].sendall(says)
        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()
        for each in held:
            each.close()


@pytest.mark.parametrize(('says', 'found'), [
    (b'\1\0\0', True), (b'AMQP\0\1\0\0', True), (None, False), (b'', False)])
@pytest.mark.parametrize('tls', [False, True])
def test_only_who_says_something_answers(says, found, tls):
    began = time.monotonic()
    with listening(says) as address:
        assert looks.answers(address, 0.5, tls) is (found and not tls)
    assert time.monotonic() - began < 3


def test_who_is_not_there_does_not_answer():
    with socket.create_server(('127.0.0.1', 0)) as server:
        address = server.getsockname()
    assert looks.answers(address, 0.5) is False


def test_the_first_call_to_a_broker_holds_up_no_other():
    made, go = calls.Calls('test'), threading.Event()
    first = threading.Thread(target=lambda: made.run(go.wait, clock.Deadline(30), 'long'))
    first.start()
    try:
        assert made.run(lambda: 'answer', clock.Deadline(5), 'short') == 'answer'
    finally:
        go.set()
        first.join()


def test_a_call_ends_when_its_time_is_over_though_the_library_does_not():
    made, go = calls.Calls('test'), threading.Event()
    began = time.monotonic()
    with pytest.raises(errors.bus.BusAway, match='No answer to silent'):
        made.run(go.wait, clock.Deadline(0.2), 'silent')
    assert time.monotonic() - began < 5
    go.set()
