"""What crosses the bus between conductors and hosts."""

from typing import Literal

from nova.objects import base, fields
from nova.objects.base import State
from nova.objects.compute_node import ComputeNode
from nova.objects.instance import Instance
from nova.objects.progress import Progress

Outcome = Literal['done', 'refused', 'failed', 'cancelled']
"""How a step ends on a host."""


class Wake(base.Record):
    """There may be something to do about a task.

    Attributes:
        cell: uuid of the cell whose journal has the task; None is the API database's. Conductors of a cell know
            only their own and do not look.
    """

    task: fields.Uuid
    cell: fields.Uuid | None = None


class StepCall(base.Record):
    """Run one step of a task on a host.

    Attributes:
        task, step, attempt: which step, and its number among the task's starts of steps; a host refuses
            older attempts than it has seen.
        direction: do or undo.
        signals: what users have told the operation, as `nova.states.Signal`; a call of a step that runs is how
            the step hears of them.
    """

    task: fields.Uuid
    flow: str
    flow_version: str
    step: str
    direction: str = 'do'
    attempt: int = 1
    host: str
    instance: Instance | None = None
    state: State
    signals: list[str] = fields.since('1.1', [])


class StepResult(base.Record):
    """How a step on a host ended.

    Attributes:
        outcome: done, refused, failed or cancelled.
        error: ``errors.to_dict`` of what happened, unless done.
        instance: what the host learnt are the record's changes.
    """

    task: fields.Uuid
    step: str
    direction: str = 'do'
    attempt: int = 1
    host: str
    outcome: Outcome
    error: fields.Json | None = None
    instance: Instance | None = None
    state: State | None = None


class StepProgress(base.Record):
    """How far a long step is.

    Attributes:
        progress: all about it, as the flow's `Progress`; None from hosts of the release before.
    """

    task: fields.Uuid
    step: str
    attempt: int = 1
    host: str
    percent: int = 0
    progress: Progress | None = fields.since('1.1', None)


class StepRef(base.Record):
    """One attempt of a task's step."""

    task: fields.Uuid
    attempt: int


class HostReport(base.Record):
    """What a host says about itself when it joins, and in every heartbeat in the form of the release before.

    Attributes:
        nodes: its nodes; in a heartbeat where something about them is new.
        guests: uuids of the servers whose guests its hypervisor has.
        disabled: whether it believes that its service is disabled; None while it does not know.
        steps: attempts of tasks' steps that it has in line or runs, by task.
        remains: uuids of servers of which it remembers something, though their guests are not there.
    """

    host: str
    binary: str
    version: int
    nodes: list[ComputeNode] | None = None
    guests: list[str] = []
    disabled: bool | None = None
    steps: fields.Json = fields.since('1.1', {})
    remains: list[str] = fields.since('1.2', [])


class HostOrders(base.Record):
    """What a host that joins has to do, in this order; then it beats with `epoch`.

    Attributes:
        stop: attempts that it runs and that were given up.
        owed: steps that were given up or could not be told it; run one after the other.
        evict: servers that were deleted while it was away; their guests, or what is left of them, are to go.
        open_steps: the steps that are waited for.
        disabled: whether its service is.
        conductors: the oldest version among the cell's conductors that live (`nova.release`).
    """

    open_steps: list[StepCall] = []
    evict: list[str] = []
    disabled: bool = False
    stop: list[StepRef] = fields.since('1.1', [])
    owed: list[StepCall] = fields.since('1.1', [])
    epoch: int = fields.since('1.1', 0)
    conductors: int = fields.since('1.2', 1)


class HostBeat(base.Record):
    """A sign of life.

    Attributes:
        disabled: whether it believes that its service is disabled; None where that makes no difference to it.
        epoch: the one it last joined at; None of services that do not join.
        steps: attempts of tasks' steps that it has in line or runs, by task.
    """

    host: str
    binary: str
    version: int
    disabled: bool | None = None
    epoch: int | None = None
    steps: fields.Json | None = None


class HostEpoch(base.Record):
    """The epoch that a host has to join at."""

    epoch: int | None = None


class HostNodes(base.Record):
    """Nodes of a host about which something is new."""

    host: str
    nodes: list[ComputeNode] = []


class HostPaid(base.Record):
    """Steps that a host owed and that are done with."""

    host: str
    steps: list[StepRef] = []


class HostStatus(base.Record):
    """What an operator says of a host's service."""

    disabled: bool


class GuestStates(base.Record):
    """Power states that a host saw: `states` is server uuid to number."""

    host: str
    states: fields.Json = {}
