"""What writes cost, and what they tell the in-memory snapshots of other workers."""

import multiprocessing
import pathlib
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from nova.common import dbkit
from nova.placement import direct
from nova.placement.db import models
from nova.tests.fixtures import databases, placement

RP = models.resource_providers


def _provider(client: direct.Client, parent: str | None = None, total: int = 100) -> str:
    one = str(uuid.uuid4())
    body: dict[str, Any] = {'name': f'host-{one}', 'uuid': one}
    if parent:
        body['parent_provider_uuid'] = parent
    assert client.post('/resource_providers', json=body).status_code == 200
    inventories = {name: {'total': total} for name in ('VCPU', 'MEMORY_MB', 'DISK_GB')}
    answer = client.put(f'/resource_providers/{one}/inventories', json={
        'resource_provider_generation': 0, 'inventories': inventories})
    assert answer.status_code == 200
    return one


def _claim(client: direct.Client, held: dict[str, int], consumer: str | None = None,
           generation: int | None = None) -> str:
    consumer = consumer or str(uuid.uuid4())
    answer = client.put(f'/allocations/{consumer}', json={
        'allocations': {one: {'resources': {'VCPU': amount, 'MEMORY_MB': amount, 'DISK_GB': amount}}
                        for one, amount in held.items()},
        'project_id': 'p', 'user_id': 'u', 'consumer_type': 'INSTANCE', 'consumer_generation': generation})
    assert answer.status_code == 204, answer.text
    return consumer


def test_a_claim_takes_few_statements(client: direct.Client, db: dbkit.Database) -> None:
    one = _provider(client)
    _claim(client, {one: 1})
    with db.counting() as seen:
        _claim(client, {one: 1})
    assert len(_sent(seen)) == 5, seen


def test_a_claim_over_two_providers_takes_no_more(client: direct.Client, db: dbkit.Database) -> None:
    one, two = _provider(client), _provider(client)
    _claim(client, {one: 1})
    with db.counting() as seen:
        _claim(client, {one: 1, two: 1})
    assert len(_sent(seen)) == 5, seen


def test_a_claim_for_an_existing_consumer_looks_first(client: direct.Client, db: dbkit.Database) -> None:
    one = _provider(client)
    consumer = _claim(client, {one: 1})
    with db.counting() as seen:
        _claim(client, {one: 2}, consumer, 1)
    assert len(_sent(seen)) == 7, seen


@pytest.mark.parametrize(('amount', 'unknown'), [(1, False), (1000, False), (1, True)])
@pytest.mark.parametrize('tries', [1, 10])
def test_who_is_not_new_is_told_so_before_all_else(lend: databases.Lend, amount: int, unknown: bool,
                                                   tries: int) -> None:
    """A claim for a new consumer is believed at first; a refusal is the same as if it were not."""
    app, db = placement.make_app(lend('placement'), placement__allocation_conflict_retry_count=tries)
    client = direct.Client(app)
    one = _provider(client)
    consumer = _claim(client, {one: 1})
    target = str(uuid.uuid4()) if unknown else one
    body = {'allocations': {target: {'resources': {'VCPU': amount}}}, 'project_id': 'p', 'user_id': 'u',
            'consumer_type': 'INSTANCE', 'consumer_generation': None}
    answer = client.put(f'/allocations/{consumer}', json=body)
    assert answer.status_code == 409 and 'consumer' in answer.json()['errors'][0]['detail']
    assert answer.json()['errors'][0]['code'] == 'placement.concurrent_update'
    other = client.put(f'/allocations/{uuid.uuid4()}', json=body)
    assert other.status_code == (400 if unknown else 204 if amount == 1 else 409)
    assert list(client.get(f'/allocations/{consumer}').json()['allocations']) == [one]
    db.dispose()


def _sent(statements: list[str]) -> list[str]:
    """Without what SQLite needs to begin."""
    return [text for text in statements if not text.startswith('BEGIN')]


def _versions(db: dbkit.Database) -> dict[str, int]:
    with db.read() as connection:
        return {row.uuid: row.version for row in connection.execute(sa.select(RP.c.uuid, RP.c.version))}


def _names(db: dbkit.Database) -> int:
    with db.read() as connection:
        return connection.execute(sa.select(models.names_version.c.version)).scalar_one()


def _moved(db: dbkit.Database, write: Callable[[], Any]) -> set[str]:
    before = _versions(db)
    answer = write()
    assert not isinstance(answer, direct.Response) or answer.status_code < 300, answer.text
    after = _versions(db)
    assert all(after[one] >= before[one] for one in before.keys() & after.keys())
    return {one for one in after if after[one] != before.get(one)}


def test_every_write_moves_the_version_of_whom_it_concerns(client: direct.Client, db: dbkit.Database) -> None:
    root, other = _provider(client), _provider(client)
    child = _provider(client, root)
    leaf = _provider(client, child)
    at = f'/resource_providers/{other}'

    def generation() -> int:
        return client.get(at).json()['generation']
    assert _moved(db, lambda: client.put(f'{at}/inventories/VCPU', json={
        'resource_provider_generation': generation(), 'total': 50})) == {other}
    assert _moved(db, lambda: client.delete(f'{at}/inventories/DISK_GB')) == {other}
    assert _moved(db, lambda: client.post(f'{at}/inventories', json={
        'resource_class': 'DISK_GB', 'total': 50})) == {other}
    assert _moved(db, lambda: client.put(f'{at}/traits', json={
        'resource_provider_generation': generation(), 'traits': ['HW_CPU_X86_VMX']})) == {other}
    assert _moved(db, lambda: client.delete(f'{at}/traits')) == {other}
    assert _moved(db, lambda: client.put(f'{at}/aggregates', json=[str(uuid.uuid4())],
                                         version='1.18')) == {other}
    assert _moved(db, lambda: client.put(f'{at}/aggregates', json={
        'resource_provider_generation': generation(), 'aggregates': []})) == {other}
    assert _moved(db, lambda: client.put(at, json={'name': 'renamed'})) == {other}
    consumer = _claim(client, {other: 1})
    assert _moved(db, lambda: _claim(client, {leaf: 1}, consumer, 1)) == {other, leaf}
    assert _moved(db, lambda: client.delete(f'/allocations/{consumer}')) == {leaf}
    assert _moved(db, lambda: client.put(f'/resource_providers/{child}', json={
        'name': 'child', 'parent_provider_uuid': other})) == {root, other, child, leaf}
    assert _moved(db, lambda: client.delete(f'{at}/inventories')) == {other}


def test_names_move_their_version(client: direct.Client, db: dbkit.Database) -> None:
    def moves(method: str, path: str, **options: Any) -> bool:
        before = _names(db)
        assert client.request(method, path, **options).status_code < 300
        return _names(db) > before
    assert moves('PUT', '/traits/CUSTOM_A')
    assert not moves('PUT', '/traits/CUSTOM_A')
    assert moves('DELETE', '/traits/CUSTOM_A')
    assert moves('PUT', '/resource_classes/CUSTOM_A')
    assert moves('PUT', '/resource_classes/CUSTOM_A', json={'name': 'CUSTOM_B'}, version='1.6')
    assert moves('DELETE', '/resource_classes/CUSTOM_B')


def test_a_deleted_provider_leaves_a_tombstone(client: direct.Client, db: dbkit.Database) -> None:
    one = _provider(client)
    assert client.delete(f'/resource_providers/{one}').status_code == 204
    with db.read() as connection:
        assert one in set(connection.scalars(sa.select(models.provider_tombstones.c.uuid)))


def test_the_last_tombstones_are_kept(client: direct.Client, db: dbkit.Database) -> None:
    """Of each thousand the last one takes away those that are too many."""
    table, one = models.provider_tombstones, _provider(client)
    db.write(lambda conn: conn.execute(sa.insert(table), [
        {'id': number, 'provider_id': number, 'uuid': str(uuid.uuid4())} for number in (1000, 1001, 10_999)]))
    if db.engine.dialect.name == 'postgresql':  # its next id does not follow from those that are there
        db.write(lambda conn: conn.execute(sa.text(
            "SELECT setval(pg_get_serial_sequence('provider_tombstones', 'id'), 10999)")))
    assert client.delete(f'/resource_providers/{one}').status_code == 204
    with db.read() as connection:
        assert sorted(connection.scalars(sa.select(table.c.id))) == [1001, 10_999, 11_000]


def test_ids_of_names_are_never_used_twice(client: direct.Client, db: dbkit.Database) -> None:
    def make(name: str) -> int:
        assert client.put(f'/resource_classes/{name}').status_code == 201
        with db.read() as connection:
            table = models.resource_classes
            return connection.execute(sa.select(table.c.id).where(table.c.name == name)).scalar_one()
    first = make('CUSTOM_A')
    client.delete('/resource_classes/CUSTOM_A')
    assert make('CUSTOM_B') > first >= models.FIRST_CUSTOM_CLASS_ID


def _writer(url: str, one: str, count: int, statuses: Any) -> None:
    app, _ = placement.make_app(url)
    client = direct.Client(app)
    for _ in range(count):
        answer = client.put(f'/allocations/{uuid.uuid4()}', json={
            'allocations': {one: {'resources': {'VCPU': 1}}}, 'project_id': 'p', 'user_id': 'u',
            'consumer_type': 'INSTANCE', 'consumer_generation': None})
        statuses.put(answer.status_code)


def test_processes_on_one_sqlite_file_wait_for_one_another(tmp_path: pathlib.Path) -> None:
    url = f'sqlite:///{tmp_path / "shared.sqlite"}'
    app, db = placement.make_app(url)
    client = direct.Client(app)
    one = _provider(client, total=50)
    spawn = multiprocessing.get_context('spawn')
    statuses = spawn.Queue()
    processes = [spawn.Process(target=_writer, args=(url, one, 30, statuses)) for _ in range(2)]
    for process in processes:
        process.start()
    got = [statuses.get(timeout=60) for _ in range(60)]
    for process in processes:
        process.join(30)
    assert (got.count(204), got.count(409)) == (50, 10)
    assert client.get(f'/resource_providers/{one}/usages').json()['usages']['VCPU'] == 50
    db.dispose()
