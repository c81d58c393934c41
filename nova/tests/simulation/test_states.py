"""What operations show while they last, and where they end, by the table of the API's states.

From which states they start, and what locks refuse, is tried by answers: ``nova/tests/ops/test_states.py``.
"""

import re

import pytest

from nova.states import VM
from nova.tests import states as facts
from nova.tests.simulation import cases, users

FLOWS = {
    'delete': 'delete', 'soft_delete': 'soft_delete', 'restore': 'restore', 'forceDelete': 'delete',
    'os-start': 'start', 'os-stop': 'stop', 'reboot_HARD': 'reboot', 'pause': 'pause', 'unpause': 'unpause',
    'suspend': 'suspend', 'resume': 'resume', 'rescue': 'rescue', 'unrescue': 'unrescue', 'rebuild': 'rebuild',
    'evacuate': 'evacuate', 'resize': 'resize', 'migrate': 'migrate', 'confirmResize': 'confirm_resize',
    'revertResize': 'revert_resize', 'os-migrateLive': 'live_migrate', 'createImage': 'snapshot',
    'createBackup': 'backup', 'shelve': 'shelve', 'shelveOffload': 'shelve_offload', 'unshelve': 'unshelve',
    'changePassword': 'change_password', 'trigger_crash_dump': 'trigger_crash_dump',
}
"""Actions of the table that are flows of their own; `reboot_SOFT` is the other half of one."""
RESTS = (VM.ACTIVE, VM.STOPPED, VM.PAUSED, VM.SUSPENDED)


class Shown:
    """(vm_state, task_state) of every server, each time that something is written in a cell."""

    def __init__(self, world):
        self._world = world
        self.seen = {}
        world.net.watch.append(self._look)

    def _look(self, seen, actor, moment):
        if moment == 'after' and seen.service.startswith('db cell'):
            for uuid in self._world.users.servers:
                server = self._world.server(uuid)
                now = (server.vm_state, server.task_state) if server is not None else ('deleted', None)
                found = self.seen.setdefault(uuid, [])
                if not found or found[-1] != now:
                    found.append(now)


def lived(new_world, begin):
    """What is shown of a server from the moment at which ``begin(world)`` has asked for an operation."""
    with new_world() as world:
        uuid = begin(world)
        before = world.server(uuid).vm_state if uuid else None
        shown = Shown(world)
        world.settle()
        uuid = uuid or world.users.servers[-1]
        return before, shown.seen[uuid]


def judge(name, before, seen):
    """Compare with what the table says of an action."""
    rules = facts.actions()[name]
    between = [task for _, task in seen if task is not None]
    assert set(between) <= facts.task_states()
    if rules.sets:
        assert between[0] in rules.sets, seen
    vm_state, task_state = seen[-1]
    assert task_state is None
    wanted = set(map(str, VM)) & set(re.findall(r'[a-z_-]+', rules.ends or ''))
    assert vm_state in (wanted or {before}), seen


@pytest.mark.parametrize('name', FLOWS)
def test_what_is_shown_and_where_it_ends(new_world, name):
    judge(name, *lived(new_world, cases.starts()[FLOWS[name]]))


@pytest.mark.parametrize(('name', 'vm_state'), [
    (name, vm_state) for name in ('reboot_HARD', 'rebuild', 'createImage', 'shelve', 'rescue')
    for vm_state in RESTS if vm_state in facts.actions()[name].starts])
def test_from_each_state(new_world, name, vm_state):
    """Of operations that start from several states in which guests do something else."""
    def begin(world):
        uuid = world.running()
        cases.put(world, uuid, vm_state)
        world.begin(uuid, cases.flows()[FLOWS[name]], cases.state_on(world, uuid, FLOWS[name]))
        return uuid
    before, seen = lived(new_world, begin)
    judge(name, before, seen)
    if name == 'rebuild':
        assert seen[-1][0] == before


def in_order(seen, wanted):
    """Whether what was seen comes in this order, some of which may be missing."""
    left = iter(wanted)
    return all(any(each == one for one in left) for each in seen)


def pairs(name):
    """A flow of the table, of what it says ``on host`` included."""
    return [tuple(None if part in ('null', 'null on host') else part for part in pair.split('/'))
            for pair in facts.read()[name]]


def test_a_resize_passes_these(new_world):
    _, seen = lived(new_world, cases.starts()['resize'])
    assert [pair for pair in seen if pair != ('active', None)] == pairs('resize_flow')


def test_a_build_passes_these(new_world):
    def order(world):
        world.order()
    _, seen = lived(new_world, order)
    assert in_order([pair for pair in seen if pair[0] != 'deleted'], pairs('build_flow')), seen


def test_every_flow_that_users_begin_is_in_the_table():
    keys = {users.action_of(kind).key for name, kind in cases.flows().items() if users.action_of(kind)}
    assert keys - {'reboot'} <= set(facts.actions()) | {None}, 'an action that the table does not know'
