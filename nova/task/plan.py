"""Where a task goes after a step: pure functions over the flow's declaration.

Forward on success; backward from the failed step, *including it*, on failure; forward again at a choice after
a refusal; never backward beyond a pivot.
"""

import dataclasses
from typing import Any, Literal

from nova.objects import task as rows
from nova.task import flow as flows

Outcome = Literal['done', 'refused', 'failed', 'cancelled']

UNDO_TRIES = 6
"""How often an undo is tried before the task is stuck."""


@dataclasses.dataclass(frozen=True, slots=True)
class Move:
    """What to save: the next position, or the end.

    Attributes:
        step: next step's name; None with an `end`.
        end: final status, or None.
        again: the same step is to be tried again after a pause.
    """

    direction: str
    step: str | None
    end: str | None = None
    turn: str | None = None
    again: bool = False


def _backward(flow: type[flows.Flow], index: int, state: Any, turn: str | None) -> Move:
    """Continue unwinding before `index`."""
    step = flow.before(index, state)
    if step is None:
        return Move('undo', None, end=rows.UNDONE)
    return Move('undo', step.name, turn=turn)


def _unwind_from(flow: type[flows.Flow], index: int, state: Any, turn: str | None = None) -> Move:
    """Begin to unwind at `index`, whose own undo comes first."""
    if flow.steps[index].undo or flow.steps[index].choice:
        return Move('undo', flow.steps[index].name, turn=turn)
    return _backward(flow, index, state, turn)


def _after_do(flow: type[flows.Flow], task: rows.Task, state: Any, outcome: str, late: bool) -> Move:
    index = flow.index(task.step or '')
    committed = flow.beyond_pivot(index)
    if outcome == 'done':
        if task.cancel and not flow.beyond_pivot(index + 1):
            return _unwind_from(flow, index, state)
        step = flow.after(index, state)
        return Move('do', step.name) if step else Move('do', None, end=rows.DONE)
    if committed:
        return Move('do', task.step, end=rows.STUCK) if late else Move('do', task.step, again=True)
    choice = flow.choice_before(index)
    if outcome == 'refused' and choice and not task.cancel:
        return _unwind_from(flow, index, state, turn=choice.name)
    return _unwind_from(flow, index, state)


def _after_undo(flow: type[flows.Flow], task: rows.Task, state: Any, outcome: str, late: bool) -> Move:
    if outcome != 'done':
        if late or task.tries + 1 >= UNDO_TRIES:
            return Move('undo', task.step, end=rows.STUCK)
        return Move('undo', task.step, turn=task.turn, again=True)
    if task.turn == task.step and not task.cancel:
        return Move('do', task.step)
    return _backward(flow, flow.index(task.step or ''), state, task.turn)


def after(flow: type[flows.Flow], task: rows.Task, state: Any, outcome: Outcome, late: bool = False) -> Move:
    """The move after `task.step` ended with `outcome`.

    Args:
        late: the task's deadline has passed, so nothing is tried again.
    """
    settle = _after_do if task.direction == 'do' else _after_undo
    return settle(flow, task, state, outcome, late)


def cancelled(flow: type[flows.Flow], task: rows.Task, state: Any) -> Move | None:
    """The move of a task that was cancelled before its present step ended; None when it must go on."""
    if not task.cancel or task.direction == 'undo' or task.step is None:
        return None
    index = flow.index(task.step)
    if flow.beyond_pivot(index):
        return None
    return _unwind_from(flow, index, state)
