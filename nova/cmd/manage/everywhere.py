"""Asking the API database and every cell the same; a cell that is away is named, and keeps nobody waiting."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import sqlalchemy as sa

from nova import objects
from nova.cmd.manage.command import Env
from nova.common import clock, dbkit

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
    with env.dbs.api.read() as conn:
        cells = {cell.uuid: cell for cell in objects.CellMapping.all(conn)}
        own = {API: question(conn)} if api else {}

    def read(db: dbkit.Database) -> T:
        with db.read() as conn:
            return question(conn)
    found = env.dbs.ask(dict.fromkeys(cells, read), cells, clock.Deadline(env.conf.api.cell_timeout))
    for error in found.failed.values():
        raise error
    names = {uuid: cell.name or uuid for uuid, cell in cells.items()}
    dbs = {names[uuid]: env.dbs.cell(cells[uuid].database_connection) for uuid in found.got}
    return Answers(own | {names[uuid]: got for uuid, got in found.got.items()}, {API: env.dbs.api} | dbs,
                   {names[uuid]: why for uuid, why in found.down.items()})
