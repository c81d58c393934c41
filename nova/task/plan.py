"""Where a task goes after a step: pure functions over the flow's declaration.

Forward on success; backward from the failed step, *including it*, on failure; forward again at a choice after
a refusal; never backward beyond a pivot. Time ends only going forward: an undo ends by success, or by tries.
"""

import dataclasses
from typing import Literal

from nova import states
from nova.objects import base
from nova.objects import task as rows
from nova.task import flow as flows

Outcome = Literal['done', 'refused', 'failed', 'cancelled', 'again']
"""How a step ended; ``again``: whom it needed was away, and there is time to wait for it."""

Flow = type[flows.AnyFlow]

UNDO_TRIES = 8
"""How often an undo is tried before the task is stuck."""


@dataclasses.dataclass(frozen=True, slots=True)
class Move:
    """What to save: the next position, or the end.

    Attributes:
        step: next step's name; None with an `end`.
        end: final status, or None.
        again: the same step is to be tried again after a pause.
        tries: how often it has failed by then.
    """

    direction: str
    step: str | None
    end: str | None = None
    turn: str | None = None
    again: bool = False
    tries: int = 0


def _again(task: rows.Task, failed: bool) -> Move:
    return Move(task.direction, task.step, turn=task.turn, again=True, tries=task.tries + failed)


def _backward(flow: Flow, index: int, state: base.State, turn: str | None) -> Move:
    """Continue unwinding before `index`."""
    step = flow.before(index, state)
    if step is None:
        return Move('undo', None, end=rows.UNDONE)
    return Move('undo', step.name, turn=turn)


def _unwind_from(flow: Flow, index: int, state: base.State, turn: str | None = None) -> Move:
    """Begin to unwind at `index`, whose own undo comes first."""
    if flow.steps[index].undo or flow.steps[index].choice:
        return Move('undo', flow.steps[index].name, turn=turn)
    return _backward(flow, index, state, turn)


def _after_do(flow: Flow, task: rows.Task, state: base.State, outcome: Outcome, late: bool) -> Move:
    index = flow.index(task.step or '')
    committed = flow.committed(index, state)
    if outcome == 'done':
        if task.unwinds and not flow.committed(index + 1, state):
            return _unwind_from(flow, index, state)
        step = flow.after(index, state)
        return Move('do', step.name) if step else Move('do', None, end=rows.DONE)
    if outcome == 'again' and (committed or not task.unwinds):
        return _again(task, failed=False)
    if committed:
        return Move('do', task.step, end=rows.STUCK) if late else _again(task, failed=True)
    choice = flow.choice_before(index)
    if outcome == 'refused' and choice and not task.unwinds:
        return _unwind_from(flow, index, state, turn=choice.name)
    return _unwind_from(flow, index, state)


def _after_undo(flow: Flow, task: rows.Task, state: base.State, outcome: Outcome) -> Move:
    index = flow.index(task.step or '')
    if outcome == 'again':
        return _again(task, failed=False)
    if outcome != 'done':
        return Move('undo', task.step, end=rows.STUCK) if task.tries + 1 >= UNDO_TRIES else _again(
            task, failed=True)
    if flow.arrived(state):
        comes = flow.steps[index].choice
    else:
        comes = task.turn == task.step and not task.unwinds
    return Move('do', task.step) if comes else _backward(flow, index, state, task.turn)


def after(flow: Flow, task: rows.Task, state: base.State, outcome: Outcome, late: bool = False) -> Move:
    """The move after `task.step` ended with `outcome`.

    Args:
        late: the task's deadline has passed, so what failed beyond a pivot is not tried again.
    """
    if task.direction == 'undo':
        return _after_undo(flow, task, state, outcome)
    return _after_do(flow, task, state, outcome, late)


def turns(flow: Flow, task: rows.Task, state: base.State | None = None) -> bool:
    """Whether a task is to unwind before its present step has ended.

    A step on a host that hears of an abortion itself ends by it, or has come too far: its answer says which.

    Args:
        state: what the task knows; without it, it may turn out that there is no way back.
    """
    if not task.unwinds or task.direction == 'undo' or task.step is None or (
            state is not None and flow.arrived(state)):
        return False
    index = flow.index(task.step)
    hears = task.status == rows.PARKED and states.Signal.ABORT in flow.steps[index].signals
    return not flow.beyond_pivot(index) and (task.cancel or not hears)


def cancelled(flow: Flow, task: rows.Task, state: base.State) -> Move | None:
    """The move of a task that is to unwind before its present step has ended; None when it must go on."""
    return _unwind_from(flow, flow.index(task.step or ''), state) if turns(flow, task, state) else None
