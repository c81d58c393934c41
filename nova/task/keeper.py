"""Looks after the open tasks of one journal: those of the dead, the unanswered, the waiting and the late."""

import contextlib
import logging
from collections.abc import Callable

from nova import errors
from nova.common import clock
from nova.objects import task as rows
from nova.task import engine as engines
from nova.task import flow as flows

LOG = logging.getLogger(__name__)

Care = Callable[[str], None]


class Keeper:
    """Comes round about once a second; nothing here depends on a message having arrived.

    Args:
        recast: seconds without an answer after which a step is sent to its host again; the host knows by its
            own journal whether it has it already.
    """

    def __init__(self, engine: engines.Engine, recast: float = 5.0) -> None:
        self._engine, self._recast = engine, recast
        self._seen: dict[str, tuple[int, float]] = {}

    def round(self) -> None:
        """Beat, then see to every open task that nobody sees to."""
        self._engine.lease.beat()
        now, seen = clock.monotonic(), {}
        for task in self._engine.journal.open_tasks():
            before = self._seen.get(task.uuid)
            since = before[1] if before and before[0] == task.generation else now
            seen[task.uuid] = (task.generation, since)
            if self._engine.holds(task.uuid):
                continue
            care = self._care(task, now - since)
            if care == self._resend:
                seen[task.uuid] = (task.generation, now)
            if care is not None:
                self._engine.submit(care, task.uuid)
        self._seen = seen

    def _care(self, task: rows.Task, still: float) -> Care | None:
        """What a task that has not moved for `still` seconds needs from us."""
        match task.status:
            case rows.READY:
                return self._care_of_ready(task, still)
            case rows.WAITING:
                return self._ask
            case rows.PARKED:
                return self._care_of_parked(task, still)
            case rows.QUEUED:
                late = task.deadline is not None and clock.utcnow() >= task.deadline
                return self._turn_away if late else None
        lease = self._engine.lease
        if task.owner is None or lease.is_dead(task.owner) or (task.owner == lease.uuid and still > 0):
            return self._take_over
        return None

    def _care_of_ready(self, task: rows.Task, still: float) -> Care | None:
        if task.runs_at == 'super' and not self._engine.supers:
            return None
        if task.not_before is not None:
            return self._engine.wake if clock.utcnow() >= task.not_before else None
        # On first sight its wake-up is on its way; on the second it was lost.
        return self._engine.wake if still > 0 else None

    def _care_of_parked(self, task: rows.Task, still: float) -> Care | None:
        if task.cancel and task.direction == 'do' and still > 0:
            return self._engine.turn_back
        if not self._engine.hosts.is_up(task.host or ''):
            return self._fence
        if task.deadline is not None and clock.utcnow() >= task.deadline:
            return self._expire
        return self._resend if still >= self._recast else None

    def _ask(self, uuid: str) -> None:
        """Ask a waiting task's condition again, or fail it when it has waited too long."""
        run = self._engine.pick(uuid, rows.WAITING)
        if run is None:
            return
        step = run.step
        if run.task.cancel or not isinstance(step, flows.Wait) or self._engine.ready(run):
            self._engine.wake(uuid)
            return
        started = run.task.step_started_at or clock.utcnow()
        if run.late or (clock.utcnow() - started).total_seconds() >= step.timeout:
            error = errors.task.StepFailed(step=step.name, reason=f'waited {step.timeout:.0f} seconds')
            self._engine.own(run, lambda: self._engine.settle(run, 'failed', errors.to_dict(error)))

    def _resend(self, uuid: str) -> None:
        """Send a parked step once more: the message, or the answer, may be lost."""
        run = self._engine.pick(uuid, rows.PARKED)
        if run is not None:
            self._engine.hosts.run_step(run.context, run.call())

    def _fence(self, uuid: str) -> None:
        """Give up on a step whose host is down; the attempt is outdated, so a late answer changes nothing.

        Nothing can be undone on that host now: its agent cleans up when it returns.
        """
        run = self._engine.pick(uuid, rows.PARKED)
        if run is None or self._engine.hosts.is_up(run.task.host or ''):
            return
        host = run.task.host
        if run.task.direction == 'undo':
            detail = f'Host {host} is down; it cleans up when it returns.'
            self._engine.own(run, lambda: self._engine.settle(run, 'done', None, host=host, detail=detail))
            return
        error = errors.to_dict(errors.task.StepLost(step=run.task.step, host=host))
        # A dead host has refused: where the flow has a choice, it is made again.
        self._engine.own(run, lambda: self._engine.settle(run, 'refused', error, host=host))

    def _expire(self, uuid: str) -> None:
        """Fail a step that its host has not finished by the task's deadline."""
        run = self._engine.pick(uuid, rows.PARKED)
        if run is None:
            return
        self._engine.stop_host(run)
        error = errors.to_dict(
            errors.task.DeadlinePassed(flow=run.flow.name, seconds=run.flow.deadline))
        self._engine.own(run, lambda: self._engine.settle(run, 'failed', error, host=run.task.host))

    def _turn_away(self, uuid: str) -> None:
        """End a task whose turn has not come by its deadline; it has done nothing yet."""
        run = self._engine.pick(uuid, rows.QUEUED)
        if run is not None:
            error = errors.to_dict(errors.task.DeadlinePassed(flow=run.flow.name, seconds=run.flow.deadline))
            now = clock.utcnow()
            error['created'] = clock.isotime(now)
            with contextlib.suppress(errors.task.Lost):  # its turn has come just now
                self._engine.journal.save(
                    run.task, None, None, {'status': rows.UNDONE, 'finished_at': now, 'error': error})

    def _take_over(self, uuid: str) -> None:
        """Run again the step that a dead worker may have been in; steps are idempotent."""
        run = self._engine.pick(uuid, rows.RUNNING)
        if run is not None and not self._engine.holds(uuid):
            run.name_in_logs()
            LOG.info('Taking over task %s (%s) at step %s', uuid, run.task.flow, run.task.step)
            self._engine.own(run, lambda: self._engine.claim(run))
