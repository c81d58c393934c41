"""What a host owes: kept with the save that gives it up, told once it is back."""

import pytest

from nova import objects
from nova.objects import owed
from nova.tests.task.world import EngineHosted, EngineState


class SecretState(EngineState):

    token: str | None = None
    passing = ('token',)


@pytest.fixture
def db(world):
    world.db.write(lambda conn: objects.Service.beat(conn, 'h1', 'nova-compute', 1))
    return world.db


def epoch(db):
    with db.read() as conn:
        return objects.Service.get(conn, host='h1', binary='nova-compute').epoch


def call(task, attempt, **state):
    return objects.StepCall(
        task=task, flow=EngineHosted.name, flow_version='1.0', step='spawn', direction='undo', attempt=attempt,
        host='h1', state=SecretState(**state))


def test_what_is_owed_is_told_in_order_until_it_is_paid(db, world):
    task, other = world.begin(EngineHosted).uuid, world.instance.uuid
    for owing in (call(task, 3), call(other, 1), call(task, 5)):
        db.write(lambda conn, owing=owing: owed.owe(conn, 'h1', owing))
    assert epoch(db) == 3
    with db.read() as conn:
        owes = [(one.task, one.attempt) for one in owed.owed_by(conn, 'h1')]
        assert owes == [(task, 3), (other, 1), (task, 5)]
        assert owed.owed_by(conn, 'h2') == []
    assert db.write(lambda conn: owed.paid(conn, task, 3))
    assert not db.write(lambda conn: owed.paid(conn, task, 4))
    with db.read() as conn:
        assert [(one.task, one.attempt) for one in owed.owed_by(conn, 'h1')] == [(other, 1), (task, 5)]
    db.write(lambda conn: owed.forget(conn, 'h1'))
    with db.read() as conn:
        assert owed.owed_by(conn, 'h1') == []


def test_secrets_are_not_kept_for_a_host(db):
    lent = call('10000000-0000-4000-8000-000000000001', 1, token='sealed', seen=['spawn'])
    db.write(lambda conn: owed.owe(conn, 'h1', lent))
    with db.read() as conn:
        kept, = owed.owed_by(conn, 'h1')
    assert (kept.state.seen, kept.state.token, lent.state.token) == (['spawn'], None, 'sealed')


def test_what_is_given_up_without_a_debt_counts_too(db):
    db.write(lambda conn: owed.give_up(conn, 'h1'))
    assert epoch(db) == 1
