"""What the scheduler answers."""

import datetime

from nova.objects import base, fields
from nova.objects.request_spec import RequestSpec


class Selection(base.Record):
    """One host that will do.

    Attributes:
        service_host, nodename: names of the compute service and of its node.
        allocation_request: JSON text for Placement, opaque to all but its client.
        allocation_request_version: the Placement microversion it is written in.
        limits: what the host may check again.
    """

    compute_node_uuid: fields.Uuid
    service_host: str
    nodename: str
    cell_uuid: fields.Uuid
    limits: fields.Json | None = None
    allocation_request: fields.Late[str] = fields.NOT_YET
    allocation_request_version: fields.Late[str] = fields.NOT_YET
    availability_zone: str | None = None


class HostChoice(base.Record):
    """For one server: the claimed host first, then alternates of the same cell, which are not claimed."""

    instance_uuid: fields.Uuid
    selections: list[Selection] = []


class Selections(base.Record):
    """The answer for a request, one choice for each server.

    Attributes:
        choices: in the order of the request; a choice without selections has no host.
        reason: why not, in words that the project may read; empty when every server has a host.
        explain: why not, for operators: ``[{'stage': ..., 'name': ..., 'removed': n, 'left': n}]``.
    """

    choices: list[HostChoice] = []
    reason: str = ''
    explain: fields.Json = []


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

    spec: RequestSpec
    instance_uuids: list[str]
    alternates: bool = True
    claim: bool = True
    ignore_cells: list[str] = fields.since('1.1', [])
    task: str | None = fields.since('1.2', None)
    attempt: int = fields.since('1.2', 0)
    until: datetime.datetime | None = fields.since('1.2', None)
    cell: fields.Uuid | None = fields.since('1.3', None)
