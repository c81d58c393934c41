"""Interfaces, groups and addresses of a server that runs, over the whole cloud."""

import pytest

from nova.tests.fixtures.waiting import until
from nova.tests.functional import leaks

pytestmark = pytest.mark.parametrize('cloud', ['sqlite'], indirect=True)


@pytest.fixture
def uuid(cloud, admin, demo):
    uuid = demo.booted('plugged')['id']
    yield uuid
    demo.delete(uuid)
    leaks.check(cloud, admin)


def ports(demo, uuid):
    return {one['port_id']: one for one in demo.get(f'/servers/{uuid}/os-interface')['interfaceAttachments']}


def addresses(demo, uuid):
    return {one['addr'] for one in demo.show(uuid)['addresses'].get('private', ())}


def test_interfaces_come_and_go(demo, uuid):
    first, = ports(demo, uuid)
    wanted = {'net_id': demo.network, 'tag': 'second'}
    made = [demo.call('POST', f'/servers/{uuid}/os-interface', {'interfaceAttachment': one}).json()
            ['interfaceAttachment'] for one in (wanted, {'net_id': demo.network})]
    until(lambda: len(addresses(demo, uuid)) == 3, told=lambda: demo.show(uuid))
    assert ports(demo, uuid)[made[0]['port_id']]['tag'] == 'second'
    assert demo.get('/v2.0/ports/' + made[0]['port_id'], service='network')['port']['status'] == 'ACTIVE'
    done = demo.get(f'/servers/{uuid}/os-instance-actions')['instanceActions']
    assert [(each['action'], each['message']) for each in done[:2]] == [('attach_interface', None)] * 2
    for port in (first, made[0]['port_id']):
        assert demo.call('DELETE', f'/servers/{uuid}/os-interface/{port}').status_code == 202
    until(lambda: set(ports(demo, uuid)) == {made[1]['port_id']} and len(addresses(demo, uuid)) == 1)


def test_a_port_of_the_users_stays(demo, uuid):
    port = demo.call('POST', '/v2.0/ports', {'port': {'network_id': demo.network}}, service='network'
                     ).json()['port']['id']
    wanted = {'interfaceAttachment': {'port_id': port}}
    assert demo.call('POST', f'/servers/{uuid}/os-interface', wanted).status_code == 200
    until(lambda: len(addresses(demo, uuid)) == 2)
    demo.call('DELETE', f'/servers/{uuid}/os-interface/{port}')
    until(lambda: port not in ports(demo, uuid))
    assert demo.get(f'/v2.0/ports/{port}', service='network')['port']['device_id'] == ''
    demo.call('DELETE', f'/v2.0/ports/{port}', service='network')


def test_groups_and_addresses(demo, uuid):
    demo.call('POST', '/v2.0/security-groups', {'security_group': {'name': 'web'}}, service='network')
    demo.act(uuid, 'addSecurityGroup', {'name': 'web'})
    assert {'name': 'web'} in demo.show(uuid)['security_groups']
    demo.act(uuid, 'removeSecurityGroup', {'name': 'web'})
    assert {'name': 'web'} not in demo.show(uuid)['security_groups']
    demo.act(uuid, 'removeSecurityGroup', {'name': 'default'})
    assert 'security_groups' not in demo.show(uuid)
    demo.act(uuid, 'addSecurityGroup', {'name': 'default'})

    def act(action, body):
        assert demo.call('POST', f'/servers/{uuid}/action', {action: body}, version='2.43').status_code == 202
    before = addresses(demo, uuid)
    act('addFixedIp', {'networkId': demo.network})
    until(lambda: len(addresses(demo, uuid)) == 2, told=lambda: demo.show(uuid))
    more, = addresses(demo, uuid) - before
    act('removeFixedIp', {'address': more})
    until(lambda: addresses(demo, uuid) == before)


@pytest.fixture
def greedy(admin, demo):
    """A network of the user's with a QoS policy of a minimum packet rate; the policy."""
    policy = admin.call('POST', '/v2.0/qos/policies', {'policy': {'name': 'rate', 'shared': True}},
                        service='network').json()['policy']['id']
    rule = {'minimum_packet_rate_rule': {'min_kpps': 10, 'direction': 'any'}}
    assert admin.call('POST', f'/v2.0/qos/policies/{policy}/minimum_packet_rate_rules', rule, service='network'
                      ).status_code == 201
    network = demo.call('POST', '/v2.0/networks', {'network': {'name': 'greedy', 'qos_policy_id': policy}},
                        service='network').json()['network']['id']
    demo.call('POST', '/v2.0/subnets', {'subnet': {
        'network_id': network, 'cidr': '192.168.9.0/24', 'ip_version': 4}}, service='network')
    yield network, policy
    gone = demo.call('DELETE', f'/v2.0/networks/{network}', service='network')
    assert gone.status_code == 204, f'no port is left: {gone.text}'
    assert admin.call('DELETE', f'/v2.0/qos/policies/{policy}', service='network').status_code == 204


def test_what_ports_of_a_network_ask_for_is_refused(demo, uuid, greedy):
    """Such a port has to be there before its server is asked for, and nothing is left of one that we made."""
    network, _ = greedy
    said = 'asks for resources of its host (resource_request)'
    answer = demo.call('POST', f'/servers/{uuid}/os-interface', {'interfaceAttachment': {'net_id': network}})
    assert answer.status_code == 400 and said in answer.text, answer.text
    failed = demo.ended(demo.boot('greedy', networks=[{'uuid': network}]).json()['server']['id'])
    assert failed['status'] == 'ERROR' and said in failed['fault']['message']
    assert failed['fault']['code'] == 400
    demo.delete(failed['id'])
