"""An interface as rooms would declare one, for the tests of the bus on every transport."""

import os
import threading

from nova import errors
from nova.objects import base, fields
from nova.rpc import kernel
from nova.tests.fixtures.waiting import PATIENCE


class Parcel(base.Record):

    text: str
    note: str | None = fields.since('1.1', None)


class Receipt(base.Record):

    text: str
    who: str | None


class Post(kernel.Interface):
    topic = f'post-{os.getpid()}'  # test processes may share a broker, on which a topic is a queue
    levels = {'1.0': {'Parcel': '1.0'}}
    drop = kernel.cast(Parcel)
    keep = kernel.cast(Parcel, keep=60)
    shout = kernel.fanout(Parcel)
    ask = kernel.call(Parcel, returns=Receipt)
    slow = kernel.call(Parcel, returns=Receipt, timeout='long')
    later = kernel.cast(Parcel, since='1.1')


class Office:
    """Endpoint that keeps what came; `gate` holds `slow` back."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.got: list[tuple[str, Parcel]] = []
        self.contexts: list = []
        self.changed = threading.Condition()
        self.gate = threading.Event()
        self.gate.set()

    def _keep(self, kind, context, parcel):
        with self.changed:
            self.got.append((kind, parcel))
            self.contexts.append(context)
            self.changed.notify_all()

    def drop(self, context, parcel):
        self._keep('drop', context, parcel)

    def keep(self, context, parcel):
        self._keep('keep', context, parcel)

    def shout(self, context, parcel):
        self._keep('shout', context, parcel)

    def later(self, context, parcel):
        self._keep('later', context, parcel)

    def ask(self, context, parcel):
        self._keep('ask', context, parcel)
        if parcel.text == 'refuse':
            raise errors.server.ServerNotFound(server='there')
        if parcel.text == 'crash':
            raise RuntimeError('a secret detail')
        return Receipt(text=parcel.text.upper(), who=self.name)

    def slow(self, context, parcel):
        self._keep('slow', context, parcel)
        self.gate.wait(30)
        return Receipt(text='late', who=self.name)

    def secret(self, context, parcel):
        raise AssertionError('not declared, so not reachable')

    def wait(self, count, seconds=PATIENCE):
        """Wait until `count` messages have come."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.got) >= count, seconds), self.got
        return [parcel.text for _, parcel in self.got]
