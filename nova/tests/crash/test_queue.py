"""Queued operations with the worker or the host killed anywhere: each still takes its turn, and none is lost.

No room has a queued flow yet; this one is the tests' own.
"""

import pytest

from nova import objects, states
from nova.objects import task as rows
from nova.steps import power
from nova.task import flow
from nova.tests.simulation import invariants

COUNT = 3


def close_eyes(h, state):
    h.driver.pause(h)
    power.observe(h, state)


def open_eyes(h, state):
    h.driver.unpause(h)
    power.observe(h, state)


def count_blink(h, state):
    h.clients.network.api.extensions()


class CrashBlink(flow.Flow[objects.State]):
    exclusion = flow.QUEUED
    steps = (flow.Step(close_eyes, undo=open_eyes, at='host'), flow.Step(count_blink),
             flow.Step(open_eyes, undo=open_eyes, at='host'))


def run(world, arrange=lambda script, uuid: None):
    """Ask for several at once, disturb, wait for quiet, check; the order in which they took effect."""
    uuid = world.running()
    tasks = [world.begin(uuid, CrashBlink).uuid for _ in range(COUNT)]
    arrange(world.script, uuid)
    host = world.server(uuid).host
    seen = []
    world.drivers[host].faults.before(lambda name, server: seen.append((name, _busy(world, uuid))))
    world.settle()
    invariants.check(world)
    return uuid, tasks, seen


def _busy(world, uuid):
    """Whose turn it is; None while the server is being deleted."""
    holders = [task.uuid for task in world.tasks_of(uuid) if task.exclusive == flow.Flow.slot()]
    return holders[0] if holders else None


@pytest.fixture
def count(new_world):
    world = new_world()
    run(world)
    return world.script.count


def test_undisturbed(new_world):
    world = new_world()
    uuid, tasks, seen = run(world)
    assert seen == [(name, task) for task in tasks for name in ('pause', 'unpause')]
    assert {task.status for task in world.tasks_of(uuid)} == {rows.DONE}


def killed(new_world, number, when):
    world = new_world()
    uuid, tasks, seen = run(world, lambda script, uuid: script.kill(number, when))
    assert list(dict.fromkeys(task for _, task in seen)) == tasks, number
    assert {task.status for task in world.tasks_of(uuid)} == {rows.DONE}, number


def test_killed_anywhere(new_world, count):
    """TSK-S2: each of three operations ends done, in its turn; a sample of the moments."""
    for number in range(1, count + 1, 3):
        killed(new_world, number, 'after')


@pytest.mark.slow
@pytest.mark.parametrize('when', ['before', 'after'])
def test_killed_everywhere(new_world, count, when):
    for number in range(1, count + 1):
        killed(new_world, number, when)


def test_deleted_anywhere(new_world, count):
    """A delete at any moment: one unwinds or has ended, the others never begin or have ended."""
    for number in range(2, count + 1, 4):
        world = new_world()
        run(world, lambda script, uuid, world=world, number=number: script.do(
            number, 'after', lambda: world.delete(uuid)))
        assert not any(driver.guests() for driver in world.drivers.values())


def test_one_failing(new_world):
    """What fails is undone, and the next one has its turn."""
    world = new_world()
    uuid, tasks, _ = run(world, lambda script, uuid: script.fail('crashblink', 'close_eyes', times=1))
    ended = {task.uuid: task.status for task in world.tasks_of(uuid)}
    assert [ended[task] for task in tasks] == [rows.UNDONE, rows.DONE, rows.DONE]
    assert world.server(uuid).vm_state == states.VM.ACTIVE
