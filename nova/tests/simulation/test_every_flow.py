"""Every registered flow: each step failing, and killed before and after each effect, alone and together.

A flow that is new is here without a line (TSK-S2, TSK-S3). The default run takes a sample, the same one every
time; ``-m slow`` takes all.
"""

import random
import zlib

import pytest

from nova import errors
from nova.tests.simulation import cases, invariants

STARTS = cases.starts()
NAMES = sorted(STARTS)
KILLS, COMBINATIONS = 8, 5
"""Runs of one flow in the default run, beyond the undisturbed one and one for each failing step."""
BACKGROUND = ('Lease.beat', 'Heartbeat.', 'Reports.beat', 'Reports.host_up', 'Discovery.', 'prune', 'report')
"""Effects that go on without any operation."""


def run(new_world, name, arrange=lambda world: None, delete=True):
    """Begin the flow, disturb it, wait for quiet, check; then delete the server, and nothing may be left."""
    with new_world() as world:
        try:
            uuid = STARTS[name](world)
            arrange(world)
            world.settle()
            invariants.check(world)
            seen = [each for each in world.net.seen if not each.name.startswith(BACKGROUND)]
            if delete:
                world.net.reset()
                world.delete(uuid)
                world.settle()
                invariants.check(world)
        except AssertionError as error:
            raise AssertionError(f'{error}\n{world.tail()}') from error
        return seen


def sample(name, every, size):
    """Some of `every`, the same ones in each run."""
    return random.Random(zlib.crc32(name.encode())).sample(every, min(size, len(every)))


_plain = {}


def plain(name, new_world):
    """Effects of the undisturbed flow, found once."""
    if name not in _plain:
        _plain[name] = run(new_world, name)
    return _plain[name]


def failing(name, seen):
    """Steps of the flow that have effects outside of databases: step, when, how often."""
    flow = cases.flows()[name]
    steps = {each.place[1] for each in seen if each.place and each.place[0] == name and each.place[2] == 'do'
             and not each.service.startswith('db')}
    for step in sorted(steps):
        # Beyond the pivot only what passes can be survived: it is tried again.
        times = 2 if flow.beyond_pivot(flow.index(step)) else 1000
        yield from ((name, step, late, times) for late in (False, True))


def disturbances(name, seen):
    """Every combination of one failing step, or none, and one or two kills."""
    numbers = [each.number for each in seen]
    kills = [(number, when) for number in numbers for when in ('before', 'after')]
    failures = [None, *failing(name, seen)]
    for failure in failures:
        late = [(number, when) for number in range(numbers[-1] + 1, numbers[-1] + 13)
                for when in ('before', 'after')]
        for kill in kills + (late if failure else []):
            yield failure, (kill,)
    for first in kills:
        for number in range(first[0] + 1, first[0] + 6):
            yield None, (first, (number, 'after'))


def arranged(failure, kills):
    def arrange(world):
        if failure:
            flow, step, late, times = failure
            drivers = [f'driver {host}' for host in world.hosts]
            for service in ('network', 'volume', 'image', 'placement', *drivers):
                world.net.fail(service, lambda: errors.Internal('told to fail'), times, late=late, flow=flow,
                               step=step)
        for number, when in kills:
            world.net.do(number, when, world.kill_current)
    return arrange


@pytest.mark.parametrize('name', NAMES)
def test_undisturbed(name, new_world):
    seen = plain(name, new_world)
    assert seen


@pytest.mark.parametrize('name', NAMES)
def test_each_step_failing(name, new_world):
    for failure in failing(name, plain(name, new_world)):
        run(new_world, name, arranged(failure, ()), delete=False)


@pytest.mark.parametrize('name', NAMES)
def test_killed_anywhere(name, new_world):
    for each in sample(name, plain(name, new_world), KILLS):
        run(new_world, name, arranged(None, ((each.number, 'after'),)), delete=False)


@pytest.mark.parametrize('name', NAMES)
def test_sample_of_combinations(name, new_world):
    every = list(disturbances(name, plain(name, new_world)))
    for failure, kills in sample(name, every, COMBINATIONS):
        run(new_world, name, arranged(failure, kills))


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize('name', NAMES)
def test_every_combination(name, new_world):
    for failure, kills in disturbances(name, plain(name, new_world)):
        run(new_world, name, arranged(failure, kills))
