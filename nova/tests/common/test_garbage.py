"""The collector of cycles in a service's process."""

import gc
from collections.abc import Iterator

import pytest

from nova.common import garbage


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    threshold = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)


def test_what_a_process_is_made_of_is_not_looked_at_again() -> None:
    garbage.spare()
    assert gc.get_freeze_count() > 10_000
    assert len(gc.get_objects()) < 1_000


def test_cycles_that_come_later_are_collected() -> None:
    garbage.spare()
    cycle: list[object] = []
    cycle.append(cycle)
    del cycle
    assert gc.collect() >= 1
