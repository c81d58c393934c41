"""Asking all cells at once without letting a slow one hold anybody up.

Every cell has its own few threads and a breaker. Who asks waits until his deadline; a cell that has not
answered by then opens its breaker, and requests after that leave it out at once. A background probe closes it
again.
"""

import logging
from collections.abc import Callable, Mapping
from concurrent import futures
from typing import Generic, TypeVar

from oslo_db import exception as db_exc

from nova.common import clock, threads

LOG = logging.getLogger(__name__)

T = TypeVar('T')

_THREADS = 8
"""Questions that one cell is asked at the same time; further ones wait for their turn."""


class _Cell:
    """The threads and the breaker of one cell."""

    def __init__(self, name: str, probe_after: float) -> None:
        self.name = name
        self.pool = threads.Pool(f'cell-{name}', _THREADS)
        self._probe_after = probe_after
        self._lock = threads.lock()
        self._open_since: float | None = None
        self._probe: futures.Future | None = None

    def is_open(self, probe: Callable[[], object]) -> bool:
        """Whether to leave the cell out; starts a probe in the background when it is time for one."""
        with self._lock:
            if self._open_since is None:
                return False
            due = clock.monotonic() - self._open_since >= self._probe_after
            if due and (self._probe is None or self._probe.done()):
                self._probe = self.pool.submit(self._try, probe)
            return True

    def trip(self) -> None:
        with self._lock:
            if self._open_since is None:
                LOG.warning('Cell %s does not answer; it is left out until it does', self.name)
            self._open_since = clock.monotonic()

    def close(self) -> None:
        with self._lock:
            if self._open_since is not None:
                LOG.info('Cell %s answers again', self.name)
            self._open_since = None

    def _try(self, probe: Callable[[], object]) -> None:
        try:
            probe()
        except Exception as error:  # noqa: BLE001  whatever keeps it from answering, it is not back yet
            LOG.info('Cell %s is still away: %s', self.name, type(error).__name__)
            self.trip()
        else:
            self.close()


class Answers(Generic[T]):
    """What cells answered.

    Attributes:
        got: answers by cell.
        failed: errors by cell; TimeoutError of those that were not waited for any longer or left out.
    """

    def __init__(self) -> None:
        self.got: dict[str, T] = {}
        self.failed: dict[str, BaseException] = {}


class Scatter:
    """The cells of one process, as far as asking them goes.

    Args:
        probe_after: seconds after which a cell that was left out is probed again.
    """

    def __init__(self, probe_after: float) -> None:
        self._probe_after = probe_after
        self._lock = threads.lock()
        self._cells: dict[str, _Cell] = {}

    def ask(self, questions: Mapping[str, Callable[[], T]], probes: Mapping[str, Callable[[], object]],
            deadline: clock.Deadline) -> Answers[T]:
        """Put each cell's question to it and wait for the answers until the deadline.

        Args:
            questions: by a name of the cell that stays the same, such as its uuid.
            probes: by the same names: what succeeds when the cell is back.
        """
        answers: Answers[T] = Answers()
        running: dict[futures.Future, str] = {}
        for name, question in questions.items():
            cell = self._cell(name)
            if cell.is_open(probes[name]):
                answers.failed[name] = TimeoutError(f'cell {name} is left out')
            else:
                running[cell.pool.submit(question)] = name
        had_time = not deadline.passed()
        done, late = threads.wait(running, deadline.left())
        for future in late:
            name = running[future]
            future.cancel()
            if had_time:
                self._cell(name).trip()
            answers.failed[name] = TimeoutError(f'cell {name} did not answer in time')
        for future in done:
            name = running[future]
            error = future.exception()
            if error is None:
                answers.got[name] = future.result()
                continue
            answers.failed[name] = error
            if not reaches(error):
                self._cell(name).trip()
        return answers

    def trip(self, name: str) -> None:
        """Leave a cell out from now on, until a probe succeeds."""
        self._cell(name).trip()

    def close(self) -> None:
        """Let the threads go; those that hang are not waited for."""
        with self._lock:
            cells, self._cells = list(self._cells.values()), {}
        for cell in cells:
            cell.pool.close(wait=False)

    def _cell(self, name: str) -> _Cell:
        with self._lock:
            if name not in self._cells:
                self._cells[name] = _Cell(name, self._probe_after)
            return self._cells[name]


def reaches(error: BaseException) -> bool:
    """Whether an error shows that the cell was reached, so that the fault is ours and the cell is not down."""
    return not isinstance(error, (TimeoutError, ConnectionError, OSError)) and not _is_connection(error)


def _is_connection(error: BaseException) -> bool:
    return isinstance(error, (db_exc.DBConnectionError, db_exc.DBNonExistentDatabase,
                              db_exc.DBNonExistentTable, db_exc.CantStartEngineError))
