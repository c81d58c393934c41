"""The super-conductor's half of a build: choose hosts, write the servers into their cells, hand them over.

A cell that falls silent in between costs its servers the hosts that were chosen for them, not the other servers
of the request theirs: its servers are given hosts of other cells. `nova.ops.build.handover` tells how a server
changes hands, `nova.ops.build.unplaced` what becomes of one for which there is no host.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from nova import context, errors, objects
from nova.common import uuids
from nova.objects import task as rows
from nova.ops.build import handover, late, unplaced, wire
from nova.steps import schedule
from nova.task import journal, later, run
from nova.task.flow import SHARING, Flow, Step
from nova.task.handles import SuperConductor


def choose_hosts(h: SuperConductor, state: wire.ScheduleState) -> None:
    """Ask the scheduler for a host and alternates for every server, claimed in Placement: for all servers or
    none."""
    handover.note_withdrawn(h, state)
    if state.living():
        _choose(h, state.living())


def choose_others(h: SuperConductor, state: wire.ScheduleState) -> None:
    """Hosts of other cells for the servers whose cell could not be written to.

    What may have reached that cell all the same carries the number of a build that nobody will let go.

    Raises:
        errors.placement.NoValidHost: no server of the request is left that has a host.
    """
    handover.note_withdrawn(h, state)
    lost = [server for server in state.living() if not server.selections]
    for server in lost:
        server.build = uuids.generate()
    try:
        if lost:
            _choose(h, lost)
    except errors.placement.NoValidHost as error:
        if len(lost) == len(state.living()):
            raise
        for server in lost:
            server.failure = error.message


def _choose(h: SuperConductor, servers: Sequence[wire.Planned]) -> None:
    with h.api_db.read() as conn:
        spec = objects.RequestSpec.get(conn, instance_uuid=servers[0].uuid)
    spec.num_instances = len(servers)
    away = sorted({cell for server in servers for cell in server.away})
    chosen = schedule.ask(h, spec, [server.uuid for server in servers], ignore_cells=away)
    for server in servers:
        server.selections = chosen[server.uuid]


def write_cells(h: SuperConductor, state: wire.ScheduleState) -> None:
    """Write the rows and the build task of each server into the cell of its host."""
    handover.write_cells(h, state)


def write_others(h: SuperConductor, state: wire.ScheduleState) -> None:
    """The same for servers that were given hosts of other cells; where these are away too, they have failed."""
    handover.write_cells(h, state)
    for server in state.living():
        if not server.selections and server.failure is None:
            server.failure = errors.host.CellDown().message
    if state.living() and not state.placed():
        raise errors.host.CellDown()


def activate(h: SuperConductor, state: wire.ScheduleState) -> None:
    """Let the builds go, clear what was made for servers that nobody wants, and end those without a host."""
    def move(server: wire.Planned) -> None:
        if server.withdrawn:
            handover.clear(h, server)
        elif not server.selections:
            unplaced.end(h, server)
        else:
            cell = h.cell(server.selections[0].cell_uuid)
            if server.handed or handover.follow(h, server, cell):
                handover.let_go(h, server, cell)
            else:
                handover.clear(h, server)
    handover.each(state.servers, move)


def some_are_lost(state: wire.ScheduleState) -> bool:
    """Whether a cell could not be written to."""
    return any(server.away for server in state.living())


class Schedule(Flow[wire.ScheduleState]):
    """All servers of one request; has no server of its own, so a DELETE never waits for it."""

    name = 'schedule'
    version = '1.1'
    exclusion = SHARING
    steps = (
        Step(choose_hosts, undo=unplaced.end_in_error, at='super'),
        Step(write_cells, undo=handover.purge_cells, at='super'),
        Step(choose_others, at='super', when=some_are_lost),
        Step(write_others, undo=handover.purge_cells, at='super', when=some_are_lost),
        Step(handover.hand_over, at='super', pivot=True),
        Step(activate, at='super'),
    )

    @classmethod
    def looks_later(cls, state: wire.ScheduleState) -> tuple[type[late.RemoveLateClaims], late.LateState]:
        """At claims; what else a request makes is made in cells."""
        return late.RemoveLateClaims, late.LateState.of(state)


def begin_later(tasks: journal.Journal) -> int:
    """Look again at what was claimed for requests of some time ago that left a doubt; how many."""
    return later.begin(tasks, _begin_some)


def _begin_some(conn: sa.Connection) -> int:
    found = rows.doubtful_requests(conn, later.AGES, later.EVERY, Schedule.name, later.MOST)
    legible = [(task, state) for task in found
               if isinstance(state := run.state_of(task), wire.ScheduleState)]
    for task, state in legible:
        journal.insert(conn, *Schedule.looks_later(state), context.RequestContext.from_dict(task.context),
                       parent=task.uuid)
    return len(legible)
