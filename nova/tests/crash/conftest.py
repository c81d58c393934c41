"""Worlds to break."""

import pytest

from nova.tests.crash import world as worlds


@pytest.fixture(scope='session')
def databases(tmp_path_factory):
    return worlds.Databases(tmp_path_factory.mktemp('crash'))


@pytest.fixture
def new_world(databases):
    """A function that makes a fresh world; the one before it is gone then."""
    return lambda: worlds.World(databases)
