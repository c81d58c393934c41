"""What threads are made of: what a backend has to give, and the two that processes run on.

Everything that runs beside something else, or waits for it, comes from `nova.common.threads`, which asks the
backend of the process. So a simulation can hand in one whose threads take turns as it says, and whose waits
pass on its own clock.
"""

import contextlib
import threading
from collections.abc import Callable, Collection
from concurrent import futures
from typing import Protocol, Self, TypeVar, TypeVarTuple

T = TypeVar('T')
Ts = TypeVarTuple('Ts')


class Lock(contextlib.AbstractContextManager[bool], Protocol):
    """One holder at a time."""

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool: ...

    def release(self) -> None: ...


class Event(Protocol):
    """Set or not; who waits goes on when it is set."""

    def is_set(self) -> bool: ...

    def set(self) -> None: ...

    def clear(self) -> None: ...

    def wait(self, timeout: float | None = None) -> bool: ...


class Condition(contextlib.AbstractContextManager[bool], Protocol):
    """A lock whose holder can wait for others to change what it guards."""

    def wait(self, timeout: float | None = None) -> bool: ...

    def wait_for(self, predicate: Callable[[], T], timeout: float | None = None) -> T: ...

    def notify_all(self) -> None: ...


class Thread(Protocol):
    """A call that runs by itself."""

    def join(self, timeout: float | None = None) -> None: ...

    def is_current(self) -> bool:
        """Whether who asks is this thread."""


class Executor(Protocol):
    """Runs calls in at most so many threads."""

    def submit(self, fn: Callable[[*Ts], T], /, *args: *Ts) -> futures.Future[T]: ...

    def shutdown(self, wait: bool = True) -> None: ...


class Backend(Protocol):
    """Makes threads, and all that threads wait for."""

    name: str

    def lock(self) -> Lock: ...

    def rlock(self) -> Lock:
        """A lock that its holder may take again."""

    def event(self) -> Event: ...

    def condition(self, lock: Lock | None = None) -> Condition: ...

    def future(self) -> futures.Future:
        """An answer that somebody will give; `result` waits for it."""

    def wait(self, asked: Collection[futures.Future], timeout: float | None
             ) -> tuple[set[futures.Future], set[futures.Future]]:
        """Wait until all are done or time is over: those that are done, and the others."""

    def start(self, name: str, fn: Callable[[], object]) -> Thread:
        """Run `fn` in a thread of its own, which does not keep the process from ending."""

    def executor(self, name: str, size: int) -> Executor: ...


class NativeThread:
    """A daemon thread of the operating system, or what eventlet makes of it."""

    def __init__(self, name: str, fn: Callable[[], object]) -> None:
        self._thread = threading.Thread(target=fn, name=name, daemon=True)

    def begin(self) -> Self:
        self._thread.start()
        return self

    def join(self, timeout: float | None = None) -> None:
        self._thread.join(timeout)

    def is_current(self) -> bool:
        return self._thread is threading.current_thread()


class Threading:
    """Native threads."""

    name = 'threading'

    def lock(self) -> Lock:
        return threading.Lock()

    def rlock(self) -> Lock:
        return threading.RLock()

    def event(self) -> Event:
        return threading.Event()

    def condition(self, lock: Lock | None = None) -> Condition:
        return threading.Condition(lock)  # type: ignore[arg-type]  # it was made by `lock` above

    def future(self) -> futures.Future:
        return futures.Future()

    def wait(self, asked: Collection[futures.Future], timeout: float | None
             ) -> tuple[set[futures.Future], set[futures.Future]]:
        done, late = futures.wait(asked, timeout)
        return done, late

    def start(self, name: str, fn: Callable[[], object]) -> Thread:
        return NativeThread(name, fn).begin()

    def executor(self, name: str, size: int) -> Executor:
        return futures.ThreadPoolExecutor(size, thread_name_prefix=name)


class Eventlet(Threading):
    """Green threads: with eventlet's patches in place, the same calls make them; only pools differ."""

    name = 'eventlet'

    def executor(self, name: str, size: int) -> Executor:
        import futurist
        return futurist.GreenThreadPoolExecutor(max_workers=size)
