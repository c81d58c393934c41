"""What rooms are handed: everything an operation may touch, and nothing else.

Rooms import no driver, client or table; they reach them through these. Services build the real ones; tests
build them with fakes.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

from oslo_config import cfg

from nova import context as nova_context
from nova import states
from nova.common import threads
from nova.objects import Progress
from nova.objects import task as task_rows
from nova.task import fence


class Conductor(Protocol):
    """Handle of a step that runs in a conductor."""

    context: nova_context.RequestContext
    """Who asked for the operation; has no token."""
    task: task_rows.Task
    instance: Any
    """The server's `Instance` record; None in a flow that has no server yet."""
    conf: cfg.ConfigOpts
    db: fence.Database
    """The database that holds the task and the server; its ``now`` is the time of the task's."""
    clients: Any
    """`nova.clients.Clients`: image, network, volume, placement.

    Databases and clients are behind a fence: they raise `errors.task.Lost`, which no step catches, when the
    task may be in other hands."""

    def cancel_holder(self) -> bool:
        """Cancel the exclusive operation on this server; True when none is left."""

    def host_is_up(self, host: str) -> bool:
        """Whether the compute service on `host` has been heard of lately and is not forced down."""


class SuperConductor(Conductor, Protocol):
    """Handle of a step that runs in a super-conductor."""

    api_db: fence.Database
    scheduler: Any
    """Client of the scheduler interface: ``select(context, SelectRequest) -> Selections``."""

    def cells(self) -> list[Any]:
        """Every `CellMapping`, cell0 and disabled ones included."""

    def cell(self, uuid: str, fresh: bool = False) -> Any:
        """The `CellMapping` with this uuid; as it is now, rather than some seconds ago, if `fresh`."""

    def cell_db(self, mapping: Any) -> fence.Database:
        """The database of a cell."""

    def adopt(self, mapping: Any, task_uuid: str) -> None:
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


class Host(Protocol):
    """Handle of a step that runs on a compute host."""

    context: nova_context.RequestContext
    task: str
    """uuid of the task."""
    attempt: int
    instance: Any
    host: str
    conf: cfg.ConfigOpts
    driver: Any
    clients: Any
    journal: ServerJournal
    cancelled: threads.Event
    """Set when the operation was cancelled; a long step should then stop and raise `Cancelled`."""
    signals: Collection[states.Signal]
    """What was said to the running operation; it grows while the step runs."""
    progress: Callable[[int | Progress], None]
    """Tell how far a long step has come, in percent."""
