"""Tasks of a server from outside: what they show, who sees them, and waiting for their end."""

import threading

import pytest

from nova import context, objects
from nova.api import waits
from nova.common import clock, uuids
from nova.objects import task as rows
from nova.ops.build import schedule, wire
from nova.ops.remove_late import RemoveLate
from nova.task import journal
from nova.tests.api import cloud as clouds
from nova.tests.fixtures.waiting import until

FIELDS = {'id', 'action', 'server_id', 'request_id', 'user_id', 'project_id', 'status', 'step', 'progress',
          'error', 'created_at', 'updated_at', 'finished_at'}


def begin(cloud, server, key='pause'):
    answer = cloud.call('POST', f'/servers/{server.uuid}/action', '2.90', clouds.MEMBER, json={key: None})
    assert answer.status_code == 202
    return answer.headers['X-Compute-Request-Id']


def get(cloud, server, task='', version='2.96', headers=clouds.READER):
    return cloud.call('GET', f'/servers/{server.uuid}/tasks{task}', version, headers)


def only(cloud, server):
    task, = get(cloud, server).json['tasks']
    return task


def end(cloud, uuid, status=rows.DONE, cell=1, **changes):
    def write(conn):
        task = rows.get(conn, uuid)
        assert rows.save(conn, task, rows.Note('pause_guest', 'do', 1, 'done', host='host1'), status=status,
                         exclusive=None, finished_at=clock.utcnow(), **changes)
    cloud.db(cell).write(write)


def test_what_a_task_shows(cloud):
    server = cloud.server(host='host1')
    request_id = begin(cloud, server)
    task = only(cloud, server)
    assert set(task) == FIELDS
    assert (task['action'], task['status'], task['step'], task['request_id'], task['server_id']) == (
        'pause', 'running', 'pause_guest', request_id, server.uuid)
    assert task['finished_at'] is task['error'] is task['progress'] is None
    shown = get(cloud, server, f'/{task["id"]}').json['task']
    assert {name: shown[name] for name in FIELDS} == task
    assert [step['event'] for step in shown['steps']] == ['pause_guest']
    end(cloud, task['id'])
    shown = get(cloud, server, f'/{request_id}').json['task']
    assert (shown['id'], shown['status'], shown['step']) == (task['id'], 'done', None)
    assert shown['finished_at'] is not None and shown['steps'][0]['result'] == 'Success'


@pytest.mark.parametrize(('status', 'changes', 'shown'), [
    (rows.DONE, {}, 'done'),
    (rows.UNDONE, {'error': {'code': 409, 'message': 'no', 'details': 'host1'}}, 'failed'),
    (rows.UNDONE, {}, 'aborted'), (rows.STUCK, {'error': {'code': 500, 'message': 'x'}}, 'stuck'),
    (rows.ABANDONED, {}, 'abandoned')])
def test_how_tasks_end(cloud, status, changes, shown):
    server = cloud.server(host='host1')
    begin(cloud, server)
    end(cloud, only(cloud, server)['id'], status, **changes)
    task = only(cloud, server)
    assert task['status'] == shown
    error = changes.get('error')
    assert task['error'] == (error and {'code': error['code'], 'message': error['message']})


def test_hosts_and_details_are_for_administrators(cloud):
    server = cloud.server(host='host1')
    begin(cloud, server)
    task = only(cloud, server)['id']
    end(cloud, task)
    assert 'host' not in get(cloud, server, f'/{task}').json['task']['steps'][0]
    assert get(cloud, server, f'/{task}', headers=clouds.ADMIN).json['task']['steps'][0]['host'] == 'host1'
    assert 'host1' not in get(cloud, server, f'/{task}').text


def test_a_project_sees_its_own(cloud):
    server, other = cloud.server(host='host1'), cloud.server(host='host1')
    begin(cloud, server)
    task = only(cloud, server)['id']
    assert get(cloud, server, headers=clouds.STRANGER).status_code == 404
    assert get(cloud, server, f'/{task}', headers=clouds.STRANGER).status_code == 404
    assert get(cloud, other, f'/{task}').status_code == 404
    assert get(cloud, server, headers={**clouds.MEMBER, 'X-Roles': 'nothing'}).status_code == 403


def test_what_clients_do_not_see_is_none(cloud):
    server = cloud.server(host='host1')
    made = journal.begin(cloud.db(1), RemoveLate, objects.State(), context.admin(), instance_uuid=server.uuid)
    assert get(cloud, server).json['tasks'] == []
    assert get(cloud, server, f'/{made.uuid}').status_code == 404


def test_pages(cloud):
    server = cloud.server(host='host1')
    asked = []
    for _ in range(3):
        asked.insert(0, begin(cloud, server))
        end(cloud, get(cloud, server).json['tasks'][0]['id'])
        cloud.db(1).write(lambda conn: rows.show(conn, server.uuid, 'x', 'pausing') and conn.execute(
            objects.Instance.table.update().values(task_state=None)))
    page = get(cloud, server, '?limit=2').json
    assert [task['request_id'] for task in page['tasks']] == asked[:2]
    assert page['links'][0]['rel'] == 'next'
    rest = get(cloud, server, f'?marker={asked[1]}').json
    assert [task['request_id'] for task in rest['tasks']] == asked[2:] and 'links' not in rest
    assert get(cloud, server, '?marker=none').status_code == 400


@pytest.mark.parametrize('query', [
    'wait=-1', 'wait=61', 'wait=x', 'wait=', 'wait=1.5', 'wait=1&wait=2', 'more=1', 'wait=%00'])
def test_odd_waits(cloud, query):
    server = cloud.server(host='host1')
    begin(cloud, server)
    assert get(cloud, server, f'/{only(cloud, server)["id"]}?{query}', '2.102').status_code == 400


@pytest.mark.parametrize('name', ['x', 'req-1', '%00', 'a' * 300, '7825a86d-d639-452f-bb5c-f7dad48c3165'])
def test_no_such_task(cloud, name):
    server = cloud.server(host='host1')
    assert get(cloud, server, f'/{name}').status_code == 404


def test_who_waits_is_answered_when_it_has_ended(cloud):
    server = cloud.server(host='host1')
    begin(cloud, server)
    task, answers = only(cloud, server)['id'], []
    waiter = threading.Thread(target=lambda: answers.append(get(cloud, server, f'/{task}?wait=60')))
    began = clock.monotonic()
    waiter.start()
    end(cloud, task)
    waiter.join(50)
    assert clock.monotonic() - began < 50 and answers[0].json['task']['status'] == 'done'


def test_a_wait_is_over_at_its_deadline(cloud):
    server = cloud.server(host='host1')
    begin(cloud, server)
    began = clock.monotonic()
    answer = get(cloud, server, f'/{only(cloud, server)["id"]}?wait=1')
    assert clock.monotonic() - began >= 1
    assert answer.json['task']['status'] == 'running' and 'Retry-After' not in answer.headers


def test_who_finds_no_room_does_not_wait(cloud, monkeypatch):
    server = cloud.server(host='host1')
    begin(cloud, server)
    task, answers = only(cloud, server)['id'], []
    entered, looked = threading.Semaphore(0), waits.Waits.rounds

    def rounds(self, deadline):
        entered.release()
        return looked(self, deadline)
    monkeypatch.setattr(waits.Waits, 'rounds', rounds)
    crowd = [threading.Thread(target=lambda: answers.append(get(cloud, server, f'/{task}?wait=60')))
             for _ in range(cloud.conf.api.max_waiting)]
    for each in crowd:
        each.start()
    for _ in crowd:
        assert entered.acquire(timeout=60)
    answer = get(cloud, server, f'/{task}?wait=60')
    assert answer.headers['Retry-After'] == '1' and answer.json['task']['status'] == 'running'
    assert get(cloud, server, f'/{task}').status_code == 200
    end(cloud, task)
    for each in crowd:
        each.join(60)
    assert [one.json['task']['status'] for one in answers] == ['done'] * len(crowd)
    assert 'Retry-After' not in get(cloud, server, f'/{task}?wait=1').headers


def test_nobody_waits_for_a_process_that_ends():
    room = waits.Waits(2)
    with room.room() as has:
        assert has
        rounds = room.rounds(clock.Deadline(3600))
        next(rounds)
        room.close()
        assert list(rounds) == []
    with room.room() as has:
        assert not has


def test_a_server_that_no_cell_has_yet(cloud):
    """What is asked for is there from the answer on, under the uuid that its cell will know it by."""
    server = cloud.server(cell=None)
    user = context.RequestContext('alice', clouds.PROJECT, request_id=f'req-{uuids.generate()}')
    assert get(cloud, server).json['tasks'] == []
    planned = wire.Planned(uuid=server.uuid, build=uuids.generate())
    made = journal.begin(cloud.dbs.api, schedule.Schedule, wire.ScheduleState(servers=[planned]), user)
    task = only(cloud, server)
    assert (task['action'], task['status'], task['request_id']) == ('create', 'running', made.request_id)
    assert get(cloud, server, f'/{made.request_id}?wait=1').json['task']['id'] == task['id'] == planned.build
    assert get(cloud, server, f'/{made.uuid}').status_code == 404


def test_a_cell_that_is_down(cloud):
    server = cloud.server(host='host1')
    begin(cloud, server)
    task = only(cloud, server)['id']
    cloud.break_cell(1)
    assert until(lambda: get(cloud, server, f'/{task}?wait=1').status_code == 503, 30)
