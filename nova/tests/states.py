"""What the API says of states (``states.yaml``): where actions may start, what they set, and where they end."""

import dataclasses
import functools
import pathlib
from collections.abc import Callable

import yaml

from nova import states

_FILE = pathlib.Path(__file__).with_suffix('.yaml')


@dataclasses.dataclass(frozen=True)
class Rules:
    """Of one action.

    Attributes:
        starts: the vm_states from which it may start.
        beside: whether it starts while a task_state is shown.
        locks: whether a locked server refuses it to everyone but administrators; None where nothing is said.
        sets: the task_state that is shown from the request on; None where nothing is said, or none is.
        ends: what is said of the vm_state after success.
    """

    starts: frozenset[str]
    beside: Callable[[str], bool]
    locks: bool | None
    sets: str | None
    ends: str | None


@functools.cache
def read():
    return yaml.safe_load(_FILE.read_text(encoding='utf-8'))


def actions():
    """Name of each action that the table knows to its `Rules`."""
    found = {}
    for name, said in read()['actions'].items():
        vm_states = [str(each) for each in states.VM] if said['vm'] == 'any' else said['vm']
        found[name] = Rules(frozenset(vm_states), functools.partial(_beside, said['task']), said.get('lock'),
                            said.get('sets'), said.get('ends'))
    return found


def _beside(said, task_state):
    if isinstance(said, dict):
        return task_state not in said['not']
    return said == 'any' or task_state in (said or ())


def task_states():
    """Every task_state that clients know."""
    return {name for kind in read()['task_states'].values() for name in kind or ()}
