"""Asking all cells at once without letting a slow one hold anybody up.

Every cell has its own few threads and a breaker. Who asks waits until his deadline; a cell that has not
answered by then opens its breaker, and requests after that leave it out at once. So does one that cannot be
read for another reason: refused, denied, without its database or tables, or of another schema. A probe in a
thread of its own closes it again.
"""

import dataclasses
import itertools
import logging
from collections.abc import Callable, Collection, Hashable, Mapping
from concurrent import futures
from typing import Generic, TypeVar

from nova.common import clock, dbkit, threads

LOG = logging.getLogger(__name__)

T = TypeVar('T')
Name = TypeVar('Name', bound=Hashable)

_THREADS = 8
"""Questions that one cell is asked at the same time; further ones wait for their turn."""
_WAITING = 512
"""Questions that may wait for their turn; a cell with more of them is as good as silent."""


class _Cell:
    """The threads and the breaker of one cell."""

    def __init__(self, name: str, probe_after: float) -> None:
        self.name = name
        self.pool = threads.Pool(f'cell-{name}', _THREADS)
        self._probes = threads.Pool(f'cell-probe-{name}', 1)
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
                self._probe = self._probes.submit(self._try, probe)
            return True

    def is_full(self) -> bool:
        """Whether so many questions wait that one more would not be answered in time."""
        return self.pool.depth() >= _WAITING

    def trip(self, why: str) -> None:
        with self._lock:
            if self._open_since is None:
                LOG.warning('Cell %s is down, and left out until it answers: %s', self.name, why)
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
            LOG.info('Cell %s is still down: %s', self.name, _reason(error))
            self.trip(_reason(error))
        else:
            self.close()

    def end(self) -> None:
        """Let the threads go; those that hang are not waited for."""
        self.pool.close(wait=False)
        self._probes.close(wait=False)


@dataclasses.dataclass
class Answers(Generic[Name, T]):
    """What cells answered.

    Attributes:
        got: answers by cell.
        down: why a cell cannot be read now, by cell; never with a password.
        failed: errors of the questions themselves, by cell.
    """

    got: dict[Name, T] = dataclasses.field(default_factory=dict)
    down: dict[Name, str] = dataclasses.field(default_factory=dict)
    failed: dict[Name, BaseException] = dataclasses.field(default_factory=dict)


class Scatter(Generic[Name]):
    """The cells of one process, as far as asking them goes.

    Args:
        probe_after: seconds after which a cell that was left out is probed again.
    """

    def __init__(self, probe_after: float) -> None:
        self._probe_after = probe_after
        self._lock = threads.lock()
        self._cells: dict[Name, _Cell] = {}

    def ask(self, questions: Mapping[Name, Callable[[], T]], probes: Mapping[Name, Callable[[], object]],
            deadline: clock.Deadline, patience: float | None = None) -> Answers[Name, T]:
        """Put each cell's question to it and wait for the answers until the deadline.

        Args:
            questions: by a name of the cell that stays the same while its database does.
            probes: by the same names: what succeeds when the cell is back.
            patience: seconds for which the others are waited for once half of the cells have answered, or three
                times as long as these took.
        """
        answers: Answers[Name, T] = Answers()
        running: dict[futures.Future, Name] = {}
        for name, question in questions.items():
            cell = self._cell(name)
            if cell.is_open(probes[name]):
                answers.down[name] = 'it did not answer before'
            elif cell.is_full():
                answers.down[name] = 'too many questions wait for it'
            else:
                running[cell.pool.submit(question)] = name
        had_time = not deadline.passed()
        if patience is not None and len(running) > 1:
            most = max(patience, 3 * _until_half(running, deadline.left()))
            left = deadline.left()
            deadline = clock.Deadline(most if left is None else min(left, most))
        done, late = threads.wait(running, deadline.left())
        for future in late:
            name = running[future]
            future.cancel()
            answers.down[name] = 'it did not answer in time'
            if had_time:
                self._cell(name).trip(answers.down[name])
        for future in done:
            name = running[future]
            error = future.exception()
            if error is None:
                answers.got[name] = future.result()
            elif dbkit.is_away(error):
                answers.down[name] = _reason(error)
                self._cell(name).trip(answers.down[name])
            else:
                answers.failed[name] = error
        return answers

    def close(self) -> None:
        """Let the threads go; those that hang are not waited for."""
        with self._lock:
            cells, self._cells = list(self._cells.values()), {}
        for cell in cells:
            cell.end()

    def _cell(self, name: Name) -> _Cell:
        with self._lock:
            if name not in self._cells:
                self._cells[name] = _Cell(str(name), self._probe_after)
            return self._cells[name]


def _until_half(running: Collection[futures.Future], longest: float | None) -> float:
    """Wait until half of them are done; seconds that this took."""
    began, half, done = clock.monotonic(), threads.event(), itertools.count(1)

    def note(_: futures.Future) -> None:
        if next(done) == (len(running) + 1) // 2:
            half.set()
    for future in running:
        future.add_done_callback(note)
    half.wait(longest)
    return clock.monotonic() - began


def _reason(error: BaseException) -> str:
    """What keeps a cell from being read, in a few words: drivers' own texts may hold an address or a user."""
    return f'its database cannot be read ({type(error).__name__})'
