"""Asking every cell the same question, at once and under one deadline."""

import functools
import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa

from nova.api.finder import UNREACHABLE, Finder
from nova.common import clock

LOG = logging.getLogger(__name__)
T = TypeVar('T')


class Cells:
    """Every cell, for one process.

    Args:
        dbs: `nova.db.session.Databases`, whose scatter leaves out cells that do not answer.
        timeout: seconds for all answers together.
    """

    def __init__(self, dbs: Any, finder: Finder, timeout: float) -> None:
        self._dbs = dbs
        self._finder = finder
        self._timeout = timeout

    def ask(self, question: Callable[[sa.Connection], T], cells: Sequence[Any] | None = None
            ) -> list[tuple[Any, T | None]]:
        """``question(connection)`` of each cell's database.

        Args:
            cells: mappings; by default all but cell0.

        Returns:
            Pairs of mapping and answer, in the order of the cells; None from those that cannot be asked now.

        Raises:
            whatever a question itself raises.
        """
        asked = [cell for cell in self._finder.cells() if not cell.is_cell0] if cells is None else cells
        answers = self._dbs.scatter.ask(
            {cell.uuid: functools.partial(self._read, cell, question) for cell in asked},
            {cell.uuid: functools.partial(self._ping, cell) for cell in asked}, clock.Deadline(self._timeout))
        for error in answers.failed.values():
            if not isinstance(error, (TimeoutError, *UNREACHABLE)):
                raise error
        return [(cell, answers.got.get(cell.uuid)) for cell in asked]

    def _read(self, cell: Any, question: Callable[[sa.Connection], T]) -> T:
        with self._dbs.cell(cell.database_connection).read() as conn:
            return question(conn)

    def _ping(self, cell: Any) -> None:
        self._dbs.cell(cell.database_connection).ping()
