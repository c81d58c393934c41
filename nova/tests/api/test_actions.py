"""Server actions from outside: the task they leave, and every way they are refused."""

from typing import Any

from nova import context, objects, states
from nova.common import threads
from nova.objects import task as task_rows
from nova.ops import remove_late
from nova.task import flow, journal
from nova.tests.api.cloud import MEMBER, READER, STRANGER, Cloud


def act(cloud: Cloud, server: Any, body: dict[str, Any], version: str = '2.1', **kwargs: Any) -> Any:
    return cloud.call('POST', f'/servers/{server.uuid}/action', version, json=body, **kwargs)


def tasks(cloud: Cloud, server: Any) -> list[Any]:
    with cloud.db(1).read() as conn:
        return task_rows.of_instance(conn, server.uuid)


def test_an_action_leaves_a_task_and_wakes_its_cell(cloud: Cloud) -> None:
    """TSK-S1: the row is there before anybody is told."""
    made = cloud.server(host='host1')
    answer = act(cloud, made, {'pause': None}, headers=MEMBER)
    assert (answer.status_code, answer.text) == (202, '')
    task, = tasks(cloud, made)
    assert (task.flow, task.user_id) == ('pause', 'alice')
    assert task.request_id == answer.headers['x-compute-request-id']
    assert cloud.woken == [('cell1', task.uuid)]
    assert cloud.instance(made.uuid).task_state == states.Task.PAUSING
    assert 'auth_token' not in task.context


def test_a_second_operation_is_a_conflict(cloud: Cloud) -> None:
    made = cloud.server(host='host1')
    act(cloud, made, {'pause': None})
    second = act(cloud, made, {'suspend': None})
    assert second.status_code == 409
    assert second.json['conflictingRequest']['message'] == (
        f"Cannot 'suspend' instance {made.uuid} while it is in task_state pausing")
    assert len(tasks(cloud, made)) == 1


class Queued(flow.Flow):
    name, State, exclusion, action = 'api_queued', objects.State, flow.QUEUED, 'queued'
    steps = (flow.Step(act),)


def test_a_conflict_with_queued_operations_is_told_without_a_task_state(cloud: Cloud) -> None:
    made = cloud.server(host='host1')
    for _ in range(2):
        journal.Journal(cloud.db(1)).begin(
            Queued, objects.State(), context.admin(), instance_uuid=made.uuid)
    answer = act(cloud, made, {'pause': None})
    assert answer.status_code == 409
    assert answer.json['conflictingRequest']['message'] == (
        f"Cannot 'pause' instance {made.uuid} while another operation on it is in progress")
    assert cloud.call('DELETE', f'/servers/{made.uuid}').status_code == 204


def test_who_looks_at_a_server_for_a_moment_is_waited_for(cloud: Cloud) -> None:
    """A user hears of no conflict with what he has not asked for; one that lasts is one."""
    made = cloud.server(host='host1')
    looks = journal.Journal(cloud.db(1)).begin(
        remove_late.RemoveLate, objects.State(), context.admin(), instance_uuid=made.uuid)
    cloud.db(1).write(lambda conn: task_rows.take_slot(conn, looks, flow.Flow.slot() or ''))
    ends = threads.start('ends', lambda: (threads.sleep(0.3), cloud.db(1).write(
        lambda conn: task_rows.remove_of(conn, made.uuid))))
    assert act(cloud, made, {'pause': None}).status_code == 202
    ends.join()
    assert [task.flow for task in tasks(cloud, made)] == ['pause']


def test_refusals(cloud: Cloud) -> None:
    made, stopped = cloud.server(host='host1'), cloud.server(host='host1', vm_state='stopped')
    assert act(cloud, stopped, {'pause': None}).status_code == 409
    assert act(cloud, made, {'pause': None}, headers=READER).status_code == 403
    assert act(cloud, made, {'pause': None}, headers=STRANGER).status_code == 404
    assert act(cloud, made, {'reboot': {'type': 'GENTLE'}}).status_code == 400
    assert act(cloud, made, {'reboot': None}).status_code == 400
    assert tasks(cloud, made) == [] and cloud.woken == []


def test_locked_servers_are_for_administrators(cloud: Cloud) -> None:
    made = cloud.server(host='host1')
    assert act(cloud, made, {'lock': {'locked_reason': 'mine'}}, '2.73', headers=MEMBER).status_code == 202
    shown = cloud.call('GET', f'/servers/{made.uuid}', '2.73', headers=MEMBER).json['server']
    assert shown['locked'] is True and shown['locked_reason'] == 'mine'
    refused = act(cloud, made, {'pause': None}, headers=MEMBER)
    assert refused.status_code == 409 and 'is locked' in refused.json['conflictingRequest']['message']
    assert act(cloud, made, {'pause': None}).status_code == 202
    assert [task.action for task in tasks(cloud, made)] == ['pause', 'lock']


def test_updating_answers_the_whole_server_from_2_75_on(cloud: Cloud) -> None:
    made = cloud.server()
    body = {'server': {'name': 'new', 'accessIPv4': '192.0.2.1'}}
    part = cloud.call('PUT', f'/servers/{made.uuid}', '2.74', json=body).json['server']
    assert part['name'] == 'new' and 'key_name' not in part and 'OS-EXT-STS:vm_state' not in part
    whole = cloud.call('PUT', f'/servers/{made.uuid}', '2.75', json=body).json['server']
    assert whole['OS-EXT-STS:vm_state'] == 'active' and whole['accessIPv4'] == '192.0.2.1'
    with cloud.db(1).read() as conn:
        assert objects.Instance.get(conn, (), uuid=made.uuid).display_name == 'new'
