"""Steps on a host: once per attempt, fenced, serialised by server, bounded, cancellable."""

import os
import threading
import uuid

import pytest

from nova import errors, objects
from nova.common import threads
from nova.compute import handle, step_runner
from nova.compute import journal as journals
from nova.tests.compute import cell
from nova.tests.compute.cell import call_of, server_of
from nova.tests.fixtures.waiting import PATIENCE, until


class Told:
    def __init__(self):
        self.changed = threading.Condition()
        self.results, self.percents, self.progresses = [], [], []

    def done(self, context, result):
        with self.changed:
            self.results.append(result)
            self.changed.notify_all()

    def progress(self, context, progress):
        self.percents.append(progress.percent)
        self.progresses.append(progress.progress)

    def wait(self, count=1):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.results) >= count, PATIENCE), self.results
        return self.results


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def journal(tmp_path):
    return journals.Journal(tmp_path / 'steps')


@pytest.fixture
def make(conf, driver, journal, told):
    pools = []

    def build():
        pool = threads.Pool('steps-test', 8)
        pools.append(pool)
        return step_runner.StepRunner(cell.hosting(conf, driver), journal, told.done, told.progress, pool)

    yield build
    cell.GATES.hold.set()
    cell.GATES.over.set()
    for pool in pools:
        pool.close()


@pytest.fixture
def runner(make, gates):
    return make()


def test_step_runs_and_tells_what_it_learnt(runner, told):
    instance = server_of()
    call = call_of(instance)
    runner.run(cell.CONTEXT, call)
    result = told.wait()[0]
    assert (result.task, result.step, result.attempt, result.host) == (call.task, 'work', 1, 'host1')
    assert result.outcome == 'done' and result.error is None
    assert result.instance.changes() == {'power_state': 1, 'numa_topology': None}
    assert result.state.note == 'worked'


def test_what_a_host_was_lent_is_in_no_answer_and_no_journal(runner, told, journal):
    call = call_of(server_of())
    call.state.lent = 'between us'
    runner.run(cell.CONTEXT, call)
    result = told.wait()[0]
    assert (result.state.note, result.state.lent, call.state.lent) == ('worked', None, 'between us')
    assert 'between us' not in str(journal.find(call.task))
    assert call.state.after(result.state).lent == 'between us'


def test_undo_runs_the_undo(runner, told, gates):
    instance = server_of()
    runner.run(cell.CONTEXT, call_of(instance, attempt=2, direction='undo'))
    assert told.wait()[0].outcome == 'done'
    assert gates.ran == [('undo', instance.uuid, 2)]


@pytest.mark.parametrize(('error', 'outcome', 'kind', 'code'), [
    (errors.task.Refused('full'), 'refused', 'refused', 409),
    (errors.image.ImageNotFound(image='x'), 'failed', 'image_not_found', 404),
    (ZeroDivisionError('a secret'), 'failed', 'internal', 500),
])
def test_errors_become_outcomes(runner, told, gates, error, outcome, kind, code):
    gates.error = error
    runner.run(cell.CONTEXT, call_of(server_of()))
    result = told.wait()[0]
    assert (result.outcome, result.error['type'], result.error['code']) == (outcome, kind, code)
    assert 'secret' not in result.error['message']
    assert result.instance is None and result.state is None


def test_what_no_message_can_hold_is_a_failure(runner, told, gates):
    gates.leaves = {'a lock': threading.Lock()}
    runner.run(cell.CONTEXT, call_of(server_of()))
    result = told.wait()[0]
    assert (result.outcome, result.error['type'], result.instance) == ('failed', 'internal', None)


def test_flow_of_another_version_is_not_run(runner, told, gates):
    runner.run(cell.CONTEXT, call_of(server_of(), version='7.0'))
    result = told.wait()[0]
    assert (result.outcome, result.error['type']) == ('failed', 'flow_unknown')
    assert gates.ran == []


def test_repeated_call_is_answered_not_run(runner, told, gates):
    call = call_of(server_of())
    runner.run(cell.CONTEXT, call)
    told.wait()
    runner.run(cell.CONTEXT, call)
    told.wait(2)
    assert len(gates.ran) == 1
    assert told.results[0].to_wire()['nova_object.data'] == told.results[1].to_wire()['nova_object.data']


def test_call_repeated_while_it_runs_is_ignored(runner, told, gates):
    call = call_of(server_of())
    gates.hold.clear()
    runner.run(cell.CONTEXT, call)
    assert gates.entered.acquire(timeout=5)
    runner.run(cell.CONTEXT, call)
    gates.hold.set()
    told.wait()
    assert runner.wait_idle(5)
    assert len(gates.ran) == 1 and len(told.results) == 1


def test_older_attempt_is_refused(runner, told, gates):
    instance, task = server_of(), str(uuid.uuid4())
    runner.run(cell.CONTEXT, call_of(instance, 5, task))
    told.wait()
    runner.run(cell.CONTEXT, call_of(instance, 4, task))
    assert runner.wait_idle(5)
    assert gates.ran == [('do', instance.uuid, 5)] and len(told.results) == 1


def test_older_attempt_is_refused_by_the_next_incarnation(runner, make, told, gates):
    instance, task = server_of(), str(uuid.uuid4())
    runner.run(cell.CONTEXT, call_of(instance, 5, task))
    told.wait()
    runner.kill()
    again = make()
    again.run(cell.CONTEXT, call_of(instance, 4, task))
    assert again.wait_idle(5)
    assert len(gates.ran) == 1 and len(told.results) == 1


def test_newer_attempt_stops_the_older_and_waits_for_it(runner, told, gates):
    instance, task = server_of(), str(uuid.uuid4())
    gates.hold.clear()
    runner.run(cell.CONTEXT, call_of(instance, 1, task))
    assert gates.entered.acquire(timeout=5)
    runner.run(cell.CONTEXT, call_of(instance, 2, task, direction='undo'))
    result = told.wait()[0]
    assert (result.attempt, result.direction, result.outcome) == (2, 'undo', 'done')
    assert gates.ran == [('do', instance.uuid, 1), ('undo', instance.uuid, 2)]
    assert runner.wait_idle(5) and len(told.results) == 1


@pytest.mark.parametrize(('newer', 'direction', 'runs'), [
    ('work', 'undo', False), ('spawn', 'undo', True), ('spawn', 'do', False), (None, None, True)])
def test_what_is_owed_runs_although_a_later_step_of_the_same_way_was_seen(
        runner, told, gates, newer, direction, runs):
    """TSK-S3: not where the newer attempt took its place. `None`: the newer one was cancelled before it came.
    """
    instance, task = server_of(), str(uuid.uuid4())
    owed = call_of(instance, 5, task, direction='undo')
    if newer is None:
        runner.cancel(cell.CONTEXT, objects.StepRef(task=task, attempt=6))
    else:
        runner.run(cell.CONTEXT, call_of(instance, 6, task, step=newer, direction=direction))
        told.wait()
    assert runner.run_owed(cell.CONTEXT, owed, PATIENCE) == 'done'
    assert (('undo', instance.uuid, 5) in gates.ran) == runs
    assert runner.wait_idle(5) and not runner.open()
    runner.run(cell.CONTEXT, call_of(instance, 5, task))
    assert runner.wait_idle(5) and ('do', instance.uuid, 5) not in gates.ran, 'the newer attempt is forgotten'


def test_died_in_the_middle_runs_again(runner, make, told, gates):
    call = call_of(server_of())
    gates.hold.clear()
    runner.run(cell.CONTEXT, call)
    assert gates.entered.acquire(timeout=5)
    runner.kill()
    gates.hold.set()
    make().run(cell.CONTEXT, call)
    assert told.wait()[0].outcome == 'done'
    assert len(gates.ran) == 2 and len(told.results) == 1


def test_cancel_stops_a_running_step(runner, told, gates):
    call = call_of(server_of())
    gates.hold.clear()
    runner.run(cell.CONTEXT, call)
    assert gates.entered.acquire(timeout=5)
    runner.cancel(cell.CONTEXT, objects.StepRef(task=call.task, attempt=1))
    result = told.wait()[0]
    assert (result.outcome, result.error['type']) == ('cancelled', 'cancelled')


def test_cancel_of_an_older_attempt_spares_the_newer(runner, told, gates):
    call = call_of(server_of(), attempt=3)
    gates.hold.clear()
    runner.run(cell.CONTEXT, call)
    assert gates.entered.acquire(timeout=5)
    runner.cancel(cell.CONTEXT, objects.StepRef(task=call.task, attempt=2))
    gates.hold.set()
    assert told.wait()[0].outcome == 'done'


def test_cancel_that_overtakes_its_step(runner, told, gates):
    call = call_of(server_of())
    runner.cancel(cell.CONTEXT, objects.StepRef(task=call.task, attempt=1))
    runner.run(cell.CONTEXT, call)
    assert told.wait()[0].outcome == 'cancelled'
    assert gates.ran == []


def test_steps_of_one_server_run_one_after_the_other(runner, told, gates):
    instance = server_of()
    calls = [call_of(instance) for _ in range(5)]
    for call in calls:
        runner.run(cell.CONTEXT, call)
    assert [result.task for result in told.wait(5)] == [call.task for call in calls]
    assert gates.most == 1


def test_steps_of_different_servers_run_beside_each_other(runner, told, gates):
    gates.hold.clear()
    for _ in range(4):
        runner.run(cell.CONTEXT, call_of(server_of()))
    for _ in range(4):
        assert gates.entered.acquire(timeout=5)
    gates.hold.set()
    told.wait(4)
    assert gates.most == 4


def test_sharing_flow_runs_beside_an_exclusive_one(runner, told, gates):
    instance = server_of()
    gates.hold.clear()
    runner.run(cell.CONTEXT, call_of(instance))
    runner.run(cell.CONTEXT, call_of(instance, flow='test-host-look'))
    for _ in range(2):
        assert gates.entered.acquire(timeout=5)
    assert gates.most == 2
    gates.hold.set()
    told.wait(2)


def test_builds_are_bounded(runner, told, gates):
    """max_concurrent_builds is 2 here; other steps pass meanwhile."""
    gates.hold.clear()
    for _ in range(5):
        runner.run(cell.CONTEXT, call_of(server_of(), step='spawn'))
    for _ in range(2):
        assert gates.entered.acquire(timeout=5)
    assert not gates.entered.acquire(timeout=0.3)
    runner.run(cell.CONTEXT, call_of(server_of(), direction='undo'))
    told.wait(1)
    gates.hold.set()
    told.wait(6)
    assert gates.most == 2 and runner.wait_idle(5)


def test_cancel_of_a_step_that_waits_at_the_gate(runner, told, gates):
    gates.hold.clear()
    calls = [call_of(server_of(), step='spawn') for _ in range(4)]
    for call in calls:
        runner.run(cell.CONTEXT, call)
    for _ in range(2):
        assert gates.entered.acquire(timeout=5)
    waiting = {call.task for call in calls} - {
        call.task for call in calls if any(call.instance.uuid == ran[1] for ran in gates.ran)}
    victim = waiting.pop()
    runner.cancel(cell.CONTEXT, objects.StepRef(task=victim, attempt=1))
    result = told.wait()[0]
    assert (result.task, result.outcome) == (victim, 'cancelled')
    gates.hold.set()
    told.wait(4)
    assert runner.wait_idle(5) and gates.most == 2 and len(gates.ran) == 3


def test_progress_is_throttled(runner, told):
    runner.run(cell.CONTEXT, call_of(server_of(), step='report_slowly'))
    told.wait()
    assert 1 <= len(told.percents) <= 2


def copying(runner):
    """A step that copies."""
    call = call_of(server_of(), flow='test-host-copy', step='copy_memory')
    runner.run(cell.CONTEXT, call)
    return call


def signalled(call, *signals):
    again = call.copy()
    again.signals = list(signals)
    return again


def test_a_signal_is_heard_by_the_step_that_runs(runner, told):
    call = copying(runner)
    runner.run(cell.CONTEXT, signalled(call, 'force_complete'))
    result = told.wait()[0]
    assert (result.outcome, result.state.note) == ('done', 'forced') and len(told.results) == 1


def test_a_signal_is_heard_after_the_host_has_died(runner, make, told):
    call = copying(runner)
    runner.kill()
    make().run(cell.CONTEXT, signalled(call, 'force_complete'))
    assert told.wait()[0].state.note == 'forced'


def test_an_abortion_ends_the_step_that_hears_of_it(runner, told):
    runner.run(cell.CONTEXT, signalled(copying(runner), 'abort'))
    assert told.wait()[0].outcome == 'cancelled'


def test_a_step_has_room_by_the_option_that_it_names(runner, told, conf, monkeypatch):
    """One that waits for room hears of signals, too."""
    conf.set_override('max_concurrent_live_migrations', 1)
    monkeypatch.setattr(handle, 'PROGRESS_SECONDS', 0.01)
    first = copying(runner)
    until(lambda: told.progresses)
    second = copying(runner)
    runner.run(cell.CONTEXT, signalled(second, 'force_complete'))
    with told.changed:
        assert not told.changed.wait_for(lambda: told.results, 0.3)
    runner.run(cell.CONTEXT, signalled(first, 'abort'))
    assert [(result.task, result.outcome) for result in told.wait(2)] == [
        (first.task, 'cancelled'), (second.task, 'done')]


def test_progress_is_told_as_the_flows_record(runner, told, monkeypatch):
    monkeypatch.setattr(handle, 'PROGRESS_SECONDS', 0.01)
    call = copying(runner)
    until(lambda: told.progresses)
    runner.run(cell.CONTEXT, signalled(call, 'abort'))
    told.wait()
    first = told.progresses[0]
    assert isinstance(first, objects.MigrationProgress) and first.memory_remaining + first.percent == 100


def test_progress_of_another_kind_is_refused():
    tell = handle.Throttle(lambda progress: None, objects.MigrationProgress)
    tell(50)
    with pytest.raises(TypeError, match='MigrationProgress'):
        tell(objects.Progress(percent=50))


def test_quick_step_reports_no_progress(runner, told):
    instance = server_of()
    runner.run(cell.CONTEXT, call_of(instance))
    told.wait()
    assert told.percents == []


def test_busy_names_servers_with_open_steps(runner, told, gates):
    instance = server_of()
    gates.hold.clear()
    runner.run(cell.CONTEXT, call_of(instance))
    assert gates.entered.acquire(timeout=5)
    assert runner.busy() == {instance.uuid}
    gates.hold.set()
    told.wait()
    assert runner.wait_idle(5) and runner.busy() == set()


def test_journal_forgets_old_entries_only(journal, tmp_path):
    journal.save(journals.Entry('a', 3))
    assert journal.prune() == 0
    assert journal.find('a').attempt == 3
    for file in (tmp_path / 'steps').iterdir():
        os.utime(file, (0, 0))
    assert journal.prune(keep=0.001) == 1
    assert journal.find('a') is None


def test_journal_survives_a_torn_file(journal, tmp_path):
    (tmp_path / 'steps' / 'b.json').write_bytes(b'{"task": "b", "att')
    assert journal.find('b') is None


def test_journal_is_not_led_out_of_its_directory(journal):
    with pytest.raises(ValueError, match='uuid'):
        journal.find('../elsewhere')
