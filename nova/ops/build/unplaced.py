"""Servers for which there is no host: they end in cell0, in ERROR, with the reason why.

What keeps cell0 or Placement from being used now is waited out. A server that cell0 will never take stays where
it is, a build request, in ERROR all the same: its owner sees the reason there, and can delete it.
"""

import logging

import sqlalchemy as sa
from oslo_db import exception as db_exc

from nova import errors, objects, states
from nova.common import clock
from nova.common.jsonutil import JsonObject
from nova.objects import task as rows
from nova.ops.build import handover, wire
from nova.task import notify
from nova.task.handles import Conductor, SuperConductor

LOG = logging.getLogger(__name__)

CHOICE = 'choose_hosts'
"""The step that a server without a host has failed at, as its owner reads it."""


def end_in_error(h: SuperConductor, state: wire.ScheduleState) -> None:
    """Undo of the choice: give every claim up, and end every server in error."""
    handover.each(state.servers, lambda server: end(h, server))


def end(h: SuperConductor, server: wire.Planned) -> None:
    """End one server; one that a cell has after all (the answer of the hand-over was lost) is let go there."""
    with h.api_db.read() as conn:
        now = handover.standing(conn, server.uuid)
    if now.word == handover.WITHDRAWN:
        handover.clear(h, server)
    elif now.mapping is not None:
        cell = next(cell for cell in h.cells() if cell.id == now.mapping.cell_id)
        if not cell.is_cell0:
            handover.let_go(h, server, cell)
    else:
        h.clients.placement.drop(server.uuid)
        try:
            _put_in_cell0(h, server)
        except (errors.NovaError, db_exc.DBError, sa.exc.SQLAlchemyError) as error:
            if handover.is_away(error):
                raise
            LOG.exception('cell0 does not take server %s', server.uuid)
            h.api_db.write(lambda conn: _keep(conn, h, server))


def _reason(h: Conductor, server: wire.Planned) -> JsonObject | None:
    """The fault to show: the server's own, or that of the whole request."""
    if server.failure is None:
        return h.task.error
    error = errors.placement.NoValidHost.__new__(errors.placement.NoValidHost)
    stages = (h.task.error or {}).get('stages')
    return {'code': error.status, 'message': server.failure, 'type': error.code, 'details': None,
            'created': clock.isotime(clock.utcnow()), **({'stages': stages} if stages else {})}


def _put_in_cell0(h: SuperConductor, server: wire.Planned) -> None:
    cell0 = next(cell for cell in h.cells() if cell.is_cell0)
    db = h.cell_db(cell0)
    for _, request, spec in handover.orders_of(h, [server]):
        def write(conn: sa.Connection, request: objects.BuildRequest = request,
                  spec: objects.RequestSpec = spec) -> None:
            request.instance.vm_state, request.instance.task_state = str(states.VM.ERROR), None
            task = handover.create(conn, h, server, request, spec)
            if task is not None:
                _end_failed(conn, h, server, task)
        db.write(write)
    if not handover.follow(h, server, cell0):
        db.write(lambda conn: objects.Instance.purge(conn, server.uuid))
        handover.clear(h, server)


def _keep(conn: sa.Connection, h: Conductor, server: wire.Planned) -> None:
    """Mark the build request as what it is: a server in ERROR."""
    spec = objects.RequestSpec.find(conn, instance_uuid=server.uuid)
    if spec is None or objects.BuildRequest.find(conn, instance_uuid=server.uuid) is None:
        return  # withdrawn meanwhile

    def fail(instance: objects.Instance) -> None:
        instance.vm_state, instance.task_state = str(states.VM.ERROR), None
    instance = objects.BuildRequest.alter(conn, server.uuid, fail)
    if rows.get(conn, server.build) is None:
        _end_failed(conn, h, server, handover.insert_build(conn, h, server, instance, spec))


def _end_failed(conn: sa.Connection, h: Conductor, server: wire.Planned, task: rows.Task) -> None:
    """The server's `create` is a task that has failed already."""
    reason = _reason(h, server)
    note = rows.Note(CHOICE, 'do', 1, 'failed', detail=(reason or {}).get('message'),
                     started_at=h.task.created_at)
    rows.save(conn, task, note, status=rows.UNDONE, exclusive=None, step=None, finished_at=clock.utcnow(),
              error=reason)
    notify.of_unplaced(conn, server.uuid, reason)
