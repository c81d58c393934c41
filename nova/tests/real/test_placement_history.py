"""Writes are atomic and conserve on MariaDB and PostgreSQL, with 8 and 64 clients and one hot provider."""

import pytest

from nova.placement import direct
from nova.tests.fixtures import databases, placement
from nova.tests.placement import history

pytestmark = pytest.mark.real


@pytest.mark.parametrize('kind', ['mysql', 'postgresql'])
@pytest.mark.parametrize(('clients', 'steps', 'providers'), [(8, 40, 3), (64, 8, 3), (64, 4, 1)])
def test_no_write_is_lost_or_oversold(kind: str, clients: int, steps: int, providers: int,
                                      tmp_path_factory: pytest.TempPathFactory) -> None:
    with databases.database_url(kind, tmp_path_factory) as url:
        app, db = placement.make_app(url)
        happened = history.prepare(direct.Client(app), providers=providers, capacity=60)
        history.play([direct.Client(app) for _ in range(clients)], happened, steps)
        history.check(direct.Client(app), happened)
        db.dispose()
