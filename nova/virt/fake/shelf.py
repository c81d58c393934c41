"""Things of a fake host by name, in memory or as files, so that they outlive the process like real ones."""

import contextlib
import dataclasses
import json
import os
import pathlib
from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING, Generic, TypeVar

from nova.common import threads

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Thing = TypeVar('Thing', bound='DataclassInstance')


class Shelf(MutableMapping[str, Thing], Generic[Thing]):
    """Dataclass objects by name.

    Args:
        kind: their class; all its fields have a JSON form.
        directory: where each is ``NAME.json``; None keeps them in memory only. Files that another process put
            there (a guest that came from its host) are found.
    """

    def __init__(self, kind: type[Thing], directory: pathlib.Path | None = None) -> None:
        self._kind, self._dir = kind, directory
        self._things: dict[str, Thing] = {}
        # Who looks at files while another thread takes one away would find what is gone.
        self._lock = threads.rlock() if directory is not None else contextlib.nullcontext()
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True)

    def _look(self) -> None:
        """Find what came from outside."""
        if self._dir is not None:
            with self._lock:
                for file in self._dir.glob('*.json'):
                    self._look_for(file.stem)

    def _look_for(self, name: str) -> None:
        """Find it where it came from outside; a file that another process takes away meanwhile is gone. To ask
        for one by its name costs the same however many there are."""
        if self._dir is not None and name not in self._things:
            with self._lock, contextlib.suppress(FileNotFoundError):
                text = (self._dir / f'{name}.json').read_text(encoding='utf-8')
                self._things[name] = self._kind(**json.loads(text))

    def __getitem__(self, name: str) -> Thing:
        self._look_for(name)
        return self._things[name]

    def __setitem__(self, name: str, thing: Thing) -> None:
        with self._lock:
            self._things[name] = thing
            if self._dir is not None:
                values = dataclasses.asdict(thing)
                new = self._dir / f'{name}.new'
                new.write_text(json.dumps(values), encoding='utf-8')
                os.replace(new, self._dir / f'{name}.json')

    def __delitem__(self, name: str) -> None:
        with self._lock:
            self._look_for(name)
            del self._things[name]
            if self._dir is not None:
                (self._dir / f'{name}.json').unlink(missing_ok=True)

    def __iter__(self) -> Iterator[str]:
        self._look()
        return iter(list(self._things))

    def __len__(self) -> int:
        self._look()
        return len(self._things)
