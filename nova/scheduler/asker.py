"""Whether who asked for hosts still waits for the answer: a claim that nobody knows of would stay for ever."""

from typing import TYPE_CHECKING

from nova import errors, objects
from nova.cells import Cells
from nova.common import dbkit
from nova.objects import task as rows

if TYPE_CHECKING:
    from nova.db.session import Databases


class Asker:
    """The step of a task that asked.

    It surely waits until ``request.until``, which it said by the clock of the API database: a request in its
    time costs no statement. Later, its task says whether it still does.

    Args:
        dbs: the task is in the API database, or in that of the cell it names.
    """

    def __init__(self, dbs: 'Databases', request: objects.SelectRequest) -> None:
        self._cells, self._db = Cells(dbs), dbs.api
        self._request = request

    def in_time(self) -> bool:
        """Whether nobody can have given up yet; also who did not say until when it waits."""
        return self._request.until is None or self._db.now() <= self._request.until

    def check(self) -> None:
        """Check that the task still waits; to be called before a claim.

        Raises:
            errors.task.Lost: the task has moved on.
        """
        if not self.waits():
            raise errors.task.Lost(task=self._request.task)

    def waits(self) -> bool:
        """Whether the task is still at the attempt that asked."""
        if self.in_time():
            return True
        task = self._task()
        return (task is not None and task.status in rows.OPEN and task.direction == 'do'
                and task.attempt == self._request.attempt)

    def sees_to(self, server: str) -> bool:
        """Whether the task itself gives back what is claimed for its server, if it comes to nothing."""
        return self._request.task is not None and not self.has_given_up(server)

    def has_given_up(self, server: str) -> bool:
        """Whether what is claimed for its server now would stay: it goes back, or ended without the server.

        While it goes forward, at whatever attempt, it claims anew, or gives up later, what was claimed for it.
        Once it is done, its server has what was claimed for it, until it is deleted.
        """
        if self.in_time():
            return False
        task = self._task()
        if task is not None and task.status == rows.DONE:
            return self._is_gone(server)
        return task is None or task.direction == 'undo' or task.status in (rows.UNDONE, rows.STUCK)

    def _is_gone(self, uuid: str) -> bool:
        """Whether a server is deleted, or is being deleted."""
        cell = self._cells.of_server(uuid)
        if cell is None:
            return True
        with self._cells.db(cell).read() as conn:
            server = objects.Instance.find(conn, (), uuid=uuid)
        return server is None or server.task_state == 'deleting'

    def _task(self) -> rows.Task | None:
        with self._journal().read() as conn:
            return rows.get(conn, self._request.task or '')

    def _journal(self) -> dbkit.Database:
        if self._request.cell is None:
            return self._db
        return self._cells.db(self._cells.get(self._request.cell))
