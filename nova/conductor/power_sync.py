"""When a hypervisor and a record disagree about power: which servers its host has to look at again."""

import logging

import sqlalchemy as sa

from nova import context as nova_context
from nova import errors
from nova.objects import instance as instances
from nova.objects import step as wire
from nova.objects import task as rows
from nova.ops import power_sync
from nova.states import Power
from nova.task import engine as engines

LOG = logging.getLogger(__name__)


def sync(engine: engines.Engine, context: nova_context.RequestContext, report: wire.GuestStates) -> None:
    """Settle what a host reports: `report` has ``host`` and ``states`` {server uuid: power state}.

    Nothing is written because of a report alone: it may be older than what the records say.
    """
    with engine.journal.db.read() as conn:
        known = instances.Instance.all(conn, uuid=list(report.states))
        looked_at = rows.not_begun(conn, power_sync.SyncLate.name, list(report.states))
    for server in known:
        seen = Power(report.states[server.uuid])
        if server.uuid not in looked_at and server.host == report.host and server.task_state is None and (
                server.power_state != seen or power_sync.stops(server.vm_state, seen)):
            _look_again(engine, context, server, seen)


def _look_again(engine: engines.Engine, context: nova_context.RequestContext,
                server: instances.Instance, seen: Power) -> None:
    stops = power_sync.stops(server.vm_state, seen)
    flow = power_sync.SyncStop if stops else power_sync.SyncPower

    def unchanged(conn: sa.Connection) -> instances.Instance:
        fresh = instances.Instance.find(conn, uuid=server.uuid)
        if fresh is None or (fresh.host, fresh.vm_state, fresh.task_state) != (
                server.host, server.vm_state, None):
            raise errors.task.Busy(f'Server {server.uuid} has changed meanwhile.')
        return fresh
    try:
        task = engine.journal.begin(engine.journal.fitting(flow, server.host), flow.State(), context,
                                    instance_uuid=server.uuid, guard=unchanged)
    except errors.task.Busy:
        LOG.info('Server %s has an operation in progress, which will set its power state', server.uuid)
        return
    if stops:
        LOG.warning('Server %s is %s but its guest was seen %s; unless that is past, it is stopped',
                    server.uuid, server.vm_state, seen.name)
    engine.submit(engine.wake, task.uuid)
