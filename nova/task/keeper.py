"""Looks after open tasks of one journal: those of the dead, the unanswered, the waiting and the late.

Each task has one living worker that cares for it (`carers`): what an engine is told by messages, that one finds
out by itself.
"""

import dataclasses
import datetime
import logging
from collections.abc import Iterator

from nova import errors
from nova.common import clock
from nova.objects import owed
from nova.objects import task as rows
from nova.task import carers as carers_
from nova.task import engine as engines
from nova.task import flow as flows
from nova.task import plan
from nova.task import run as runs

LOG = logging.getLogger(__name__)

ASKS = (1.0, 2.0, 4.0, 8.0, 10.0)
"""Seconds from one time that a waiting task's condition is asked to the next, the last again and again."""
LONGEST_RECAST = 60.0
"""Seconds of the longest pause between two times that a step is sent."""
GRACE = datetime.timedelta(seconds=600)
"""How long after its deadline a task that nobody can run is ended: whoever could have had its time."""
CANCELLED = 60.0
"""Seconds after which one that was cancelled is."""


@dataclasses.dataclass(slots=True)
class _Watch:
    """A task as we have watched it, by the monotonic clock.

    Attributes:
        since: when it was first seen in this generation.
        acted: when something was last done about it, or was last not necessary.
        times: how often something was done.
        again: it was there in an earlier round, too.
        heard: the host's newest sign of life when its step was last sent again.
    """

    generation: int
    since: float
    acted: float
    times: int = 0
    again: bool = False
    heard: datetime.datetime | None = None


class Keeper:
    """Comes round about once a second; nothing here depends on a message having arrived.

    Args:
        recast: seconds without an answer after which a step that no sign of life of its host names is sent
            again; each time twice as long. The host knows by its own journal whether it has it already.
        asks: see `ASKS`.
    """

    def __init__(self, engine: engines.Engine, recast: float = 5.0, asks: tuple[float, ...] = ASKS) -> None:
        self._engine, self._recast, self._asks = engine, recast, asks
        self._carers = carers_.Carers(engine.lease.uuid)
        self._watched: dict[str, _Watch] = {}
        self._now = datetime.datetime.min

    def round(self) -> int:
        """See to every task of ours that nobody sees to.

        Returns:
            How many are open, of ours.
        """
        self._engine.lease.enter()
        self._carers.meet(self._engine.lease.living())
        self._now = self._engine.now()
        watched = {}
        for task in {task.uuid: task for task in (*self._engine.left_lying(), *self._ours())}.values():
            watch = watched[task.uuid] = self._watch(task)
            if self._engine.holds(task.uuid):
                continue
            care = self._care(task, watch)
            if care is not None and self._engine.submit(care, task.uuid):
                watch.acted, watch.times = clock.monotonic(), watch.times + 1
        self._watched = watched
        self._engine.forget_others(watched)
        return len(watched)

    def shards(self) -> tuple[int, ...]:
        """Those that are this worker's, of what does not wait for a super-conductor alone."""
        return self._carers.shards(False)

    def _ours(self) -> Iterator[rows.Task]:
        below, above = self._carers.shards(False), self._carers.shards(True)
        parts = [(None, below)] if len(below) == len(above) == rows.SHARDS else [(False, below), (True, above)]
        for which, shards in parts:
            for task in self._engine.journal.open_tasks(which, shards) if shards else ():
                if self._carers.cares(task, flows.key_of(task.flow, task.flow_version)):
                    yield task

    def _watch(self, task: rows.Task) -> _Watch:
        watch, now = self._watched.get(task.uuid), clock.monotonic()
        if watch is None or watch.generation != task.generation:
            return _Watch(task.generation, now, now)
        watch.again = True
        return watch

    def _care(self, task: rows.Task, watch: _Watch) -> engines.Care | None:
        """What a task needs from us."""
        if not self._engine.is_legible(task):
            return self._give_up if self._is_given_up(task, watch) else None
        match task.status:
            case rows.READY:
                return self._care_of_ready(task, watch)
            case rows.WAITING:
                pause = self._asks[min(watch.times, len(self._asks) - 1)]
                return self._ask if clock.monotonic() - watch.acted >= pause else None
            case rows.PARKED:
                return self._care_of_parked(task, watch)
            case rows.QUEUED:
                late = task.deadline is not None and self._now >= task.deadline
                return self._turn_away if late else None
        lease = self._engine.lease
        if task.owner is None or lease.is_dead(task.owner) or (task.owner == lease.uuid and watch.again):
            return self._engine.take_over
        return None

    def _is_given_up(self, task: rows.Task, watch: _Watch) -> bool:
        """Whether it is time to end a task that cannot be run here, nor by anybody who would care for it."""
        if task.cancel and clock.monotonic() - watch.since >= CANCELLED:
            return True
        return task.deadline is not None and self._now >= task.deadline + GRACE

    def _care_of_ready(self, task: rows.Task, watch: _Watch) -> engines.Care | None:
        if task.not_before is not None:
            return self._engine.wake if self._now >= task.not_before else None
        # On first sight its wake-up is on its way; on the second it was lost.
        return self._engine.wake if watch.again else None

    def _care_of_parked(self, task: rows.Task, watch: _Watch) -> engines.Care | None:
        host, reach = task.host or '', self._engine.reach
        flow = flows.known(task.flow, task.flow_version)
        if flow is not None and watch.again and plan.turns(flow, task):
            return self._engine.wake
        if not reach.is_up(host):
            return self._fence
        if flow is not None and runs.is_over(task, flow, self._now):
            return self._expire
        # No host says what its steps have heard, so they are told again, after longer and longer pauses.
        holds, heard = reach.holds(host, task.uuid, task.attempt), reach.heard(host)
        if holds and not task.signals:
            watch.acted, watch.times = clock.monotonic(), 0
            return None
        # A host that was heard of since, and does not name the step, has not got it: whatever kept it is over.
        times = watch.times if holds or heard == watch.heard else 0
        if clock.monotonic() - watch.acted < min(self._recast * 2 ** times, LONGEST_RECAST):
            return None
        watch.heard = heard
        return self._tell_again if holds else self._resend

    def _ask(self, uuid: str) -> None:
        """Ask a waiting task's condition again, or fail it when it has waited too long."""
        engine = self._engine

        def ask(run: engines.Run) -> bool:
            if engine.runner.turned(run) is not None or not isinstance(run.step, flows.Wait) or (
                    engine.runner.ready(run)):
                return engine.runner.claim(run)
            now = engine.now()
            if not run.is_over(now):
                return False
            error: errors.NovaError = errors.task.StepFailed(
                step=run.step.name, reason=f'waited {run.task.elapsed(now):.0f} seconds')
            if run.is_late(now):
                error = errors.task.DeadlinePassed(flow=run.flow.name, seconds=run.flow.deadline)
            return engine.runner.end_step(run, 'failed', errors.to_dict(error))
        engine.attend(uuid, ask, rows.WAITING)

    def _tell_again(self, uuid: str) -> None:
        """Send a parked step to the host that has it, with what it has to hear."""
        self._engine.attend(uuid, self._engine.runner.cast, rows.PARKED)

    def _resend(self, uuid: str) -> None:
        """Send a parked step once more: the message, or the answer, may be lost.

        Or its host has died with it, and what it asked of others before that may still come: somebody looks.
        """
        def again(run: engines.Run) -> bool:
            self._engine.runner.note_doubt(run)
            return self._engine.runner.cast(run)
        self._engine.attend(uuid, again, rows.PARKED)

    def _fence(self, uuid: str) -> None:
        """Give up on a step whose host is down; the attempt is outdated, so a late answer changes nothing.

        What cannot be undone on that host now, or has still to be done there, it owes: it is told when it
        returns, before anything else. Where only that host knows how the flow goes on, it is waited for.
        """
        engine = self._engine

        def fence(run: engines.Run) -> bool:
            host = run.task.host or ''
            if engine.reach.is_up(host) or (run.awaited and not engine.reach.is_dead(host)):
                return False
            if run.task.direction == 'undo' or run.committed:
                call = run.call()
                return engine.runner.end_step(
                    run, 'done', None, host=host, detail=f'Host {host} is down; it does so when it returns.',
                    also=lambda conn: owed.owe(conn, host, call))
            # A dead host has refused: where the flow has a choice, it is made again.
            run.flow.unanswered(run.state, run.step.name)
            error = errors.to_dict(errors.task.StepLost(step=run.task.step, host=host))
            return engine.runner.end_step(run, 'refused', error, host=host,
                                        also=lambda conn: owed.give_up(conn, host))
        engine.attend(uuid, fence, rows.PARKED)

    def _expire(self, uuid: str) -> None:
        """Fail a step that its host has not finished in its time; an undo has used up one of its tries."""
        engine = self._engine

        def expire(run: engines.Run) -> bool:
            now, task = engine.now(), run.task
            if not run.is_over(now):
                return False
            engine.runner.stop_host(task, run.context)
            error: errors.NovaError = errors.task.StepLost(step=task.step, host=task.host)
            if task.direction == 'do' and run.is_late(now):
                error = errors.task.DeadlinePassed(flow=run.flow.name, seconds=run.flow.deadline)
            run.flow.unanswered(run.state, run.step.name)
            return engine.runner.end_step(run, 'failed', errors.to_dict(error), host=task.host)
        engine.attend(uuid, expire, rows.PARKED)

    def _turn_away(self, uuid: str) -> None:
        """End a task whose turn has not come by its deadline. None of its steps has begun; what its request did
        for it is looked for after a while."""
        def turn_away(run: engines.Run) -> bool:
            now = self._engine.now()
            error = errors.to_dict(errors.task.DeadlinePassed(flow=run.flow.name, seconds=run.flow.deadline))
            self._engine.journal.save(run.task, None, None, {
                'status': rows.UNDONE, 'finished_at': now, 'error': {**error, 'created': clock.isotime(now)}},
                lambda conn: self._engine.runner.follow_doubt(conn, run.task))
            return False
        self._engine.attend(uuid, turn_away, rows.QUEUED)

    def _give_up(self, uuid: str) -> None:
        """End a task that nobody can run, so that its server can be deleted."""
        loaded = self._engine.journal.load(uuid)
        if loaded is not None and runs.read(*loaded) is None:
            task = loaded[0]
            self._engine.condemn(uuid, errors.task.FlowUnknown(flow=task.flow, version=task.flow_version))
