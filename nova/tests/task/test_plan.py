"""Where a task goes after each step; the pure half of TSK-S2."""

import pytest

from nova.objects import task as rows
from nova.task import flow as flows
from nova.task import plan


def nothing(h, state):
    """A step's function with no effect."""


def named(name):
    def function(h, state):
        """No effect."""
    function.__name__ = name
    return function


class State:
    attach = False


def make(name, *steps, **attributes):
    return type(name, (flows.Flow,), {'steps': steps, 'State': State, **attributes})


RESIZE = make(
    'PlanResize',
    flows.Step(named('allocate'), named('deallocate')),
    flows.Step(named('choose'), named('unchoose'), choice=True),
    flows.Step(named('look')),
    flows.Step(named('attach'), named('detach'), when=lambda state: state.attach),
    flows.Step(named('copy'), named('drop'), at='host'),
    flows.Step(named('switch'), pivot=True),
    flows.Step(named('clean')))


def task(step, direction='do', **fields):
    return rows.Task(uuid='t', flow=RESIZE.name, flow_version='1.0', instance_uuid='i', exclusive='main',
                     status=rows.RUNNING, state={}, context={}, step=step, direction=direction, **fields)


def move(step, outcome, direction='do', late=False, **fields):
    return plan.after(RESIZE, task(step, direction, **fields), State, outcome, late)


def test_forward_skips_steps_that_do_not_apply():
    assert move('look', 'done') == plan.Move('do', 'copy')


def test_the_end_is_done():
    assert move('clean', 'done').end == rows.DONE


def test_a_failure_unwinds_from_the_failed_step_including_it():
    assert move('copy', 'failed') == plan.Move('undo', 'copy')


def test_a_failed_step_without_undo_is_passed_over():
    assert move('look', 'failed') == plan.Move('undo', 'choose')


def test_unwinding_ends_undone_at_the_first_step():
    assert move('choose', 'done', 'undo') == plan.Move('undo', 'allocate')
    assert move('allocate', 'done', 'undo').end == rows.UNDONE


def test_a_refusal_turns_at_the_choice():
    """ALT-S5: the flow unwinds to the choice, whose undo runs too, and comes forward again."""
    first = move('copy', 'refused')
    assert first == plan.Move('undo', 'copy', turn='choose')
    second = move('copy', 'done', 'undo', turn='choose')
    assert second == plan.Move('undo', 'choose', turn='choose')
    assert move('choose', 'done', 'undo', turn='choose') == plan.Move('do', 'choose')


def test_a_refusal_of_a_cancelled_task_does_not_turn():
    assert move('copy', 'refused', cancel=True).turn is None


def test_a_refusal_without_a_choice_is_a_failure():
    assert move('allocate', 'refused') == plan.Move('undo', 'allocate')


def test_beyond_the_pivot_a_failure_is_tried_again_and_then_stuck():
    assert move('clean', 'failed') == plan.Move('do', 'clean', again=True, tries=1)
    assert move('clean', 'failed', late=True).end == rows.STUCK


@pytest.mark.parametrize('step, direction', [('copy', 'do'), ('copy', 'undo'), ('clean', 'do')])
def test_who_is_away_is_waited_for_without_counting(step, direction):
    assert move(step, 'again', direction, tries=3) == plan.Move(direction, step, again=True, tries=3)


def test_time_does_not_end_going_back():
    assert move('copy', 'failed', 'undo', late=True) == plan.Move('undo', 'copy', again=True, tries=1)
    assert move('copy', 'done', 'undo', late=True) == plan.Move('undo', 'choose')


def test_the_pivot_itself_can_still_fail():
    assert move('switch', 'failed') == plan.Move('undo', 'copy')


@pytest.mark.parametrize('tries, ends', [(0, None), (plan.UNDO_TRIES - 1, rows.STUCK)])
def test_an_undo_that_fails_is_tried_again_until_stuck(tries, ends):
    found = move('copy', 'failed', 'undo', tries=tries)
    assert found.end == ends
    assert found.again == (ends is None)


def test_a_cancelled_task_unwinds_after_its_step_including_it():
    assert move('allocate', 'done', cancel=True) == plan.Move('undo', 'allocate')


def test_a_cancellation_beyond_the_pivot_comes_too_late():
    assert move('switch', 'done', cancel=True) == plan.Move('do', 'clean')
    assert plan.cancelled(RESIZE, task('clean', cancel=True), State) is None


def test_a_cancellation_before_a_step_begins_unwinds_from_it():
    assert plan.cancelled(RESIZE, task('copy', cancel=True), State) == plan.Move('undo', 'copy')
    assert plan.cancelled(RESIZE, task('copy'), State) is None
    assert plan.cancelled(RESIZE, task('copy', 'undo', cancel=True), State) is None


def test_flows_refuse_steps_of_one_name():
    with pytest.raises(TypeError, match='distinct names'):
        make('PlanTwice', flows.Step(nothing), flows.Step(nothing))


def test_a_preempting_flow_waits_for_the_holder_first():
    flow = make('PlanDelete', flows.Step(named('destroy')), exclusion=flows.PREEMPTING)
    assert [step.name for step in flow.steps] == ['cancel_holder', 'destroy']
    assert flow.steps[0].waits


def test_what_is_seen_to_have_arrived_comes_forward_whatever_it_goes_back_for():
    """MIG-F2: a point of no return that is seen while the flow goes back; then nothing turns it any more."""
    flow = make('PlanLive', flows.Step(named('own'), named('disown')),
                flows.Step(named('choose'), choice=True),
                flows.Step(named('prepare'), named('roll_back'), at='host'),
                flows.Step(named('move')), arrived=classmethod(lambda cls, state: state.attach))

    class Arrived:
        attach = True
    for fields in ({}, {'cancel': True}, {'turn': 'choose'}):
        assert plan.after(flow, task('prepare', 'undo', **fields), Arrived, 'done') == plan.Move(
            'undo', 'choose', turn=fields.get('turn'))
        assert plan.after(flow, task('choose', 'undo', **fields), Arrived, 'done') == plan.Move('do', 'choose')
        assert plan.after(flow, task('choose', **fields), Arrived, 'done') == plan.Move('do', 'prepare')
        assert plan.cancelled(flow, task('choose', **fields), Arrived) is None
    assert plan.after(flow, task('choose', 'undo', cancel=True), State, 'done') == plan.Move('undo', 'own')
