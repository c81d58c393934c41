"""Worlds to break."""

import pytest

from nova.tests.crash import world as worlds


@pytest.fixture(scope='session')
def kept():
    return worlds.Kept()


@pytest.fixture
def new_world(kept):
    """A function that makes a fresh world; the one before it is gone then."""
    return lambda: worlds.World(kept)
