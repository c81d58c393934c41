"""The world that tests of tasks begin in, on every kind of database."""

import pytest

from nova.tests.fixtures import clocks
from nova.tests.task import world as worlds


@pytest.fixture
def world(lend):
    made = worlds.World(lend('cell'))
    yield made
    made.db.dispose()


@pytest.fixture
def time():
    """Time passes when the test says so; asked for before `world`, which may look at it."""
    with clocks.manual() as made:
        yield made
