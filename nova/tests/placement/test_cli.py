"""placement-manage and placement-status."""

import datetime
import pathlib
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from oslo_upgradecheck import upgradecheck

from nova.common import dbkit
from nova.placement import direct
from nova.placement.cmd import manage, status
from nova.placement.db import models
from nova.tests.fixtures import databases, placement

NOW = datetime.datetime(2026, 1, 1)


@pytest.fixture
def url(kind: str, tmp_path_factory: pytest.TempPathFactory, tmp_path: pathlib.Path,
        monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty database that the commands find in the environment."""
    with databases.database_url(kind, tmp_path_factory) as found:
        monkeypatch.setenv('OS_PLACEMENT_DATABASE__CONNECTION', found)
        monkeypatch.setenv('OS_PLACEMENT_CONFIG_DIR', str(tmp_path))
        yield found


def _incomplete(url: str, rows: int) -> dbkit.Database:
    """A database as an import may leave it: a tree without roots, allocations without consumers."""
    _, db = placement.make_app(url)
    with db.engine.begin() as connection:
        for number in (1, 2):
            connection.execute(sa.insert(models.resource_providers).values(
                id=number, uuid=f'rp-{number}', name=f'host-{number}', generation=0, version=1,
                parent_provider_id=1 if number == 2 else None, created_at=NOW))
        for number in range(rows):
            connection.execute(sa.insert(models.allocations).values(
                consumer_id=f'consumer-{number}', resource_provider_id=1, resource_class_id=0, used=1))
    return db


def test_sync_makes_the_schema_of_the_models(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert manage.main(['db', 'version']) == 0
    assert capsys.readouterr().out.split() == []
    assert manage.main(['db', 'sync']) == 0
    assert manage.main(['db', 'sync']) == 0
    assert manage.main(['db', 'version']) == 0
    assert capsys.readouterr().out.split()[-2:] == ['c0001', 'e0002']
    db = dbkit.Database(url)
    with db.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), models.metadata) == []
    assert direct.Client(placement.make_app(url)[0]).get('/traits').status_code == 200


def test_stamp(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert manage.main(['db', 'stamp', 'e0001']) == 0
    assert manage.main(['db', 'version']) == 0
    assert capsys.readouterr().out.split() == ['e0001']


def test_no_connection(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv('OS_PLACEMENT_DATABASE__CONNECTION', raising=False)
    monkeypatch.setenv('OS_PLACEMENT_CONFIG_DIR', str(tmp_path))
    assert manage.main(['db', 'sync']) == manage.BAD_INPUT


def test_online_migrations_in_batches(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    db = _incomplete(url, rows=3)
    assert manage.main(['db', 'online_data_migrations', '--max-count', '0']) == 127
    assert manage.main(['db', 'online_data_migrations', '--max-count', '4']) == 1
    assert manage.main(['db', 'online_data_migrations', '--max-count', '4']) == 1
    assert manage.main(['db', 'online_data_migrations', '--max-count', '4']) == 0
    assert 'create_incomplete_consumers' in capsys.readouterr().out
    with db.read() as connection:
        roots = set(connection.scalars(sa.select(models.resource_providers.c.root_provider_id)))
        assert roots == {1}
        assert connection.scalar(sa.select(sa.func.count()).select_from(models.consumers)) == 3


def test_online_migrations_to_the_end(url: str) -> None:
    _incomplete(url, rows=120)
    assert manage.main(['db', 'online_data_migrations']) == 0
    assert manage.main(['db', 'online_data_migrations', '--max-count', '50']) == 0


@pytest.mark.parametrize('command', ['online_data_migrations', 'create_incomplete_consumers'])
def test_who_owns_incomplete_consumers_is_configured(command: str, url: str,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('OS_PLACEMENT__INCOMPLETE_CONSUMER_PROJECT_ID', 'nobodys')
    monkeypatch.setenv('OS_PLACEMENT__INCOMPLETE_CONSUMER_USER_ID', 'nobody')
    db = _incomplete(url, rows=2)
    assert manage.main(['db', command]) == 0
    with db.read() as connection:
        assert set(connection.scalars(sa.select(models.projects.c.external_id))) == {'nobodys'}
        assert set(connection.scalars(sa.select(models.users.c.external_id))) == {'nobody'}


def test_create_incomplete_consumers(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    _incomplete(url, rows=60)
    assert manage.main(['db', 'create_incomplete_consumers']) == 0
    assert 'Created 60 ' in capsys.readouterr().out


def test_a_failing_migration_is_told(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert manage.main(['db', 'online_data_migrations', '--max-count', '5']) == 2
    assert 'Error attempting to run' in capsys.readouterr().out


def test_upgrade_check(url: str, tmp_path: pathlib.Path) -> None:
    assert manage.main(['db', 'sync']) == 0
    assert status.main(['upgrade', 'check']) == upgradecheck.Code.SUCCESS
    db = _incomplete(url, rows=1)
    assert status.main(['upgrade', 'check']) == upgradecheck.Code.FAILURE
    assert manage.main(['db', 'online_data_migrations']) == 0
    with db.engine.begin() as connection:
        connection.execute(sa.delete(models.consumers))
    assert status.main(['upgrade', 'check']) == upgradecheck.Code.WARNING


def test_both_find_the_file_in_the_same_place(url: str, tmp_path: pathlib.Path,
                                              monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv('OS_PLACEMENT_DATABASE__CONNECTION')
    (tmp_path / 'placement.conf').write_text(f'[placement_database]\nconnection = {url}\n')
    assert manage.main(['db', 'sync']) == 0
    assert status.main(['upgrade', 'check']) == upgradecheck.Code.SUCCESS
