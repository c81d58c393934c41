"""Writes are atomic and conserve, under many writers at once (SQLite; the servers are in tests/real)."""

import pytest

from nova.placement import direct
from nova.tests.fixtures import databases, placement
from nova.tests.placement import history


@pytest.mark.parametrize(('clients', 'steps'), [(8, 25), (64, 4)])
def test_no_write_is_lost_or_oversold(clients: int, steps: int,
                                      tmp_path_factory: pytest.TempPathFactory) -> None:
    with databases.database_url('sqlite', tmp_path_factory) as url:
        app, db = placement.make_app(url)
        happened = history.prepare(direct.Client(app), providers=3, capacity=30)
        history.play([direct.Client(app) for _ in range(clients)], happened, steps)
        history.check(direct.Client(app), happened)
        assert len(happened.writes) >= clients * steps
        db.dispose()
