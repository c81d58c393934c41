"""Tokens of consoles: kept as hashes, gone when their time or their server is over."""

import pytest
import sqlalchemy as sa

from nova import errors
from nova.common import dbkit, uuids
from nova.objects.console_token import TABLE, ConsoleToken
from nova.objects.question import ConsolePlace

PLACE = ConsolePlace(base_url='http://proxy/', host='192.0.2.1', port=5900, tls_port=None,
                     internal_access_path='inner-secret')


@pytest.fixture
def db(cloud):
    return cloud.db(cloud.cells[0])


@pytest.fixture
def server(servers):
    return lambda: servers.in_cell(1)


def make(db: dbkit.Database, server: str, seconds: int = 600) -> ConsoleToken:
    return db.write(lambda conn: ConsoleToken.create(conn, server, 'novnc', PLACE, seconds))


def find(db: dbkit.Database, token: str) -> ConsoleToken | None:
    with db.read() as conn:
        return ConsoleToken.find(conn, token)


def test_a_token_opens_what_it_was_made_for(db, server):
    uuid = server().uuid
    made = make(db, uuid)
    assert find(db, made.token) == made
    assert (made.instance_uuid, made.host, made.port) == (uuid, '192.0.2.1', 5900)


def test_only_its_hash_is_kept_and_it_is_not_shown(db, server):
    made = make(db, server().uuid)
    with db.read() as conn:
        kept = conn.execute(sa.select(TABLE)).one()
    assert made.token not in map(str, kept)
    assert made.token not in repr(made) and 'inner-secret' not in repr(made)


def test_an_unknown_token_is_none(db):
    with db.read() as conn, pytest.raises(errors.virt.ConsoleTokenNotFound):
        ConsoleToken.get(conn, 'guessed')


def test_a_token_that_has_ended_opens_nothing_and_is_removed_by_the_next(db, server):
    old = make(db, server().uuid, seconds=0)
    assert find(db, old.token) is None
    make(db, server().uuid)
    with db.read() as conn:
        assert len(conn.execute(sa.select(TABLE)).all()) == 1


def test_a_deleted_server_takes_its_tokens_along(db, server):
    one = server()
    made = make(db, one.uuid)
    db.write(lambda conn: one.destroy(conn))
    assert find(db, made.token) is None


def test_a_token_without_a_server_opens_nothing(db):
    assert find(db, make(db, uuids.generate()).token) is None
