"""The narrow verbs that compute hosts may say to their cell's conductor, since they have no database."""

import logging
from typing import Any

import sqlalchemy as sa

from nova import context as nova_context
from nova.common import dbkit
from nova.conductor import liveness, power_sync, reach
from nova.objects import compute_node, instance, service
from nova.objects import step as wire
from nova.objects import task as rows
from nova.task import engine as engines

LOG = logging.getLogger(__name__)


class Hosts:
    """What hosts report, written down."""

    def __init__(self, db: dbkit.Database, engine: engines.Engine, alive: liveness.Liveness,
                 reached: reach.Reach) -> None:
        self._db, self._engine, self._alive, self._reach = db, engine, alive, reached

    def host_up(self, context: nova_context.RequestContext, report: Any) -> Any:
        """A host has started: make its service and node records, and tell it what it still owes us."""
        def write(conn: sa.Connection) -> bool:
            self._seen(conn, report)
            return bool(service.Service.get(conn, host=report.host, binary=report.binary).disabled)
        disabled = self._db.write(write)
        self._alive.forget()
        orders = wire.HostOrders(open_steps=self._engine.open_steps(report.host),
                                 evict=self._strangers(report), disabled=disabled)
        LOG.info('Host %s is up; it has %d open steps', report.host, len(orders.open_steps))
        return orders

    def beat(self, context: nova_context.RequestContext, report: Any) -> None:
        """A host is alive; what its nodes have changed is written down too.

        One that believes otherwise than its record whether it is disabled is told so.
        """
        differs = self._db.write(lambda conn: self._seen(conn, report))
        if differs is not None:
            self._reach.set_status(context, report.host, wire.HostStatus(disabled=differs.disabled))

    def power_states(self, context: nova_context.RequestContext, states: Any) -> None:
        """What a hypervisor sees of its guests."""
        power_sync.sync(self._engine, context, states)

    def _seen(self, conn: sa.Connection, report: Any) -> Any:
        """Write a report down; returns what `Service.beat` does."""
        differs = service.Service.beat(conn, report.host, report.binary, report.version, report.disabled)
        for node in report.nodes or []:
            self._node(conn, node)
        return differs

    @staticmethod
    def _node(conn: sa.Connection, node: Any) -> None:
        known = compute_node.ComputeNode.find(conn, uuid=node.uuid)
        if known is None:
            node.copy().create(conn)
            return
        for name, value in node.changes().items():
            if name not in ('id', 'uuid', 'mapped', 'created_at') and getattr(known, name) != value:
                setattr(known, name, value)
        known.save(conn)

    def _strangers(self, report: Any) -> list[str]:
        """Guests of the host that the records tell us to remove, because of what happened while it was away.

        Either their server was deleted from this host, or an operation on it gave this host up and the server
        is elsewhere now, or nowhere. Without such evidence a guest is left alone: a record may name another
        host because this one was renamed, and data is not ours to lose.
        """
        if not report.guests:
            return []
        with self._db.read() as conn:
            known = instance.Instance.all(conn, uuid=list(report.guests), deleted=None)
            given_up = rows.given_up(conn, report.host, report.guests)
        return [each.uuid for each in known
                if (each.deleted and each.host in (None, report.host))
                or (each.uuid in given_up and each.host != report.host and each.task_state is None)]
