"""What every action derives: lock, states, the slot, the wake-up."""

from typing import Any

import pytest

from nova import errors, states
from nova.task import guard


class Server:
    uuid = 'u'
    vm_state = 'active'
    task_state = None
    launched_at = 'yesterday'
    host = 'h'
    locked_by = None

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)


@pytest.mark.parametrize(('start', 'values', 'message'), [
    (guard.From(states.VM.ACTIVE), {'vm_state': 'paused'},
     "Cannot 'x' instance u while it is in vm_state paused"),
    (guard.From(states.VM.ACTIVE), {'task_state': 'pausing'},
     "Cannot 'x' instance u while it is in task_state pausing"),
    (guard.From(task=guard.ANY, but=('deleting',)), {'task_state': 'deleting'}, 'deleting'),
    (guard.From(), {'launched_at': None}, 'never launched'),
    (guard.From(host=True), {'host': None}, 'not assigned to a host'),
])
def test_states_that_refuse(start: guard.From, values: dict[str, Any], message: str) -> None:
    with pytest.raises(errors.Conflict, match=message):
        start.check(Server(**values), 'x')


@pytest.mark.parametrize(('start', 'values'), [
    (guard.From(), {'vm_state': 'error'}),
    (guard.ANYTIME, {'task_state': 'x', 'launched_at': None, 'host': None}),
    (guard.From(task=(None, 'rebooting')), {'task_state': 'rebooting'})])
def test_states_that_allow(start: guard.From, values: dict[str, Any]) -> None:
    start.check(Server(**values), 'x')
