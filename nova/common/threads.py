"""Concurrency, chosen once for the process: native threads, or eventlet for the bus services.

`choose` must run before anything else is imported, because monkey-patching reaches only what is imported
after it. No other module of the system knows the choice; WSGI applications never make one.
"""

import contextlib
import logging
import os
import sys
import warnings
from collections.abc import Callable, Collection, Iterator
from concurrent import futures
from typing import TypeVar, TypeVarTuple

from nova.common import clock, concurrency
from nova.common.concurrency import Condition, Event, Lock, Thread

LOG = logging.getLogger(__name__)

A = TypeVar('A')
Ts = TypeVarTuple('Ts')
B = TypeVar('B')

_BACKENDS: dict[str, type[concurrency.Backend]] = {
    'threading': concurrency.Threading, 'eventlet': concurrency.Eventlet}
_backend: concurrency.Backend = concurrency.Threading()
_chosen = False
_pools: list['Pool'] = []


def _from_files(argv: list[str]) -> str | None:
    """``[DEFAULT] concurrency_backend`` of the config files named on the command line.

    Read by hand because oslo.config, like everything else, may be imported only after the patching.
    """
    found, section = None, ''
    for index, word in enumerate(argv):
        if word.startswith('--config-file='):
            path = word.partition('=')[2]
        elif word == '--config-file' and index + 1 < len(argv):
            path = argv[index + 1]
        else:
            continue
        if not os.path.exists(path):
            continue
        with open(path, encoding='utf-8') as file:
            for line in file:
                line = line.strip()
                if line.startswith('['):
                    section = line
                key, sep, value = line.partition('=')
                if sep and section == '[DEFAULT]' and key.strip() == 'concurrency_backend':
                    found = value.strip()
    return found


def choose(name: str | None = None) -> str:
    """Fix the backend: the argument, else ``NOVA_CONCURRENCY``, else the config files, else threads.

    Raises:
        ValueError: unknown backend.
    """
    global _backend, _chosen
    name = name or os.environ.get('NOVA_CONCURRENCY') or _from_files(sys.argv) or 'threading'
    if name not in _BACKENDS:
        raise ValueError(f'unknown concurrency backend {name!r}; use one of {", ".join(_BACKENDS)}')
    if name == 'eventlet':
        import eventlet
        eventlet.monkey_patch(all=True, MySQLdb=True)  # a driver in C that would hold up all others
    else:
        # A library imports eventlet to see whether it is there; who does not use it need not read about it.
        warnings.filterwarnings('ignore', message=r'\s*Eventlet is deprecated')
    _backend, _chosen = _BACKENDS[name](), True
    _tell_oslo_service(name)
    return name


def choose_default() -> None:
    """Choose threads where nothing was chosen: for applications in processes of others."""
    if not _chosen:
        choose('threading')


def _tell_oslo_service(name: str) -> None:
    """The library takes eventlet unless told otherwise before it is used; some of its users import it early."""
    from oslo_service import backend as service_backend
    kind = service_backend.BackendType
    service_backend.init_backend(kind.EVENTLET if name == 'eventlet' else kind.THREADING)


def backend() -> str:
    """What `choose` fixed: ``threading`` or ``eventlet``; or the name of what `use` handed in."""
    return _backend.name


@contextlib.contextmanager
def use(handed_in: concurrency.Backend) -> Iterator[None]:
    """Make every thread, lock and pool of this backend meanwhile: how a simulation runs the system."""
    global _backend
    before, _backend = _backend, handed_in
    try:
        yield
    finally:
        _backend = before


def lock() -> Lock:
    """One holder at a time."""
    return _backend.lock()


def rlock() -> Lock:
    """A lock that its holder may take again."""
    return _backend.rlock()


def event() -> Event:
    """Something that is waited for until it is set."""
    return _backend.event()


def condition(guard: Lock | None = None) -> Condition:
    """A lock (`guard`, or one of its own) whose holder can wait for others to change what it guards."""
    return _backend.condition(guard)


def future() -> futures.Future:
    """An answer that somebody will give."""
    return _backend.future()


def wait(asked: Collection[futures.Future], timeout: float | None = None
         ) -> tuple[set[futures.Future], set[futures.Future]]:
    """Wait until all are done, at most `timeout` seconds: those that are done, and the others."""
    return _backend.wait(asked, timeout)


def sleep(seconds: float) -> None:
    """Do nothing for so long."""
    _backend.event().wait(seconds)


def start(name: str, fn: Callable[[*Ts], object], *args: *Ts) -> Thread:
    """Run `fn(*args)` in a thread of its own, which does not keep the process from ending."""
    return _backend.start(name, lambda: fn(*args))


def later(name: str, seconds: float, fn: Callable[[*Ts], object], *args: *Ts) -> None:
    """Call `fn(*args)` in so many seconds, if the process is there by then."""
    def run() -> None:
        sleep(seconds)
        fn(*args)
    _backend.start(name, run)


class Full(RuntimeError):
    """As many calls wait for a thread of the pool as may."""


class Pool:
    """A named, bounded executor that can be drained.

    Args:
        queue: calls that may wait for a thread, more are refused; None bounds them only by who submits.

    Attributes:
        refused: calls that were refused so far.
    """

    def __init__(self, name: str, size: int, queue: int | None = None) -> None:
        self.name, self.size = name, size
        self._most = None if queue is None else size + queue
        self._executor = _backend.executor(name, size)
        self._open: set[futures.Future] = set()
        self._lock = lock()
        self.refused = 0
        _pools.append(self)

    def submit(self, fn: Callable[[*Ts], A], *args: *Ts) -> futures.Future[A]:
        """Run `fn` in the pool.

        Raises:
            Full: too many calls wait.
            RuntimeError: the pool is closed.
        """
        with self._lock:
            if self._most is not None and len(self._open) >= self._most:
                self.refused += 1
                if self.refused & (self.refused - 1) == 0:
                    LOG.warning('%s is full: %d calls were refused so far', self.name, self.refused)
                raise Full(f'{self._most} calls wait for {self.name}')
            future = self._executor.submit(fn, *args)
            self._open.add(future)
        future.add_done_callback(self._open.discard)
        return future

    def background(self, fn: Callable[[*Ts], object], *args: *Ts) -> bool:
        """Run `fn` for its effect alone: nobody waits for it, so what it raises is logged.

        Returns:
            Whether it will run: False when the pool is full. Who comes again later need not care.
        """
        def report(future: futures.Future) -> None:
            error = None if future.cancelled() else future.exception()
            if error is not None:
                LOG.error('%s%r failed in the background', getattr(fn, '__qualname__', fn), args,
                          exc_info=error)
        try:
            self.submit(fn, *args).add_done_callback(report)
        except Full:
            return False
        return True

    def depth(self) -> int:
        """Calls running or waiting."""
        return len(self._open)

    def close(self, wait: bool = True) -> None:
        """Take no more calls; with `wait`, return when those running have ended."""
        self._executor.shutdown(wait=wait)
        with contextlib.suppress(ValueError):
            _pools.remove(self)


def each(name: str, fn: Callable[[A], B], items: Collection[A], at_once: int) -> list[B]:
    """``fn(item)`` of every item, in their order, by at most `at_once` threads that end with it.

    Raises:
        whatever `fn` itself raises.
    """
    if not items:
        return []
    pool = Pool(name, min(at_once, len(items)))
    try:
        asked = [pool.submit(fn, item) for item in items]
        return [future.result() for future in asked]
    finally:
        pool.close()


class Ticker:
    """A daemon thread that calls `fn` every `seconds` until stopped, or when `fn` said that there is something
    to do again; `kick` makes the next call at once, `within` makes it soon.

    Errors of `fn` go to `on_error`; the thread goes on.

    Args:
        fn: returns in how many seconds it is to be called again, None for `seconds`.
    """

    def __init__(self, name: str, seconds: float, fn: Callable[[], float | None],
                 on_error: Callable[[Exception], object]) -> None:
        self._name, self._fn, self._seconds, self._on_error = name, fn, seconds, on_error
        self._wake = event()
        self._ended = False
        self._lock = lock()
        self._due = self._sooner = clock.NEVER
        self._thread: Thread | None = None

    def start(self) -> 'Ticker':
        self._thread = _backend.start(self._name, self._run)
        return self

    def kick(self) -> None:
        self.within(0.0)

    def within(self, seconds: float) -> None:
        """Call in so many seconds, unless that is done anyway; a call that has begun by now does not count."""
        due = clock.monotonic() + seconds
        with self._lock:
            self._sooner = min(self._sooner, due)
            if due >= self._due:
                return
            self._due = due
        self._wake.set()

    def stop(self, wait: float | None = 5.0) -> None:
        self._ended = True
        self._wake.set()
        if self._thread is not None and not self._thread.is_current():
            self._thread.join(wait)

    def _run(self) -> None:
        while not self._ended:
            with self._lock:
                self._due = self._sooner = clock.NEVER
            pause = None
            try:
                pause = self._fn()
            except Exception as error:  # noqa: BLE001  a beat that fails once must not end the heart
                self._on_error(error)
            with self._lock:
                self._due = min(self._sooner, clock.monotonic() + (self._seconds if pause is None else pause))
            while not self._ended and (left := self._due - clock.monotonic()) > 0:
                self._wake.wait(left)
                self._wake.clear()


def pools() -> list[Pool]:
    """Pools that are open, for metrics."""
    return list(_pools)
