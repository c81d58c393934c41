"""Runs tasks: claims them, takes them step by step, and unwinds them.

One engine serves one journal on behalf of one worker. It holds no thread for a step on a host or a wait: the
task is parked in the database and goes on when the answer, or the condition, comes.
"""

import collections
import dataclasses
import datetime
import logging
from collections.abc import Callable
from typing import Any, Protocol

from nova import context as nova_context
from nova import errors, states
from nova.common import clock, metrics, threads
from nova.objects import base
from nova.objects import step as wire
from nova.objects import task as rows
from nova.task import flow as flows
from nova.task import journal as journals
from nova.task import lease as leases
from nova.task import plan

LOG = logging.getLogger(__name__)

PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before a failed undo, or a failed step beyond the pivot, is tried again."""


class Hosts(Protocol):
    """How an engine reaches compute hosts; casts are best effort."""

    def run_step(self, context: nova_context.RequestContext, call: Any) -> None: ...

    def cancel_step(self, context: nova_context.RequestContext, host: str, ref: Any) -> None: ...

    def is_up(self, host: str) -> bool: ...


@dataclasses.dataclass(slots=True)
class Run:
    """A task in this worker's hands."""

    task: rows.Task
    flow: type[flows.Flow]
    state: Any
    instance: Any
    context: nova_context.RequestContext

    @property
    def step(self) -> flows.Step:
        return self.flow.step(self.task.step or '')

    def call(self) -> wire.StepCall:
        """The present step as its host is told of it."""
        task = self.task
        return wire.StepCall(
            task=task.uuid, flow=task.flow, flow_version=task.flow_version, step=task.step,
            direction=task.direction, attempt=task.attempt, host=task.host, instance=self.instance,
            state=self.state)

    def name_in_logs(self) -> None:
        """Have what this thread logs from now on carry the operation's request and server."""
        self.context.resource_uuid = self.task.instance_uuid
        self.context.update_store()

    @property
    def late(self) -> bool:
        return self.task.deadline is not None and clock.utcnow() >= self.task.deadline


class Engine:
    """Takes the tasks of one journal forward.

    Args:
        handle: builds the `handles.Conductor` of a run.
        supers: whether steps at ``super`` may run here.
        pool: where what cannot wait for its caller is run.
        pauses: see `PAUSES`.
    """

    def __init__(self, journal: journals.Journal, lease: leases.Lease, hosts: Hosts,
                 handle: Callable[[Run], Any], pool: threads.Pool, *, supers: bool = False,
                 pauses: tuple[float, ...] = PAUSES) -> None:
        self.journal, self.lease, self.hosts = journal, lease, hosts
        self._handle, self._pool, self.supers = handle, pool, supers
        self._pauses = pauses
        self._mine: collections.Counter[str] = collections.Counter()
        self._mine_lock = threads.lock()

    # Taking part -------------------------------------------------------------------------------

    def wake(self, uuid: str) -> None:
        """Run a task as far as it goes, if it is anybody's to run."""
        run = self.pick(uuid, rows.READY, rows.WAITING)
        if run is not None:
            self.own(run, lambda: self.claim(run))

    def adopt(self, uuid: str) -> None:
        """Let an inert task run, by this worker; nothing happens when it is past that.

        When this returns, the database says so: what comes after is for the pool.
        """
        self.lease.enter()
        if self.journal.adopt(uuid, self.lease.uuid):
            self.submit(self._go_on, uuid)

    def _go_on(self, uuid: str) -> None:
        run = self.pick(uuid, rows.RUNNING)
        if run is not None and run.task.owner == self.lease.uuid:
            self.own(run, lambda: not run.step.on_host or self.claim(run))

    def step_done(self, result: Any) -> None:
        """Take the answer of a host; an answer to a question that is no longer asked is dropped."""
        run = self.pick(result.task, rows.PARKED)
        if run is None or (run.task.step, run.task.attempt) != (result.step, result.attempt):
            LOG.debug('Late answer about step %s of task %s dropped', result.step, result.task)
            return
        if result.outcome == 'done':
            if result.state is not None:
                run.state = run.state.after(result.state)
            if result.instance is not None and run.instance is not None:
                run.instance.learn(result.instance)
        self.own(run, lambda: self.settle(run, result.outcome, result.error, host=result.host))

    def progress(self, report: Any) -> None:
        """Note how far a host has come with a slow step."""
        run = self.pick(report.task, rows.PARKED)
        if run is not None and run.instance is not None and run.task.attempt == report.attempt:
            run.instance.progress = report.percent
            self.journal.db.write(lambda conn: run.instance.copy().save(conn))

    def cancel_holder(self, instance_uuid: str) -> bool:
        """Cancel who holds a server's slot; True when nobody does."""
        holder = self.journal.cancel_holder(instance_uuid)
        if holder is None:
            return True
        if holder.status in (rows.READY, rows.WAITING):
            self.submit(self.wake, holder.uuid)
        elif holder.status == rows.PARKED:
            self.submit(self.turn_back, holder.uuid)
        return False

    def submit(self, fn: Callable[[str], None], uuid: str) -> None:
        """Run ``fn(uuid)`` in the pool; when it fails, the keeper comes again."""
        self._pool.background(fn, uuid)

    def holds(self, uuid: str) -> bool:
        """Whether a thread of this worker is busy with the task."""
        return uuid in self._mine

    # One task ----------------------------------------------------------------------------------

    def pick(self, uuid: str, *statuses: str) -> Run | None:
        """The task as a run, if it is in one of `statuses` and its flow, in its version, is known here."""
        loaded = self.journal.load(uuid)
        if loaded is None or loaded[0].status not in statuses:
            return None
        task, instance = loaded
        flow = flows.FLOWS.get(task.flow)
        if flow is None or flow.version != task.flow_version:
            LOG.warning('Task %s: flow %s %s is not known here', uuid, task.flow, task.flow_version)
            return None
        return Run(task, flow, base.Record.from_wire(task.state), instance,
                   nova_context.RequestContext.from_dict(task.context))

    def own(self, run: Run, first: Callable[[], bool]) -> None:
        """Go on from `first` while steps can run here; stop quietly when another worker has taken over."""
        uuid = run.task.uuid
        run.name_in_logs()
        self.lease.enter()
        with self._mine_lock:
            self._mine[uuid] += 1
        try:
            goes_on = first()
            while goes_on:
                goes_on = self._step(run)
        except errors.task.Lost:
            LOG.info('Task %s has another owner now', uuid)
        finally:
            with self._mine_lock:
                self._mine[uuid] -= 1
                if not self._mine[uuid]:
                    del self._mine[uuid]

    def claim(self, run: Run) -> bool:
        """Make the task ours at the step where it stands, or where a cancellation turns it; True when that can
        be run here."""
        if run.step.at == 'super' and not self.supers:
            return False
        move = plan.cancelled(run.flow, run.task, run.state)
        if move is not None:
            return self._move(run, move, None, {})
        return self._place(run, {})

    def _step(self, run: Run) -> bool:
        """Run the present step here; True when the next one can be run here too."""
        step, task = run.step, run.task
        move = plan.cancelled(run.flow, task, run.state)
        if move is not None:
            return self._move(run, move, None, {})
        try:
            with metrics.step(run.flow.name, step.name, run.task.direction):
                function = self._function(run, step)
                result = function(self._handle(run), run.state) if function else None
        except errors.task.Refused as error:
            return self.settle(run, 'refused', errors.to_dict(error))
        except errors.NovaError as error:
            return self.settle(run, 'failed', errors.to_dict(error))
        except Exception as error:
            LOG.exception('Step %s of task %s failed unexpectedly', step.name, task.uuid)
            return self.settle(run, 'failed', errors.to_dict(error))
        if step.waits and task.direction == 'do' and not result:
            self._save(run, None, status=rows.WAITING, owner=None)
            return False
        return self.settle(run, 'done', None)

    def ready(self, run: Run) -> bool:
        """Whether the step that a task waits in has something to say: that its condition holds, or an error."""
        try:
            return bool(run.step.do(self._handle(run), run.state))
        except errors.NovaError:
            return True  # the step is run again, and its error is taken down then

    @staticmethod
    def _function(run: Run, step: flows.Step) -> flows.Function | None:
        """What to call for the present step, if anything."""
        if run.task.direction != 'do':
            # On a host that is not known there is nothing to undo.
            return None if step.on_host else step.undo
        if run.late and not run.flow.beyond_pivot(run.flow.index(step.name)):
            raise errors.task.DeadlinePassed(flow=run.flow.name, seconds=run.flow.deadline)
        if step.on_host:
            raise errors.task.StepFailed(step=step.name, reason=f'no host is known for {step.at!r}')
        return step.do

    def settle(self, run: Run, outcome: plan.Outcome, error: dict[str, Any] | None,
                host: str | None = None, detail: str | None = None) -> bool:
        """Write down how the present step ended and go to the next position."""
        task = run.task
        move = plan.after(run.flow, task, run.state, outcome, run.late)
        note = rows.Note(task.step or '', task.direction, task.attempt, outcome, host=host,
                         detail=(error or {}).get('message', detail), started_at=task.step_started_at)
        changes: dict[str, Any] = {}
        if error is not None:
            LOG.info('Step %s (%s) of task %s %s: %s', task.step, task.direction, task.uuid, outcome,
                     error.get('message'))
            # The reason why a task unwinds is its first failure; a refusal counts only when nothing is left
            # to try, and is then repeated by the choice that gives up.
            if task.error is None and move.turn is None and outcome != 'cancelled':
                changes['error'] = {**error, 'created': clock.isotime(clock.utcnow())}
        return self._move(run, move, note, changes)

    def _move(self, run: Run, move: plan.Move, note: rows.Note | None, changes: dict[str, Any]) -> bool:
        task = run.task
        if move.end is not None:
            self._end(run, move.end, note, changes)
            return False
        now = clock.utcnow()
        changes.update(direction=move.direction, step=move.step, turn=move.turn, attempt=task.attempt + 1,
                       tries=task.tries + 1 if move.again else 0, step_started_at=now, not_before=None)
        if move.again:
            pause = self._pauses[min(task.tries, len(self._pauses) - 1)]
            changes.update(status=rows.READY, owner=None,
                           not_before=now + datetime.timedelta(seconds=pause))
            self._save(run, note, **changes)
            return False
        task.step, task.direction = move.step, move.direction
        return self._place(run, changes, note)

    def _place(self, run: Run, changes: dict[str, Any], note: rows.Note | None = None) -> bool:
        """Put the task where its present step runs; True when that is here."""
        step = run.step
        function = step.do if run.task.direction == 'do' else step.undo
        changes.setdefault('not_before', None)
        if run.instance is not None and run.task.direction == 'do' and not run.task.cancel and (
                step.shows and run.instance.task_state != step.shows):
            run.instance.task_state = step.shows
        if step.on_host and function is not None:
            host = self._host_of(run, step)
            if host is not None:
                self._save(run, note, status=rows.PARKED, owner=None, runs_at='host', host=host, **changes)
                if run.task.cancel and run.task.direction == 'do':
                    self.submit(self.turn_back, run.task.uuid)
                else:
                    self.hosts.run_step(run.context, run.call())
                return False
        if step.at == 'super' and not self.supers:
            self._save(run, note, status=rows.READY, owner=None, runs_at='super', **changes)
            return False
        self._save(run, note, status=rows.RUNNING, owner=self.lease.uuid, runs_at='cell', **changes)
        return True

    @staticmethod
    def _host_of(run: Run, step: flows.Step) -> str | None:
        """The host of a step; None when none is known (yet, or any more)."""
        return getattr(run.instance, 'host', None) if step.at == 'host' else getattr(run.state, step.at, None)

    def _end(self, run: Run, end: str, note: rows.Note | None, changes: dict[str, Any]) -> None:
        """Free the server; what a cancelled task leaves behind in task_state is its canceller's word."""
        task, instance = run.task, run.instance
        becomes = {rows.DONE: run.flow.ends, rows.UNDONE: run.flow.fails, rows.STUCK: states.VM.ERROR}[end]
        if instance is not None and becomes is not None and not (task.cancel and end == rows.UNDONE):
            instance.vm_state = becomes
        if instance is not None and not task.cancel and (
                run.flow.exclusion not in (flows.SHARING, flows.QUEUED)):
            instance.task_state = None
        run.state.forget()
        if end == rows.STUCK:
            LOG.error('Task %s (%s) is stuck at step %s', task.uuid, task.flow, task.step)
        successor = self._save(run, note, status=end, owner=None, exclusive=None, finished_at=clock.utcnow(),
                               **changes)
        self._tell_end(task, end)
        if successor is not None:
            self.submit(self.wake, successor)
        if task.cancel and task.instance_uuid:
            for uuid in self.journal.waiting_on(task.instance_uuid):
                self.submit(self.wake, uuid)

    @staticmethod
    def _tell_end(task: rows.Task, end: str) -> None:
        seconds = (clock.utcnow() - task.created_at).total_seconds() if task.created_at else 0.0
        metrics.TASKS.labels(task.flow, end).observe(max(0.0, seconds))
        LOG.info('Task %s (%s) is %s after %.2f s', task.uuid, task.flow, end, seconds)

    def _save(self, run: Run, note: rows.Note | None, **changes: Any) -> str | None:
        """Journal the run; a cancellation that came meanwhile is taken over and acted on at the next turn.

        Returns:
            uuid of the queued task whose turn it is now.

        Raises:
            errors.task.Lost: another worker owns the task.
        """
        task = run.task
        changes['state'] = run.state.to_wire()
        try:
            return self.journal.save(task, run.instance, note, changes)
        except errors.task.Lost:
            loaded = self.journal.load(task.uuid)
            fresh = loaded[0] if loaded else None
            if fresh is None or fresh.cancel == task.cancel or fresh.generation != task.generation + 1:
                raise
            task.generation, task.cancel = fresh.generation, True
            if run.instance is not None and loaded is not None:
                run.instance.task_state = loaded[1].task_state
            return self.journal.save(task, run.instance, note, changes)

    # Steps on hosts ----------------------------------------------------------------------------

    def open_steps(self, host: str) -> list[Any]:
        """The steps that a returning host still owes us, as calls for it to run or to report."""
        with self.journal.db.read() as conn:
            parked = rows.parked_on(conn, host)
        runs = [self.pick(task.uuid, rows.PARKED) for task in parked]
        return [run.call() for run in runs if run is not None]

    def turn_back(self, uuid: str) -> None:
        """Unwind a cancelled task whose step is with a host: the host is told to stop, then to undo."""
        run = self.pick(uuid, rows.PARKED)
        move = plan.cancelled(run.flow, run.task, run.state) if run is not None else None
        if run is None or move is None:
            return
        self.stop_host(run)
        task = run.task
        note = rows.Note(task.step or '', task.direction, task.attempt, 'cancelled', host=task.host,
                         started_at=task.step_started_at)
        self.own(run, lambda: self._move(run, move, note, {}))

    def stop_host(self, run: Run) -> None:
        """Ask the host of a parked step to leave it."""
        task = run.task
        self.hosts.cancel_step(run.context, task.host or '',
                               wire.StepRef(task=task.uuid, attempt=task.attempt))
