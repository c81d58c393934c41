"""Two requests that read, decide and write the same at the same moment: what one was told is not lost by the
other, at READ COMMITTED on MariaDB and PostgreSQL, and on SQLite.

The second request is sent when the first has read and is about to write; it is let through, or has to wait
until the first has ended, as the API wants it.
"""

import threading
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from nova import objects
from nova.db.api import models
from nova.objects import quota
from nova.tests.api import cloud as clouds
from nova.tests.api.cloud import ADMIN, MEMBER, PROJECT, Cloud

Send = Callable[[], Any]

_WRITES = ('INSERT', 'UPDATE', 'DELETE')
_MOMENT = 0.25
"""Seconds within which a request that need not wait is answered."""


class NotReached(Exception):
    """The first request has ended before the second was to be sent."""


def both(cloud: Cloud, first: Send, second: Send, at: int | None = None, moment: float = _MOMENT
         ) -> tuple[Any, Any]:
    """The answers; `second` is sent before the statement of `first` with the number `at`, by default before the
    first writing one that is not for a lock."""
    answers: list[Any] = []
    other = threading.Thread(target=lambda: answers.append(second()))
    mine, seen = threading.get_ident(), []

    def interrupt(conn: Any, cursor: Any, statement: str, *_: Any) -> None:
        if threading.get_ident() != mine:
            return
        seen.append(statement)
        writes = statement.startswith(_WRITES) and models.quota_locks.name not in statement
        if other.ident is None and (writes if at is None else len(seen) > at):
            other.start()
            other.join(moment)
    engines = [cloud.dbs.api.engine, *(cloud.db(number).engine for number in (0, 1, 2))]
    for engine in engines:
        sa.event.listen(engine, 'before_cursor_execute', interrupt)
    try:
        answer = first()
        if other.ident is None:
            raise NotReached
        other.join(30)
        return answer, answers[0]
    finally:
        for engine in engines:
            sa.event.remove(engine, 'before_cursor_execute', interrupt)


@pytest.fixture
def send(cloud: Cloud) -> Callable[..., Send]:
    def later(method: str, path: str, body: Any = None, headers: Any = ADMIN, version: str = '2.96') -> Send:
        return lambda: cloud.call(method, path, version, headers, **({} if body is None else {'json': body}))
    return later


@pytest.mark.parametrize('cell', [1, None])
def test_metadata(cloud: Cloud, send: Any, cell: int | None) -> None:
    path = f'/servers/{cloud.server(cell, metadata={"c": "0"}).uuid}/metadata'
    one, other = both(cloud, send('POST', path, {'metadata': {'a': '1'}}),
                      send('PUT', f'{path}/b', {'meta': {'b': '2'}}))
    assert (one.status_code, other.status_code) == (200, 200)
    assert cloud.call('GET', path).json == {'metadata': {'a': '1', 'b': '2', 'c': '0'}}


@pytest.mark.parametrize(('path', 'wanted'), [('metadata', ['a', 'b', 'c']), ('tags', ['a', 'b', 'c'])])
def test_there_is_no_bad_moment(cloud: Cloud, send: Any, path: str, wanted: list[str]) -> None:
    """The other request comes before each statement in turn."""
    body = {'meta': {'a': ''}} if path == 'metadata' else None
    other = {'meta': {'b': ''}} if path == 'metadata' else None
    for at in range(30):
        where = f'/servers/{cloud.server(metadata={"c": ""}, tags=["c"]).uuid}/{path}'
        try:
            answers = both(cloud, send('PUT', f'{where}/a', body), send('PUT', f'{where}/b', other), at, 0.1)
        except NotReached:
            break
        assert {answer.status_code for answer in answers} <= {200, 201}
        assert sorted(cloud.call('GET', where, '2.96').json[path]) == wanted, f'before statement {at}'
    assert at > 6


def test_metadata_items_stay_within_the_quota(cloud: Cloud, send: Any) -> None:
    cloud.conf.set_override('metadata_items', 1, 'quota')
    path = f'/servers/{cloud.server().uuid}/metadata'
    answers = both(cloud, *(send('POST', path, {'metadata': {key: ''}}) for key in 'ab'))
    assert sorted(answer.status_code for answer in answers) == [200, 403]


@pytest.mark.parametrize('cell', [1, None])
def test_tags(cloud: Cloud, send: Any, cell: int | None) -> None:
    path = f'/servers/{cloud.server(cell, tags=["c"]).uuid}/tags'
    both(cloud, send('PUT', f'{path}/a'), send('PUT', f'{path}/b'))
    assert cloud.call('GET', path, '2.96').json == {'tags': ['a', 'b', 'c']}
    one, other = both(cloud, send('PUT', f'{path}/d'), send('PUT', f'{path}/d'))
    assert sorted((one.status_code, other.status_code)) == [201, 204]


@pytest.mark.parametrize('theirs', ['lock', 'unlock'])
def test_an_administrators_lock_stays(cloud: Cloud, send: Any, theirs: str) -> None:
    server = cloud.server(locked_by='owner' if theirs == 'unlock' else None)
    path = f'/servers/{server.uuid}/action'
    admin = {'X-Auth-Token': f'admin:{clouds.OTHER}'}
    both(cloud, send('POST', path, {theirs: None}, MEMBER),
         send('POST', path, {'lock': {'locked_reason': 'repair'}}, admin))
    kept = cloud.instance(server.uuid)
    assert (kept.locked_by, kept.system_metadata) == ('admin', {'locked_reason': 'repair'})


def test_a_state_that_is_set_by_hand_and_a_lock(cloud: Cloud, send: Any) -> None:
    server = cloud.server()
    path = f'/servers/{server.uuid}/action'
    both(cloud, send('POST', path, {'lock': None}, MEMBER),
         send('POST', path, {'os-resetState': {'state': 'error'}}))
    kept = cloud.instance(server.uuid)
    assert (kept.locked_by, kept.vm_state) == ('owner', 'error')


def test_the_pin_of_a_server(cloud: Cloud, send: Any) -> None:
    """Pinned to a zone by one and untied by the other: the spec is what one of them said, and whole."""
    cloud.host('host1', zone='zone-1')
    server = cloud.server(host='host1', availability_zone='zone-1')
    path = f'/servers/{server.uuid}'
    both(cloud, send('PUT', path, {'server': {'pinned_availability_zone': None}}, version='2.104'),
         send('PUT', path, {'server': {'pinned_availability_zone': 'zone-1'}}, version='2.104'))
    with cloud.dbs.api.read() as conn:
        assert objects.RequestSpec.get(conn, instance_uuid=server.uuid).availability_zone == 'zone-1'


def test_restore(cloud: Cloud, send: Any) -> None:
    """Twice at once: it is done once, and the server is counted."""
    server = cloud.server(vm_state='soft-delete', host='host1')
    cloud.dbs.api.write(lambda conn: objects.InstanceMapping.queue_for_delete(conn, server.uuid))
    path = f'/servers/{server.uuid}/action'
    answers = both(cloud, *[send('POST', path, {'restore': None}, MEMBER)] * 2)
    assert sorted(answer.status_code for answer in answers) == [202, 409]
    with cloud.dbs.api.read() as conn:
        assert quota.usage(conn, PROJECT)['instances'] == 1


def test_members_of_a_group_stay_within_the_quota(cloud: Cloud, create: Any) -> None:
    cloud.conf.set_override('server_group_members', 1, 'quota')
    group = objects.InstanceGroup(uuid='1d5bb0ae-9a6a-4f3a-b6b6-6c6a1f6a0c11', user_id='alice', name='g',
                                  project_id=PROJECT, policy='affinity')
    cloud.dbs.api.write(lambda conn: group.copy().create(conn))
    hints = {'group': group.uuid}
    answers = both(cloud, lambda: create(hints=hints), lambda: create(hints=hints))
    assert sorted(answer.status_code for answer in answers) == [202, 403]


def test_aggregate_metadata(cloud: Cloud, send: Any) -> None:
    made = cloud.call('POST', '/os-aggregates', json={'aggregate': {'name': 'a'}}).json['aggregate']['id']
    path = f'/os-aggregates/{made}/action'
    answers = both(cloud, *(send('POST', path, {'set_metadata': {'metadata': {'k': value}}}) for value in 'ab'))
    assert [answer.status_code for answer in answers] == [200, 200]
    assert len(cloud.call('GET', f'/os-aggregates/{made}').json['aggregate']['metadata']) == 1


def test_a_host_is_in_one_zone(cloud: Cloud, send: Any) -> None:
    cloud.host('host1')
    paths = []
    for zone in ('z1', 'z2'):
        made = cloud.call('POST', '/os-aggregates', json={'aggregate': {
            'name': zone, 'availability_zone': zone}}).json['aggregate']['id']
        paths.append(f'/os-aggregates/{made}/action')
    answers = both(cloud, *(send('POST', path, {'add_host': {'host': 'host1'}}) for path in paths))
    assert sorted(answer.status_code for answer in answers) == [200, 409]


def test_a_host_is_added_once(cloud: Cloud, send: Any) -> None:
    cloud.host('host1')
    made = cloud.call('POST', '/os-aggregates', json={'aggregate': {'name': 'a'}}).json['aggregate']['id']
    answers = both(cloud, *[send('POST', f'/os-aggregates/{made}/action', {'add_host': {'host': 'host1'}})] * 2)
    assert sorted(answer.status_code for answer in answers) == [200, 409]


def test_extra_specs(cloud: Cloud, send: Any) -> None:
    path = f'/flavors/{cloud.flavor().flavorid}/os-extra_specs'
    answers = both(cloud, send('POST', path, {'extra_specs': {'k': '1', 'a': '1'}}, version='2.60'),
                   send('POST', path, {'extra_specs': {'k': '2', 'b': '2'}}, version='2.60'))
    assert [answer.status_code for answer in answers] == [200, 200]
    assert set(cloud.call('GET', path).json['extra_specs']) == {'k', 'a', 'b'}


def test_access_to_a_flavor(cloud: Cloud, send: Any) -> None:
    path = f'/flavors/{cloud.flavor(is_public=False).flavorid}/action'
    answers = both(cloud, *[send('POST', path, {'addTenantAccess': {'tenant': PROJECT}})] * 2)
    assert sorted(answer.status_code for answer in answers) == [200, 409]


def test_key_pairs_stay_within_the_quota(cloud: Cloud, send: Any) -> None:
    cloud.conf.set_override('key_pairs', 1, 'quota')
    answers = both(cloud, *(send('POST', '/os-keypairs', {'keypair': {'name': name}}, MEMBER, '2.10')
                            for name in 'ab'))
    assert sorted(answer.status_code for answer in answers) == [201, 403]


def test_quotas(cloud: Cloud, send: Any) -> None:
    path = f'/os-quota-sets/{PROJECT}'
    answers = both(cloud, send('PUT', path, {'quota_set': {'cores': 1, 'ram': 2}}),
                   send('PUT', path, {'quota_set': {'cores': 3, 'instances': 4}}))
    assert [answer.status_code for answer in answers] == [200, 200]
    shown = cloud.call('GET', path).json['quota_set']
    assert (shown['ram'], shown['instances']) == (2, 4)
