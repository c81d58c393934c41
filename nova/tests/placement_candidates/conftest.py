"""A database for one test."""

from collections.abc import Iterator

import pytest

from nova.common import dbkit
from nova.tests.fixtures import databases


@pytest.fixture
def url(lend: databases.Lend) -> str:
    return lend('bare placement')


@pytest.fixture
def db(url: str) -> Iterator[dbkit.Database]:
    database = dbkit.Database(url)
    yield database
    database.dispose()
