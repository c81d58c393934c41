"""POST /os-server-external-events: what is accepted and refused, what is kept, and who is woken."""

from typing import Any

import pytest

from nova import context, objects
from nova.common import uuids
from nova.objects import event
from nova.objects import task as rows
from nova.task import flow, journal
from nova.tests.api.cloud import MEMBER, Cloud

SERVICE = {'X-Auth-Token': 'neutron:service', 'X-Roles': 'service'}


def tell(cloud: Cloud, *events: dict[str, Any], version: str = '2.1', headers: Any = None) -> Any:
    return cloud.call('POST', '/os-server-external-events', version, headers=headers, json={'events': events})


def plugged(server: Any, port: str = 'port', **more: Any) -> dict[str, Any]:
    return {'name': 'network-vif-plugged', 'server_uuid': server.uuid, 'tag': port, **more}


def words(cloud: Cloud, server: Any, cell: int = 1) -> dict[str, str]:
    with cloud.db(cell).read() as conn:
        return event.last_words(conn, server.uuid, event.PLUGGED)


def park(h: Any, state: Any) -> None:
    return None


class Patient(flow.Flow):
    name, State = 'api_patient', objects.State
    steps = (flow.Wait(park),)


def test_an_event_is_kept_and_wakes_who_waits(cloud: Cloud) -> None:
    one, other = cloud.server(host='host1'), cloud.server(cell=2, host='host2')
    waits = journal.Journal(cloud.db(1)).begin(
        Patient, objects.State(), context.admin(), instance_uuid=one.uuid, status=rows.WAITING)
    answer = tell(cloud, plugged(one), plugged(other, 'b', status='failed'), headers=SERVICE)
    assert answer.status_code == 200
    assert answer.json == {'events': [
        {'name': 'network-vif-plugged', 'server_uuid': one.uuid, 'tag': 'port', 'status': 'completed',
         'code': 200},
        {'name': 'network-vif-plugged', 'server_uuid': other.uuid, 'tag': 'b', 'status': 'failed',
         'code': 200}]}
    assert (words(cloud, one), words(cloud, other, 2)) == ({'port': 'completed'}, {'b': 'failed'})
    assert cloud.woken == [('cell1', waits.uuid)]


def test_the_last_word_counts(cloud: Cloud) -> None:
    made = cloud.server(host='host1')
    tell(cloud, plugged(made, status='failed'), plugged(made), plugged(made, 'other'))
    assert words(cloud, made) == {'port': 'completed', 'other': 'completed'}
    tell(cloud, plugged(made, status='failed'))
    assert words(cloud, made) == {'port': 'failed', 'other': 'completed'}
    with cloud.db(1).read() as conn:
        assert conn.execute(event.tables.events.select()).rowcount in (-1, 2)


def test_each_event_is_judged_by_itself(cloud: Cloud) -> None:
    good, homeless, building = cloud.server(host='host1'), cloud.server(), cloud.server(cell=None)
    gone = cloud.server(host='host1')
    cloud.db(1).write(lambda conn: objects.Instance.get(conn, uuid=gone.uuid).destroy(conn))
    unknown = uuids.generate()
    answer = tell(cloud, plugged(good), plugged(homeless), plugged(building), plugged(gone),
                  {'name': 'network-changed', 'server_uuid': unknown},
                  {'name': 'power-update', 'server_uuid': good.uuid},
                  {'name': 'volume-extended', 'server_uuid': unknown}, version='2.76')
    assert answer.status_code == 207
    assert [(one['code'], one['status']) for one in answer.json['events']] == [
        (200, 'completed'), *[(code, 'failed') for code in (422, 404, 404, 404, 400, 404)]]
    assert 'tag' not in answer.json['events'][4]
    assert words(cloud, homeless) == {} and words(cloud, good) == {'port': 'completed'}


def test_nothing_good_among_them_is_no_error(cloud: Cloud) -> None:
    answer = tell(cloud, {'name': 'network-changed', 'server_uuid': uuids.generate()})
    assert (answer.status_code, answer.json['events'][0]['code']) == (207, 404)


def test_a_cell_that_is_away_refuses_its_own_only(cloud: Cloud) -> None:
    one, other = cloud.server(host='host1'), cloud.server(cell=2, host='host2')
    cloud.break_cell(2)
    answer = tell(cloud, plugged(one), plugged(other))
    assert [each['code'] for each in answer.json['events']] == [200, 422]
    assert answer.status_code == 207 and words(cloud, one) == {'port': 'completed'}


@pytest.mark.parametrize(('name', 'since'), [
    ('network-changed', '2.1'), ('network-vif-deleted', '2.1'), ('network-vif-unplugged', '2.1'),
    ('volume-extended', '2.51'), ('power-update', '2.76'), ('accelerator-request-bound', '2.82'),
    ('volume-reimaged', '2.93')])
def test_names_come_with_versions(cloud: Cloud, name: str, since: str) -> None:
    made = cloud.server(host='host1')
    said = {'name': name, 'server_uuid': made.uuid, 'tag': 'x'}
    assert tell(cloud, said, version=since).status_code == 200
    if since != '2.1':
        assert tell(cloud, said, version=f'2.{int(since[2:]) - 1}').status_code == 400


@pytest.mark.parametrize('wrong', [
    [], [{'name': 'network-changed'}], [{'server_uuid': uuids.generate()}],
    [{'name': 'network-changed', 'server_uuid': 'one'}],
    [{'name': 'network-moved', 'server_uuid': uuids.generate()}],
    [{'name': 'network-changed', 'server_uuid': uuids.generate(), 'status': 'done'}],
    [{'name': 'network-changed', 'server_uuid': uuids.generate(), 'tag': 'x' * 256}],
    [{'name': 'network-changed', 'server_uuid': uuids.generate(), 'more': 1}]])
def test_what_is_no_event_is_a_400(cloud: Cloud, wrong: Any) -> None:
    assert tell(cloud, *wrong).status_code == 400


def test_only_services_and_administrators_may(cloud: Cloud) -> None:
    made = cloud.server(host='host1')
    assert tell(cloud, plugged(made), headers=MEMBER).status_code == 403
    assert words(cloud, made) == {}


def test_a_changed_network_is_looked_at_once_a_request(cloud: Cloud) -> None:
    """The look is a task, so it is not forgotten; it is none of the actions that users see."""
    made = cloud.server(host='host1', task_state='pausing')
    told = {'name': 'network-changed', 'server_uuid': made.uuid}
    assert tell(cloud, told, {**told, 'tag': 'x'}, {**told, 'name': 'network-vif-deleted'}).status_code == 200
    with cloud.db(1).read() as conn:
        task, = rows.of_instance(conn, made.uuid)
    assert (task.flow, task.exclusive, cloud.woken) == ('refresh_network', None, [('cell1', task.uuid)])
    shown = cloud.call('GET', f'/servers/{made.uuid}/os-instance-actions').json
    assert shown == {'instanceActions': []}


def test_a_storm_of_events_is_one_task(cloud: Cloud) -> None:
    """What is told while a look has not begun needs none of its own; what is told later does."""
    made, other = cloud.server(host='host1'), cloud.server(host='host1')
    for _ in range(20):
        assert tell(cloud, {'name': 'network-changed', 'server_uuid': made.uuid}).status_code == 200
    with cloud.db(1).read() as conn:
        task, = rows.of_instance(conn, made.uuid)
    assert cloud.woken == [('cell1', task.uuid)]
    both = [{'name': 'network-changed', 'server_uuid': one.uuid} for one in (made, other)]
    assert tell(cloud, *both).status_code == 200
    cloud.db(1).write(lambda conn: conn.execute(
        rows.tables.tasks.update().where(rows.tables.tasks.c.uuid == task.uuid).values(status=rows.RUNNING)))
    assert tell(cloud, {'name': 'network-changed', 'server_uuid': made.uuid}).status_code == 200
    with cloud.db(1).read() as conn:
        assert [len(rows.of_instance(conn, one.uuid)) for one in (made, other)] == [2, 1]


def test_a_volume_that_has_grown(cloud: Cloud) -> None:
    """Only who has it is told, in an action that users see."""
    made, other = cloud.server(host='host1'), cloud.server(host='host1')
    volume = uuids.generate()
    cloud.db(1).write(lambda conn: objects.BlockDeviceMapping(
        uuid=uuids.generate(), instance_uuid=made.uuid, source_type='volume', destination_type='volume',
        device_name='/dev/vdb', volume_id=volume).create(conn))
    assert tell(cloud, *[{'name': 'volume-extended', 'server_uuid': one.uuid, 'tag': tag}
                         for one in (made, other) for tag in (volume, volume, 'nonsense')],
                version='2.51').status_code == 200
    with cloud.db(1).read() as conn:
        task, = rows.of_instance(conn, made.uuid)
        assert rows.of_instance(conn, other.uuid) == []
    assert (task.flow, task.exclusive, cloud.woken) == ('extend_volume', None, [('cell1', task.uuid)])
    shown = cloud.call('GET', f'/servers/{made.uuid}/os-instance-actions').json['instanceActions']
    assert [one['action'] for one in shown] == ['extend_volume']
