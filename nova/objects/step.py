"""What crosses the bus between conductors and hosts."""

from nova.objects import base
from nova.objects.base import fields


class Wake(base.Record):
    """There may be something to do about a task.

    Attributes:
        cell: uuid of the cell whose journal has the task; None is the API database's. Conductors of a cell know
            only their own and do not look.
    """

    fields = {
        'task': fields.UUIDField(),
        'cell': fields.maybe(fields.UUIDField),
    }


class StepCall(base.Record):
    """Run one step of a task on a host.

    Attributes:
        task, step, attempt: which step, and its number among the task's starts of steps; a host refuses
            older attempts than it has seen.
        direction: do or undo.
        signals: what users have told the operation, as `nova.states.Signal`; a call of a step that runs is how
            the step hears of them.
    """

    fields = {
        'task': fields.UUIDField(),
        'flow': fields.StringField(),
        'flow_version': fields.StringField(),
        'step': fields.StringField(),
        'direction': fields.StringField(default='do'),
        'attempt': fields.IntegerField(default=1),
        'host': fields.StringField(),
        'instance': fields.ObjectField('Instance', nullable=True, default=None),
        'state': fields.ObjectField('State', subclasses=True),
        'signals': fields.since('1.1', fields.ListOfStringsField(default=[])),
    }


class StepResult(base.Record):
    """How a step on a host ended.

    Attributes:
        outcome: done, refused, failed or cancelled.
        error: ``errors.to_dict`` of what happened, unless done.
        instance: what the host learnt are the record's changes.
    """

    fields = {
        'task': fields.UUIDField(),
        'step': fields.StringField(),
        'direction': fields.StringField(default='do'),
        'attempt': fields.IntegerField(default=1),
        'host': fields.StringField(),
        'outcome': fields.StringField(),
        'error': fields.maybe(fields.JsonField),
        'instance': fields.ObjectField('Instance', nullable=True, default=None),
        'state': fields.ObjectField('State', subclasses=True, nullable=True, default=None),
    }


class StepProgress(base.Record):
    """How far a long step is.

    Attributes:
        progress: all about it, as the flow's `Progress`; None from hosts of the release before.
    """

    fields = {
        'task': fields.UUIDField(),
        'step': fields.StringField(),
        'attempt': fields.IntegerField(default=1),
        'host': fields.StringField(),
        'percent': fields.IntegerField(default=0),
        'progress': fields.since(
            '1.1', fields.ObjectField('Progress', subclasses=True, nullable=True, default=None)),
    }


class StepRef(base.Record):
    """One attempt of a task's step."""

    fields = {
        'task': fields.UUIDField(),
        'attempt': fields.IntegerField(),
    }


class HostReport(base.Record):
    """What a host says about itself when it joins.

    Attributes:
        nodes: its nodes.
        guests: uuids of the servers whose guests its hypervisor has.
        disabled: whether it believes that its service is disabled; None while it does not know.
        steps: attempts of tasks' steps that it has in line or runs, by task.
    """

    fields = {
        'host': fields.StringField(),
        'binary': fields.StringField(),
        'version': fields.IntegerField(),
        'nodes': fields.ListOfObjectsField('ComputeNode', nullable=True, default=None),
        'guests': fields.ListOfStringsField(default=[]),
        'disabled': fields.maybe(fields.BooleanField),
        'steps': fields.since('1.1', fields.JsonField(default={})),
    }


class HostOrders(base.Record):
    """What a host that joins has to do, in this order; then it beats with `epoch`.

    Attributes:
        stop: attempts that it runs and that were given up.
        owed: steps that were given up or could not be told it; run one after the other.
        evict: servers that were deleted while it was away; their guests are to go.
        open_steps: the steps that are waited for.
        disabled: whether its service is.
    """

    fields = {
        'open_steps': fields.ListOfObjectsField('StepCall', default=[]),
        'evict': fields.ListOfStringsField(default=[]),
        'disabled': fields.BooleanField(default=False),
        'stop': fields.since('1.1', fields.ListOfObjectsField('StepRef', default=[])),
        'owed': fields.since('1.1', fields.ListOfObjectsField('StepCall', default=[])),
        'epoch': fields.since('1.1', fields.IntegerField(default=0)),
    }


class HostBeat(base.Record):
    """A sign of life.

    Attributes:
        disabled: whether it believes that its service is disabled; None where that makes no difference to it.
        epoch: the one it last joined at; None of services that do not join.
        steps: attempts of tasks' steps that it has in line or runs, by task.
    """

    fields = {
        'host': fields.StringField(),
        'binary': fields.StringField(),
        'version': fields.IntegerField(),
        'disabled': fields.maybe(fields.BooleanField),
        'epoch': fields.maybe(fields.IntegerField),
        'steps': fields.maybe(fields.JsonField),
    }


class HostEpoch(base.Record):
    """The epoch that a host has to join at."""

    fields = {
        'epoch': fields.maybe(fields.IntegerField),
    }


class HostNodes(base.Record):
    """Nodes of a host about which something is new."""

    fields = {
        'host': fields.StringField(),
        'nodes': fields.ListOfObjectsField('ComputeNode', default=[]),
    }


class HostPaid(base.Record):
    """Steps that a host owed and that are done with."""

    fields = {
        'host': fields.StringField(),
        'steps': fields.ListOfObjectsField('StepRef', default=[]),
    }


class HostStatus(base.Record):
    """What an operator says of a host's service."""

    fields = {
        'disabled': fields.BooleanField(),
    }


class GuestStates(base.Record):
    """Power states that a host saw: `states` is server uuid to number."""

    fields = {
        'host': fields.StringField(),
        'states': fields.JsonField(default={}),
    }
