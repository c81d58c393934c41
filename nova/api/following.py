"""A project's notifications in all cells, as they come, from a place that a client remembers.

They are numbered in each database. One with a lower number may come after one with a higher: its transaction
ended later. So the place that is told goes no further than what is surely complete, which is what is older than
any transaction may be; and what was told beyond it is told again to who comes back with it. None is left out.
"""

import dataclasses
import datetime
import functools
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Self

from nova.common import clock, dbkit, problem
from nova.objects import cell_mapping, notification

if TYPE_CHECKING:
    from nova.db import session

TRANSACTION = datetime.timedelta(seconds=60)
"""A transaction that takes longer has failed: none waits longer for a statement (`session.PATIENCE`)."""
MOST = 200
"""Notifications of one database that one look tells of."""
_NUMBERS = 5000
_PLACE = re.compile(r'^(\d{1,12})((?:,\d{1,9}:\d{1,18}){0,1000})$')
API = 0
"""The API database, among the numbers of cells."""


class BadPlace(problem.BadRequest):
    code = 'bad_event_place'
    template = 'Last-Event-ID must be one that came with an event, or be left out.'


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """How far a client has come.

    Attributes:
        since: of a database without a number everything from then on is to be told.
        numbers: of the last notification that is surely told, with all before it, by the cell's number.
    """

    since: datetime.datetime
    numbers: Mapping[int, int]

    @classmethod
    def parse(cls, text: str) -> Self:
        """
        Raises:
            BadPlace: it is none.
        """
        match = _PLACE.match(text)
        if match is None:
            raise BadPlace()
        pairs = (part.split(':') for part in match[2].split(',') if part)
        try:
            since = datetime.datetime.fromtimestamp(int(match[1]), datetime.UTC).replace(tzinfo=None)
        except (ValueError, OverflowError, OSError):
            raise BadPlace() from None
        return cls(since, {int(cell): int(number) for cell, number in pairs})

    def __str__(self) -> str:
        since = int(self.since.replace(tzinfo=datetime.UTC).timestamp())
        return ','.join([str(since), *(f'{cell}:{number}' for cell, number in sorted(self.numbers.items()))])


@dataclasses.dataclass(slots=True)
class _Track:
    """One database: the number up to which all is told, and those beyond it that are."""

    number: int
    told: set[int] = dataclasses.field(default_factory=set)


@dataclasses.dataclass(frozen=True, slots=True)
class Look:
    """What one look found.

    Attributes:
        down: how many cells cannot be asked now.
        more: there is more to be told at once.
    """

    told: list[notification.Notification]
    down: int
    more: bool


class Following:
    """Follows one project.

    Args:
        place: where to go on; None is now.
        timeout: seconds that one look waits for cells.
    """

    def __init__(self, dbs: 'session.Databases', project_id: str, place: Place | None, timeout: float) -> None:
        self._dbs, self._project, self._timeout = dbs, project_id, timeout
        self._since = place.since if place is not None else dbs.api.now()
        self._new = place is None
        self._tracks = {} if place is None else {cell: _Track(number) for cell, number in place.numbers.items()}

    @property
    def place(self) -> Place:
        """From where somebody else could go on without missing anything."""
        return Place(self._since, {cell: track.number for cell, track in self._tracks.items()})

    def look(self, cells: list[cell_mapping.CellMapping]) -> Look:
        """What has come since the look before, in the order of each database.

        Args:
            cells: as they are now.
        """
        numbers = {cell.uuid: cell.id for cell in cells}
        answers = self._dbs.ask({cell.uuid: functools.partial(self._read, cell.id) for cell in cells},
                                {cell.uuid: cell for cell in cells}, clock.Deadline(self._timeout))
        for error in answers.failed.values():
            raise error
        found = {API: self._read(API, self._dbs.api)} | {
            numbers[uuid]: got for uuid, got in answers.got.items()}
        told: list[notification.Notification] = []
        more = False
        for cell, (track, fresh, left) in found.items():
            self._tracks[cell] = track
            told += fresh
            more = more or left
        if not answers.down:
            # Every database has a number of its own by now; the time only says how old they are.
            self._since = self._dbs.api.now()
        self._new = False
        told.sort(key=lambda one: (one.created_at or self._since, one.id))
        return Look(told, len(answers.down), more)

    def _read(self, cell: int, db: dbkit.Database) -> tuple[_Track, list[notification.Notification], bool]:
        """What one database has, and where it stands afterwards; changes nothing of ours."""
        with db.read(snapshot=True) as conn:
            before = dbkit.now(conn) - TRANSACTION
            track = self._tracks.get(cell)
            begins = track is None and self._new
            if track is None:
                from_then = before if self._new else self._since - TRANSACTION
                track = _Track(notification.last_before(conn, self._project, from_then))
            seen = notification.numbers(conn, self._project, track.number, _NUMBERS)
            fresh = [] if begins else [number for number, _ in seen if number not in track.told][:MOST]
            told = track.told | ({number for number, _ in seen} if begins else set(fresh))
            complete = track.number
            for number, created_at in seen:
                if number not in told or created_at > before:
                    break
                complete = number
            more = len(seen) == _NUMBERS or bool({number for number, _ in seen} - told)
            return (_Track(complete, {number for number in told if number > complete}),
                    notification.numbered(conn, fresh) if fresh else [], more)


def is_late(place: Place, now: datetime.datetime, hours: int) -> bool:
    """Whether something that `place` has not told may be kept no more."""
    return now - place.since > datetime.timedelta(hours=hours)


def lines(name: str, data: bytes, place: Place | None = None) -> Iterator[bytes]:
    """One event of a stream."""
    if place is not None:
        yield f'id: {place}\n'.encode()
    yield b'event: ' + name.encode() + b'\ndata: ' + data + b'\n\n'
