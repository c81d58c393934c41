"""os-interface, security groups and fixed addresses of servers from outside."""

import pytest

from nova import errors
from nova.common import uuids
from nova.objects import task as rows
from nova.tests.api import cloud as clouds


@pytest.fixture
def server(cloud):
    """A server with one port."""
    cloud.host('host1')
    made = cloud.server(host='host1', compute_id=uuids.generate())
    cloud.port = cloud.clients.network.api.add_port(
        cloud.network_id, clouds.PROJECT, device_id=made.uuid, **{'binding:host_id': 'host1'})
    info = cloud.clients.network.info(made)

    def write(conn):
        fresh = cloud.instance(made.uuid)
        fresh.network_info = info
        fresh.save(conn)
    cloud.db(1).write(write)
    return made


def attach(cloud, server, version='2.90', headers=clouds.MEMBER, **wanted):
    return cloud.call('POST', f'/servers/{server.uuid}/os-interface', version, headers,
                      json={'interfaceAttachment': wanted})


def act(cloud, server, key, body, version='2.43', headers=clouds.MEMBER):
    return cloud.call('POST', f'/servers/{server.uuid}/action', version, headers, json={key: body})


def flows(cloud, server):
    with cloud.db(1).read() as conn:
        return [task.flow for task in rows.of_instance(conn, server.uuid)]


# os-interface ------------------------------------------------------------------------------------

def test_interfaces_are_shown(cloud, server):
    path = f'/servers/{server.uuid}/os-interface'
    shown, = cloud.call('GET', path, '2.70', clouds.READER).json['interfaceAttachments']
    assert (shown['port_id'], shown['net_id'], shown['tag']) == (cloud.port, cloud.network_id, None)
    assert set(shown['fixed_ips'][0]) == {'ip_address', 'subnet_id'} and shown['port_state'] == 'ACTIVE'
    assert 'tag' not in cloud.call('GET', path, '2.69').json['interfaceAttachments'][0]
    assert cloud.call('GET', f'{path}/{cloud.port}', '2.70').json['interfaceAttachment'] == shown
    assert cloud.call('GET', f'{path}/{uuids.generate()}').status_code == 404


def test_a_port_is_made_in_the_users_name_before_the_answer(cloud, server):
    answer = attach(cloud, server, net_id=cloud.network_id, fixed_ips=[{'ip_address': '10.0.0.77'}])
    assert answer.status_code == 200, answer.text
    shown = answer.json['interfaceAttachment']
    assert shown['fixed_ips'][0]['ip_address'] == '10.0.0.77' and shown['port_id'] != cloud.port
    assert cloud.clients.network.api.all_ports[shown['port_id']]['device_id'] == server.uuid
    assert flows(cloud, server) == ['attach_interface'] and len(cloud.woken) == 1


def test_what_was_just_attached_may_be_detached(cloud, server):
    """Its port is told in the answer, before the server's record has it; the detaching waits for its turn."""
    port = attach(cloud, server, net_id=cloud.network_id).json['interfaceAttachment']['port_id']
    path = f'/servers/{server.uuid}/os-interface/{port}'
    assert cloud.call('DELETE', path, headers=clouds.MEMBER).status_code == 202


def test_several_may_be_asked_for_at_once(cloud, server):
    """Queued: parallel requests are legal, and an exclusive operation is refused meanwhile."""
    first = attach(cloud, server, net_id=cloud.network_id).json['interfaceAttachment']['port_id']
    second = attach(cloud, server).json['interfaceAttachment']['port_id']
    assert first != second and flows(cloud, server) == ['attach_interface'] * 2
    assert act(cloud, server, 'pause', None).status_code == 409


def test_a_port_of_the_users(cloud, server):
    port = cloud.clients.network.api.add_port(cloud.network_id, clouds.PROJECT)
    assert attach(cloud, server, port_id=port).json['interfaceAttachment']['port_id'] == port
    assert attach(cloud, server, port_id=port).status_code == 409
    assert attach(cloud, server, port_id=uuids.generate()).status_code == 404
    foreign = cloud.clients.network.api.add_port(cloud.network_id, clouds.OTHER)
    assert attach(cloud, server, port_id=foreign).status_code in (400, 404)


def test_what_makes_no_sense(cloud, server):
    net = cloud.network_id
    for wanted in ({'net_id': net, 'port_id': cloud.port}, {'fixed_ips': [{'ip_address': '10.0.0.9'}]},
                   {'net_id': 'x'}, {'port_id': None}, {'net_id': net, 'fixed_ips': []}, {'more': 1},
                   {'net_id': net, 'fixed_ips': [{'ip_address': 'x'}]}, {'net_id': net, 'tag': 'a,b'}):
        assert attach(cloud, server, **wanted).status_code == 400, wanted
    assert attach(cloud, server, version='2.48', net_id=net, tag='a').status_code == 400
    assert attach(cloud, server, version='2.49', net_id=net, tag='a').status_code == 400
    cloud.clients.network.api.add_network(clouds.PROJECT)
    assert attach(cloud, server).status_code == 400
    assert attach(cloud, server, net_id=uuids.generate()).status_code == 404
    assert flows(cloud, server) == []


def test_tags_need_a_host_that_can(cloud, server):
    cloud.clients.placement.capable.add('COMPUTE_NET_ATTACH_INTERFACE_WITH_TAG')
    answer = attach(cloud, server, version='2.70', net_id=cloud.network_id, tag='public')
    assert answer.json['interfaceAttachment']['tag'] == 'public'


def test_what_the_network_service_refuses_leaves_nothing(cloud, server):
    cloud.clients.network.api.room = 0
    assert attach(cloud, server, net_id=cloud.network_id).status_code == 403
    cloud.clients.network.api.room = None
    cloud.clients.network.fail('create_port', errors.Forbidden('no'))
    assert attach(cloud, server, net_id=cloud.network_id).status_code == 403
    assert flows(cloud, server) == [] and act(cloud, server, 'pause', None).status_code == 202


def test_detaching(cloud, server):
    path = f'/servers/{server.uuid}/os-interface'
    assert cloud.call('DELETE', f'{path}/{uuids.generate()}', headers=clouds.MEMBER).status_code == 404
    assert cloud.call('DELETE', f'{path}/{cloud.port}', headers=clouds.READER).status_code == 403
    assert cloud.call('DELETE', f'{path}/{cloud.port}', headers=clouds.MEMBER).status_code == 202
    assert flows(cloud, server) == ['detach_interface']


@pytest.mark.parametrize('vm_state', ['suspended', 'shelved_offloaded', 'error'])
def test_states(cloud, vm_state):
    assert attach(cloud, cloud.server(host='host1', vm_state=vm_state)).status_code == 409


# Security groups ---------------------------------------------------------------------------------

def test_security_groups(cloud, server):
    api = cloud.clients.network.api
    group = api.add_group('web', clouds.PROJECT)
    assert act(cloud, server, 'addSecurityGroup', {'name': 'web'}, '2.96').status_code == 202
    assert act(cloud, server, 'addSecurityGroup', {'name': group}, '2.96').status_code == 202
    assert api.all_ports[cloud.port]['security_groups'] == [group]
    assert act(cloud, server, 'removeSecurityGroup', {'name': 'web'}, '2.96').status_code == 202
    assert api.all_ports[cloud.port]['security_groups'] == []
    assert act(cloud, server, 'removeSecurityGroup', {'name': 'web'}, '2.96').status_code == 404


def test_security_groups_that_are_none(cloud, server):
    for name, code in (('none such', 404), ('', 400), (' ', 400), (7, 400)):
        assert act(cloud, server, 'addSecurityGroup', {'name': name}).status_code == code
    for _ in range(2):
        cloud.clients.network.api.add_group('twice', clouds.PROJECT)
    assert act(cloud, server, 'addSecurityGroup', {'name': 'twice'}).status_code == 409
    cloud.clients.network.api.add_group('web', clouds.PROJECT)
    cloud.clients.network.api.all_ports[cloud.port]['port_security_enabled'] = False
    assert act(cloud, server, 'addSecurityGroup', {'name': 'web'}).status_code == 400


# Fixed addresses ---------------------------------------------------------------------------------

def test_fixed_addresses_until_2_43(cloud, server):
    mine = cloud.clients.network.api.all_ports[cloud.port]['fixed_ips'][0]['ip_address']
    assert act(cloud, server, 'addFixedIp', {'networkId': cloud.network_id}).status_code == 202
    assert act(cloud, server, 'removeFixedIp', {'address': mine}).status_code == 202
    assert flows(cloud, server) == ['change_addresses'] * 2
    assert act(cloud, server, 'addFixedIp', {'networkId': 'x'}).status_code == 400
    assert act(cloud, server, 'removeFixedIp', {'address': '192.0.2.1'}).status_code == 400
    assert act(cloud, server, 'removeFixedIp', {'address': 'x'}).status_code == 400
    assert act(cloud, server, 'addFixedIp', {'networkId': cloud.network_id}, '2.44').status_code == 404


def test_network_information_is_for_administrators(cloud, server):
    assert act(cloud, server, 'injectNetworkInfo', None).status_code == 403
    assert act(cloud, server, 'injectNetworkInfo', None, headers=clouds.ADMIN).status_code == 202
