"""Signs of life for who waits for the answer of a call.

The library gives them in a thread that it starts for each call, though nearly all calls are answered before the
first sign is due: that was a sixth of what a decision cost a scheduler. Here one thread gives those of all
calls that a bus serves.
"""

import contextlib
import logging
from collections.abc import Iterator

import oslo_messaging
from oslo_messaging._drivers import base

from nova.common import clock, threads

LOG = logging.getLogger(__name__)

LEAST = 0.5
"""Seconds between two signs, whatever a caller asks for."""


class _Call:
    """A call that is being served."""

    def __init__(self, incoming: base.RpcIncomingMessage, pause: float) -> None:
        self._incoming, self._pause = incoming, pause
        self._lock = threads.lock()
        self._open = True
        self.due = clock.monotonic() + pause

    def give(self) -> None:
        """Give a sign, if it is still being served."""
        with self._lock:
            self.due = clock.monotonic() + self._pause
            if not self._open:
                return
            try:
                self._incoming.heartbeat()
            except Exception as error:  # noqa: BLE001  whatever a connection fails with: the caller gives up, or not
                LOG.info('A sign of life could not be given: %s', type(error).__name__)

    def end(self) -> None:
        """Give none from now on: one that came after the answer would be taken for another call's."""
        with self._lock:
            self._open = False


class Signs:
    """The signs of the calls that one bus serves."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._calls = set[_Call]()
        self._changed = threads.condition()
        self._runs, self._wakes = False, clock.NEVER
        """Whether there is a thread, and when it looks by itself."""

    @contextlib.contextmanager
    def given(self, incoming: base.RpcIncomingMessage, silence: float | None) -> Iterator[None]:
        """Give signs during the block.

        Args:
            silence: seconds after which the caller gives up without one; None: it does not.
        """
        if not silence:
            yield
            return
        call = _Call(incoming, max(silence / 2, LEAST))
        with self._changed:
            self._calls.add(call)
            if not self._runs:
                self._runs = True
                threads.start(f'signs-{self._name}', self._run)
            elif call.due < self._wakes:
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._calls.discard(call)
            call.end()

    def _run(self) -> None:
        """Give signs until a look finds no call."""
        while True:
            with self._changed:
                if not self._calls:
                    self._runs = False
                    return
                self._wakes = min(call.due for call in self._calls)
                seconds = self._wakes - clock.monotonic()
                if seconds > 0:
                    self._changed.wait(seconds)
                    continue
                due = [call for call in self._calls if call.due <= self._wakes]
            for call in due:
                call.give()


class Dispatcher(oslo_messaging.RPCDispatcher):
    """The library's, with signs of ours."""

    def __init__(self, endpoint: object, signs: Signs) -> None:
        super().__init__([endpoint], None, oslo_messaging.ExplicitRPCAccessPolicy)
        self._signs = signs

    def dispatch(self, incoming: base.RpcIncomingMessage) -> object:
        """Deal with a message; `incoming.client_timeout` is what would have the library start its thread."""
        silence, incoming.client_timeout = incoming.client_timeout, None
        with self._signs.given(incoming, silence):
            return super().dispatch(incoming)
