"""A task in a worker's hands."""

import dataclasses
import datetime

from nova import context as nova_context
from nova import errors
from nova.common import jsonutil
from nova.objects import base
from nova.objects import instance as instances
from nova.objects import step as wire
from nova.objects import task as rows
from nova.task import flow as flows
from nova.task import plan


@dataclasses.dataclass(slots=True)
class Run:
    """A task together with what its row is read into."""

    task: rows.Task
    flow: type[flows.AnyFlow]
    state: base.State
    instance: instances.Instance | None
    context: nova_context.RequestContext
    doubt: bool = False
    """Whether the present step says that it had to ask twice."""

    @property
    def step(self) -> flows.AnyStep:
        return self.flow.step(self.task.step or '')

    @property
    def committed(self) -> bool:
        """Whether the present step is beyond a point of no return."""
        return self.flow.committed(self.flow.index(self.task.step or ''), self.state)

    @property
    def awaited(self) -> bool:
        """Whether the present step is an undo that has to be answered, although its host is down."""
        awaited = self.step.awaited
        return (self.task.direction == 'undo' and not self.task.cancel
                and awaited is not None and awaited(self.state))

    @property
    def host(self) -> str | None:
        """The host of the present step; None when none is known (yet, or any more).

        An undo's is where the step was given to: there is nothing to undo of one that was given to nobody.
        """
        at, task = self.step.at, self.task
        if task.direction == 'undo' and task.hosts is not None:
            return task.hosts.get(self.step.name)
        return getattr(self.instance, 'host', None) if at == 'host' else getattr(self.state, at, None)

    def outcome(self, result: wire.StepResult) -> tuple[plan.Outcome, jsonutil.JsonObject | None]:
        """What an answer of a host comes to, and the error to note: see `flow.Step.awaits_upgrade`."""
        if result.outcome != 'failed' or not isinstance(
                errors.from_dict(result.error or {}), errors.task.FlowUnknown):
            return result.outcome, result.error
        error = errors.to_dict(errors.task.HostBehind(host=result.host, flow=self.flow.name))
        if self.task.direction == 'undo' or self.committed or self.step.awaits_upgrade:
            return 'again', error
        return 'refused' if self.step.elsewhere else 'failed', error

    def call(self) -> wire.StepCall:
        """The present step as its host is told of it."""
        task = self.task
        return wire.StepCall(
            task=task.uuid, flow=task.flow, flow_version=task.flow_version, step=self.step.name,
            direction=task.direction, attempt=task.attempt, host=task.host or '',
            instance=self.instance, state=self.state, signals=task.signals or [])

    def is_told(self) -> bool:
        """Whether users have told the operation something that its present step hears."""
        return self.task.direction == 'do' and not set(self.step.signals).isdisjoint(self.task.signals or ())

    def name_in_logs(self) -> None:
        """Have what this thread logs from now on carry the operation's request and server."""
        self.context.resource_uuid = self.task.instance_uuid
        self.context.update_store()

    def is_late(self, now: datetime.datetime) -> bool:
        """Whether the deadline for going forward has passed."""
        return self.task.deadline is not None and now >= self.task.deadline

    def is_over(self, now: datetime.datetime) -> bool:
        """See `is_over`."""
        return is_over(self.task, self.flow, now)


def is_over(task: rows.Task, flow: type[flows.AnyFlow], now: datetime.datetime) -> bool:
    """Whether the present step has had its time: since its first start; or since that of the present try, where
    only success or the number of tries ends it."""
    index = flow.index(task.step or '')
    step = flow.steps[index]
    forward = task.direction == 'do' and not flow.beyond_pivot(index)
    if forward and task.deadline is not None and now >= task.deadline:
        return True
    since = task.step_started_at if forward or step.waits else task.updated_at
    return since is not None and (now - since).total_seconds() >= step.timeout


def ref(task: rows.Task) -> wire.StepRef:
    """The present attempt, as its host knows it."""
    return wire.StepRef(task=task.uuid, attempt=task.attempt)


def state_of(task: rows.Task) -> base.State | None:
    """What a task remembers; None when that cannot be read here."""
    try:
        return base.State.from_wire(task.state)
    except Exception:  # noqa: BLE001  whatever it is, this row says nothing to us
        return None


def read(task: rows.Task, instance: instances.Instance | None) -> Run | None:
    """The run of a task; None when its flow is not known here, or what it remembers cannot be read.

    Both are a matter of releases: another worker may be able to.
    """
    flow = flows.known(task.flow, task.flow_version)
    if flow is None:
        return None
    state = state_of(task)
    if state is None:
        return None
    try:
        flow.index(task.step or '')
        return Run(task, flow, state, instance, nova_context.RequestContext.from_dict(task.context))
    except Exception:  # noqa: BLE001  whatever it is, this row says nothing to us
        return None
