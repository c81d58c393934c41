"""A database for one test."""

from collections.abc import Iterator
from pathlib import Path

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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long runs only when asked for by `-m slow`."""
    if not config.option.markexpr:
        here = str(Path(__file__).parent)
        items[:] = [item for item in items
                    if not (str(item.path).startswith(here) and item.get_closest_marker('slow'))]
