"""Asking the API database and every cell the same; a cell that is away is named, and keeps nobody waiting."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import sqlalchemy as sa

from nova.cmd.manage.command import Env
from nova.common import dbkit

T = TypeVar('T')
API = 'API database'


@dataclasses.dataclass(frozen=True, slots=True)
class Answers(Generic[T]):
    """What databases answered.

    Attributes:
        got: answers by the database's name: `API`, or the cell's.
        dbs: those databases.
        down: why others do not answer, by name.
    """

    got: dict[str, T]
    dbs: dict[str, dbkit.Database]
    down: dict[str, str]

    def __iter__(self) -> Iterator[tuple[str, T]]:
        return iter(self.got.items())

    def say_down(self, env: Env) -> None:
        for name, why in sorted(self.down.items()):
            env.say(f'Cell {name} cannot be asked: {why}.')


def ask(env: Env, question: Callable[[sa.Connection], T], api: bool = True) -> Answers[T]:
    """``question(connection)`` of the API database, if wanted, and of every cell, cell0 and disabled ones too.

    Raises:
        oslo_db.exception.DBError: the API database cannot be read.
        whatever the question itself raises.
    """
    cells = env.cells.every()
    own = {}
    if api:
        with env.dbs.api.read() as conn:
            own[API] = question(conn)
    found = env.cells.answers(question, cells)
    names = {cell.uuid: cell.name or cell.uuid for cell in cells}
    dbs = {names[cell.uuid]: env.cells.db(cell) for cell in cells if cell.uuid in found.got}
    return Answers(own | {names[uuid]: got for uuid, got in found.got.items()}, {API: env.dbs.api} | dbs,
                   {names[uuid]: why for uuid, why in found.down.items()})
