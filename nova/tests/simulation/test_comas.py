"""Processes that stand still longer than anybody waits, just before an effect, and have it when they go on."""

import pytest

from nova import states
from nova.tests.simulation import world as worlds
from nova.tests.simulation.test_named import builds, ends_well

COMA = 300.0
"""Seconds; by then whatever the process was at has ended without it, and was looked at again."""


@pytest.mark.parametrize('deleted', [True, False])
@pytest.mark.parametrize('schedulers', [1, 2])
def test_a_claim_that_comes_late_is_given_back(new_world, schedulers, deleted):
    """7.10, 7.16: a scheduler in a coma claims for who has long given up, whatever became of the server."""
    with new_world(worlds.Shape(supers=2, schedulers=schedulers)) as world:
        slept = worlds.sleeping(world, 'placement', 'claim')
        uuid, = builds(world)
        world.run(COMA / 2)
        assert slept and slept[0].name.startswith('scheduler'), world.tail()
        if schedulers > 1:
            assert world.server(uuid).vm_state == states.VM.ACTIVE, world.tail()
        if deleted:
            world.delete(uuid)
        world.run(COMA / 2)
        world.loop.resume(slept[0])
        ends_well(world)
        assert len(world.clients.placement.consumers) == (0 if deleted or schedulers == 1 else 1)
