"""When a hypervisor and a record disagree about power: the record follows, or the guest is stopped."""

import logging
from typing import Any

import sqlalchemy as sa

from nova import context as nova_context
from nova import errors
from nova.objects import instance as instances
from nova.states import VM, Power
from nova.task import engine as engines
from nova.task import flow as flows

LOG = logging.getLogger(__name__)

_LEFT_ALONE = frozenset({VM.BUILDING, VM.RESCUED, VM.RESIZED, VM.SUSPENDED, VM.ERROR})
_STOP = frozenset({
    (VM.ACTIVE, Power.SHUTDOWN), (VM.ACTIVE, Power.CRASHED), (VM.ACTIVE, Power.SUSPENDED),
    (VM.STOPPED, Power.RUNNING), (VM.STOPPED, Power.PAUSED), (VM.STOPPED, Power.SUSPENDED),
    (VM.PAUSED, Power.SHUTDOWN), (VM.PAUSED, Power.CRASHED),
})
"""Combinations after which the server is to be stopped, as if its owner had asked."""


def sync(engine: engines.Engine, context: nova_context.RequestContext, report: Any) -> None:
    """Settle what a host reports: `report` has ``host`` and ``states`` {server uuid: power state}."""
    with engine.journal.db.read() as conn:
        known = instances.Instance.all(conn, uuid=list(report.states))
    for server in known:
        if server.host != report.host or server.task_state is not None:
            continue
        power = Power(report.states[server.uuid])
        if server.power_state != power:
            server.power_state = power
            engine.journal.db.write(server.copy().save)
        if server.vm_state not in _LEFT_ALONE and (server.vm_state, power) in _STOP:
            _stop(engine, context, server, power)


def _stop(engine: engines.Engine, context: nova_context.RequestContext, server: Any, power: Power) -> None:
    LOG.warning('Server %s is %s but its guest is %s; stopping it', server.uuid, server.vm_state, power.name)
    flow = flows.find('stop')

    def fresh(conn: sa.Connection) -> Any:
        return instances.Instance.get(conn, uuid=server.uuid)
    try:
        task = engine.journal.begin(flow, flow.State(), context, instance_uuid=server.uuid, guard=fresh)
    except errors.task.Busy:
        LOG.info('Server %s has an operation in progress, which will settle its power state', server.uuid)
        return
    engine.submit(engine.wake, task.uuid)
