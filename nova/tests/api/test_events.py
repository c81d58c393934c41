"""GET /events: a project follows its servers and tasks over all cells, and goes on where it was."""

import datetime
import json
import threading

import falcon.testing
import pytest
import sqlalchemy as sa

from nova.api import following, waits
from nova.api.resources import events
from nova.common import uuids
from nova.conductor import periodic
from nova.db import session
from nova.db import tasks as tables
from nova.objects import notification
from nova.tests.api import cloud as clouds
from nova.tests.fixtures import nova_db
from nova.tests.fixtures.waiting import until


@pytest.fixture
def cloud(lend):
    with nova_db.deployment(lend, **{'api.auth_strategy': 'noauth2', 'notifications.event_stream_hours': 2,
                                     'api.cell_timeout': 20, 'api.cell_probe_interval': 0.1}) as made:
        yield clouds.Cloud(made)


class Stream:
    """An open answer, read event by event."""

    def __init__(self, cloud, headers, query=''):
        said = {}
        environ = falcon.testing.create_environ(
            '/v2.1/events', query_string=query, headers={'OpenStack-API-Version': 'compute 2.96', **headers})
        self._body = cloud.app(environ, lambda status, headers, info=None: said.update(
            status=int(status[:3]), headers={name.lower(): value for name, value in headers}))
        self.status, self.headers = said['status'], said['headers']
        self._parts = iter(self._body)
        self.last = None

    def next(self):
        """The next event: its name and data; comments are passed over."""
        text = ''
        while True:
            text += next(self._parts).decode()
            if text.endswith('\n\n'):
                fields = dict(line.split(': ', 1) for line in text.strip().split('\n') if ': ' in line)
                text = ''
                self.last = fields.get('id', self.last)
                if 'event' in fields:
                    return fields['event'], json.loads(fields['data'])

    def close(self):
        self._body.close()


@pytest.fixture
def follow(cloud):
    opened = []

    def call(headers=clouds.READER, last=None, query=''):
        opened.append(Stream(cloud, {**headers, **({'Last-Event-ID': last} if last else {})}, query))
        return opened[-1]
    yield call
    for each in opened:
        if each.status == 200:
            each.close()


def tell(cloud, server, cell=1, event='instance.pause.start', **more):
    """A notification about a server; its uuid."""
    made = notification.Notification(
        uuid=uuids.generate(), subject=server.uuid, event_type=event, publisher_id='nova-compute:host1',
        priority='INFO', project_id=server.project_id, task_uuid=uuids.generate(), payload={
            'nova_object.name': 'InstanceActionPayload', 'nova_object.data': {
                'uuid': server.uuid, 'display_name': 'one', 'host': 'secret-host', 'node': 'secret-node',
                'state': 'active', 'task_state': 'pausing', 'power_state': 'running', 'request_id': 'req-1',
                **more}})
    db = cloud.dbs.api if cell is None else cloud.db(cell)
    db.write(lambda conn: notification.add(conn, made))
    return made.uuid


def told(stream, count):
    return [stream.next()[1]['id'] for _ in range(count)]


def begun(cloud, follow, **options):
    """A stream that has looked: it has told of something."""
    stream, marked = follow(**options), {}

    def mark():
        marked['id'] = tell(cloud, marked['server'])
    marked['server'] = cloud.server(host='host1')
    thread = threading.Timer(0.3, mark)
    thread.start()
    try:
        while stream.next()[1].get('id') != marked.get('id'):
            pass
    finally:
        thread.join()
    return stream


def test_what_an_event_shows(cloud, follow):
    stream, server = begun(cloud, follow), cloud.server(host='host1')
    assert (stream.status, stream.headers['content-type']) == (200, 'text/event-stream')
    uuid = tell(cloud, server)
    name, data = stream.next()
    assert name == 'instance.pause.start'
    assert data.pop('time').endswith('Z') and uuids.is_uuid(data['task'].pop('id'))
    assert data == {
        'id': uuid, 'type': name, 'error': None, 'task': {'request_id': 'req-1'}, 'server': {
            'id': server.uuid, 'name': 'one', 'state': 'active', 'task_state': 'pausing',
            'power_state': 'running'}}
    fault = {'nova_object.data': {'exception': 'X', 'exception_message': 'it broke', 'traceback': 'secret'}}
    tell(cloud, server, fault=fault)
    _, data = stream.next()
    assert data['error'] == {'message': 'it broke'} and 'secret' not in json.dumps(data)


def test_what_is_done_by_a_request_is_told(cloud, follow):
    stream, server = begun(cloud, follow), cloud.server(host='host1')
    answer = cloud.call('POST', f'/servers/{server.uuid}/action', '2.90', clouds.MEMBER, json={'pause': None})
    name, data = stream.next()
    assert (name, data['server']['id']) == ('instance.pause.start', server.uuid)
    assert data['task']['request_id'] == answer.headers['X-Compute-Request-Id']
    shown = cloud.call('GET', f'/servers/{server.uuid}/tasks/{data["task"]["id"]}', '2.96', clouds.READER)
    assert shown.json['task']['action'] == 'pause'


def test_all_cells_and_only_the_own_project(cloud, follow):
    stream = begun(cloud, follow)
    server, other = cloud.server(host='host1'), cloud.server(project_id=clouds.OTHER)
    tell(cloud, other)
    mine = [tell(cloud, server, cell) for cell in (None, 0, 1, 2)]
    assert sorted(told(stream, 4)) == sorted(mine)
    tell(cloud, other)
    last = tell(cloud, server)
    assert told(stream, 1) == [last]


def test_going_on(cloud, follow):
    """Nothing between two streams is left out; what is told twice has the same id."""
    stream, server = begun(cloud, follow), cloud.server(host='host1')
    tell(cloud, server)
    stream.next()
    place = stream.last
    stream.close()
    missed = [tell(cloud, server, cell) for cell in (1, 2, 1, 0)]
    found = []
    again = follow(last=place)
    while not set(missed) <= set(found):
        found += told(again, 1)
    assert len(found) == len(set(found))
    by_query = follow(query=f'last_event_id={place}')
    found = []
    while not set(missed) <= set(found):
        found += told(by_query, 1)


def test_what_is_settled_is_told_once(cloud, follow):
    """After a while a place has passed what was told."""
    server = cloud.server(host='host1')
    stream = begun(cloud, follow)
    first = tell(cloud, server)
    assert told(stream, 1) == [first]
    _age(cloud.db(1), minutes=5)
    second = tell(cloud, server)
    assert told(stream, 1) == [second]
    third = tell(cloud, server)
    assert told(stream, 1) == [third]
    again = follow(last=stream.last)
    fourth = tell(cloud, server)
    found = []
    while fourth not in found:
        found += told(again, 1)
    assert first not in found


def test_a_transaction_that_ends_late(cloud, follow):
    """One with a lower number than what was told is told when it is there."""
    stream, server = begun(cloud, follow), cloud.server(host='host1')
    late, newer = tell(cloud, server), tell(cloud, server)
    with cloud.db(1).read() as conn:
        row = conn.execute(sa.select(tables.notifications).where(
            tables.notifications.c.uuid == late)).mappings().one()
    assert told(stream, 2) == [late, newer]
    cloud.db(1).write(lambda conn: conn.execute(tables.notifications.delete().where(
        tables.notifications.c.uuid == late)))
    second = follow(last=stream.last)
    found = []
    while newer not in found:
        found += told(second, 1)
    assert late not in found
    cloud.db(1).write(lambda conn: conn.execute(tables.notifications.insert(), dict(row)))
    assert told(second, 1) == [late]


def _age(db, **by):
    db.write(lambda conn: conn.execute(sa.update(tables.notifications).values(
        created_at=db.now() - datetime.timedelta(**by), sent_at=db.now() - datetime.timedelta(**by))))


def test_a_cell_that_is_down_is_told_and_not_missed(cloud, follow):
    server = cloud.server(host='host1')
    stream = begun(cloud, follow)
    whole = cloud.cells[2]
    cloud.break_cell(2)
    assert until(lambda: stream.next(), 60) == ('cells', {'down': 1})
    mine = tell(cloud, server)
    assert told(stream, 1) == [mine]
    there = tell(cloud, server, 2)
    place = stream.last
    cloud.dbs.api.write(lambda conn: _moved_back(conn, whole))
    found = []
    while there not in found:
        name, data = stream.next()
        found.append(data.get('id'))
    again, found = follow(last=place), []
    while there not in found:
        found.append(again.next()[1].get('id'))


def _moved_back(conn, mapping):
    kept = type(mapping).get(conn, uuid=mapping.uuid)
    kept.database_connection = mapping.database_connection
    kept.save(conn)


@pytest.mark.parametrize('place', [
    'x', '-1', '1,2', '1,2:3,', '1,a:b', '1;2:3', '9' * 13, '1' + ',1:1' * 1001, '1,1:' + '9' * 19, '1 ,1:1'])
def test_what_is_no_place(cloud, follow, place):
    assert follow(last=place).status == 400


def test_a_place_that_is_too_old(cloud, follow):
    stream = follow(last='1000000000,1:1')
    assert stream.next()[0] == 'gap'


@pytest.mark.parametrize('query', ['last_event_id=', 'more=1', 'last_event_id=1&last_event_id=2'])
def test_odd_queries(cloud, query):
    assert cloud.call('GET', f'/events?{query}', '2.102', clouds.READER).status_code == 400


def test_who_may(cloud, follow):
    assert follow({**clouds.MEMBER, 'X-Roles': 'nothing'}).status == 403


def test_there_is_none_where_nothing_is_kept(cloud):
    cloud.conf.set_override('event_stream_hours', 0, 'notifications')
    answer = cloud.call('GET', '/events', '2.96', clouds.READER)
    assert answer.status_code == 501 and 'event_stream_hours' in answer.json['notImplemented']['message']


def test_so_many_at_a_time(cloud, follow):
    streams = [follow() for _ in range(cloud.conf.api.max_waiting)]
    assert {each.status for each in streams} == {200}
    refused = cloud.call('GET', '/events', '2.96', clouds.READER)
    assert refused.status_code == 503 and refused.headers['Retry-After'] == '5'
    streams[0].close()
    assert follow().status == 200, 'one that was never read gives its room back, too'


def test_a_stream_ends(cloud, follow, monkeypatch):
    monkeypatch.setattr(events, 'LIFE', 0.5)
    stream = follow()
    with pytest.raises(StopIteration):
        stream.next()


def test_silence_is_broken(cloud, follow, monkeypatch):
    monkeypatch.setattr(events, 'SILENCE', 0.0)
    stream = follow()
    assert next(stream._parts) == b'retry: 1000\n\n' and next(stream._parts) == b':\n\n'


def test_what_was_kept_for_long_enough_is_dropped(cloud):
    server = cloud.server(host='host1')
    tell(cloud, server)
    tell(cloud, server)
    retention = periodic.Retention(lambda: cloud.db(1), cloud.conf)
    _age(cloud.db(1), hours=1)
    retention()
    assert _count(cloud.db(1)) == 2
    _age(cloud.db(1), hours=3)
    retention()
    assert _count(cloud.db(1)) == 1, 'the newest stays, so that its number is given to no other'


def test_what_is_not_sent_yet_is_not_dropped(cloud):
    server = cloud.server(host='host1')
    tell(cloud, server)
    cloud.db(1).write(lambda conn: conn.execute(sa.update(tables.notifications).values(
        created_at=cloud.db(1).now() - datetime.timedelta(days=3))))
    periodic.Retention(lambda: cloud.db(1), cloud.conf)()
    assert _count(cloud.db(1)) == 1


def _count(db):
    with db.read() as conn:
        return conn.execute(sa.select(sa.func.count()).select_from(tables.notifications)).scalar_one()


def test_what_is_complete_is_older_than_any_transaction():
    assert following.TRANSACTION.total_seconds() >= session.PATIENCE


def test_waits_are_counted_once():
    room = waits.Waits(1)
    with room.room() as one:
        with room.room() as two:
            assert (one, two) == (True, False)
    with room.room() as again:
        assert again
