"""Asking every cell the same question, at once and under one deadline."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import sqlalchemy as sa

from nova import objects
from nova.api.finder import Finder
from nova.common import clock, dbkit

if TYPE_CHECKING:
    from nova.db.session import Databases

T = TypeVar('T')


class Cells:
    """Every cell, for one process.

    Args:
        dbs: leave out cells that do not answer.
        timeout: seconds for all answers together.
    """

    def __init__(self, dbs: 'Databases', finder: Finder, timeout: float) -> None:
        self._dbs = dbs
        self._finder = finder
        self._timeout = timeout

    def ask(self, question: Callable[[sa.Connection], T], cells: Sequence[objects.CellMapping] | None = None
            ) -> list[tuple[objects.CellMapping, T | None]]:
        """``question(connection)`` of each cell's database.

        Args:
            cells: mappings; by default all but cell0.

        Returns:
            Pairs of mapping and answer, in the order of the cells; None from those that are down.

        Raises:
            whatever a question itself raises.
        """
        def read(db: dbkit.Database) -> T:
            with db.read() as conn:
                return question(conn)
        asked = [cell for cell in self._finder.cells() if not cell.is_cell0] if cells is None else cells
        answers = self._dbs.ask(dict.fromkeys((cell.uuid for cell in asked), read),
                                {cell.uuid: cell for cell in asked}, clock.Deadline(self._timeout))
        for error in answers.failed.values():
            raise error
        return [(cell, answers.got.get(cell.uuid)) for cell in asked]
