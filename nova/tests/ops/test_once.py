"""Requests with an Idempotency-Key: what comes again is answered as before, and nothing is done again."""

import datetime
import functools
import itertools
import threading

import pytest
import sqlalchemy as sa

from nova import objects
from nova.api import once
from nova.conductor import periodic
from nova.db import tasks as tables
from nova.objects import idempotency_key as keys
from nova.objects import task as rows
from nova.tests.api import cloud as clouds
from nova.tests.ops.test_two_writers import NotReached, both

KEY = '6b1f2c1e-8f7b-4a51-9d0e-c0ffee000001'


def keyed(key=KEY, who=clouds.MEMBER):
    return {**who, once.HEADER: key}


def act(cloud, server, key, body=None, headers=None, version='2.90'):
    return cloud.call('POST', f'/servers/{server.uuid}/action', version, headers or keyed(), json={key: body})


def servers(cloud):
    with cloud.dbs.api.read() as conn:
        return {mapping.instance_uuid for mapping in objects.InstanceMapping.all(conn)}


def tasks(cloud, server):
    with cloud.db(1).read() as conn:
        return [task.flow for task in rows.of_instance(conn, server.uuid)]


def cut_off(db):
    """What a process leaves that dies between the beginning of an operation and its answer."""
    db.write(lambda conn: conn.execute(sa.update(tables.idempotency_keys).values(
        status=None, headers=None, body=None)))


def age(db, **by):
    db.write(lambda conn: conn.execute(sa.update(tables.idempotency_keys).values(
        created_at=db.now() - datetime.timedelta(**by))))


def test_a_server_is_created_once(cloud, create):
    first = create(headers=keyed(), adminPass='secret-1', tags=['a'], version='2.96')
    again = create(headers=keyed(), adminPass='secret-1', tags=['a'], version='2.96')
    assert first.status_code == again.status_code == 202
    assert len(servers(cloud)) == 1
    told = first.json['server']
    assert told.pop('adminPass') == 'secret-1'
    assert again.json['server'] == told
    assert again.headers['Location'] == first.headers['Location']
    assert once.REPLAYED not in first.headers and again.headers[once.REPLAYED] == 'true'
    assert first.headers[once.HEADER] == again.headers[once.HEADER] == KEY
    assert len({answer.headers['X-Compute-Request-Id'] for answer in (first, again)}) == 2


def test_nothing_of_passwords_or_keys_is_kept(cloud, create):
    create(headers=keyed(), adminPass='secret-1')
    with cloud.dbs.api.read() as conn:
        row, = conn.execute(sa.select(tables.idempotency_keys)).mappings()
    assert not [value for value in row.values() if 'secret-1' in str(value) or KEY in str(value)]


def test_without_a_key_each_request_counts(cloud, create):
    assert create().status_code == create().status_code == 202
    assert len(servers(cloud)) == 2


@pytest.mark.parametrize('changed', [
    {'name': 'other'}, {'version': '2.91'}, {'adminPass': 'another'}, {'hints': {'a': 'b'}}])
def test_another_request_with_the_same_key_is_refused(cloud, create, changed):
    assert create(headers=keyed()).status_code == 202
    answer = create(headers=keyed(), **changed)
    assert answer.status_code == 422
    assert 'came with another request' in answer.json['computeFault']['message']
    assert len(servers(cloud)) == 1


def test_the_order_of_members_makes_no_other_request(cloud, create):
    first = create(headers=keyed(), metadata={'a': '1', 'b': '2'})
    again = create(headers=keyed(), metadata={'b': '2', 'a': '1'})
    assert again.json['server']['id'] == first.json['server']['id']


def test_keys_of_others_are_others(cloud, create):
    """A key belongs to its user in its project, and to the path it was sent to."""
    assert create(headers=keyed()).status_code == 202
    bob = {'X-Auth-Token': f'bob:{clouds.PROJECT}'}
    assert create(headers=keyed(who=bob)).status_code == 202
    server = cloud.server(host='host1')
    assert act(cloud, server, 'pause').status_code == 202
    assert len(servers(cloud)) == 3


@pytest.mark.parametrize('key', ['', ' ', '   ', 'a b', 'a\tb', 'k' * 256, 'ü', 'a\0b', 'a, b'])
def test_what_is_no_key(cloud, create, key):
    answer = create(headers=keyed(key))
    assert answer.status_code == 400
    assert once.HEADER in answer.json['badRequest']['message']
    assert not servers(cloud)


@pytest.mark.parametrize('key', ['k', 'k' * 255, '"quoted"', "!#$%&'*+-.^_`|~"])
def test_what_is_a_key(cloud, create, key):
    first, again = create(headers=keyed(key)), create(headers=keyed(key))
    assert first.json['server']['id'] == again.json['server']['id']


def test_a_request_that_was_refused_may_come_again(cloud, create):
    assert create(headers=keyed(), flavorRef='none').status_code == 400
    assert create(headers=keyed(), name='').status_code == 400
    assert create(headers=keyed()).status_code == 202
    assert len(servers(cloud)) == 1


def test_who_may_not_ask_is_told_no_answer(cloud, create):
    assert create(headers=keyed()).status_code == 202
    assert create(headers=keyed(who=clouds.READER)).status_code == 403


def test_an_action_is_done_once(cloud):
    server = cloud.server(host='host1')
    first, again = act(cloud, server, 'pause'), act(cloud, server, 'pause')
    assert first.status_code == again.status_code == 202
    assert again.headers[once.REPLAYED] == 'true' and again.content == first.content == b''
    assert tasks(cloud, server) == ['pause']
    assert act(cloud, server, 'suspend').status_code == 422
    assert act(cloud, server, 'suspend', headers=keyed('other')).status_code == 409


def test_an_answer_of_its_own_is_kept(cloud):
    server = cloud.server(host='host1')
    first = act(cloud, server, 'createImage', {'name': 'image'})
    again = act(cloud, server, 'createImage', {'name': 'image'})
    assert first.status_code == again.status_code == 202
    assert again.json == first.json
    assert tasks(cloud, server) == ['snapshot']


def test_actions_without_an_operation_are_kept_too(cloud):
    server = cloud.server(host='host1')
    first = act(cloud, server, 'lock')
    again = act(cloud, server, 'lock')
    assert first.status_code == again.status_code == 202 and once.REPLAYED in again.headers
    assert len(tasks(cloud, server)) == 1


def test_reading_ignores_keys(cloud):
    server = cloud.server(host='host1')
    answer = cloud.call('GET', f'/servers/{server.uuid}', '2.96', keyed('not a key'))
    assert answer.status_code == 200 and once.HEADER not in answer.headers


def test_a_volume_is_attached_once(cloud):
    server = cloud.server(host='host1', availability_zone='nova')
    volume = cloud.clients.volume.add(project_id=clouds.PROJECT)
    path, body = f'/servers/{server.uuid}/os-volume_attachments', {'volumeAttachment': {'volumeId': volume}}
    first = cloud.call('POST', path, '2.89', keyed(), json=body)
    again = cloud.call('POST', path, '2.89', keyed(), json=body)
    assert (first.status_code, again.status_code) == (200, 200), again.json
    assert again.json == first.json
    assert tasks(cloud, server) == ['attach_volume']


def test_what_was_withdrawn_may_come_again(cloud):
    """Cinder refuses at first: nothing of the request is left, nor is its key."""
    server = cloud.server(host='host1', availability_zone='nova')
    volume = cloud.clients.volume.add(project_id=clouds.PROJECT)
    path, body = f'/servers/{server.uuid}/os-volume_attachments', {'volumeAttachment': {'volumeId': volume}}
    reserve, cloud.clients.volume.reserve = cloud.clients.volume.reserve, _refuse
    assert cloud.call('POST', path, '2.89', keyed(), json=body).status_code == 400
    cloud.clients.volume.reserve = reserve
    assert cloud.call('POST', path, '2.89', keyed(), json=body).status_code == 200


def _refuse(*args):
    from nova import errors
    raise errors.block.VolumeInvalid(reason='no')


def test_an_interface_is_attached_once(cloud):
    server = cloud.server(host='host1')
    path = f'/servers/{server.uuid}/os-interface'
    body = {'interfaceAttachment': {'net_id': cloud.network_id}}
    first, again = (cloud.call('POST', path, '2.96', keyed(), json=body) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200), again.json
    assert again.json == first.json
    assert tasks(cloud, server) == ['attach_interface']


def test_the_answer_to_a_new_server_is_kept_with_it(cloud, create):
    """There is no moment at which a process could die with the server there and its answer lost."""
    assert create(headers=keyed()).status_code == 202
    with cloud.dbs.api.read() as conn:
        row, = conn.execute(sa.select(tables.idempotency_keys)).mappings()
    assert (row['status'], set(row['body'])) == (202, {'server'}) and row['task_uuid'] is not None


def test_an_answer_that_was_cut_off(cloud, monkeypatch):
    monkeypatch.setattr(once, 'PATIENCE', 0.2)
    server = cloud.server(host='host1')
    assert act(cloud, server, 'pause').status_code == 202
    cut_off(cloud.db(1))
    answer = act(cloud, server, 'pause')
    with cloud.db(1).read() as conn:
        task, = rows.of_instance(conn, server.uuid)
    assert answer.status_code == 409 and task.uuid in answer.json['conflictingRequest']['message']
    assert answer.headers['Retry-After'] == '1'
    assert tasks(cloud, server) == ['pause']


def test_keys_are_kept_for_so_long(cloud, create):
    first = create(headers=keyed())
    age(cloud.dbs.api, hours=23, minutes=59)
    assert create(headers=keyed()).json['server']['id'] == first.json['server']['id']
    age(cloud.dbs.api, hours=24, minutes=1)
    other = create(headers=keyed())
    assert other.status_code == 202 and other.json['server']['id'] != first.json['server']['id']
    assert create(headers=keyed()).json['server']['id'] == other.json['server']['id']


def test_old_keys_are_dropped(cloud, create):
    create(headers=keyed())
    retention = periodic.Retention(lambda: cloud.dbs.api, cloud.conf)
    retention()
    assert _count(cloud.dbs.api) == 1
    age(cloud.dbs.api, hours=25)
    retention()
    assert _count(cloud.dbs.api) == 0


def test_the_last_of_a_quota_may_come_again(cloud, create):
    cloud.conf.set_override('instances', 1, 'quota')
    first = create(headers=keyed())
    assert create().status_code == 403
    assert create(headers=keyed()).json['server']['id'] == first.json['server']['id']


def _count(db):
    with db.read() as conn:
        return conn.execute(sa.select(sa.func.count()).select_from(tables.idempotency_keys)).scalar_one()


def each_moment(cloud, ask):
    """The answers to two requests that ``ask(number)`` makes: the second comes before the first one's statement
    with this number; that is every second statement, in turn."""
    for number in itertools.count(step=2):
        send = ask(number)
        try:
            yield both(cloud, send, send, number, moment=0.05)
        except NotReached:
            assert number > 5, 'so few statements make no request'
            return


def test_two_at_once_make_one_server(cloud, create):
    for resource in ('instances', 'cores', 'ram'):
        cloud.conf.set_override(resource, -1, 'quota')
    for made, (first, second) in enumerate(each_moment(
            cloud, lambda number: functools.partial(create, headers=keyed(f'key-{number}'))), 1):
        assert (first.status_code, second.status_code) == (202, 202), (first.json, second.json)
        assert first.json['server']['id'] == second.json['server']['id']
        assert len(servers(cloud)) == made


def test_two_at_once_are_one_action(cloud):
    asked = []

    def ask(number):
        asked.append(cloud.server(host='host1'))
        return functools.partial(act, cloud, asked[-1], 'pause')
    for first, second in each_moment(cloud, ask):
        assert (first.status_code, second.status_code) == (202, 202), (first.json, second.json)
        assert tasks(cloud, asked[-1]) == ['pause']


def test_many_at_once_make_one_server(cloud, create):
    answers, line = [], threading.Barrier(6)

    def ask():
        line.wait(30)
        answers.append(create(headers=keyed()))
    crowd = [threading.Thread(target=ask) for _ in range(6)]
    for each in crowd:
        each.start()
    for each in crowd:
        each.join(60)
    assert [answer.status_code for answer in answers] == [202] * 6
    assert len({answer.json['server']['id'] for answer in answers}) == len(servers(cloud)) == 1


def test_the_name_is_taken_by_one(cloud):
    """The database itself lets only one have a key."""
    kept, day = keys.Kept('d' * 64, None, None), datetime.timedelta(days=1)
    cloud.dbs.api.write(lambda conn: keys.add(conn, 'n' * 64, kept, day))
    with pytest.raises(keys.Repeated):
        cloud.dbs.api.write(lambda conn: keys.add(conn, 'n' * 64, kept, day))
