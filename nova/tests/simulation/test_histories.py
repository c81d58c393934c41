"""Histories that hypothesis draws: users ask, things break, and in the end all is as it should be (1.13)."""

import ast
import pathlib
import random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from nova.tests.compute import cell
from nova.tests.simulation import history as histories
from nova.tests.simulation import world as worlds

HOLDS = sorted(histories.KINDS)
"""Kinds of faults that a deployment has to survive, whatever else happens."""
SETTINGS = settings(deadline=None, database=None, phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck))
"""Without hypothesis's own shrinking: to leave out an event is a larger step than it can see."""


def live(kept, rng, seed, count=1):
    """Live so many histories in one world; one that fails is made short first."""
    try:
        histories.run(kept, histories.Draw(rng, HOLDS).series(seed, count))
    except histories.Failed as failed:
        raise histories.shrunk(lambda shorter: histories.run(kept, shorter), failed) from None


@pytest.mark.timeout(600)
@settings(SETTINGS, max_examples=200, derandomize=True)
@given(rng=st.randoms(use_true_random=False), seed=st.integers(0, 2 ** 32))
def test_whatever_breaks_all_is_well_in_the_end(kept, quiet, rng, seed):
    """TSK-S2, TSK-S3, CEL-S4: messages and answers are lost, neighbours and hosts refuse.

    Always the same histories, so that it is the change that decides whether it passes; ``tools/simulate`` and
    `test_for_long` live others.
    """
    live(kept, rng, seed)


@pytest.mark.slow
@pytest.mark.timeout(7200)
@settings(SETTINGS, max_examples=400)
@given(rng=st.randoms(use_true_random=False), seed=st.integers(0, 2 ** 32))
def test_for_long(kept, quiet, rng, seed):
    live(kept, rng, seed, histories.SERIES)


def test_no_private_name_is_touched():
    """What the code needs for it is handed in: whatever is private is its own object's, here as well."""
    for file in pathlib.Path(__file__).parent.rglob('*.py'):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute) and node.attr.startswith('_') and not node.attr.startswith('__'):
                owner = ast.unparse(node.value)
                assert owner in ('self', 'cls'), f'{file.name}:{node.lineno}: {owner}.{node.attr}'
            assert not isinstance(node, ast.arg) or node.arg not in ('monkeypatch', 'mocker'), file.name
            assert not isinstance(node, ast.ImportFrom) or node.module != 'unittest', file.name


def test_a_history_is_a_function_of_its_seed(kept, quiet):
    """The same, whatever was lived before it, and when it is read from what a failure printed."""
    drawn = histories.Draw(random.Random(7), HOLDS).history(7)
    first = histories.run(kept, drawn).tail(1_000_000, beats=True)
    live(kept, random.Random(8), 8)
    again = histories.History.from_json(drawn.to_json())
    assert again == drawn
    assert histories.run(kept, again).tail(1_000_000, beats=True) == first


def test_what_is_sent_without_the_library_comes_to_the_same(kept, quiet):
    """`direct`: every line of what happens, in histories of many kinds of statements."""
    plain = worlds.Kept(quick=False)
    drawn = [histories.Draw(random.Random(seed), HOLDS).history(seed) for seed in range(300, 305)]
    before = sum(server.connection.sent for server in kept.servers.by_name.values())
    for one in drawn:
        assert histories.run(kept, one).tail(1_000_000, beats=True) == histories.run(plain, one).tail(
            1_000_000, beats=True)
    assert sum(server.connection.sent for server in kept.servers.by_name.values()) - before > 500


def test_a_fault_is_found_and_its_history_made_short(kept, quiet):
    """A world that breaks a law fails, and what has nothing to do with it is left out."""
    events = (histories.Event('boot', {}, 0.0), histories.Event('operate', {'server': 0, 'flow': 'pause'}, 6.0),
              histories.Event('guest_vanishes', {'server': 0}, 9.0),
              histories.Event('kill', {'process': 'h2'}, 8.0))
    told = histories.History(1, worlds.SMALL, events)

    class Run(histories.Run):
        def do_guest_vanishes(self, server):
            for driver in self.world.drivers.values():
                if self.uuid(server) in driver.guests():
                    driver.destroy(cell.Handle(self.world.server(self.uuid(server))))

    def run(history):
        return histories.run(kept, history, Run)
    with pytest.raises(histories.Failed, match='guests on h') as caught:
        run(told)
    short = histories.shrunk(run, caught.value)
    assert [event.what for event in short.history.events] == ['boot', 'guest_vanishes']
    assert 'driver h' in str(short) and "tools/simulate --history '" in str(short)


def test_of_several_histories_in_a_world_the_one_that_fails_is_found(kept, quiet):
    """The others are left out where it fails alone, too; the first of a series is what its seed says."""
    drawn = histories.drawn(11, HOLDS, count=3)
    assert drawn.only(0).events == histories.drawn(11, HOLDS).events and drawn.count == 3
    assert histories.History.from_json(drawn.to_json()) == drawn

    class Run(histories.Run):
        def check(self):
            super().check()
            assert self.number < 2 and len(self.history.rounds()) > 1, 'this one'
    with pytest.raises(histories.Failed) as caught:
        histories.run(kept, drawn, Run)
    assert caught.value.number == 2
    short = histories.shrunk(lambda history: histories.run(kept, history, Run), caught.value)
    assert short.history.count == 1 and len(short.history.events) == 1
