"""What the API begins while services of the release before are left: what these know, and nothing else."""

import pytest

from nova import objects, release
from nova.clients.fake import network as fake_network
from nova.objects import task as rows
from nova.tests.api import cloud as clouds

OLD, NEW = release.PREVIOUS.service, release.CURRENT.service


def beat(cloud, cell, binary, service, host='c'):
    """A service of a cell, or of cell0, lives."""
    cloud.db(cell).write(lambda conn: objects.Service.beat(conn, host, binary, service))


def act(cloud, server, body):
    return cloud.call('POST', f'/servers/{server.uuid}/action', '2.90', clouds.MEMBER, json=body)


def begun(cloud, server):
    with cloud.db(1).read() as conn:
        return [(task.flow, task.flow_version) for task in rows.of_instance(conn, server.uuid)]


def delete(cloud, server):
    assert cloud.call('DELETE', f'/servers/{server.uuid}', '2.90', clouds.MEMBER).status_code == 204
    return begun(cloud, server)


def test_a_conductor_of_the_release_before_is_given_what_it_knows(cloud):
    beat(cloud, 1, 'nova-conductor', OLD)
    beat(cloud, 1, 'nova-conductor', NEW, 'd')
    one, other = (cloud.server(host='h', image_ref=cloud.image_id) for _ in range(2))
    assert delete(cloud, one) == [('delete', '1.0')]
    answer = act(cloud, other, {'rescue': None})
    assert answer.status_code == 409 and 'before every conductor' in answer.text
    assert begun(cloud, other) == [] and cloud.instance(other.uuid).task_state is None
    assert act(cloud, other, {'pause': None}).status_code == 202


@pytest.mark.parametrize(('service', 'version'), [(OLD, '1.0'), (NEW, '1.2')])
def test_a_server_is_deleted_as_its_host_knows_it(cloud, service, version):
    """Other hosts of its cell do not matter."""
    beat(cloud, 1, 'nova-conductor', NEW)
    beat(cloud, 1, 'nova-compute', service, 'h')
    beat(cloud, 1, 'nova-compute', OLD, 'i')
    assert delete(cloud, cloud.server(host='h')) == [('delete', version)]


def test_super_conductors_are_given_the_steps_that_they_know(cloud):
    """A deletion has a step of theirs; a rescue has none."""
    beat(cloud, 0, 'nova-conductor', OLD)
    beat(cloud, 1, 'nova-conductor', NEW)
    one, other = (cloud.server(host='h', image_ref=cloud.image_id) for _ in range(2))
    assert delete(cloud, one) == [('delete', '1.0')]
    assert act(cloud, other, {'rescue': None}).status_code == 200, 'what is the cell\'s alone may begin'


@pytest.mark.parametrize(('service', 'version'), [(OLD, '1.0'), (NEW, '1.1')])
def test_super_conductors_are_given_the_requests_that_they_know(cloud, create, service, version):
    beat(cloud, 0, 'nova-conductor', service)
    create()
    with cloud.dbs.api.read() as conn:
        task, = [rows.from_row(row) for row in conn.execute(rows.tables.tasks.select())]
    assert (task.flow, task.flow_version) == ('schedule', version)


@pytest.mark.parametrize(('vnic_type', 'service', 'status'), [
    ('direct', OLD, 409), ('direct', NEW, 202), ('normal', OLD, 202)])
def test_a_port_that_is_a_device_waits_for_super_conductors(cloud, create, vnic_type, service, status):
    """Those of the release before would take it for any other port, and the server would end in an error."""
    beat(cloud, 0, 'nova-conductor', service)
    api = cloud.clients.network.api
    api.all_networks[cloud.network_id]['provider:physical_network'] = 'physnet1'
    port = api.create_port({
        'network_id': cloud.network_id, 'project_id': clouds.PROJECT, 'binding:vnic_type': vnic_type})
    answer = create(networks=[{'port': port['id']}])
    assert answer.status_code == status, answer.text
    with cloud.dbs.api.read() as conn:
        assert len(objects.BuildRequest.all(conn)) == (status == 202)


@pytest.mark.parametrize(('packets', 'service', 'status'), [(5, OLD, 409), (5, NEW, 202), (0, OLD, 202)])
def test_a_port_that_asks_for_resources_waits_for_super_conductors(cloud, create, packets, service, status):
    """Those of the release before would bind it without a word of who serves it."""
    beat(cloud, 0, 'nova-conductor', service)
    api = cloud.clients.network.api
    port = api.add_port(cloud.network_id, clouds.PROJECT, qos_policy_id=fake_network.add_policy(api, packets))
    answer = create(networks=[{'port': port}])
    assert answer.status_code == status, answer.text
    with cloud.dbs.api.read() as conn:
        assert len(objects.BuildRequest.all(conn)) == (status == 202)
