"""Claims that came late: a scheduler that stood still may claim once more for a request that has long ended.

It gives back what nobody waits for, unless it dies between the two. So a request whose hosts were asked for
more than once is followed by a look at each of its servers.
"""

import logging
from typing import Self

import sqlalchemy as sa

from nova import objects
from nova.objects import task as rows
from nova.ops.build import handover, wire
from nova.task import flow, journal
from nova.task.flow import SHARING, Flow, Step
from nova.task.handles import SuperConductor

LOG = logging.getLogger(__name__)


class LateState(objects.State):
    """The servers of a request, wherever they are now."""

    servers: list[wire.Planned] = []

    @classmethod
    def of(cls, request: wire.ScheduleState) -> Self:
        return cls(servers=[wire.Planned(uuid=server.uuid, build=server.build) for server in request.servers])


def remove_claims(h: SuperConductor, state: LateState) -> None:
    """A server that a cell has is looked at there; one that came into no cell holds nothing in Placement."""
    handover.each(state.servers, lambda server: _remove_claim(h, server.uuid))


def _remove_claim(h: SuperConductor, uuid: str) -> None:
    with h.api_db.read() as conn:
        cell = objects.CellMapping.of_server(conn, uuid)
    if cell is not None:
        h.cell_db(cell).write(lambda conn: _begin_look(conn, h, uuid))
    elif h.clients.placement.allocations(uuid).allocations:
        LOG.warning('Server %s, which no cell has, had a claim that came late: it is removed', uuid)
        h.clients.placement.drop(uuid)


def _begin_look(conn: sa.Connection, h: SuperConductor, uuid: str) -> None:
    """Have the server's cell look, unless somebody is to look anyway."""
    look = flow.find('remove_late')
    if uuid not in rows.not_begun(conn, look.name, [uuid]):
        journal.insert(conn, look, objects.State(), h.context, instance_uuid=uuid, parent=h.task.uuid)


class RemoveLateClaims(Flow[LateState]):
    """Follows a request for servers that did not go right at once."""

    name = 'remove_late_claims'
    exclusion = SHARING
    deadline = 24 * 3600.0
    steps = (Step(remove_claims, at='super', timeout=24 * 3600.0),)
