"""What a host remembers of the steps it was told to run: one small file a task, replaced whole.

It answers three questions after a crash or a repeated message: is this attempt older than one that was seen,
was it done already, and how did it end? Files survive the process (kill -9); after a power loss the newest may
be missing, and then a step simply runs again.
"""

import contextlib
import dataclasses
import os
import pathlib

from nova.common import clock, jsonutil
from nova.common.jsonutil import JsonObject

KEEP = 24 * 3600.0
"""Seconds after which an entry is forgotten: longer than any task asks again."""


@dataclasses.dataclass(slots=True)
class Entry:
    """The highest attempt of a task seen here; `result` is a `StepResult`'s wire form once it has ended."""

    task: str
    attempt: int
    step: str = ''
    direction: str = 'do'
    server: str | None = None
    result: JsonObject | None = None


_FIELDS = tuple(field.name for field in dataclasses.fields(Entry))


class Journal:
    """Entries in ``DIRECTORY/TASK.json``; callers see to it that one thread at a time handles a task."""

    def __init__(self, directory: pathlib.Path) -> None:
        self._dir = directory
        self._dir.mkdir(parents=True, exist_ok=True, mode=0o700)

    def _file(self, task: str) -> pathlib.Path:
        if '/' in task or task.startswith('.'):
            raise ValueError(f'{task!r} is not the uuid of a task')
        return self._dir / f'{task}.json'

    def find(self, task: str) -> Entry | None:
        """What is known of a task; an unreadable file counts as nothing known."""
        file = self._file(task)
        try:
            return Entry(**jsonutil.loads(file.read_bytes()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def save(self, entry: Entry) -> None:
        """Replace what is known of the entry's task."""
        file = self._file(entry.task)
        new = file.with_suffix('.new')
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'wb') as stream:
            stream.write(jsonutil.dumps({name: getattr(entry, name) for name in _FIELDS}))
        os.replace(new, file)

    def prune(self, keep: float = KEEP) -> int:
        """Forget entries that nobody touched for `keep` seconds; returns how many."""
        gone = 0
        # File times are wall-clock times.
        oldest = clock.timestamp() - keep
        for file in self._dir.glob('*'):
            with contextlib.suppress(FileNotFoundError):
                if file.stat().st_mtime < oldest:
                    file.unlink()
                    gone += 1
        return gone
