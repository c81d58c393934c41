"""What the scheduler answers."""

from nova.objects import base
from nova.objects.base import fields


class Selection(base.Record):
    """One host that will do.

    Attributes:
        service_host, nodename: names of the compute service and of its node.
        allocation_request: JSON text for Placement, opaque to all but its client.
        allocation_request_version: the Placement microversion it is written in.
        limits: what the host may check again.
    """

    fields = {
        'compute_node_uuid': fields.UUIDField(),
        'service_host': fields.StringField(),
        'nodename': fields.StringField(),
        'cell_uuid': fields.UUIDField(),
        'limits': fields.maybe(fields.JsonField),
        'allocation_request': fields.maybe(fields.StringField),
        'allocation_request_version': fields.maybe(fields.StringField),
        'availability_zone': fields.maybe(fields.StringField),
    }


class HostChoice(base.Record):
    """For one server: the claimed host first, then alternates of the same cell, which are not claimed."""

    fields = {
        'instance_uuid': fields.UUIDField(),
        'selections': fields.ListOfObjectsField('Selection', default=[]),
    }


class Selections(base.Record):
    """The answer for a request, one choice for each server.

    Attributes:
        choices: in the order of the request; a choice without selections has no host.
        reason: why not, in words that the project may read; empty when every server has a host.
        explain: why not, for operators: ``[{'stage': ..., 'name': ..., 'removed': n, 'left': n}]``.
    """

    fields = {
        'choices': fields.ListOfObjectsField('HostChoice', default=[]),
        'reason': fields.StringField(default=''),
        'explain': fields.JsonField(default=[]),
    }


class SelectRequest(base.Record):
    """Asking for hosts: one spec for all the servers, which differ by uuid only.

    Attributes:
        alternates: whether alternates are wanted.
        claim: whether the first choice is claimed in Placement.
        ignore_cells: uuids of cells whose hosts will not do.
        task, attempt: the step that asks.
        cell: uuid of the cell whose journal has that task; None is the API database's.
        until: by the clock of the API database, how long it surely waits; None is for ever. Later nothing is
            claimed for it without a look whether it still waits.
    """

    fields = {
        'spec': fields.ObjectField('RequestSpec'),
        'instance_uuids': fields.ListOfStringsField(),
        'alternates': fields.BooleanField(default=True),
        'claim': fields.BooleanField(default=True),
        'ignore_cells': base.since('1.1', fields.ListOfStringsField(default=[])),
        'task': base.since('1.2', fields.maybe(fields.StringField)),
        'attempt': base.since('1.2', fields.IntegerField(default=0)),
        'until': base.since('1.2', fields.maybe(fields.TimeField)),
        'cell': base.since('1.3', fields.maybe(fields.UUIDField)),
    }
