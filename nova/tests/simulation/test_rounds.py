"""20 servers on 6 hosts in 2 cells: whatever users ask and whatever breaks, all is well at every quiet point.

``tools/simulate --rounds 10 --minutes 10`` lives others for longer; what fails is printed as a history, to be
lived again by ``tools/simulate --history``.
"""

import random

import pytest

from nova.tests.simulation import history as histories

SERVERS, SEED, ROUNDS = 20, 2, 8


def drawn(seed, rounds):
    return histories.Draw(random.Random(seed), servers=SERVERS).rounds(seed, rounds)


@pytest.mark.timeout(600)
def test_all_is_well_at_every_quiet_point(kept, quiet):
    """TSK-S2, MIG-S3, MIG-S5: always the same rounds, so that the change decides whether it passes."""
    world = histories.run(kept, drawn(SEED, ROUNDS))
    asked = [text for _, actor, text in world.loop.trace
             if actor.startswith('api/') and text.endswith('accepted')]
    assert len(asked) > SERVERS + ROUNDS


def test_rounds_are_a_function_of_their_seed():
    history = drawn(7, 3)
    assert history == drawn(7, 3) == histories.History.from_json(history.to_json())
    assert len(history.rounds()) == 4 and history.shape == histories.LARGE
