"""Requests that are as large as they may be."""

import contextlib
import uuid
from typing import Any

import sqlalchemy as sa
from oslo_db import exception as db_exc

from nova.common import dbkit
from nova.placement import direct
from nova.placement.db import models
from nova.placement.handlers import allocation

CONSUMERS = 8_200
"""Two rows of four values each: more than any database takes in one statement (65,535 on PostgreSQL)."""


def _host(client: direct.Client) -> str:
    made = client.post('/resource_providers', json={'name': f'host-{uuid.uuid4()}'})
    one: str = made.json()['uuid']
    answer = client.put(f'/resource_providers/{one}/inventories', json={
        'resource_provider_generation': 0,
        'inventories': {name: {'total': 1_000_000} for name in ('VCPU', 'MEMORY_MB')}})
    assert answer.status_code == 200
    return one


def _claims(host: str, consumers: list[str], generation: int | None) -> dict[str, Any]:
    held = {host: {'resources': {'VCPU': 1, 'MEMORY_MB': 2}}}
    return {consumer: {'allocations': held, 'project_id': 'p', 'user_id': 'u', 'consumer_type': 'INSTANCE',
                       'consumer_generation': generation} for consumer in consumers}


def test_allocations_of_many_consumers(client: direct.Client, db: dbkit.Database) -> None:
    host, other = _host(client), _host(client)
    consumers = [str(uuid.uuid4()) for _ in range(CONSUMERS)]

    def usages(one: str) -> dict[str, int]:
        return client.get(f'/resource_providers/{one}/usages').json()['usages']
    with db.counting() as seen:
        answer = client.post('/allocations', json=_claims(host, consumers, None))
    assert answer.status_code == 204, answer.text
    assert len(seen) < CONSUMERS / 100, len(seen)
    assert usages(host) == {'VCPU': CONSUMERS, 'MEMORY_MB': 2 * CONSUMERS}
    with db.counting() as seen:
        answer = client.post('/allocations', json=_claims(other, consumers, 1))
    assert answer.status_code == 204, answer.text
    assert len(seen) < CONSUMERS / 100, len(seen)
    assert usages(host) == {'VCPU': 0, 'MEMORY_MB': 0}
    empty = {key: {**claim, 'allocations': {}} for key, claim in _claims(other, consumers, 2).items()}
    answer = client.post('/reshaper', json={'inventories': {}, 'allocations': empty})
    assert answer.status_code == 204, answer.text
    assert usages(other) == {'VCPU': 0, 'MEMORY_MB': 0}


def test_many_owners(client: direct.Client) -> None:
    host = _host(client)
    claims = _claims(host, [str(uuid.uuid4()) for _ in range(dbkit.PART + 100)], None)
    for number, claim in enumerate(claims.values()):
        claim.update(project_id=f'project-{number}', user_id=f'user-{number}')
    assert client.post('/allocations', json=claims).status_code == 204
    for claim in claims.values():
        claim['consumer_generation'] = 1
    assert client.post('/allocations', json=claims).status_code == 204


def test_one_of_many_that_moved_refuses_all(client: direct.Client) -> None:
    host = _host(client)
    consumers = [str(uuid.uuid4()) for _ in range(1500)]
    assert client.post('/allocations', json=_claims(host, consumers, None)).status_code == 204
    claims = _claims(host, consumers, 1)
    claims[consumers[1200]]['consumer_generation'] = 7
    answer = client.post('/allocations', json=claims)
    assert answer.status_code == 409 and consumers[1200] in answer.text


def test_a_provider_in_many_aggregates(client: direct.Client) -> None:
    host = _host(client)
    aggregates = sorted(str(uuid.uuid4()) for _ in range(33_000))
    for wanted in (aggregates, []):
        generation = client.get(f'/resource_providers/{host}').json()['generation']
        answer = client.put(f'/resource_providers/{host}/aggregates', json={
            'aggregates': wanted, 'resource_provider_generation': generation})
        assert answer.status_code == 200, answer.text[:200]
        assert client.get(f'/resource_providers/{host}/aggregates').json()['aggregates'] == wanted


def test_an_allocation_over_many_providers(client: direct.Client, db: dbkit.Database) -> None:
    hosts = [str(uuid.uuid4()) for _ in range(dbkit.PART + 100)]
    db.write(lambda connection: dbkit.insert(connection, models.resource_providers, [
        {'name': f'host-{number}', 'uuid': host} for number, host in enumerate(hosts)]))
    plan = {host: {'resource_provider_generation': 0, 'inventories': {'VCPU': {'total': 8}}} for host in hosts}
    claim = {'allocations': {host: {'resources': {'VCPU': 1}} for host in hosts}, 'project_id': 'p',
             'user_id': 'u', 'consumer_generation': None, 'consumer_type': 'INSTANCE'}
    body = {'inventories': plan, 'allocations': {str(uuid.uuid4()): claim}}
    assert client.post('/reshaper', json=body).status_code == 204
    assert client.get(f'/resource_providers/{hosts[-1]}/usages').json()['usages'] == {'VCPU': 1}
    assert client.get(f'/resource_providers/{hosts[0]}').json()['generation'] == 1


def test_a_body_beyond_the_bound_is_413(client: direct.Client) -> None:
    answer = client.post('/allocations', data=b' ' * (32 * 1024 * 1024 + 1),
                         headers={'Content-Type': 'application/json'})
    assert answer.status_code == 413 and 'larger than' in answer.json()['errors'][0]['detail']


def test_more_amounts_than_one_request_may_write(client: direct.Client) -> None:
    held = {'resources': {f'CUSTOM_{number}': 1 for number in range(allocation.MOST // 100)}}
    claims = _claims(str(uuid.uuid4()), [str(uuid.uuid4())], None)
    next(iter(claims.values()))['allocations'] = {str(uuid.uuid4()): held for _ in range(101)}
    for method, path, body in (
            ('POST', '/allocations', claims),
            ('PUT', '/allocations/' + next(iter(claims)), [*claims.values()][0]),
            ('POST', '/reshaper', {'inventories': {}, 'allocations': claims})):
        answer = client.request(method, path, json=body)
        assert answer.status_code == 413 and '50000' in answer.text, answer.text


def test_rows_that_were_missing_are_counted(db: dbkit.Database) -> None:
    def insert(*numbers: int) -> int:
        return db.write(lambda connection: dbkit.insert_missing(
            connection, models.users, [{'external_id': f'user-{number}'} for number in numbers]))
    assert insert() == 0
    assert insert(1) == 1
    assert insert(1) == 0
    assert insert(1, 2, 3) == 2
    assert insert(*range(dbkit.PART + 50)) == dbkit.PART + 47


def test_a_statement_that_is_too_large_is_no_lost_connection(db: dbkit.Database) -> None:
    tried = []

    def ask(connection: sa.Connection) -> None:
        tried.append(1)
        connection.execute(sa.select(models.users).where(
            models.users.c.external_id.in_(map(str, range(300_000)))))
    with contextlib.suppress(db_exc.DBError, sa.exc.SQLAlchemyError):
        db.write(ask)
    assert len(tried) == 1
