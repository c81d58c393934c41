"""Runs tasks: picks them up when there is something to do about them, and hands them to its runner.

One engine serves one journal on behalf of one worker. It holds no thread for a step on a host or a wait: the
task is parked in the database and goes on when the answer, or the condition, comes.

Whatever is raised on the way is judged. An error of a step takes the flow back; that somebody is away has it
tried again; the rest, a fault of ours, fails the step too, or ends the task where even that cannot be done.
"""

import contextlib
import datetime
import logging
from collections.abc import Callable, Collection
from typing import TypeVarTuple

import sqlalchemy as sa

from nova import context as nova_context
from nova import errors
from nova.common import clock, dbkit, threads
from nova.objects import base
from nova.objects import instance as instances
from nova.objects import step as wire
from nova.objects import task as rows
from nova.task import flow as flows
from nova.task import handles
from nova.task import journal as journals
from nova.task import lease as leases
from nova.task import run as runs
from nova.task import runner as runners
from nova.task.run import Run
from nova.task.runner import PAUSES, Reach

__all__ = ['PAUSES', 'Act', 'Care', 'Engine', 'Reach', 'Run']

LOG = logging.getLogger(__name__)

Ts = TypeVarTuple('Ts')

Act = Callable[[Run], bool]
"""What to do with a task that was picked up; True when its present step can then be run here."""
Care = Callable[[str], None]
"""What to do about a task, by its uuid."""


class Line:
    """What is to be done about tasks and waits for a thread of a pool."""

    def __init__(self, pool: threads.Pool) -> None:
        self._pool = pool
        self._waiting: set[tuple[Care, str]] = set()
        self._lock = threads.lock()

    def submit(self, fn: Care, uuid: str) -> bool:
        """Run ``fn(uuid)`` in the pool; False when it takes no more.

        What waits already is not put in again, however often the keeper finds the task: it looks at the task
        when it begins. So thousands that wait take up their room once each.
        """
        with self._lock:
            if (fn, uuid) in self._waiting:
                return True
            self._waiting.add((fn, uuid))
        taken = self.put(uuid, self._begin, fn, uuid)
        if not taken:
            self._waiting.discard((fn, uuid))
        return taken

    def _begin(self, fn: Care, uuid: str) -> None:
        self._waiting.discard((fn, uuid))
        fn(uuid)

    def put(self, uuid: str, fn: Callable[[*Ts], None], *args: *Ts) -> bool:
        """Run ``fn(*args)``, which is about a task, in the pool; False when it takes no more."""
        try:
            return self._pool.background(fn, *args) is not False
        except RuntimeError:
            LOG.debug('No more work is taken; task %s is for others', uuid)
            return False


class Engine:
    """Takes the tasks of one journal forward.

    Args:
        handle: builds the `handles.Conductor` of a run.
        supers: whether steps at ``super`` may run here.
        pool: where what cannot wait for its caller is run.
        pauses: see `PAUSES`.
        after_doubt: see `runner.Runner`.
    """

    def __init__(self, journal: journals.Journal, lease: leases.Lease, reach: Reach,
                 handle: Callable[[Run], handles.Conductor], pool: threads.Pool, *, supers: bool = False,
                 pauses: tuple[float, ...] = PAUSES, after_doubt: type[flows.AnyFlow] | None = None) -> None:
        self.journal, self.lease, self.reach, self.supers = journal, lease, reach, supers
        self.runner = runners.Runner(journal, lease, reach, handle, self.hurry, supers, pauses, after_doubt)
        self._line = Line(pool)
        self._held: dict[str, int] = {}
        self._held_lock = threads.lock()
        self._left: set[str] = set()
        self._illegible: dict[str, int] = {}

    # Taking part -------------------------------------------------------------------------------

    def wake(self, uuid: str) -> None:
        """Run a task as far as it goes, if it is anybody's to run; turn it back, if it is to unwind; pass on to
        its host what users have told it.
        """
        def go_on(run: Run) -> bool:
            task, turned = run.task, self.runner.turned(run) is not None
            if task.status == rows.PARKED and turned:
                return self.runner.turn_back(run)
            if task.status == rows.PARKED:
                return run.is_told() and self.runner.cast(run)
            early = task.not_before is not None and self.now() < task.not_before
            return (turned or not early) and self.runner.claim(run)
        self.attend(uuid, go_on, rows.READY, rows.WAITING, rows.PARKED)

    def hurry(self, uuid: str) -> bool:
        """`wake` in the pool."""
        return self.submit(self.wake, uuid)

    def adopt(self, uuid: str) -> None:
        """Let an inert task run, by this worker; nothing happens when it is past that.

        When this returns, the database says so: what comes after is for the pool. The task is held from before,
        so that nobody here takes it for one that was left lying. If the answer of the database was lost, or the
        pool takes no more, it may be ours, and is left to the keeper.
        """
        self.lease.enter()
        self._hold(uuid)
        goes_on = False
        try:
            goes_on = self.journal.adopt(uuid, self.lease.uuid) and self._line.put(uuid, self._go_on, uuid)
        finally:
            if not goes_on:
                self._left.add(uuid)
                self._release(uuid)

    def _go_on(self, uuid: str) -> None:
        def first(run: Run) -> bool:
            return run.task.owner == self.lease.uuid and (not run.step.on_host or self.runner.claim(run))
        try:
            self.attend(uuid, first, rows.RUNNING)
        finally:
            self._release(uuid)

    def take_over(self, uuid: str) -> None:
        """Run again the step that a dead worker may have been in; steps are idempotent.

        The attempt is raised: what the other one still does is behind a fence.
        """
        def again(run: Run) -> bool:
            owner = run.task.owner
            if owner not in (None, self.lease.uuid) and not self.lease.is_dead(owner):
                return False
            LOG.info('Taking over task %s (%s) at step %s', uuid, run.task.flow, run.task.step)
            return self.runner.claim(run, attempt=run.task.attempt + 1, doubt=True)
        self.attend(uuid, again, rows.RUNNING, alone=True)

    def step_done(self, result: wire.StepResult) -> None:
        """Take the answer of a host; an answer to a question that is no longer asked is dropped.

        What that host did may have had effects when nobody expected any more.
        """
        awaited = False

        def take(run: Run) -> bool:
            if (run.task.step, run.task.attempt) != (result.step, result.attempt):
                LOG.debug('Late answer about step %s of task %s dropped', result.step, result.task)
                return False
            if result.outcome == 'done':
                if result.state is not None:
                    run.state = run.state.after(result.state)
                if result.instance is not None and run.instance is not None:
                    run.instance.learn(result.instance)
            nonlocal awaited
            awaited = True
            return self.runner.end_step(run, *run.outcome(result), host=result.host)
        self.attend(result.task, take, rows.PARKED)
        if not awaited:
            self._see_to_late_effects(result.task)

    def progress(self, report: wire.StepProgress) -> None:
        """Note how far a host has come with a step."""
        run = self.pick(report.task, rows.PARKED)
        if run is None or run.task.attempt != report.attempt:
            return
        told = report.progress or run.flow.Progress(percent=report.percent)

        def write(conn: sa.Connection) -> None:
            kept = rows.keep_progress(conn, run.task.uuid, report.attempt, told.to_wire())
            if kept and run.instance is not None:
                run.instance.progress = told.percent
                run.instance.copy().save(conn)
        self.journal.db.write(write, landed=dbkit.repeatable)

    def cancel_holder(self, instance_uuid: str, instance: instances.Instance | None) -> bool:
        """Cancel who holds a server's slot; True when nobody does: then its record is read."""
        holder = self.journal.cancel_holder(instance_uuid, instance)
        if holder is None:
            return True
        self.hurry(holder)
        return False

    def submit(self, fn: Care, uuid: str) -> bool:
        """Run ``fn(uuid)`` in the pool; False when it takes no more: then the keeper comes again."""
        return self._line.submit(fn, uuid)

    def now(self) -> datetime.datetime:
        """The journal's time."""
        return self.journal.db.now()

    def open_steps(self, host: str) -> list[wire.StepCall]:
        """The steps that a returning host still owes us, as calls for it to run or to report."""
        with self.journal.db.read() as conn:
            parked = rows.parked_on(conn, host)
        found = [self.pick(task.uuid, rows.PARKED) for task in parked]
        return [run.call() for run in found if run is not None]

    # One task ----------------------------------------------------------------------------------

    def attend(self, uuid: str, act: Act, *statuses: str, alone: bool = False) -> None:
        """Pick a task up if it is in one of `statuses`, act on it, and go on while steps can run here.

        Args:
            alone: only if no thread of this worker is busy with it.
        """
        if not self._hold(uuid, alone):
            return
        run = None
        try:
            run = self.pick(uuid, *statuses)
            if run is not None:
                self._run(run, act)
        except Exception as error:  # noqa: BLE001  every one is judged
            self._judge(uuid, run, error)
        finally:
            self._release(uuid)

    def _run(self, run: Run, act: Act) -> None:
        run.name_in_logs()
        self.lease.enter()
        goes_on = act(run)
        while goes_on:
            goes_on = self.runner.step(run)

    def _judge(self, uuid: str, run: Run | None, error: Exception) -> None:
        """What was raised where no step's function was at work fails the step; or else it ends the task."""
        self._left.add(uuid)
        if isinstance(error, errors.task.Lost):
            self._see_to_late_effects(uuid)
        if self._is_told(uuid, error):
            return
        LOG.error('Task %s came upon a fault', uuid, exc_info=error)
        try:
            fresh = self.pick(uuid, *rows.OPEN) if run is not None else None
            if run is None or fresh is None:
                self.condemn(uuid, error)
            elif fresh.task.generation == run.task.generation:
                self._run(fresh, lambda run: self.runner.end_step(run, 'failed', errors.to_dict(error)))
        except Exception as another:
            if not self._is_told(uuid, another):
                LOG.error('Task %s cannot even fail', uuid, exc_info=another)
                self.condemn(uuid, error)

    def _see_to_late_effects(self, uuid: str) -> None:
        """Somebody was away for long, and had an effect when he returned: this worker, or a host.

        While the task goes on, who has it now has doubts himself, and looks when it has ended.
        """
        def follow(conn: sa.Connection) -> None:
            task = rows.get(conn, uuid)
            if task is not None and task.ended and task.doubt:
                self.runner.follow_doubt(conn, task, again=True)
        try:
            self.journal.db.write(follow, landed=dbkit.repeatable)
        except Exception as error:
            if not dbkit.is_passing(error):
                raise
            LOG.warning('What task %s may have left is for the next comparison: %s', uuid, error)

    @staticmethod
    def _is_told(uuid: str, error: Exception) -> bool:
        """Whether an error is no fault, but a reason to leave the task for later, or to others."""
        if isinstance(error, errors.task.Lost):
            LOG.info('Task %s has, or may have, another owner now', uuid)
        elif runners.is_passing(error):
            LOG.warning('Task %s is left for later: %s', uuid, error)
        else:
            return False
        return True

    def pick(self, uuid: str, *statuses: str) -> Run | None:
        """The task as a run, if it is in one of `statuses` and can be read here."""
        loaded = self.journal.load(uuid)
        if loaded is None or loaded[0].status not in statuses:
            return None
        run = runs.read(*loaded)
        if run is None:
            self._illegible[uuid] = loaded[0].generation
            LOG.warning('Task %s of flow %s %s cannot be read here', uuid, loaded[0].flow,
                        loaded[0].flow_version)
        return run

    def is_legible(self, task: rows.Task) -> bool:
        """Whether the task can be run here, for all we know."""
        return flows.known(task.flow, task.flow_version) is not None and (
            self._illegible.get(task.uuid) != task.generation)

    def holds(self, uuid: str) -> bool:
        """Whether a thread of this worker is busy with the task."""
        return uuid in self._held

    def _hold(self, uuid: str, alone: bool = False) -> bool:
        with self._held_lock:
            if alone and uuid in self._held:
                return False
            self._held[uuid] = self._held.get(uuid, 0) + 1
            return True

    def _release(self, uuid: str) -> None:
        with self._held_lock:
            self._held[uuid] -= 1
            if not self._held[uuid]:
                del self._held[uuid]

    def left_lying(self) -> list[rows.Task]:
        """Running tasks that are ours still, though we have let them go, when we were not sure of ourselves.

        While we live nobody else takes them over, whoever cares for them otherwise.
        """
        found = []
        for uuid in sorted(self._left):
            with self.journal.db.read() as conn:
                task = rows.find(conn, uuid)
            if task is not None and task.status == rows.RUNNING and task.owner == self.lease.uuid:
                found.append(task)
            else:
                self._left.discard(uuid)
        return found

    def forget_others(self, uuids: Collection[str]) -> None:
        """Remember what could not be read of these tasks alone."""
        self._illegible = {uuid: seen for uuid, seen in self._illegible.items() if uuid in uuids}

    def condemn(self, uuid: str, error: Exception) -> None:
        """End a task as stuck, by its row alone; its server is in error, and can be deleted."""
        with self.journal.db.read() as conn:
            task = rows.find(conn, uuid)
        if task is None or task.ended:
            return
        LOG.error('Task %s (%s) is stuck at step %s: %s', uuid, task.flow, task.step, error)
        now = self.now()
        # The state goes: it may hold what only steps may know, and perhaps nobody can read it.
        changes = {'status': rows.STUCK, 'owner': None, 'exclusive': None, 'finished_at': now,
                   'state': base.State().to_wire(),
                   'error': {**errors.to_dict(error), 'created': clock.isotime(now)}}

        def fail_server(conn: sa.Connection) -> None:
            if task.instance_uuid is not None and task.exclusive is not None:
                rows.fail_server(conn, task.instance_uuid, keep_task_state=task.cancel or task.queued)
            self.runner.follow_doubt(conn, task)
        if task.status == rows.PARKED:
            self.runner.stop_host(task, nova_context.admin())
        with contextlib.suppress(errors.task.Lost):
            successor = self.journal.save(task, None, None, changes, also=fail_server)
            self.runner.tell_end(task, rows.STUCK, successor)
