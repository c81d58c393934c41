"""The narrow verbs that compute hosts may say to their cell's conductor, since they have no database."""

import logging
from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from nova import context as nova_context
from nova import errors, release
from nova.cells import Liveness
from nova.common import dbkit
from nova.conductor import power_sync, reach
from nova.objects import compute_node, instance, owed
from nova.objects import service as services
from nova.objects import step as wire
from nova.objects import task as rows
from nova.ops import power_sync as operations
from nova.ops.evacuate import returned
from nova.task import engine as engines
from nova.task import notify

LOG = logging.getLogger(__name__)


Heard = tuple[nova_context.RequestContext, wire.HostBeat]
"""A sign of life, and the context it came in."""


class Reports:
    """What hosts report, written down.

    Args:
        silence: seconds without a beat after which what is heard of a service begins anew.
    """

    def __init__(self, db: dbkit.Database, engine: engines.Engine, alive: Liveness,
                 reached: reach.Reach, silence: float = 30.0) -> None:
        self._db, self._engine, self._alive, self._reach = db, engine, alive, reached
        self._silence = silence

    def host_up(self, context: nova_context.RequestContext, report: wire.HostReport) -> wire.HostOrders:
        """A host joins: make its service and node records, and tell it what was said while it was not heard of.

        Whether it lives is for its beats to say, and they count once they name the epoch that it is told here.
        """
        def write(conn: sa.Connection) -> services.Service:
            is_new = services.Service.find(conn, host=report.host, binary=report.binary) is None
            found = services.Service.join(conn, report.host, report.binary, report.version)
            if is_new:
                notify.of_service(conn, 'create', found)
            self._nodes(conn, report.nodes)
            return found
        # What is given up after this raises the epoch again, and the host joins once more.
        found = self._db.write(write)
        self._alive.forget()
        with self._db.read() as conn:
            owes = owed.owed_by(conn, report.host)
            conductors = self._alive.conductors_now(conn)
        waited_for = self._engine.open_steps(report.host)
        orders = wire.HostOrders(
            stop=_given_up(report, [*owes, *waited_for]), owed=owes, evict=self._strangers(report),
            open_steps=waited_for, disabled=bool(found.disabled), epoch=found.epoch,
            conductors=conductors.service)
        LOG.info('Host %s joins; %d steps are open, it owes %d and has %d that were given up', report.host,
                 len(waited_for), len(owes), len(orders.stop))
        return orders

    def paid(self, context: nova_context.RequestContext, report: wire.HostPaid) -> None:
        """A host has done steps that it owed."""
        def write(conn: sa.Connection) -> list[rows.Task]:
            calls = [owed.paid(conn, ref.task, ref.attempt) for ref in report.steps]
            return operations.begin_late(conn, report.host, {
                call.instance.uuid for call in calls if call is not None and call.instance is not None})
        looks = self._db.write(write)
        LOG.info('Host %s owes %d steps no more', report.host, len(report.steps))
        for task in [*looks, *returned.begin_due(self._engine.journal, report.host)]:
            self._engine.submit(self._engine.wake, task.uuid)

    def beat(self, context: nova_context.RequestContext, beat: wire.HostBeat) -> None:
        """A service lives. A host that has to join first, or is wrong about itself, is told so."""
        try:
            differs = self._db.write(lambda conn: services.Service.beat(
                conn, beat.host, beat.binary, beat.version, beat.disabled, epoch=beat.epoch,
                attempts=beat.steps, silence=self._silence))
        except errors.host.ServiceNotFound:
            LOG.warning('Host %s lives, but is no service any more; it is to join', beat.host)
            self._reach.rejoin(context, beat.host, wire.HostEpoch(epoch=None))
            return
        if differs is None:
            return
        if beat.epoch != differs.epoch:
            LOG.warning('Host %s is heard again; it is to join, for something was given up', beat.host)
            self._reach.rejoin(context, beat.host, wire.HostEpoch(epoch=differs.epoch))
        else:
            self._reach.set_status(context, beat.host, wire.HostStatus(disabled=differs.disabled))

    def beats(self, heard: Sequence[Heard]) -> None:
        """Many services live: those that say the same of themselves are written down by one statement."""
        alike: dict[tuple[object, ...], list[Heard]] = {}
        for each in heard:
            beat = each[1]
            steps = None if beat.steps is None else tuple(sorted(beat.steps.items()))
            alike.setdefault((beat.binary, beat.version, beat.disabled, beat.epoch, steps), []).append(each)
        for same in alike.values():
            # One that says of itself what is not so is found, and told, alone.
            if len(same) == 1 or not self._noted([beat for _, beat in same]):
                for context, beat in same:
                    self.beat(context, beat)

    def _noted(self, beats: Sequence[wire.HostBeat]) -> bool:
        one = beats[0]
        return one.epoch is not None and self._db.write(lambda conn: services.Service.noted(
            conn, [beat.host for beat in beats], one.binary, one.version, one.disabled, epoch=one.epoch,
            attempts=one.steps, silence=self._silence))

    def beat_before(self, context: nova_context.RequestContext, report: wire.HostReport) -> None:
        """A host lives that speaks the form of the release before: for it, or for the sake of a conductor.

        One of this release does so no longer when no such conductor is left: it joins anew.
        """
        def write(conn: sa.Connection) -> services.Service | None:
            self._nodes(conn, report.nodes)
            return services.Service.beat(conn, report.host, report.binary, report.version, report.disabled,
                                         silence=self._silence)
        differs = self._db.write(write)
        if release.of(report.version).is_current and self._alive.conductors().is_current:
            self._reach.rejoin(context, report.host, wire.HostEpoch(epoch=None))
        elif differs is not None:
            self._reach.set_status(context, report.host, wire.HostStatus(disabled=differs.disabled))

    def nodes(self, context: nova_context.RequestContext, report: wire.HostNodes) -> None:
        """What is new about a host's nodes."""
        self._db.write(lambda conn: self._nodes(conn, report.nodes))

    def power_states(self, context: nova_context.RequestContext, states: wire.GuestStates) -> None:
        """What a hypervisor sees of its guests."""
        power_sync.sync(self._engine, context, states)

    @staticmethod
    def _nodes(conn: sa.Connection, nodes: Iterable[compute_node.ComputeNode] | None) -> None:
        for node in nodes or ():
            compute_node.ComputeNode.report(conn, node)

    def _strangers(self, report: wire.HostReport) -> list[str]:
        """Servers of which the records tell the host to remove what it has, because of what happened while it
        was away.

        Either the server was deleted, from this host or after an operation on it had a step here; or an
        operation gave this host up and the server is elsewhere now, or nowhere. Without such evidence a guest
        is left alone: a record may name another host because this one was renamed, and data is not ours to
        lose.
        """
        here = [*report.guests, *(report.remains or ())]
        if not here:
            return []
        with self._db.read() as conn:
            known = instance.Instance.all(conn, uuid=here, deleted=None)
            worked = rows.worked(conn, report.host, [each.uuid for each in known if each.deleted])
            given_up = rows.given_up(conn, report.host, report.guests)
        return [each.uuid for each in known
                if (each.deleted and (each.host in (None, report.host) or each.uuid in worked))
                or (each.uuid in given_up and each.host != report.host and each.task_state is None)]


def _given_up(report: wire.HostReport, wanted: Iterable[wire.StepCall]) -> list[wire.StepRef]:
    """Attempts that a host has in line or runs, and that nobody wants."""
    known = {(call.task, call.attempt) for call in wanted}
    return [wire.StepRef(task=task, attempt=attempt) for task, attempt in (report.steps or {}).items()
            if (task, attempt) not in known]
