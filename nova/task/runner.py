"""Takes a task in hand from step to step, and writes down where it stands.

One save a step: the end of one is the start of the next. A step on a host, or a wait, parks the task; it goes
on when somebody picks it up again.
"""

import datetime
import logging
from collections.abc import Callable
from typing import Protocol

import sqlalchemy as sa

from nova import context as nova_context
from nova import errors, release, states
from nova.common import clock, dbkit, metrics
from nova.common.jsonutil import JsonObject
from nova.objects import step as wire
from nova.objects import task as rows
from nova.task import fence as fences
from nova.task import flow as flows
from nova.task import handles, plan
from nova.task import journal as journals
from nova.task import lease as leases
from nova.task import run as runs
from nova.task.run import Run

LOG = logging.getLogger(__name__)

PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
"""Seconds before a step is tried again: the first that is no shorter than what was waited so far."""
LONGEST_FORWARD = 15.0
"""Seconds of the longest pause while the step's time runs."""

LATE = 60.0
"""Seconds after the end of a task within which what it asked for has come, or never comes."""

WAS = 'vm_state'
"""Key of a stuck task's error: what its server was before it was put in error, for when it is resumed."""

Also = Callable[[sa.Connection], None]
"""What else belongs into the transaction of a save."""


class Reach(Protocol):
    """How an engine reaches compute hosts; casts are best effort."""

    def run_step(self, context: nova_context.RequestContext, call: wire.StepCall) -> None: ...

    def cancel_step(self, context: nova_context.RequestContext, host: str, ref: wire.StepRef) -> None: ...

    def is_up(self, host: str) -> bool: ...

    def is_dead(self, host: str) -> bool:
        """Whether an operator says that nothing runs on a host that is down."""

    def heard(self, host: str) -> datetime.datetime | None:
        """When the host's newest sign of life came."""

    def holds(self, host: str, task: str, attempt: int) -> bool:
        """Whether the host's newest sign of life names this attempt as one that it has in hand."""

    def oldest(self, host: str | None = None) -> release.Release:
        """The oldest release that a host and the conductors beside it are of; None: every host."""


def is_passing(error: BaseException) -> bool:
    """Whether the same may go right in a moment: a neighbour, the bus or a database is away."""
    return getattr(error, 'again', False) or dbkit.is_passing(error)


def outcome_of(error: Exception) -> plan.Outcome:
    """What a step that raised this has come to."""
    if is_passing(error):
        return 'again'
    return 'refused' if isinstance(error, errors.task.Refused) else 'failed'


def _was_only_told(task: rows.Task, fresh: rows.Task) -> bool:
    """Whether all that has happened to the row is that its operation was cancelled, or told something."""
    told = (fresh.cancel != task.cancel) + len(fresh.signals or ()) - len(task.signals or ())
    return told > 0 and fresh.generation == task.generation + told


class Runner:
    """Moves the tasks of one journal.

    Args:
        handle: builds the `handles.Conductor` of a run.
        hurry: have somebody look at a task soon.
        supers: whether steps at ``super`` may run here.
        pauses: see `PAUSES`.
        after_doubt: the flow that sees, a while after the end of a task that did not go right at once, whether
            something of it has come late.
    """

    def __init__(self, journal: journals.Journal, lease: leases.Lease, reach: Reach,
                 handle: Callable[[Run], handles.Conductor], hurry: Callable[[str], object], supers: bool,
                 pauses: tuple[float, ...], after_doubt: type[flows.AnyFlow] | None = None) -> None:
        self._after_doubt = after_doubt
        self._journal, self._lease, self._reach = journal, lease, reach
        self._handle, self._hurry, self._supers, self._pauses = handle, hurry, supers, pauses

    @staticmethod
    def turned(run: Run) -> plan.Move | None:
        """Where a cancellation has the run go instead."""
        return plan.cancelled(run.flow, run.task, run.state)

    def _now(self) -> datetime.datetime:
        return self._journal.db.now()

    def claim(self, run: Run, **changes: object) -> bool:
        """Make the task ours at the step where it stands, or where a cancellation turns it; True when that can
        be run here."""
        if run.step.at == 'super' and not self._supers:
            return False
        move = self.turned(run)
        return self._place(run, changes) if move is None else self._move(run, move, None, changes)

    def step(self, run: Run) -> bool:
        """Run the present step here; True when the next one can be run here too."""
        step, task = run.step, run.task
        move = self.turned(run)
        if move is not None:
            return self._move(run, move, None, {})
        fences.Fence(task, self._lease, self._journal.db).check()
        try:
            with metrics.step(run.flow.name, step.name, run.task.direction):
                function = self._function(run, step)
                result = function(self._handle(run), run.state) if function else None
        except errors.task.Lost:
            raise
        except Exception as error:
            outcome = outcome_of(error)
            if outcome == 'failed' and not isinstance(error, errors.NovaError):
                LOG.exception('Step %s of task %s failed unexpectedly', step.name, task.uuid)
            return self.end_step(run, outcome, errors.to_dict(error))
        if step.waits and task.direction == 'do' and not result:
            self._save(run, None, status=rows.WAITING, owner=None)
            return False
        return self.end_step(run, 'done', None)

    def ready(self, run: Run) -> bool:
        """Whether the step that a task waits in has something to say: that its condition holds, or an error."""
        try:
            return bool(run.step.do(self._handle(run), run.state))
        except Exception:  # noqa: BLE001  the step is run again, and its error is judged then
            return True

    def _function(self, run: Run, step: flows.AnyStep) -> flows.Function | None:
        """What to call for the present step, if anything."""
        if run.task.direction != 'do':
            # On a host that is not known there is nothing to undo.
            return None if step.on_host else step.undo
        if run.is_late(self._now()) and not run.committed:
            raise errors.task.DeadlinePassed(flow=run.flow.name, seconds=run.flow.deadline)
        if step.on_host:
            raise errors.task.StepFailed(step=step.name, reason=f'no host is known for {step.at!r}')
        return step.do

    # Moves -------------------------------------------------------------------------------------

    def end_step(self, run: Run, outcome: plan.Outcome, error: JsonObject | None, *, host: str | None = None,
               detail: str | None = None, also: Also | None = None) -> bool:
        """Write down how the present step ended and go to the next position.

        Args:
            detail: what to note of it, where that is not an error.
            also: what else belongs into the transaction.
        """
        task, now = run.task, self._now()
        if outcome == 'failed' and errors.from_dict(error or {}).again:
            outcome = 'again'
        if outcome == 'again' and task.direction == 'do' and not run.committed and (
                task.unwinds or run.is_over(now)):
            outcome = 'failed'
        move = plan.after(run.flow, task, run.state, outcome, run.is_late(now))
        note = None if outcome == 'again' else rows.Note(
            task.step or '', task.direction, task.attempt, outcome, host=host,
            detail=(error or {}).get('message', detail), started_at=task.step_started_at)
        changes: JsonObject = {} if outcome == 'done' and not run.doubt else {'doubt': True}
        if error is not None:
            LOG.info('Step %s (%s) of task %s %s: %s', task.step, task.direction, task.uuid,
                     'is to be tried again' if outcome == 'again' else outcome, error.get('message'))
            # The reason why a task unwinds is its first failure; a refusal counts only when nothing is left
            # to try, and is then repeated by the choice that gives up.
            if task.error is None and move.turn is None and outcome not in ('cancelled', 'again'):
                changes['error'] = {**error, 'created': clock.isotime(now)}
        return self._move(run, move, note, changes, also)

    def _move(self, run: Run, move: plan.Move, note: rows.Note | None, changes: JsonObject,
              also: Also | None = None) -> bool:
        task = run.task
        if move.end is not None:
            self._end(run, move.end, note, changes, also)
            return False
        now = self._now()
        changes.update(direction=move.direction, step=move.step, turn=move.turn, attempt=task.attempt + 1,
                       tries=move.tries)
        if move.again:
            changes.update(status=rows.READY, owner=None, not_before=now + self._pause(run, now))
            self._save(run, note, also, **changes)
            return False
        task.step, task.direction = move.step, move.direction
        return self._place(run, {**changes, 'step_started_at': now}, note, also)

    def _pause(self, run: Run, now: datetime.datetime) -> datetime.timedelta:
        """As long again as the step has been tried for."""
        elapsed = run.task.elapsed(now)
        pause = next((pause for pause in self._pauses if pause >= elapsed), self._pauses[-1])
        if run.task.direction == 'do' and not run.committed:
            pause = min(pause, LONGEST_FORWARD)
        return datetime.timedelta(seconds=pause)

    def _place(self, run: Run, changes: JsonObject, note: rows.Note | None = None,
               also: Also | None = None) -> bool:
        """Put the task where its present step runs; True when that is here."""
        step, task = run.step, run.task
        function = step.do if task.direction == 'do' else step.undo
        changes = {'not_before': None, **changes}
        if run.instance is not None and task.direction == 'do' and not task.cancel and (
                step.shows not in (None, run.instance.task_state)):
            run.instance.task_state = step.shows
        if step.on_host and function is not None and run.host is not None:
            if task.direction == 'do':
                changes['hosts'] = {**(task.hosts or {}), step.name: run.host}
            self._save(run, note, also, status=rows.PARKED, owner=None, runs_at='host', host=run.host,
                       **changes)
            self._tell_host(run)
            return False
        runs_at = 'super' if step.at == 'super' else 'cell'
        if runs_at == 'super' and not self._supers:
            self._save(run, note, also, status=rows.READY, owner=None, runs_at=runs_at, **changes)
            return False
        self._save(run, note, also, status=rows.RUNNING, owner=self._lease.uuid, runs_at=runs_at, **changes)
        return True

    def _end(self, run: Run, end: str, note: rows.Note | None, changes: JsonObject,
             also: Also | None = None) -> None:
        """Release the server and set its states; the task_state stays what who cancelled the task made it."""
        task, instance, flow = run.task, run.instance, run.flow
        becomes = {rows.DONE: flow.ends, rows.UNDONE: flow.fails, rows.STUCK: states.VM.ERROR}[end]
        if end == rows.STUCK and flow.exclusion == flows.SHARING:
            becomes = None
        unwound = task.unwinds and end == rows.UNDONE
        told = changes.get('error', task.error)
        if end == rows.STUCK and instance is not None and told:
            changes['error'] = {**told, WAS: instance.vm_state}
        if instance is not None and not unwound and becomes not in (None, instance.vm_state):
            instance.vm_state = str(becomes)
        if instance is not None and not task.cancel and instance.task_state is not None and (
                flow.exclusion not in (flows.SHARING, flows.QUEUED)):
            instance.task_state = None
        run.state.forget()
        if end == rows.STUCK:
            LOG.error('Task %s (%s) is stuck at step %s', task.uuid, task.flow, task.step)

        def with_doubt(conn: sa.Connection) -> None:
            if also is not None:
                also(conn)
            self.follow_doubt(conn, task)
        doubtful = task.doubt or task.unwinds or 'doubt' in changes
        successor = self._save(run, note, with_doubt if doubtful else also, status=end, owner=None,
                               exclusive=None, finished_at=self._now(), **changes)
        self.tell_end(task, end, successor)

    def follow_doubt(self, conn: sa.Connection, task: rows.Task, again: bool = False) -> None:
        """Have somebody look, after a while, at what a task may have left that ends now, or has ended.

        Args:
            again: unless somebody is to look anyway.
        """
        flow, shared, server = self._after_doubt, flows.known(task.flow, task.flow_version), task.instance_uuid
        if server is None and shared is not None:
            self._look_later(conn, task, shared)
        if flow is None or server is None or (shared is not None and shared.exclusion == flows.SHARING):
            return
        if not again or server not in rows.not_begun(conn, flow.name, [server]):
            journals.insert(conn, flow, flow.State(), nova_context.RequestContext.from_dict(task.context),
                            instance_uuid=server, parent=task.uuid, wait=LATE)

    @staticmethod
    def _look_later(conn: sa.Connection, task: rows.Task, kind: type[flows.AnyFlow]) -> None:
        """The same for a task without a server, whose flow says who looks."""
        remembers = runs.state_of(task)
        found = kind.looks_later(remembers) if remembers is not None else None
        if found is not None:
            flow, state = found
            journals.insert(conn, flow, state, nova_context.RequestContext.from_dict(task.context),
                            parent=task.uuid, wait=LATE)

    def tell_end(self, task: rows.Task, end: str, successor: str | None) -> None:
        """Say so, and wake who waited for it."""
        seconds = (self._now() - task.created_at).total_seconds() if task.created_at else 0.0
        metrics.TASKS.labels(task.flow, end).observe(max(0.0, seconds))
        level = logging.INFO if end == rows.DONE or task.cancel else logging.WARNING
        LOG.log(level, 'Task %s (%s) is %s after %.2f s%s', task.uuid, task.flow, end, seconds,
                f": {task.error.get('message')}" if end != rows.DONE and task.error else '')
        waiting = [successor] if successor is not None else []
        if task.cancel and task.instance_uuid:
            waiting += self._journal.waiting_on(task.instance_uuid)
        for uuid in waiting:
            self._hurry(uuid)

    def _save(self, run: Run, note: rows.Note | None, also: Also | None = None, **changes: object
              ) -> str | None:
        """Journal the run; a cancellation or a signal that came meanwhile is acted on at the next turn.

        Returns:
            uuid of the queued task whose turn it is now.

        Raises:
            errors.task.Lost: another worker owns the task.
        """
        task = run.task
        changes['state'] = run.flow.kept(run.state)
        try:
            return self._journal.save(task, run.instance, note, changes, also)
        except errors.task.Lost:
            loaded = self._journal.load(task.uuid)
            fresh, instance = loaded or (None, None)
            if fresh is None or not _was_only_told(task, fresh):
                raise
            task.generation, task.cancel, task.signals = fresh.generation, fresh.cancel, fresh.signals
            if run.instance is not None and instance is not None:
                run.instance.task_state = instance.task_state
            return self._journal.save(task, run.instance, note, changes, also)

    # Steps on hosts ----------------------------------------------------------------------------

    def _tell_host(self, run: Run) -> None:
        """Have the host of a task that was just parked begin, or leave it when it was cancelled meanwhile."""
        if self.turned(run) is not None:
            self._hurry(run.task.uuid)
        else:
            self.cast(run)

    def note_doubt(self, run: Run) -> None:
        """Write down that somebody has to look for what may come when the task has ended."""
        if not run.task.doubt:
            self._journal.db.write(lambda conn: rows.note_doubt(conn, run.task.uuid, run.task.attempt),
                                   landed=dbkit.repeatable)

    def cast(self, run: Run) -> bool:
        """Send a parked step to its host; when that cannot be done now, or its host is down, the keeper comes
        again. One that returns hears of nothing before it knows what it owes."""
        try:
            call = run.call()
            if self._reach.is_up(call.host):
                self._reach.run_step(run.context, call)
        except Exception as error:
            if not is_passing(error):
                raise
            LOG.warning('Step %s of task %s cannot be sent now: %s', run.task.step, run.task.uuid, error)
        return False

    def stop_host(self, task: rows.Task, context: nova_context.RequestContext) -> None:
        """Ask the host of a parked step to leave it; one that does not hear of it answers too late."""
        try:
            self._reach.cancel_step(context, task.host or '', runs.ref(task))
        except Exception as error:
            if not is_passing(error):
                raise
            LOG.warning('Host %s cannot be told to leave step %s now: %s', task.host, task.step, error)

    def turn_back(self, run: Run) -> bool:
        """Unwind a cancelled task whose step is with a host: the host is told to stop, then to undo."""
        move, task = self.turned(run), run.task
        if move is None:
            return False
        self.stop_host(task, run.context)
        return self._move(run, move, rows.Note(
            task.step or '', task.direction, task.attempt, 'cancelled', host=task.host,
            started_at=task.step_started_at), {})
