"""What old clients ask Compute about networks and volumes, in the user's name, against services that are real
HTTP."""

import pytest

from nova.tests.fixtures.waiting import until

OLD = '2.1'


def ask(user, method, path, body=None, status=200, version=OLD):
    answer = user.call(method, path, body, version=version)
    assert answer.status_code == status, (method, path, answer.status_code, answer.text)
    return answer.json() if answer.content else None


@pytest.fixture(scope='module')
def server(demo):
    found = demo.booted('reached')
    yield found['id']
    demo.delete(found['id'])


def floating_of(demo, server):
    """What a server shows of them: the network service says so when they change."""
    return [one['addr'] for found in demo.show(server)['addresses'].values() for one in found
            if one['OS-EXT-IPS:type'] == 'floating']


def test_a_floating_address_comes_and_goes(demo, admin, server):
    pools = [pool['name'] for pool in ask(demo, 'GET', '/os-floating-ip-pools')['floating_ip_pools']]
    made = ask(demo, 'POST', '/os-floating-ips', {'pool': pools[0]})['floating_ip']
    assert made['pool'] == pools[0] and made['instance_id'] is made['fixed_ip'] is None
    path = f'/os-floating-ips/{made["id"]}'
    action = f'/servers/{server}/action'
    ask(demo, 'POST', action, {'addFloatingIp': {'address': made['ip']}}, 202)
    shown = ask(demo, 'GET', path)['floating_ip']
    assert shown['instance_id'] == server and shown['fixed_ip']
    assert shown in ask(demo, 'GET', '/os-floating-ips')['floating_ips']
    until(lambda: floating_of(demo, server) == [made['ip']], told=lambda: demo.show(server)['addresses'])
    ask(demo, 'POST', action, {'removeFloatingIp': {'address': made['ip']}}, 202)
    until(lambda: floating_of(demo, server) == [], told=lambda: demo.show(server)['addresses'])
    ask(demo, 'POST', action, {'removeFloatingIp': {'address': made['ip']}}, 409)
    assert ask(demo, 'GET', path)['floating_ip']['instance_id'] is None
    ask(admin, 'DELETE', f'/os-floating-ips/{"0" * 8}-0000-4000-8000-{"0" * 12}', status=404)
    ask(demo, 'DELETE', path, status=202)
    ask(demo, 'GET', path, status=404)


def test_odd_floating_addresses(demo, server):
    ask(demo, 'GET', '/os-floating-ips/nonsense', status=400)
    ask(demo, 'POST', '/os-floating-ips', {'pool': 'nowhere'}, 404)
    action = f'/servers/{server}/action'
    ask(demo, 'POST', action, {'addFloatingIp': {'address': '203.0.113.250'}}, 404)
    ask(demo, 'POST', action, {'addFloatingIp': {'address': 'x'}}, 400)
    ask(demo, 'POST', action, {'addFloatingIp': {'address': '203.0.113.250', 'fixed_address': '198.51.100.1'}},
        400)
    ask(demo, 'POST', action, {'addFloatingIp': {'address': '203.0.113.250'}}, 404, version='2.44')


def test_a_security_group_and_its_rules(demo):
    made = ask(demo, 'POST', '/os-security-groups', {'security_group': {'name': ' web ', 'description': 'd'}}
               )['security_group']
    assert (made['name'], made['description'], made['rules']) == (' web ', 'd', [])
    path = f'/os-security-groups/{made["id"]}'
    rule = {'parent_group_id': made['id'], 'ip_protocol': 'TCP', 'from_port': '80', 'to_port': 80,
            'cidr': '10.0.0.1/8'}
    said = ask(demo, 'POST', '/os-security-group-rules', {'security_group_rule': rule})['security_group_rule']
    assert (said['ip_protocol'], said['from_port'], said['to_port']) == ('tcp', 80, 80)
    assert said['ip_range'] == {'cidr': '10.0.0.1/8'} and said['group'] == {}
    ask(demo, 'POST', '/os-security-group-rules', {'security_group_rule': rule}, 400)
    among = {'parent_group_id': made['id'], 'group_id': made['id']}
    assert ask(demo, 'POST', '/os-security-group-rules', {'security_group_rule': among}
               )['security_group_rule']['group']['name'] == ' web '
    assert len(ask(demo, 'GET', path)['security_group']['rules']) == 2
    ask(demo, 'DELETE', f'/os-security-group-rules/{said["id"]}', status=202)
    ask(demo, 'PUT', path, {'security_group': {'name': 'www', 'description': ''}})
    assert 'www' in [one['name'] for one in ask(demo, 'GET', '/os-security-groups')['security_groups']]
    assert len(ask(demo, 'GET', '/os-security-groups?limit=1&offset=1')['security_groups']) == 1
    ask(demo, 'DELETE', path, status=202)
    ask(demo, 'GET', path, status=404)
    ask(demo, 'DELETE', f'/os-security-groups/{_default(demo)}', status=400)


def _default(demo):
    """The id of the group that cannot be deleted."""
    found = ask(demo, 'GET', '/os-security-groups')['security_groups']
    return next(one['id'] for one in found if one['name'] == 'default')


@pytest.mark.parametrize('wrong', [
    {'ip_protocol': None}, {'cidr': 'nowhere'}, {'from_port': 'http'}, {'from_port': 70000}, {'to_port': None},
    {'from_port': 90, 'to_port': 80}, {'parent_group_id': 'x'}, {'port': 1}])
def test_odd_rules(demo, wrong):
    group = ask(demo, 'GET', '/os-security-groups')['security_groups'][0]['id']
    rule = {'parent_group_id': group, 'ip_protocol': 'tcp', 'from_port': 80, 'to_port': 80,
            'cidr': '10.0.0.0/8', **wrong}
    ask(demo, 'POST', '/os-security-group-rules', {'security_group_rule': rule}, 400)


def test_networks(demo):
    found = {one['label']: one for one in ask(demo, 'GET', '/os-networks')['networks']}
    assert found['private']['cidr'] is None
    assert ask(demo, 'GET', f'/os-networks/{found["private"]["id"]}')['network']['label'] == 'private'
    theirs = {one['label']: one for one in ask(demo, 'GET', '/os-tenant-networks')['networks']}
    assert theirs['private']['cidr'] == 'None'
    ask(demo, 'GET', '/os-networks/nowhere', status=404)
    ask(demo, 'GET', '/os-networks', status=404, version='2.36')


def test_volumes_and_snapshots(demo):
    made = ask(demo, 'POST', '/os-volumes',
               {'volume': {'size': '1', 'display_name': 'data', 'metadata': {'a': 'b'}}}
               )['volume']
    assert (made['displayName'], made['size'], made['metadata']) == ('data', 1, {'a': 'b'})
    path = f'/os-volumes/{made["id"]}'
    assert ask(demo, 'GET', path)['volume']['attachments'] == []
    snapshot = ask(demo, 'POST', '/os-snapshots', {'snapshot': {
        'volume_id': made['id'], 'force': 'true', 'display_name': 'then'}})['snapshot']
    assert (snapshot['volumeId'], snapshot['displayName']) == (made['id'], 'then')
    assert snapshot['id'] in [one['id'] for one in ask(demo, 'GET', '/os-snapshots/detail')['snapshots']]
    assert ask(demo, 'GET', '/os-volumes?limit=0')['volumes'] == []
    ask(demo, 'DELETE', path, status=400)  # it has a snapshot
    ask(demo, 'DELETE', f'/os-snapshots/{snapshot["id"]}', status=202)
    ask(demo, 'DELETE', path, status=202)
    ask(demo, 'GET', f'/os-volumes/{made["id"]}0', status=404)
    ask(demo, 'POST', '/os-volumes', {'volume': {'size': 0}}, 400)
    ask(demo, 'POST', '/os-snapshots', {'snapshot': {'volume_id': ''}}, 400)


def test_another_address_of_servers(demo, server):
    assert ask(demo, 'GET', f'/os-volumes_boot/{server}', version='2.102')['server']['id'] == server
    assert server in [one['id'] for one in ask(demo, 'GET', '/os-volumes_boot')['servers']]
    ask(demo, 'GET', f'/os-volumes_boot/{server}', status=404, version='2.103')
    ask(demo, 'POST', f'/os-volumes_boot/{server}/action', {'reboot': {'type': 'HARD'}}, 202)
    demo.wait(server, 'ACTIVE')


def test_no_bare_metal(admin, demo):
    ask(admin, 'GET', '/os-baremetal-nodes', status=501)
    ask(demo, 'GET', '/os-baremetal-nodes', status=403)
    ask(admin, 'POST', '/os-baremetal-nodes', {'node': {}}, 400)
