"""Concurrency, chosen once for the process: native threads, or eventlet for the bus services.

`choose` must run before anything else is imported, because monkey-patching reaches only what is imported
after it. No other module of the system knows the choice; WSGI applications never make one.
"""

import logging
import os
import sys
import threading
import warnings
from collections.abc import Callable
from concurrent import futures
from typing import Any

LOG = logging.getLogger(__name__)

_BACKENDS = ('threading', 'eventlet')
_backend = 'threading'
_chosen = False
_pools: list['Pool'] = []
_pools_lock = threading.Lock()


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
        eventlet.monkey_patch()
    else:
        # A library imports eventlet to see whether it is there; who does not use it need not read about it.
        warnings.filterwarnings('ignore', message=r'\s*Eventlet is deprecated')
    _backend, _chosen = name, True
    _tell_oslo_service(name)
    return name


def settle() -> None:
    """Choose threads where nothing was chosen: for applications in processes of others."""
    if not _chosen:
        choose('threading')


def _tell_oslo_service(name: str) -> None:
    """The library takes eventlet unless told otherwise before it is used; some of its users import it early."""
    from oslo_service import backend as service_backend
    kind = service_backend.BackendType
    service_backend.init_backend(kind.EVENTLET if name == 'eventlet' else kind.THREADING)


def backend() -> str:
    """What `choose` fixed: ``threading`` or ``eventlet``."""
    return _backend


class Pool:
    """A named, bounded executor that can be drained."""

    def __init__(self, name: str, size: int) -> None:
        self.name, self.size = name, size
        self._executor: Any
        if _backend == 'eventlet':
            import futurist
            self._executor = futurist.GreenThreadPoolExecutor(max_workers=size)
        else:
            self._executor = futures.ThreadPoolExecutor(size, thread_name_prefix=name)
        self._open: set[futures.Future] = set()
        with _pools_lock:
            _pools.append(self)

    def submit(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> futures.Future:
        """Run `fn` in the pool.

        Raises:
            RuntimeError: the pool is closed.
        """
        future = self._executor.submit(fn, *args, **kwargs)
        self._open.add(future)
        future.add_done_callback(self._open.discard)
        return future

    def background(self, fn: Callable[..., Any], *args: Any) -> None:
        """Run `fn` for its effect alone: nobody waits for it, so what it raises is logged."""
        def report(future: futures.Future) -> None:
            error = None if future.cancelled() else future.exception()
            if error is not None:
                LOG.error('%s%r failed in the background', getattr(fn, '__qualname__', fn), args,
                          exc_info=error)
        self.submit(fn, *args).add_done_callback(report)

    def depth(self) -> int:
        """Calls running or waiting."""
        return len(self._open)

    def close(self, wait: bool = True) -> None:
        """Take no more calls; with `wait`, return when those running have ended."""
        self._executor.shutdown(wait=wait)
        with _pools_lock:
            if self in _pools:
                _pools.remove(self)


class Ticker:
    """A daemon thread that calls `fn` every `seconds` until stopped; `kick` makes the next call at once.

    Errors of `fn` go to `on_error`; the thread goes on.
    """

    def __init__(self, name: str, seconds: float, fn: Callable[[], object],
                 on_error: Callable[[Exception], object]) -> None:
        self._fn, self._seconds, self._on_error = fn, seconds, on_error
        self._wake, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> 'Ticker':
        self._thread.start()
        return self

    def kick(self) -> None:
        self._wake.set()

    def stop(self, wait: float | None = 5.0) -> None:
        self._ended.set()
        self._wake.set()
        if self._thread is not threading.current_thread() and self._thread.ident is not None:
            self._thread.join(wait)

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self._fn()
            except Exception as error:  # noqa: BLE001  a beat that fails once must not end the heart
                self._on_error(error)
            self._wake.wait(self._seconds)
            self._wake.clear()


def pools() -> list[Pool]:
    """Pools that are open, for metrics."""
    with _pools_lock:
        return list(_pools)
