"""`nova.common.concurrency.Backend` on a `Loop`: threads are actors, and waits pass on its clock."""

import collections
from collections.abc import Callable, Collection
from concurrent import futures
from typing import Any

from nova.common import clock
from nova.tests.simulation.loop import Actor, Killed, Loop


class Lock:
    """One holder at a time; who asks for one that is taken waits, and a deadlock names the holder."""

    def __init__(self, loop: Loop, again: bool = False) -> None:
        self._loop, self._again = loop, again
        self.holder: Actor | None = None
        self._depth = 0
        self._waiting: collections.deque[Actor] = collections.deque()

    def __repr__(self) -> str:
        return f'a lock that {self.holder} holds'

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        loop, actor = self._loop, self._loop.actor
        if self.holder is None:
            self.holder, self._depth = actor, 1
            return True
        if self._again and self.holder is actor:
            self._depth += 1
            return True
        deadline = None if timeout < 0 else loop.now + timeout
        while self.holder is not None:
            if not blocking or (deadline is not None and loop.now >= deadline):
                return False
            self._waiting.append(actor)
            try:
                loop.park(self, None if deadline is None else deadline - loop.now)
            finally:
                if actor in self._waiting:
                    self._waiting.remove(actor)
        self.holder, self._depth = actor, 1
        return True

    def release(self) -> None:
        self._depth -= 1
        if self._depth:
            return
        self.holder = None
        for actor in list(self._waiting):
            self._loop.wake(actor)

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class Event:
    """Set or not."""

    __slots__ = ('_loop', '_set', '_waiting')

    def __init__(self, loop: Loop) -> None:
        self._loop, self._set = loop, False
        self._waiting: list[Actor] = []

    def __repr__(self) -> str:
        return 'an event'

    def is_set(self) -> bool:
        return self._set

    def set(self) -> None:
        self._set = True
        waiting, self._waiting = self._waiting, []
        for actor in waiting:
            self._loop.wake(actor)

    def clear(self) -> None:
        self._set = False

    def wait(self, timeout: float | None = None) -> bool:
        if self._set:
            return True
        actor = self._loop.actor
        self._waiting.append(actor)
        try:
            woken = self._loop.park(self, timeout)
        finally:
            if actor in self._waiting:
                self._waiting.remove(actor)
        return woken or self._set


class Condition:
    """A lock with those who wait for a change."""

    def __init__(self, loop: Loop, lock: Lock | None) -> None:
        self._loop, self._lock = loop, lock or Lock(loop, again=True)
        self._waiting: list[Actor] = []

    def __repr__(self) -> str:
        return 'a change'

    def __enter__(self) -> bool:
        return self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def wait(self, timeout: float | None = None) -> bool:
        actor = self._loop.actor
        self._waiting.append(actor)
        self._lock.release()
        try:
            woken = self._loop.park(self, timeout)
        finally:
            if actor in self._waiting:
                self._waiting.remove(actor)
            if not actor.process.dead:
                self._lock.acquire()
        return woken

    def wait_for(self, predicate: Callable[[], Any], timeout: float | None = None) -> Any:
        deadline = clock.Deadline(timeout)
        while not (result := predicate()):
            if deadline.passed():
                return result
            self.wait(deadline.left())
        return result

    def notify_all(self) -> None:
        waiting, self._waiting = self._waiting, []
        for actor in waiting:
            self._loop.wake(actor)


class Future(futures.Future):
    """An answer for which an actor waits."""

    def __init__(self, loop: Loop) -> None:
        super().__init__()
        self._loop = loop

    def _settled(self, timeout: float | None) -> None:
        if not self.done():
            wait(self._loop, [self], timeout)
            if not self.done():
                raise futures.TimeoutError

    def result(self, timeout: float | None = None) -> Any:
        self._settled(timeout)
        return super().result(0)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        self._settled(timeout)
        return super().exception(0)


def wait(loop: Loop, asked: Collection[futures.Future], timeout: float | None
         ) -> tuple[set[futures.Future], set[futures.Future]]:
    """`concurrent.futures.wait` by the loop."""
    actor = loop.actor
    deadline = None if timeout is None else loop.now + timeout
    listening = True

    def told(_: futures.Future) -> None:
        if listening:
            loop.wake(actor)
    for future in asked:
        if not future.done():
            future.add_done_callback(told)
    try:
        while not all(future.done() for future in asked):
            left = None if deadline is None else deadline - loop.now
            if left is not None and left <= 0:
                break
            loop.park('answers', left)
    finally:
        listening = False
    done = {future for future in asked if future.done()}
    return done, set(asked) - done


class Thread:
    """A handle of an actor."""

    def __init__(self, loop: Loop, actor: Actor, ended: Event) -> None:
        self._loop, self._actor, self._ended = loop, actor, ended

    def join(self, timeout: float | None = None) -> None:
        if not self._actor.ended:
            self._ended.wait(timeout)

    def is_current(self) -> bool:
        return self._loop.current is self._actor


class Executor:
    """At most so many actors of the process that made it."""

    def __init__(self, loop: Loop, name: str, size: int) -> None:
        self._loop, self._name, self._size = loop, name, size
        self._process = loop.actor.process
        self._running = 0
        self._closed = False
        self._queue: collections.deque[tuple[Future, Callable[[], Any]]] = collections.deque()
        self._idle = Event(loop)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> futures.Future:
        if self._closed:
            raise RuntimeError('cannot schedule new futures after shutdown')
        future = Future(self._loop)
        self._queue.append((future, lambda: fn(*args, **kwargs)))
        if self._running < self._size:
            self._running += 1
            self._loop.spawn(self._process, self._name, self._work)
        return future

    def _work(self) -> None:
        while self._queue:
            future, call = self._queue.popleft()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = call()
            except Killed:
                raise
            except BaseException as error:  # noqa: BLE001  handed to who asked
                future.set_exception(error)
            else:
                future.set_result(result)
            self._loop.actor.place = None
        self._running -= 1
        if not self._running:
            self._idle.set()

    def shutdown(self, wait: bool = True) -> None:
        self._closed = True
        while wait and self._running:
            self._idle.clear()
            self._idle.wait()


class Backend:
    """What `nova.common.threads.use` is given."""

    name = 'simulation'

    def __init__(self, loop: Loop) -> None:
        self.loop = loop

    def lock(self) -> Lock:
        return Lock(self.loop)

    def rlock(self) -> Lock:
        return Lock(self.loop, again=True)

    def event(self) -> Event:
        return Event(self.loop)

    def condition(self, lock: Any = None) -> Condition:
        return Condition(self.loop, lock)

    def future(self) -> Future:
        return Future(self.loop)

    def wait(self, asked: Collection[futures.Future], timeout: float | None
             ) -> tuple[set[futures.Future], set[futures.Future]]:
        return wait(self.loop, asked, timeout)

    def start(self, name: str, fn: Callable[[], object]) -> Thread:
        ended = Event(self.loop)

        def run() -> None:
            try:
                fn()
            finally:
                ended.set()
        return Thread(self.loop, self.loop.spawn(self.loop.actor.process, name, run), ended)

    def executor(self, name: str, size: int) -> Executor:
        return Executor(self.loop, name, size)
