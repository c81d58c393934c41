"""Worlds that live on a virtual clock."""

import logging

import pytest

from nova.tests.simulation import world as worlds


@pytest.fixture(scope='session')
def kept():
    return worlds.Kept()


@pytest.fixture
def new_world(kept):
    """``with new_world(shape, seed) as world``; without a seed everything happens in order."""
    logging.disable(logging.CRITICAL)
    yield lambda *args, **options: worlds.world(kept, *args, **options)
    logging.disable(logging.NOTSET)
