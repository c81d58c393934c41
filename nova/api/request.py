"""The handle that API handlers and rooms get: the caller, the databases, the neighbours, and `submit`."""

import dataclasses
import functools
import secrets
import string
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar, Unpack

import falcon
import sqlalchemy as sa
from oslo_config import cfg

from nova import errors, objects, release, states
from nova.api.finder import Finder, Found
from nova.api.once import Once
from nova.api.server_look import Look
from nova.api.waits import Waits
from nova.cells import Cells
from nova.common import clock, dbkit, threads, uuids
from nova.context import RequestContext
from nova.listing.servers import ListResult
from nova.objects import idempotency_key, quota
from nova.objects import task as task_rows
from nova.objects.instance import WORK
from nova.objects.question import GuestQuestion, ImageList
from nova.objects.step import HostStatus
from nova.rest import request
from nova.rest.resource import Reply
from nova.rpc.kernel import Method
from nova.rpc.questions import Questions
from nova.task import flow as flows
from nova.task import guard as guards
from nova.task import journal, notify, runner
from nova.task.flow import AnyFlow

if TYPE_CHECKING:
    from nova.clients import Clients
    from nova.db.session import Databases

T = TypeVar('T')
Answer = TypeVar('Answer')

Tell = Callable[[RequestContext, objects.CellMapping, str, HostStatus], None]
"""``tell_host(context, cell, host, status)``: best effort, at once."""
Select = Callable[[RequestContext, objects.SelectRequest], objects.Selections]
"""``select(context, request)``: a scheduler's answer."""


QuestionsTo = Callable[[objects.CellMapping, str], Questions]
"""``questions(cell, host)``: whom a host's questions are put to."""


class Wake(Protocol):
    def __call__(self, context: RequestContext, cell: objects.CellMapping | None, task: str,
                 above: bool = False) -> None:
        """Have conductors look at a task, best effort, at once; `above` wakes a super-conductor rather than one
        of the cell."""


@dataclasses.dataclass(frozen=True)
class Services:
    """What the requests of one process share."""

    conf: cfg.ConfigOpts
    dbs: 'Databases'
    clients: 'Clients'
    finder: Finder
    cells: Cells
    wake: Wake
    tell_host: Tell
    questions: QuestionsTo
    select: Select
    waits: Waits


PATIENCE, AGAIN = 10.0, 0.1
"""Seconds for which a request waits for what holds its server for a moment; and until it asks again."""


class Request(request.Request):
    """One request of the Compute API.

    Attributes:
        conf, dbs, clients, finder, cells, waits: of the process.
        found: see `place`; None where the path names no server.
        wake: ``wake(cell mapping or None, task uuid, above=False)``; for tasks inserted by other means than
            `submit`.
        tell_host: ``tell_host(cell mapping, host, HostStatus)``.
        questions: ``questions(cell mapping, host)``: whom a host's questions are put to.

    Args:
        once: the key that it came with, if any.
        last_event_id: of the event that its client saw last.
    """

    def __init__(self, services: Services, *, once: Once | None = None, last_event_id: str | None = None,
                 **asked: Unpack[request.Asked]) -> None:
        super().__init__(**asked)
        self.last_event_id = last_event_id
        self._once = once
        self.conf = services.conf
        self.dbs = services.dbs
        self.clients = services.clients
        self.finder = services.finder
        self.cells = services.cells
        self.waits = services.waits
        self.found: Found | None = None
        self.max_limit = services.conf.api.max_limit
        self.wake = functools.partial(services.wake, self.context)
        self.tell_host = functools.partial(services.tell_host, self.context)
        self.questions = services.questions
        self.select = functools.partial(services.select, self.context)

    def serve(self, run: Callable[[], None], resp: falcon.Response) -> None:
        """Have `run` handle the request, unless it came with a key that has been answered."""
        if self._once is None:
            run()
        else:
            self._once.serve(self.found.db if self.found else self.dbs.api, run, resp)

    def remember(self, conn: sa.Connection, task: str, reply: Reply | None = None) -> None:
        """See `nova.task.handles.Request.remember`."""
        if self._once is not None:
            self._once.remember(conn, task, reply)

    # Servers

    def server(self, uuid: str) -> objects.Instance:
        """The server that the path names: for a view with what the view shows, else with what operations need.

        Raises:
            ServerNotFound: there is none, or none for this caller.
        """
        reads = self.operation.method == 'GET'
        wanted = self.needs if reads else self.needs | set(WORK)
        deleted = self.operation.deleted is not None and self.version >= self.operation.deleted
        self.found = self.finder.find(self.context, uuid, wanted, deleted=deleted)
        self.context.resource_uuid = self.found.instance.uuid
        return self.found.instance

    def host_is_up(self, host: str | None) -> bool:
        """Whether the compute service on `host`, in the cell of the path's server, is alive."""
        if host is None:
            return False
        return self.cells.host_is_up(self.place.db, host)

    def ask_host(self, instance: objects.Instance, question: Method[GuestQuestion, Answer], *,
                 kind: str | None = None, lines: int | None = None) -> Answer:
        """See `nova.task.handles.Request.ask_host`."""
        place = self.place
        if place.mapping is None or not instance.host:
            raise errors.server.ServerNotReady(server=instance.uuid)
        if not self.host_is_up(instance.host):
            raise errors.host.HostAway(server=instance.uuid)
        ask = question.__get__(self.questions(place.mapping, instance.host), Questions)
        try:
            return ask(self.context, GuestQuestion(instance=instance, kind=kind, lines=lines))
        except errors.bus.BusAway as error:
            raise errors.host.HostAway(server=instance.uuid) from error

    def cache_images(self, cell: objects.CellMapping, host: str, images: Sequence[str]) -> None:
        """Have a host fetch images for guests to come; nobody waits for it."""
        self.questions(cell, host).cache_images(self.context, ImageList(images=list(images)))

    def write_in_cell(self, write: Callable[[sa.Connection], T]) -> T:
        """See `nova.task.handles.Request.write_in_cell`."""
        return self.place.db.write(write, landed=dbkit.repeatable)

    @property
    def place(self) -> Found:
        """Where the server of the path was found."""
        if self.found is None:
            raise RuntimeError('the path of this operation names no server')
        return self.found

    def server_look(self, instance: objects.Instance, password: str | None = None) -> Look:
        """What the view of the path's server reads beside it; `password` is shown to who rebuilt it."""
        place = self.place
        return Look(self, [(instance, place.db if place.mapping else None)], self.needs, password)

    def page_look(self, found: ListResult) -> Look:
        """The same for a page of servers."""
        dbs = {uuid: self.cells.db(found.mappings[uuid]) for uuid in set(found.cells.values())}
        return Look(self, [(row, dbs.get(found.cells.get(row.uuid, ''))) for row in found.rows], self.needs,
                    services=found.services)

    # Operations

    def submit(self, flow: type[AnyFlow], instance: objects.Instance, state: objects.State, *,
               guard: guards.Check | None = None,
               also: Callable[[sa.Connection, objects.Instance], None] | None = None,
               wait: float | None = None) -> task_rows.Task:
        """See `nova.task.handles.Request.submit`."""
        place, uuid = self.place, uuids.generate()
        flow = self.fitting(flow, place.mapping, instance.host)

        def judge(conn: sa.Connection) -> objects.Instance | None:
            self.remember(conn, uuid)
            if place.mapping is None:
                return None
            fresh = objects.Instance.get(conn, (), uuid=instance.uuid)
            if guard is not None:
                guard(fresh)
            if also is not None:
                also(conn, fresh)
            return fresh

        patience = clock.Deadline(PATIENCE)
        while True:
            try:
                task = journal.begin(place.db, flow, state, self.context, instance_uuid=instance.uuid,
                                     wait=wait, guard=judge, uuid=uuid)
                break
            except errors.task.Busy as error:
                if patience.passed() or not (error.passes or _is_looked_at(place.db, instance.uuid)):
                    raise error if error.passes else self._busy(flow, instance) from None
                threads.sleep(AGAIN)
        if task.status != task_rows.QUEUED and wait is None:
            self.wake(place.mapping, task.uuid, flow.looks_above())
        return task

    def fitting(self, flow: type[AnyFlow], cell: objects.CellMapping | None = None,
                host: str | None = None) -> type[AnyFlow]:
        """See `nova.task.handles.Request.fitting`.

        Args:
            cell: what its conductors know, and super-conductors where a step is theirs; None: these alone.
            host: what it knows, too.
        """
        lives = self.cells.liveness(cell)
        workers = lives.conductors()
        if cell is not None and flow.looks_above():
            workers = release.oldest(workers, self.cells.liveness(None).conductors())
        found = flows.at(flow, workers)
        if found is None:
            raise errors.task.NotYet(action=flow.action or flow.name)
        return found if host is None else flows.at(found, lives.release_of(host)) or found

    def signal(self, flow: type[AnyFlow], instance: objects.Instance, told: states.Signal,
               note: str | None = None) -> None:
        """Tell the operation of this flow that holds the server something: at once, or as soon as its host, or
        whoever takes over from its worker, can hear of it.

        Args:
            note: the word for it among the server's actions.

        Raises:
            errors.task.NotInProgress: there is no such operation, or it has ended.
        """
        place = self.place

        def write(conn: sa.Connection) -> str | None:
            task = task_rows.signal(conn, instance.uuid, flow.name, told)
            if task is not None and note is not None:
                self._note(conn, instance.uuid, note)
            return task
        task = place.db.write(write, landed=dbkit.repeatable if note is None else None)
        if task is None:
            raise errors.task.NotInProgress(action=flow.action or flow.name, server=instance.uuid)
        self.wake(place.mapping, task)

    def let_begin(self, task: task_rows.Task, also: Callable[[sa.Connection], T]) -> T:
        """Have a task begin that waits for us, once `also`, which may run twice, has been written."""
        place = self.place

        def write(conn: sa.Connection) -> tuple[T, bool]:
            return also(conn), task_rows.let_begin(conn, task.uuid)
        done, begins = place.db.write(write, landed=dbkit.repeatable)
        if begins:
            self.wake(place.mapping, task.uuid, flows.find(task.flow).looks_above())
        return done

    def withdraw(self, task: task_rows.Task, also: Callable[[sa.Connection], None], doubt: bool) -> None:
        """Drop a task that waits for us, and undo with `also`, which may run twice, what was written with it.

        Args:
            doubt: what was asked of a neighbour for it may still come true: somebody looks after a while.

        Raises:
            Busy: it has begun, and ends by itself.
        """
        place = self.place

        def write(conn: sa.Connection) -> str | None:
            successor = task_rows.withdraw(conn, task.uuid)
            idempotency_key.drop_of(conn, task.uuid)
            also(conn)
            if doubt:
                look = flows.find('remove_late')
                journal.insert(conn, look, look.State(), self.context, instance_uuid=task.instance_uuid,
                               wait=runner.LATE)
            return successor
        successor = place.db.write(write, landed=dbkit.repeatable)
        if successor is not None:
            self.wake(place.mapping, successor)

    def _busy(self, flow: type[AnyFlow], instance: objects.Instance) -> errors.NovaError:
        """The 409 that names what the server is busy with; queued operations leave no word for it."""
        now = instance
        if self.place.mapping is not None:
            with self.place.db.read() as conn:
                now = objects.Instance.find(conn, (), uuid=instance.uuid) or instance
        if now.task_state is None:
            return errors.server.ServerBusy(action=flow.action or flow.name, server=instance.uuid)
        return errors.server.ServerInState(
            action=flow.action or flow.name, server=instance.uuid, attribute='task_state', state=now.task_state)

    def change(self, instance: objects.Instance, alter: Callable[[objects.Instance], None],
               loads: tuple[str, ...] = ()) -> objects.Instance:
        """Change a server within the request, wherever it is kept: `alter` gets it as it is, and as it stays
        until the change is made.

        It runs again where the server moved on to a cell meanwhile, or was changed by somebody else.

        Raises:
            ServerNotFound: it is gone.
        """
        while True:
            try:
                return self._change(instance, alter, loads)
            except errors.server.BuildRequestNotFound:
                self.server(instance.uuid)

    def _change(self, instance: objects.Instance, alter: Callable[[objects.Instance], None],
                loads: tuple[str, ...]) -> objects.Instance:
        place = self.place

        def in_cell(conn: sa.Connection) -> objects.Instance:
            objects.hold(conn, objects.Instance, uuid=instance.uuid)
            fresh = objects.Instance.get(conn, loads, uuid=instance.uuid)
            alter(fresh)
            with notify.Change(conn, instance.uuid, notify.by(self.context), notify.API):
                fresh.save(conn)
            return fresh

        def in_request(conn: sa.Connection) -> objects.Instance:
            return objects.BuildRequest.alter(conn, instance.uuid, alter)
        return place.db.write(in_request if place.mapping is None else in_cell)

    def record(self, instance: objects.Instance, action: str, alter: Callable[[objects.Instance], None]
               ) -> objects.Instance:
        """`change` that is noted among the server's actions, if `alter` changed anything.

        Raises:
            ServerBuilding: no cell has the server yet.
        """
        place = self.place
        if place.mapping is None:
            raise errors.server.ServerBuilding(server=instance.uuid)

        def write(conn: sa.Connection) -> objects.Instance:
            objects.hold(conn, objects.Instance, uuid=instance.uuid)
            fresh = objects.Instance.get(conn, (), uuid=instance.uuid)
            alter(fresh)
            if fresh.save(conn):
                self._note(conn, instance.uuid, action)
            return fresh
        return place.db.write(write)

    def _note(self, conn: sa.Connection, instance_uuid: str, action: str) -> None:
        task_rows.insert(conn, task_rows.Task(
            uuid=uuids.generate(), flow=action, flow_version='1.0', instance_uuid=instance_uuid,
            exclusive=None, status=task_rows.DONE, state={}, context=self.context.to_dict(), action=action,
            request_id=self.context.request_id, user_id=self.context.user_id,
            project_id=self.context.project_id, finished_at=clock.utcnow()))
        notify.of_action(conn, action, instance_uuid, self.context)

    # Limits

    @functools.cached_property
    def limits(self) -> Mapping[str, int]:
        """The caller's limits by resource; -1 is none."""
        found = self.quota()
        with self.dbs.api.read() as conn:
            return found.limits(conn)

    def limit(self, resource: str) -> int:
        return self.limits[resource]

    def quota(self, project_id: str | None = None, user_id: str | None = None) -> quota.Quota:
        """What a project, and a user in it, may use; by default the caller's."""
        if project_id is None:
            project_id, user_id = self.context.project_id or '', self.context.user_id
        return quota.of(self.conf, self.clients.limits, project_id, user_id)

    def make_password(self) -> str:
        """A password for the administrator of a new guest."""
        letters = string.ascii_letters + string.digits
        return ''.join(secrets.choice(letters) for _ in range(self.conf.password_length))


def _is_looked_at(db: dbkit.Database, server: str) -> bool:
    """Whether what holds the server is nothing that its user knows of, and holds it for a moment only."""
    with db.read() as conn:
        holder = task_rows.holder(conn, server)
    return holder is None or any(each.name == holder.flow and each.exclusion == flows.SHARING
                                 for each in flows.FLOWS.values())
