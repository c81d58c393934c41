"""Worlds that live on a virtual clock."""

import logging

import pytest

from nova.tests.simulation import world as worlds


@pytest.fixture(scope='session')
def kept():
    return worlds.Kept()


@pytest.fixture
def quiet():
    """Nothing is logged: what happens is in the trace."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def new_world(kept, quiet):
    """``with new_world(shape, seed) as world``; without a seed everything happens in order."""
    return lambda *args, **options: worlds.world(kept, *args, **options)
