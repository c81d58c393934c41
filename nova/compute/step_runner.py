"""Steps on this host: run once per attempt, fenced by attempt, answered as often as asked.

Steps of one server run one after the other, in the order in which they came; different servers run beside each
other. Steps that declare a limit pass a gate that bounds how many run at once; who waits there holds no thread.
"""

import collections
import dataclasses
import functools
from collections.abc import Callable

from oslo_log import log

from nova import context as nova_context
from nova import errors, objects, states
from nova.common import clock, jsonutil, metrics, threads
from nova.common.jsonutil import JsonObject
from nova.compute import handle, journal
from nova.objects import fields
from nova.objects import step as wire
from nova.task import flow as flows

LOG = log.getLogger(__name__)

OUTCOMES: dict[type[Exception], wire.Outcome] = {
    errors.task.Cancelled: 'cancelled', errors.task.Refused: 'refused'}
"""What a step has come to by its error; by every other it has failed."""

MOST = 1000
"""Steps that a host takes in; more are refused, and the conductor comes again."""

Report = Callable[[nova_context.RequestContext, wire.StepResult], None]
Tell = Callable[[nova_context.RequestContext, wire.StepProgress], None]


@dataclasses.dataclass(slots=True, eq=False)
class Job:
    """A step that was accepted and has not ended; `gate` is the one it is inside of, `report` hears its end.

    One that is `passed` is owed, and newer attempts of its task have come here (`_passed_over`).
    """

    context: nova_context.RequestContext
    call: wire.StepCall
    line: str
    handle: handle.Host
    report: Report
    gate: 'Gate | None' = None
    passed: bool = False

    @property
    def key(self) -> str:
        return _key(self.call, self.passed)

    @property
    def server(self) -> str | None:
        return self.call.instance.uuid if self.call.instance is not None else None


class Gate:
    """At most `limit` lines inside; the others wait without a thread."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._inside = 0
        self._waiting: collections.deque[str] = collections.deque()

    def enter(self, line: str) -> bool:
        """True when the line may go on now; otherwise a later `leave` returns it."""
        if self._limit and self._inside >= self._limit:
            self._waiting.append(line)
            return False
        self._inside += 1
        return True

    def leave(self) -> str | None:
        """Who goes on instead of the one that leaves."""
        if self._waiting:
            return self._waiting.popleft()
        self._inside -= 1
        return None

    def forget(self, line: str) -> bool:
        """Let a line wait no longer; False when it does not wait here."""
        if line not in self._waiting:
            return False
        self._waiting.remove(line)
        return True


class StepRunner:
    """Accepts, runs and answers the steps of one host.

    Args:
        hosting: makes the handles of its steps.
        report: ``(context, StepResult)``; best effort, the conductor asks again.
        progress: ``(context, StepProgress)``.
        pool: where steps run; may be shared by many hosts.
    """

    def __init__(self, hosting: handle.Hosting, steps: journal.Journal, report: Report, progress: Tell,
                 pool: threads.Pool) -> None:
        self._hosting, self._host = hosting, hosting.host
        self._journal, self._report, self._progress, self._pool = steps, report, progress, pool
        self._lock = threads.lock()
        self._idle = threads.condition(self._lock)
        self._lines: dict[str, collections.deque[Job]] = {}
        self._jobs: dict[str, Job] = {}
        self._open: dict[str, tuple[int, float]] = {}
        self._gates: dict[str, Gate] = {}
        self._dead = False

    # What conductors say

    def run(self, context: nova_context.RequestContext, call: wire.StepCall) -> None:
        """Accept a step: run it, or answer what is known of it already. Returns at once."""
        with self._lock:
            self._take(context, call, self._report)

    def run_owed(self, context: nova_context.RequestContext, call: wire.StepCall, seconds: float) -> str | None:
        """Run a step that is owed, unless this attempt went right before, and wait for its end.

        Returns:
            What it came to; ``done`` too when a newer attempt that was seen here took its place. None when it
            has not ended in time, or this host stops.
        """
        outcome: list[str] = []
        ended, deadline = threads.event(), clock.Deadline(seconds)

        def hear(context: nova_context.RequestContext, result: wire.StepResult) -> None:
            outcome.append(result.outcome)
            ended.set()
        with self._lock:
            if not self._dead and not self._take(context, call, hear, anew=True):
                return 'done'
        while not ended.wait(1.0) and not self._dead and not deadline.passed():
            pass
        return outcome[0] if outcome else None

    def _take(self, context: nova_context.RequestContext, call: wire.StepCall, report: Report,
              anew: bool = False) -> bool:
        """Accept a step for somebody; the lock is held.

        Args:
            anew: run it again, however it ended before, unless it went right.

        Returns:
            Whether `report` will hear of it: not when it is outdated, or too much is in line.
        """
        if self._dead:
            return False
        entry = self._journal.find(call.task)
        answer = self._known(entry, call)
        if answer is not None and (not anew or answer.outcome == 'done'):
            self._pool.submit(report, context, answer)
            return True
        passed = False
        if entry is not None and entry.attempt > call.attempt:
            passed = anew and _passed_over(entry, call)
            if not passed:
                return False
        job = self._jobs.get(_key(call, passed))
        if job is not None and job.call.attempt >= call.attempt:
            job.handle.signals.update(map(states.Signal, call.signals))
            if anew:
                job.report = report
            return True
        if len(self._jobs) >= MOST:
            metrics.REFUSED.labels('compute.run_step').inc()
            return True
        if job is not None:
            self._stop(job)
        if not passed:
            self._journal.save(journal.Entry(call.task, call.attempt, call.step, call.direction,
                                             call.instance.uuid if call.instance is not None else None))
        self._accept(context, call, report, passed)
        return True

    def cancel(self, context: nova_context.RequestContext, ref: wire.StepRef) -> None:
        """Stop an attempt of a task's step, older ones included.

        One that runs is told so and answers ``cancelled`` when it has ended; one that never came here will be
        answered so if it comes late.
        """
        with self._lock:
            job = self._jobs.get(ref.task)
            if job is not None:
                if job.call.attempt <= ref.attempt:
                    self._stop(job)
                return
            entry = self._journal.find(ref.task)
            if entry is None or entry.attempt < ref.attempt:
                self._journal.save(journal.Entry(ref.task, ref.attempt, result={'cancelled': True}))

    def _stop(self, job: Job) -> None:
        """Tell a job to stop; one that waits at a gate ends now."""
        job.handle.cancelled.set()
        if self._lines[job.line][0] is job and any(gate.forget(job.line) for gate in self._gates.values()):
            self._pool.submit(self._drain, job.line)

    def _known(self, entry: journal.Entry | None, call: wire.StepCall) -> wire.StepResult | None:
        """The stored answer to this very attempt; None when there is none."""
        if entry is None or entry.attempt != call.attempt or entry.result is None:
            return None
        if 'cancelled' in entry.result:
            return self._result(call, 'cancelled', errors.task.Cancelled(task=call.task))
        return wire.StepResult.from_wire(entry.result)

    # How it looks

    def busy(self) -> set[str]:
        """Servers with a step that has not ended."""
        with self._lock:
            return {job.server for job in self._jobs.values() if job.server}

    def open(self) -> dict[str, tuple[int, float]]:
        """Of every task with a step in line or running: the attempt, and when it came (`beats.Open`).

        Waits for nothing, not even for who is writing the journal on a disk that hangs.
        """
        return dict(self._open)

    def wait_idle(self, seconds: float | None) -> bool:
        """Wait until no step is left; False when time is over first."""
        with self._idle:
            return self._idle.wait_for(lambda: not self._jobs, seconds)

    def kill(self) -> None:
        """As if the process had died: nothing more is accepted, journalled or answered."""
        with self._lock:
            self._dead = True
            for job in self._jobs.values():
                job.handle.cancelled.set()

    # Running

    def _accept(self, context: nova_context.RequestContext, call: wire.StepCall, report: Report,
                passed: bool) -> None:
        flow = flows.known(call.flow, call.flow_version)
        sharing = flow is not None and flow.exclusion == flows.SHARING
        server = call.instance.uuid if call.instance is not None else call.task
        line = call.task if sharing else server
        job = Job(context, call, line, self._handle(context, call), report, passed=passed)
        self._jobs[job.key] = job
        if not passed:
            self._open[call.task] = (call.attempt, clock.monotonic())
        metrics.STEPS_WAITING.labels(self._host).inc()
        waiting = self._lines.get(line)
        if waiting is not None:
            waiting.append(job)
            return
        self._lines[line] = collections.deque([job])
        self._pool.submit(self._drain, line)

    def _handle(self, context: nova_context.RequestContext, call: wire.StepCall) -> handle.Host:
        def tell(progress: objects.Progress) -> None:
            if not self._dead:
                self._progress(context, wire.StepProgress(
                    task=call.task, step=call.step, attempt=call.attempt, host=self._host,
                    percent=progress.percent, progress=progress))

        flow = flows.known(call.flow, call.flow_version) or flows.Flow
        server = call.instance or fields.NOT_YET  # a step of a flow without a server looks at none
        made = self._hosting.handle(server, context, call.task, call.attempt,
                                    handle.Throttle(tell, flow.Progress))
        made.signals = set(map(states.Signal, call.signals))
        return made

    def _gate(self, call: wire.StepCall) -> Gate | None:
        """What bounds how many of such steps run at once, if anything does."""
        flow = flows.known(call.flow, call.flow_version)
        step = next((step for step in flow.steps if step.name == call.step), None) if flow is not None else None
        if step is None or step.limit is None or call.direction != 'do':
            return None
        if step.limit not in self._gates:
            *groups, option = step.limit.split('.')
            group = functools.reduce(getattr, groups, self._hosting.conf)
            self._gates[step.limit] = Gate(getattr(group, option))
        return self._gates[step.limit]

    def _drain(self, line: str) -> None:
        """Run the jobs of a line until none is left, or until one has to wait at its gate."""
        while True:
            with self._lock:
                job = self._lines[line][0]
                gate = self._gate(job.call)
                if gate is not None and job.gate is None and not job.handle.cancelled.is_set():
                    if not gate.enter(line):
                        return
                    job.gate = gate
            try:
                self._perform(job)
            except Exception:
                # A fault of ours must not hold up the server's other steps; the conductor asks again.
                LOG.exception('Step %s of task %s was lost', job.call.step, job.call.task)
            finally:
                last = self._leave(line, job)
            if last:
                return

    def _leave(self, line: str, job: Job) -> bool:
        """Take the ended job off its line and let the next of its gate in; True when the line is empty."""
        with self._lock:
            if self._jobs.get(job.key) is job:
                del self._jobs[job.key]
                if not job.passed:
                    del self._open[job.call.task]
            metrics.STEPS_WAITING.labels(self._host).dec()
            waiting = self._lines[line]
            waiting.popleft()
            if not waiting:
                del self._lines[line]
            admitted = job.gate.leave() if job.gate is not None else None
            if admitted is not None:
                self._lines[admitted][0].gate = job.gate
            self._idle.notify_all()
        if admitted is not None:
            self._pool.submit(self._drain, admitted)
        return not waiting

    def _perform(self, job: Job) -> None:
        """Run one job, write down how it ended, and tell."""
        call, began = job.call, clock.monotonic()
        if self._dead:
            return
        job.context.resource_uuid = job.server
        job.context.update_store()
        LOG.debug('Step %s (%s, attempt %d) of task %s begins', call.step, call.direction, call.attempt,
                  call.task)
        result, form = self._wired(job, self._call(job))
        seconds = clock.monotonic() - began
        metrics.STEPS.labels(call.flow, call.step, call.direction, result.outcome).observe(seconds)
        with self._lock:
            if self._dead or not (job.passed or self._keep_end(job, form)):
                return
        LOG.info('Step %s (%s) of task %s: %s in %.2f s', call.step, call.direction, call.task, result.outcome,
                 seconds)
        job.report(job.context, result)

    def _keep_end(self, job: Job, form: JsonObject) -> bool:
        """Write down how a job ended, unless a newer attempt has come; False then. The lock is held."""
        call, entry = job.call, self._journal.find(job.call.task)
        if entry is not None and entry.attempt > call.attempt:
            return False
        try:
            self._journal.save(journal.Entry(
                call.task, call.attempt, call.step, call.direction, job.server, form))
        except OSError:
            LOG.exception('The end of step %s of task %s cannot be kept; it is told all the same', call.step,
                          call.task)
        return True

    def _wired(self, job: Job, result: wire.StepResult) -> tuple[wire.StepResult, JsonObject]:
        """How the step ended, as a record and in its wire form."""
        try:
            form = result.to_wire()
            jsonutil.dumps(form)
            return result, form
        except Exception as error:
            LOG.exception('Step %s of task %s left what no message can hold', job.call.step, job.call.task)
            result = self._result(job.call, 'failed', error)
            return result, result.to_wire()

    def _call(self, job: Job) -> wire.StepResult:
        """Run the step's function; what it has come to."""
        call, step = job.call, None
        try:
            if job.handle.cancelled.is_set():
                raise errors.task.Cancelled(task=call.task)
            if call.instance is not None:
                call.instance.clean()
            step = self._step(call)
            function = step.do if call.direction == 'do' else step.undo
            if function is not None:
                function(job.handle, call.state)
            if job.handle.cancelled.is_set():
                raise errors.task.Cancelled(task=call.task)
        except Exception as error:
            # Whatever broke here, the task has to hear of it.
            if not isinstance(error, errors.NovaError):
                LOG.exception('Step %s of task %s failed unexpectedly', call.step, call.task)
            verdict = step.verdict(error) if step is not None and call.direction == 'do' else error
            outcome: wire.Outcome = next(
                (word for kind, word in OUTCOMES.items() if isinstance(verdict, kind)), 'failed')
            return self._result(call, outcome, verdict)
        return self._result(call, 'done', None)

    @staticmethod
    def _step(call: wire.StepCall) -> flows.AnyStep:
        flow = flows.known(call.flow, call.flow_version)
        if flow is None:
            raise errors.task.FlowUnknown(flow=call.flow, version=call.flow_version)
        return flow.step(call.step)

    def _result(self, call: wire.StepCall, outcome: wire.Outcome, error: Exception | None
                ) -> wire.StepResult:
        learnt = outcome == 'done'
        state = call.state.returned() if learnt and call.state is not None else None
        return wire.StepResult(
            task=call.task, step=call.step, direction=call.direction, attempt=call.attempt, host=self._host,
            outcome=outcome, error=errors.to_dict(error) if error is not None else None,
            instance=call.instance if learnt else None, state=state)


def _key(call: wire.StepCall, passed: bool) -> str:
    """A task has one job, and one for each attempt that was passed over."""
    return f'{call.task} {call.attempt}' if passed else call.task


def _passed_over(entry: journal.Entry, call: wire.StepCall) -> bool:
    """Whether a step that is owed has still to be done, although a newer attempt of its task was seen here.

    The host heard of a step that comes later on the same way, or only that such a one is given up (then the
    entry names none): what was owed had been left out on that way. The same step, or one on the way back, is
    newer in its place.
    """
    return not entry.step or (entry.step != call.step and entry.direction == call.direction)
