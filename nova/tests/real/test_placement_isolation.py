"""Every pooled connection reads what is committed: the capacity check after a lock depends on it."""

import contextlib

import pytest

from nova.common import dbkit
from nova.tests.fixtures import databases

pytestmark = pytest.mark.real

_QUESTION = {'mysql': 'SELECT @@tx_isolation', 'postgresql': 'SHOW transaction_isolation'}


@pytest.mark.parametrize('kind', ['mysql', 'postgresql'])
def test_every_connection_is_read_committed(kind: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    with databases.database_url(kind, tmp_path_factory) as url:
        db = dbkit.Database(url)
        with contextlib.ExitStack() as stack:
            connections = [stack.enter_context(db.engine.connect()) for _ in range(3)]
            answers = [connection.exec_driver_sql(_QUESTION[kind]).scalar_one() for connection in connections]
        assert {answer.lower().replace('-', ' ') for answer in answers} == {'read committed'}
        db.dispose()
