"""The world that tests of tasks begin in, on every kind of database."""

import pytest

from nova.tests.task import world as worlds


@pytest.fixture
def world(lend):
    made = worlds.World(lend('cell'))
    yield made
    made.db.dispose()
