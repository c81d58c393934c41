"""Moving in from a database of OpenStack Placement, whose tables are recorded in nova/placement/db/peer.py."""

import datetime
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from nova.common import dbkit
from nova.placement import direct
from nova.placement.cmd import manage, status
from nova.placement.db import importer, models, peer, session
from nova.tests.fixtures import databases, placement

THEN = datetime.datetime(2025, 3, 4, 5, 6, 7)
HOST, CHILD, LONE = (f'00000000-0000-4000-8000-00000000000{number}' for number in (1, 2, 3))
ONE, TWO, LOST = (f'10000000-0000-4000-8000-00000000000{number}' for number in (1, 2, 3))
AGGREGATE = '20000000-0000-4000-8000-000000000001'


def make_peer(url: str, revision: str = 'a082b8bb98d0') -> dbkit.Database:
    """The peer's tables with a small cloud, some of it damaged as real ones are."""
    db = dbkit.Database(url)
    peer.metadata.create_all(db.engine)
    rows: dict[sa.Table, list[dict[str, Any]]] = {
        peer.resource_classes: [{'id': 0, 'name': 'VCPU'}, {'id': 1, 'name': 'MEMORY_MB'},
                                {'id': 10003, 'name': 'CUSTOM_GOLD'}],
        peer.traits: [{'id': 7, 'name': 'COMPUTE_NODE'}, {'id': 9, 'name': 'CUSTOM_FAST'}],
        peer.resource_providers: [
            {'id': 21, 'uuid': CHILD, 'name': 'child', 'generation': 4, 'root_provider_id': 40,
             'parent_provider_id': 40},
            {'id': 40, 'uuid': HOST, 'name': 'host', 'generation': 9, 'root_provider_id': 40,
             'parent_provider_id': None},
            {'id': 41, 'uuid': LONE, 'name': 'lone', 'generation': 0, 'root_provider_id': None,
             'parent_provider_id': None}],
        peer.aggregates: [{'id': 5, 'uuid': AGGREGATE}],
        peer.resource_provider_aggregates: [{'resource_provider_id': 40, 'aggregate_id': 5},
                                            {'resource_provider_id': 77, 'aggregate_id': 5}],
        peer.resource_provider_traits: [{'resource_provider_id': 40, 'trait_id': 7},
                                        {'resource_provider_id': 40, 'trait_id': 9}],
        peer.inventories: [
            {'resource_provider_id': 40, 'resource_class_id': 0, 'total': 8, 'reserved': 1, 'min_unit': 1,
             'max_unit': 8, 'step_size': 1, 'allocation_ratio': 1.5},
            {'resource_provider_id': 21, 'resource_class_id': 10003, 'total': 4, 'reserved': 0, 'min_unit': 1,
             'max_unit': 4, 'step_size': 1, 'allocation_ratio': 1.0}],
        peer.projects: [{'id': 3, 'external_id': 'acme'}], peer.users: [{'id': 4, 'external_id': 'joe'}],
        peer.consumer_types: [{'id': 6, 'name': 'INSTANCE'}],
        peer.consumers: [{'uuid': ONE, 'project_id': 3, 'user_id': 4, 'generation': 2, 'consumer_type_id': 6},
                         {'uuid': TWO, 'project_id': 3, 'user_id': 4, 'generation': 1,
                          'consumer_type_id': None}],
        peer.allocations: [
            {'resource_provider_id': 40, 'consumer_id': ONE, 'resource_class_id': 0, 'used': 2},
            {'resource_provider_id': 21, 'consumer_id': ONE, 'resource_class_id': 10003, 'used': 1},
            {'resource_provider_id': 40, 'consumer_id': TWO, 'resource_class_id': 0, 'used': 1},
            {'resource_provider_id': 40, 'consumer_id': TWO, 'resource_class_id': 0, 'used': 1},
            {'resource_provider_id': 40, 'consumer_id': LOST, 'resource_class_id': 0, 'used': 1},
            {'resource_provider_id': 77, 'consumer_id': ONE, 'resource_class_id': 0, 'used': 1}]}
    with db.engine.begin() as connection:
        connection.exec_driver_sql('CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)')
        connection.exec_driver_sql(f"INSERT INTO alembic_version VALUES ('{revision}')")
        for table, some in rows.items():
            for row in some:
                connection.execute(sa.insert(table).values(**row, created_at=THEN if table is not peer.traits
                                                           else None))
    return db


@pytest.fixture
def theirs(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with databases.database_url(kind, tmp_path_factory) as url:
        make_peer(url).dispose()
        yield url


@pytest.fixture
def ours(kind: str, tmp_path_factory: pytest.TempPathFactory, tmp_path: pathlib.Path,
         monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with databases.database_url(kind, tmp_path_factory) as url:
        monkeypatch.setenv('OS_PLACEMENT_DATABASE__CONNECTION', url)
        monkeypatch.setenv('OS_PLACEMENT_CONFIG_DIR', str(tmp_path))
        monkeypatch.setenv('OS_PLACEMENT__INCOMPLETE_CONSUMER_PROJECT_ID', 'nobodys')
        assert manage.main(['db', 'sync']) == 0
        yield url


def test_everything_is_there_afterwards(theirs: str, ours: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert manage.main(['db', 'import', theirs]) == 0
    out = capsys.readouterr().out
    assert '1 allocations added to another one of the same' in out
    assert '1 allocations of a provider or class that is gone' in out
    assert '1 memberships of something that is gone' in out and 'Created: 1 consumers' in out
    app, db = placement.make_app(ours)
    client = direct.Client(app)
    child = client.get(f'/resource_providers/{CHILD}').json()
    assert (child['parent_provider_uuid'], child['root_provider_uuid'], child['generation']) == (HOST, HOST, 4)
    assert client.get(f'/resource_providers/{LONE}').json()['root_provider_uuid'] == LONE
    inventory = client.get(f'/resource_providers/{HOST}/inventories').json()
    assert inventory['resource_provider_generation'] == 9
    assert inventory['inventories']['VCPU'] == {'total': 8, 'reserved': 1, 'min_unit': 1, 'max_unit': 8,
                                                'step_size': 1, 'allocation_ratio': 1.5}
    assert client.get(f'/resource_providers/{HOST}/traits').json()['traits'] == ['COMPUTE_NODE', 'CUSTOM_FAST']
    assert client.get(f'/resource_providers/{HOST}/aggregates').json()['aggregates'] == [AGGREGATE]
    one = client.get(f'/allocations/{ONE}').json()
    assert (one['consumer_generation'], one['consumer_type'], one['project_id']) == (2, 'INSTANCE', 'acme')
    assert {uuid: held['resources'] for uuid, held in one['allocations'].items()} == {
        HOST: {'VCPU': 2}, CHILD: {'CUSTOM_GOLD': 1}}
    assert client.get(f'/allocations/{TWO}').json()['allocations'][HOST]['resources'] == {'VCPU': 2}
    assert client.get(f'/allocations/{LOST}').json()['project_id'] == 'nobodys'
    answer = client.get(f'/resource_providers/{LONE}')
    assert answer.headers['last-modified'] == 'Tue, 04 Mar 2025 05:06:07 GMT'
    found = client.get('/allocation_candidates?resources1=VCPU:1&resources2=CUSTOM_GOLD:1&group_policy=none')
    assert set(found.json()['provider_summaries']) == {HOST, CHILD}
    assert client.put('/resource_classes/CUSTOM_LATER').status_code == 201
    assert client.put(f'/allocations/{ONE}', json={
        'allocations': {HOST: {'resources': {'VCPU': 1}}}, 'project_id': 'acme', 'user_id': 'joe',
        'consumer_generation': 2, 'consumer_type': 'INSTANCE'}).status_code == 204
    db.dispose()


def _counts(url: str) -> dict[str, int]:
    db = dbkit.Database(url)
    with db.read() as connection:
        found = {table.name: connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
                 for table in models.metadata.sorted_tables if table.name != 'provider_tombstones'}
    db.dispose()
    return found


def test_a_dry_run_writes_nothing_and_a_repetition_nothing_twice(theirs: str, ours: str,
                                                                 capsys: pytest.CaptureFixture[str]) -> None:
    before = _counts(ours)
    assert manage.main(['db', 'import', '--dry-run', theirs]) == 0
    assert 'Nothing was written' in capsys.readouterr().out and _counts(ours) == before
    assert manage.main(['db', 'import', theirs]) == 0
    after = _counts(ours)
    assert manage.main(['db', 'import', theirs]) == manage.BAD_INPUT
    assert '--replace' in capsys.readouterr().err and _counts(ours) == after
    assert manage.main(['db', 'import', '--replace', theirs]) == 0
    assert _counts(ours) == after


def test_the_source_may_be_named_in_the_environment(theirs: str, ours: str, capsys: pytest.CaptureFixture[str],
                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    assert manage.main(['db', 'import']) == manage.BAD_INPUT
    assert manage.SOURCE in capsys.readouterr().err
    monkeypatch.setenv(manage.SOURCE, theirs)
    assert manage.main(['db', 'import', '--dry-run']) == 0


def test_what_is_no_source_is_refused(ours: str, capsys: pytest.CaptureFixture[str], kind: str,
                                      tmp_path_factory: pytest.TempPathFactory) -> None:
    assert manage.main(['db', 'import', ours]) == manage.BAD_INPUT
    assert 'no database of OpenStack Placement' in capsys.readouterr().err
    assert manage.main(['db', 'import', 'nonsense']) == manage.BAD_INPUT
    assert 'no URL of a database' in capsys.readouterr().err
    with databases.database_url(kind, tmp_path_factory) as url:
        make_peer(url, revision='b4ed3a175331').dispose()
        assert manage.main(['db', 'import', url]) == manage.BAD_INPUT
        assert 'of an older release' in capsys.readouterr().err


def test_a_peers_database_is_left_alone_and_never_green(theirs: str, monkeypatch: pytest.MonkeyPatch,
                                                        tmp_path: pathlib.Path,
                                                        capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv('OS_PLACEMENT_DATABASE__CONNECTION', theirs)
    monkeypatch.setenv('OS_PLACEMENT_CONFIG_DIR', str(tmp_path))
    db = dbkit.Database(theirs)
    before = set(sa.inspect(db.engine).get_table_names())
    assert manage.main(['db', 'sync']) == manage.BAD_INPUT
    assert 'db import' in capsys.readouterr().err
    assert set(sa.inspect(db.engine).get_table_names()) == before
    assert status.main(['upgrade', 'check']) == 2
    assert 'db import' in ' '.join(capsys.readouterr().out.replace('|', ' ').split())
    assert direct.Client(_served(theirs)).get('/resource_providers').status_code == 503
    db.dispose()


def _served(url: str) -> Any:
    from nova.placement import app
    return app.make_app(placement.make_conf(), dbkit.Database(url))


def test_nothing_arrives_when_something_goes_wrong(theirs: str, ours: str) -> None:
    source, db = dbkit.Database(theirs), dbkit.Database(ours)
    with source.engine.begin() as connection:
        connection.execute(sa.insert(peer.allocations).values(
            resource_provider_id=40, consumer_id=ONE, resource_class_id=1, used=None))
    before = _counts(ours)
    with pytest.raises(Exception, match='(?i)null'):
        importer.run(source, db, ('p', 'u'))
    assert _counts(ours) == before
    assert session.state(db) is session.State.CURRENT
    for one in (source, db):
        one.dispose()
