"""Several processes of one service: started, watched, started again when they die, stopped together.

A worker is a fresh interpreter with the same command line, told its number by the environment: that works the
same with every concurrency backend, and shares no connection or thread with its parent. When the parent dies,
its workers see the end of a pipe and stop.
"""

import contextlib
import dataclasses
import logging
import os
import signal
import subprocess
import sys

from nova.cmd import signals
from nova.common import clock

LOG = logging.getLogger(__name__)

NUMBER, LIFELINE, LISTEN = 'NOVA_WORKER', 'NOVA_WORKER_LIFELINE', 'NOVA_WORKER_LISTEN'
BACKOFF = (0.1, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds before a worker that died is started again; one that lived for the last of these starts over."""


@dataclasses.dataclass(slots=True)
class Worker:
    """What the parent knows of a worker: `due` is when to start it, `deaths` how often it died young."""

    number: int
    process: subprocess.Popen | None = None
    began: float = 0.0
    due: float = 0.0
    deaths: int = 0


def number() -> int | None:
    """Which worker this process is, from 0; None for a parent or a single process."""
    text = os.environ.get(NUMBER)
    return None if text is None else int(text)


def descriptor(name: str) -> int | None:
    """The inherited descriptor that an environment variable names."""
    text = os.environ.get(name)
    return None if not text else int(text)


class Supervisor:
    """Runs `count` workers of a module until it is told to stop.

    Args:
        module: what ``python -m`` runs.
        arguments: of its command line.
        listen: a listening socket that the workers share.
        grace: seconds that workers get to end.
    """

    def __init__(self, module: str, arguments: list[str], count: int, grace: float,
                 listen: int | None = None) -> None:
        self._command = [sys.executable, *(f'-W{option}' for option in sys.warnoptions), '-m', module,
                         *arguments]
        self._grace, self._listen = grace, listen
        self._workers = [Worker(number) for number in range(count)]
        self._lifeline, self._hold = os.pipe()

    def run(self) -> int:
        """Returns the exit code: 0 when every worker ended in time."""
        came = signals.Signals((signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD))
        while True:
            self._start_due()
            what = came.wait(self._pause())
            if what in (signal.SIGTERM, signal.SIGINT):
                return self._stop()
            if what == signal.SIGHUP:
                self._send(signal.SIGHUP)
            self._reap()

    def _start_due(self) -> None:
        now = clock.monotonic()
        for worker in self._workers:
            if worker.process is None and worker.due <= now:
                worker.process, worker.began = self._spawn(worker.number), now
                LOG.info('Worker %d is process %d', worker.number, worker.process.pid)

    def _spawn(self, which: int) -> subprocess.Popen:
        passed = [self._lifeline] + ([self._listen] if self._listen is not None else [])
        environment = {**os.environ, NUMBER: str(which), LIFELINE: str(self._lifeline),
                       LISTEN: '' if self._listen is None else str(self._listen)}
        return subprocess.Popen(self._command, env=environment, pass_fds=passed)

    def _pause(self) -> float | None:
        waiting = [worker.due for worker in self._workers if worker.process is None]
        return max(0.0, min(waiting) - clock.monotonic()) if waiting else None

    def _reap(self) -> None:
        now = clock.monotonic()
        for worker in self._workers:
            if worker.process is None or worker.process.poll() is None:
                continue
            if now - worker.began >= BACKOFF[-1]:
                worker.deaths = 0
            pause = BACKOFF[min(worker.deaths, len(BACKOFF) - 1)]
            LOG.error('Worker %d (process %d) ended with %s; it starts again in %.1f s', worker.number,
                      worker.process.pid, worker.process.returncode, pause)
            worker.deaths += 1
            worker.process, worker.due = None, now + pause

    def _send(self, what: int) -> None:
        for worker in self._workers:
            if worker.process is not None:
                with contextlib.suppress(ProcessLookupError):
                    worker.process.send_signal(what)

    def _stop(self) -> int:
        """Have every worker end; those that do not in time are killed."""
        self._send(signal.SIGTERM)
        # Beyond their own grace they end by themselves, so that this is for those that hang.
        deadline = clock.Deadline(self._grace + 10)
        code = 0
        for worker in self._workers:
            if worker.process is None:
                continue
            try:
                worker.process.wait(deadline.left())
            except subprocess.TimeoutExpired:
                LOG.error('Worker %d does not end; killing process %d', worker.number, worker.process.pid)
                worker.process.kill()
                worker.process.wait()
            # One that was told to stop before it had begun to listen for that ends by the signal itself.
            code = code or int(worker.process.returncode not in (0, -signal.SIGTERM))
        os.close(self._hold)
        return code
