"""What rooms are handed: everything an operation may touch, and nothing else.

Rooms import no driver, client or table; they reach them through these. Services build the real ones
(`nova.api.request`, `nova.conductor.handle`, `nova.compute.handle`), and mypy compares them with these.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

import sqlalchemy as sa
from oslo_config import cfg

from nova import context as nova_context
from nova import objects, states
from nova.common import dbkit, threads
from nova.common.jsonutil import JsonObject
from nova.objects import quota as quotas
from nova.objects import task as task_rows
from nova.objects.question import GuestQuestion
from nova.policies import base as policies
from nova.rest import urls
from nova.rpc import scheduler as rpc_scheduler
from nova.rpc.kernel import Method
from nova.task import fence
from nova.task import guard as guards

if TYPE_CHECKING:
    # Drivers and clients are handed handles, and handles have them.
    from nova.clients import Clients
    from nova.db.session import Databases
    from nova.rest.resource import Reply
    from nova.task.flow import AnyFlow
    from nova.virt.driver import Driver

T = TypeVar('T')
Answer = TypeVar('Answer')


class Handle(Protocol):
    """What every step has, wherever it runs."""

    context: nova_context.RequestContext
    """Who asked for the operation; has no token."""
    instance: objects.Instance
    """The server; there is none in a flow that has no server yet."""
    conf: cfg.ConfigOpts
    clients: 'Clients'


class Conductor(Handle, Protocol):
    """Handle of a step that runs in a conductor.

    Its databases and clients are behind a fence: they raise `errors.task.Lost`, which no step catches, when the
    task may be in other hands.
    """

    task: task_rows.Task
    db: fence.Database
    """The database that holds the task and the server; its ``now`` is the time of the task's."""

    def cancel_holder(self) -> bool:
        """Cancel the exclusive operation on this server; True when none is left."""

    def host_is_up(self, host: str) -> bool:
        """Whether the compute service on `host` has been heard of lately and is not forced down."""

    def note_doubt(self) -> None:
        """What this step asked for may have been asked for twice: somebody looks, a while after the end."""

    def refusals(self) -> list[str]:
        """What hosts said that refused this task, in order."""


class SuperConductor(Conductor, Protocol):
    """Handle of a step that may look into every cell."""

    api_db: fence.Database
    scheduler: rpc_scheduler.Scheduler

    def cells(self) -> list[objects.CellMapping]:
        """Every cell, cell0 and disabled ones included."""

    def cell(self, uuid: str, fresh: bool = False) -> objects.CellMapping:
        """The cell with this uuid, as it is mapped, or was some seconds ago unless `fresh`."""

    def cell_db(self, mapping: objects.CellMapping) -> fence.Database:
        """The database of a cell."""

    def fitting(self, flow: 'type[AnyFlow]', mapping: objects.CellMapping) -> 'type[AnyFlow]':
        """The newest version of a flow that every living conductor and host of a cell knows."""

    def adopt(self, mapping: objects.CellMapping, task_uuid: str) -> None:
        """Let an inert task in a cell's journal run: from now on, in this process."""


class ServerJournal(Protocol):
    """What a host itself remembers of a server, through crashes and reboots: for its driver, which keeps there
    what it needs when nobody can be asked."""

    def get(self, name: str) -> dict[str, object] | None:
        """What was kept under a name; None where nothing is."""

    def put(self, name: str, value: Mapping[str, object] | None) -> None:
        """Keep what has a JSON form; None forgets it."""

    def each(self, name: str) -> dict[str, dict[str, object]]:
        """What is kept under a name of every server that has it, by uuid."""


class Host(Handle, Protocol):
    """Handle of a step that runs on a compute host."""

    task: str
    """uuid of the task."""
    attempt: int
    host: str
    driver: 'Driver'
    cancelled: threads.Event
    """Set when the operation was cancelled; a long step should then stop and raise `Cancelled`."""

    @property
    def journal(self) -> ServerJournal:
        """What the host itself remembers of the server."""

    @property
    def signals(self) -> Collection[states.Signal]:
        """What users have told the operation; it may grow while the step runs."""

    def progress(self, progress: int | objects.Progress, /) -> None:
        """Tell how far a long step has come: in percent, or by the flow's own record (`Flow.Progress`)."""


class Place(Protocol):
    """Where the server of a request was found."""

    @property
    def instance(self) -> objects.Instance: ...

    @property
    def mapping(self) -> objects.CellMapping | None:
        """Its cell; None while no cell has it."""

    @property
    def db(self) -> dbkit.Database:
        """The cell's database; the API database while no cell has it."""


class Cells(Protocol):
    """Every cell: where it is, which hosts it has, and what it says."""

    def every(self) -> list[objects.CellMapping]:
        """Every cell, cell0 and disabled ones included, as they are now."""

    def db(self, cell: objects.CellMapping) -> dbkit.Database:
        """The database of a cell."""

    def of_host(self, host: str) -> objects.CellMapping:
        """The cell of a host.

        Raises:
            HostMappingNotFound: the host is in no cell.
        """

    def has_node(self, host: str | None, node: str | None) -> bool:
        """Whether some cell has this hypervisor (any of the host's when only `host` is given, and so on).

        Raises:
            nova.errors.host.CellDown: none that answers has it, but one that is down may.
        """

    def ask(self, question: Callable[[sa.Connection], T], cells: Sequence[objects.CellMapping] | None = None
            ) -> list[tuple[objects.CellMapping, T | None]]:
        """Each cell, by default all but cell0, and what ``question(connection)`` returned there; None from one
        that is down.
        """


class Wake(Protocol):
    def __call__(self, cell: objects.CellMapping | None, task: str, above: bool = False) -> None:
        """Have conductors look at a task: best effort, at once.

        Args:
            cell: whose database has it; None is the API database.
            above: wake a super-conductor rather than one of the cell.
        """


class Asked(Protocol):
    """What is asked, by whom, and what he may."""

    @property
    def context(self) -> nova_context.RequestContext: ...

    @property
    def body(self) -> JsonObject:
        """Validated; for an action, what is under its key."""

    @property
    def query(self) -> Mapping[str, str]: ...

    @property
    def links(self) -> urls.Links: ...

    @property
    def conf(self) -> cfg.ConfigOpts: ...

    @property
    def limits(self) -> Mapping[str, int]:
        """The caller's limits by resource; -1 is none."""

    def at(self, version: str) -> bool:
        """Whether the request is made at this microversion or a newer one."""

    def can(self, rule: policies.Rule, target: Mapping[str, object] | None = None) -> bool:
        """Whether policy allows `rule` about `target`, by default the caller's project."""

    def authorize(self, rule: policies.Rule, target: Mapping[str, object] | None = None) -> None:
        """Go on only if policy allows it.

        Raises:
            Forbidden: it does not.
        """

    def limit(self, resource: str) -> int:
        """One of `limits`."""

    def quota(self, project_id: str | None = None, user_id: str | None = None) -> quotas.Quota:
        """What a project, and a user in it, may use; by default the caller's.

        Raises:
            LimitsFailed: that cannot be found out.
        """


class Request(Asked, Protocol):
    """One request of the Compute API, past version, validation and authentication."""

    @property
    def dbs(self) -> 'Databases': ...

    @property
    def clients(self) -> 'Clients': ...

    @property
    def cells(self) -> Cells: ...

    @property
    def place(self) -> Place:
        """Where the server of the path was found."""

    @property
    def wake(self) -> Wake:
        """For tasks that were begun by other means than `submit`."""

    def select(self, wanted: objects.SelectRequest, /) -> objects.Selections:
        """Ask a scheduler for hosts.

        Raises:
            Unavailable: none answers.
        """

    def make_password(self) -> str:
        """A password for the administrator of a new guest."""

    def server(self, uuid: str) -> objects.Instance:
        """The server that the path names.

        Raises:
            ServerNotFound: there is none, or none for this caller.
        """

    def server_look(self, instance: objects.Instance, password: str | None = None) -> object:
        """What the view of the path's server reads beside it."""

    def host_is_up(self, host: str | None) -> bool:
        """Whether the compute service on `host`, in the cell of the path's server, is alive."""

    def ask_host(self, instance: objects.Instance, question: Method[GuestQuestion, Answer], *,
                 kind: str | None = None, lines: int | None = None) -> Answer:
        """Ask the host of the path's server about its guest.

        Args:
            question: a method of `nova.rpc.questions.Questions`.
            kind, lines: see `GuestQuestion`.

        Raises:
            ServerNotReady: it has no host yet; 409.
            HostAway: the host does not answer, or not in time; 503.
            nova.errors: what the host itself answers.
        """

    def write_in_cell(self, write: Callable[[sa.Connection], T]) -> T:
        """Write beside the path's server, in its cell's database; what runs twice leaves as much as once."""

    def submit(self, flow: 'type[AnyFlow]', instance: objects.Instance, state: objects.State, *,
               guard: guards.Check | None = None,
               also: Callable[[sa.Connection, objects.Instance], None] | None = None,
               wait: float | None = None) -> task_rows.Task:
        """Take the server's slot for `flow`, judge its states once more, and have the task run.

        Args:
            also: ``also(conn, server)``, what else belongs into that transaction.
            wait: seconds for which it does not begin unless `let_begin` says so; nobody else does meanwhile.

        Raises:
            ServerInState: another operation has the slot; 409.
            errors.task.NotYet: conductors of the cell are of the release before, and do not know it; 409.
            nova.errors: what `guard` raises.
        """

    def remember(self, conn: sa.Connection, task: str, reply: 'Reply | None' = None) -> None:
        """In the transaction in which the request's operation begins: should the request come again with the
        same ``Idempotency-Key``, it is not done again. `submit` does this by itself.

        Args:
            reply: what will be answered, where that is known by then.
        """

    def fitting(self, flow: 'type[AnyFlow]') -> 'type[AnyFlow]':
        """The newest version of a flow that every super-conductor knows; for what no cell has yet."""

    def signal(self, flow: 'type[AnyFlow]', instance: objects.Instance, told: states.Signal) -> None:
        """Tell the operation of this flow that holds the server something.

        Raises:
            errors.task.NotInProgress: there is no such operation, or it has ended.
        """

    def let_begin(self, task: task_rows.Task, also: Callable[[sa.Connection], T]) -> T:
        """Have a task begin that waits for us, once `also`, which may run twice, has been written."""

    def withdraw(self, task: task_rows.Task, also: Callable[[sa.Connection], None], doubt: bool) -> None:
        """Drop a task that waits for us, and undo with `also`, which may run twice, what was written with it.

        Args:
            doubt: what was asked of a neighbour for it may still come true: somebody looks after a while.

        Raises:
            Busy: it has begun, and ends by itself.
        """

    def change(self, instance: objects.Instance, alter: Callable[[objects.Instance], None],
               loads: tuple[str, ...] = ()) -> objects.Instance:
        """Change a server within the request, wherever it is kept.

        Raises:
            ServerNotFound: it is gone.
        """

    def record(self, instance: objects.Instance, action: str, alter: Callable[[objects.Instance], None]
               ) -> objects.Instance:
        """`change` that is noted among the server's actions, if `alter` changed anything.

        Raises:
            ServerBuilding: no cell has the server yet.
        """
