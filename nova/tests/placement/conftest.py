"""A Placement of its own for every test that asks."""

from collections.abc import Iterator

import pytest

from nova.common import dbkit
from nova.placement import direct
from nova.tests.fixtures import databases, placement


@pytest.fixture
def service(lend: databases.Lend) -> Iterator[tuple[direct.Client, dbkit.Database]]:
    """A client, and the database that it ends up in."""
    app, db = placement.make_app(lend('placement'))
    yield direct.Client(app), db
    db.dispose()


@pytest.fixture
def client(service: tuple[direct.Client, dbkit.Database]) -> direct.Client:
    return service[0]


@pytest.fixture
def db(service: tuple[direct.Client, dbkit.Database]) -> dbkit.Database:
    return service[1]
