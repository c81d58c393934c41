"""Writes are atomic and conserve, under many writers at once and with one hot provider."""

import pytest

from nova.placement import direct
from nova.tests.fixtures import databases, placement
from nova.tests.placement import history


@pytest.mark.parametrize(('clients', 'steps', 'providers'), [(8, 25, 3), (64, 4, 3), (64, 3, 1)])
def test_no_write_is_lost_or_oversold(clients: int, steps: int, providers: int, lend: databases.Lend) -> None:
    app, db = placement.make_app(lend('placement'))
    happened = history.prepare(direct.Client(app), providers=providers, capacity=30)
    history.play([direct.Client(app) for _ in range(clients)], happened, steps)
    history.check(direct.Client(app), happened)
    assert len(happened.writes) >= clients * steps
    db.dispose()
