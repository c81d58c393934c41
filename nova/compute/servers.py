"""What a host itself remembers of the servers it has guests of: one small file a server, replaced whole.

A driver needs it when nobody can be asked: how a volume was connected, which CPUs a guest is pinned to, what
the server's record said last. Files survive the process; they hold what connects to volumes, so nobody else
reads them.
"""

import os
import pathlib
from collections.abc import Mapping

from nova.common import jsonutil, threads

Kept = dict[str, bytes]
"""What is kept of one server: JSON by name. As objects, the record of a guest would take much more memory."""


class ServerJournal:
    """See `nova.task.handles.ServerJournal`; steps of one server run one after the other, so nobody else
    writes it."""

    def __init__(self, journals: 'ServerJournals', uuid: str) -> None:
        self._journals, self._uuid = journals, uuid

    def get(self, name: str) -> dict[str, object] | None:
        kept = self._journals.read(self._uuid).get(name)
        return None if kept is None else jsonutil.loads(kept)

    def put(self, name: str, value: Mapping[str, object] | None) -> None:
        kept = self._journals.read(self._uuid)
        if value is None:
            kept.pop(name, None)
        else:
            kept[name] = jsonutil.dumps(value)
        self._journals.write(self._uuid, kept)

    def each(self, name: str) -> dict[str, dict[str, object]]:
        return self._journals.each(name)


class ServerJournals:
    """Those of all servers of a host.

    Args:
        directory: where the files are; None keeps them in memory, for tests.
    """

    def __init__(self, directory: pathlib.Path | None = None) -> None:
        self._dir = directory
        self._lock = threads.lock()
        self._kept: dict[str, Kept] = {}
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            for file in directory.glob('*.json'):
                self._kept[file.stem] = {name: jsonutil.dumps(value)
                                         for name, value in jsonutil.loads(file.read_bytes()).items()}

    def of(self, uuid: str) -> ServerJournal:
        """The journal of a server; one that nothing was written to is empty."""
        return ServerJournal(self, uuid)

    def servers(self) -> set[str]:
        """uuids of those of which something is kept."""
        with self._lock:
            return set(self._kept)

    def each(self, name: str) -> dict[str, dict[str, object]]:
        """What is kept under a name, by server."""
        with self._lock:
            found = {uuid: kept[name] for uuid, kept in self._kept.items() if name in kept}
        return {uuid: jsonutil.loads(kept) for uuid, kept in found.items()}

    def read(self, uuid: str) -> Kept:
        """A copy of what is kept of a server."""
        return dict(self._kept.get(uuid, {}))

    def write(self, uuid: str, kept: Kept) -> None:
        """Keep this of a server, and nothing else; an empty one has no file."""
        with self._lock:
            if kept:
                self._kept[uuid] = kept
            else:
                self._kept.pop(uuid, None)
        if self._dir is None:
            return
        file = self._dir / f'{uuid}.json'
        if not kept:
            file.unlink(missing_ok=True)
            return
        new = file.with_suffix('.new')
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'wb') as stream:
            stream.write(b'{%s}' % b','.join(jsonutil.dumps(name) + b':' + part for name, part in kept.items()))
        os.replace(new, file)
