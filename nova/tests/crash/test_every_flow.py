"""Every registered flow: each step failing, and killed before and after each effect, alone and together.

A flow that is new is here without a line (TSK-S2, TSK-S3). The default run takes a sample, the same one every
time; ``-m slow`` takes all.
"""

import random
import zlib

import pytest

from nova.tests.simulation import cases, invariants

STARTS = cases.starts()
NAMES = sorted(STARTS)
KILLS, COMBINATIONS = 8, 5
"""Runs of one flow in the default run, beyond the undisturbed one and one for each failing step."""


def run(world, name, arrange=None, delete=True):
    """Begin the flow, disturb it, wait for quiet, check; then delete the server, and nothing may be left.

    What is not disturbed goes right.
    """
    uuid = STARTS[name](world)
    if arrange is not None:
        arrange(world.script)
    world.settle()
    invariants.check(world)
    if arrange is None:
        assert not [task.error for task in world.failed_tasks() if task.flow == name]
    script = world.script
    seen, count = list(script.seen), script.count
    if delete:
        script.reset()
        world.delete(uuid)
        world.settle()
        invariants.check(world)
    return seen, count


def sample(name, every, size):
    """Some of `every`, the same ones in each run."""
    return random.Random(zlib.crc32(name.encode())).sample(every, min(size, len(every)))


_plain = {}


def plain(name, new_world):
    """Effects of the undisturbed flow, found once."""
    if name not in _plain:
        _plain[name] = run(new_world(), name)
    return _plain[name]


def failing(name, seen, flow=None):
    """Steps of the flow, or of another version of it, that have effects, as the arguments of `Script.fail`."""
    flow = flow or cases.flows()[name]
    steps = {step for own, step, direction, effect in seen
             if own == name and direction == 'do' and effect != 'journal'}
    for step in sorted(steps):
        # Beyond the pivot only what passes can be survived: it is tried again.
        times = 2 if flow.beyond_pivot(flow.index(step)) else 1000
        yield from ((name, step, when, times) for when in ('before', 'after'))


def disturbances(name, seen, count):
    """Every combination of one failing step, or none, and one or two kills."""
    kills = [(number, when) for number in range(1, count + 1) for when in ('before', 'after')]
    failures = [None, *failing(name, seen)]
    for failure in failures:
        late = [(number, when) for number in range(count + 1, count + 13) for when in ('before', 'after')]
        for kill in kills + (late if failure else []):
            yield failure, (kill,)
    for first in kills:
        for number in range(first[0] + 1, min(first[0] + 6, count + 6)):
            yield None, (first, (number, 'after'))


def arranged(failure, kills):
    def arrange(script):
        if failure:
            script.fail(*failure)
        for kill in kills:
            script.kill(*kill)
    return arrange


@pytest.mark.parametrize('name', NAMES)
def test_undisturbed(name, new_world):
    seen, count = plain(name, new_world)
    assert count > 0 and any(own == name for own, *_ in seen)


@pytest.mark.parametrize('name', NAMES)
def test_each_step_failing(name, new_world):
    seen, _ = plain(name, new_world)
    for failure in failing(name, seen):
        run(new_world(), name, arranged(failure, ()), delete=False)


@pytest.mark.parametrize('name', NAMES)
def test_killed_anywhere(name, new_world):
    _, count = plain(name, new_world)
    for number in sample(name, range(1, count + 1), KILLS):
        run(new_world(), name, arranged(None, ((number, 'after'),)), delete=False)


@pytest.mark.parametrize('name', NAMES)
def test_sample_of_combinations(name, new_world):
    every = list(disturbances(name, *plain(name, new_world)))
    for failure, kills in sample(name, every, COMBINATIONS):
        run(new_world(), name, arranged(failure, kills))


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize('name', NAMES)
def test_every_combination(name, new_world):
    for failure, kills in disturbances(name, *plain(name, new_world)):
        run(new_world(), name, arranged(failure, kills))
