"""Listing and showing servers: views by version, filters, order, pages, policy, cells."""

import contextlib
import datetime
import socket
from typing import Any

import pytest

from nova import errors, objects, states
from nova.api import request
from nova.common import clock, uuids
from nova.tests.api.cloud import MEMBER, OTHER, PROJECT, READER, STRANGER, Cloud


def show(cloud: Cloud, uuid: str, version: str = '2.1', **kwargs: Any) -> dict[str, Any]:
    answer = cloud.call('GET', f'/servers/{uuid}', version, **kwargs)
    assert answer.status_code == 200, answer.text
    return answer.json['server']


def names(cloud: Cloud, query: str = '', version: str = '2.1', **kwargs: Any) -> list[str]:
    answer = cloud.call('GET', f'/servers?{query}', version, **kwargs)
    assert answer.status_code == 200, answer.text
    return [server['name'] for server in answer.json['servers']]


def network(address: str = '192.0.2.7') -> Any:
    return objects.NetworkInfo(vifs=[objects.VIF(
        id=uuids.generate(), address='fa:16:3e:00:00:01', security_groups=['default'],
        network=objects.Network(id=uuids.generate(), label='private', subnets=[objects.Subnet(
            ips=[objects.IP(address=address, floating_ips=[objects.IP(
                address='203.0.113.5', type='floating')])])]))])


def test_show_at_the_base_version(cloud: Cloud) -> None:
    cloud.host('host1', zone='zone-1')
    made = cloud.server(host='host1', node='host1', metadata={'a': 'b'}, network_info=network())
    server = show(cloud, made.uuid, headers=MEMBER)
    assert set(server) == {
        'id', 'name', 'status', 'tenant_id', 'user_id', 'metadata', 'created', 'updated', 'links', 'progress',
        'key_name', 'config_drive', 'image', 'flavor', 'OS-DCF:diskConfig', 'addresses', 'accessIPv4',
        'accessIPv6', 'security_groups', 'os-extended-volumes:volumes_attached', 'hostId',
        'OS-EXT-AZ:availability_zone',
        'OS-EXT-STS:task_state', 'OS-EXT-STS:vm_state', 'OS-EXT-STS:power_state', 'OS-SRV-USG:launched_at',
        'OS-SRV-USG:terminated_at'}
    assert server['status'] == 'ACTIVE' and server['progress'] == 0 and server['metadata'] == {'a': 'b'}
    assert server['addresses'] == {'private': [
        {'version': 4, 'addr': '192.0.2.7', 'OS-EXT-IPS:type': 'fixed',
         'OS-EXT-IPS-MAC:mac_addr': 'fa:16:3e:00:00:01'},
        {'version': 4, 'addr': '203.0.113.5', 'OS-EXT-IPS:type': 'floating',
         'OS-EXT-IPS-MAC:mac_addr': 'fa:16:3e:00:00:01'}]}
    assert server['flavor']['id'] == made.flavorid and server['flavor']['links'][0]['rel'] == 'bookmark'
    assert server['OS-EXT-AZ:availability_zone'] == 'zone-1'
    assert server['security_groups'] == [{'name': 'default'}]
    assert len(server['hostId']) == 56 and server['OS-DCF:diskConfig'] == 'AUTO'


def test_administrators_see_more(cloud: Cloud) -> None:
    cloud.host('host1')
    made = cloud.server(host='host1', node='host1')
    assert show(cloud, made.uuid)['OS-EXT-SRV-ATTR:host'] == 'host1'
    newer = show(cloud, made.uuid, '2.3')
    assert newer['OS-EXT-SRV-ATTR:hostname'] == 'one' and newer['OS-EXT-SRV-ATTR:launch_index'] == 0
    assert show(cloud, made.uuid, '2.16')['host_status'] == 'UP'
    member = show(cloud, made.uuid, '2.89', headers=MEMBER)
    assert 'host_status' not in member and 'OS-EXT-SRV-ATTR:hostname' not in member
    assert show(cloud, made.uuid, '2.90', headers=MEMBER)['OS-EXT-SRV-ATTR:hostname'] == 'one'


@pytest.mark.parametrize(('service', 'status'), [
    ({'forced_down': True}, 'DOWN'), ({'disabled': True}, 'MAINTENANCE')])
def test_host_status(cloud: Cloud, service: dict[str, Any], status: str) -> None:
    cloud.host('host1', **service)
    assert show(cloud, cloud.server(host='host1').uuid, '2.16')['host_status'] == status
    assert show(cloud, cloud.server(host='host9').uuid, '2.16')['host_status'] == 'UNKNOWN'
    assert show(cloud, cloud.server().uuid, '2.16')['host_status'] == ''
    listed = cloud.call('GET', '/servers/detail?all_tenants=1', '2.16').json['servers']
    assert sorted(server['host_status'] for server in listed) == ['', status, 'UNKNOWN']


def test_fields_come_with_their_versions(cloud: Cloud) -> None:
    made = cloud.server(tags=['x'], display_description='d', locked_by='owner',
                        system_metadata={'locked_reason': 'why'}, trusted_certs=['cert'])
    first = {'locked': '2.9', 'description': '2.19', 'tags': '2.26', 'trusted_image_certificates': '2.63',
             'server_groups': '2.71', 'locked_reason': '2.73', 'pinned_availability_zone': '2.96',
             'scheduler_hints': '2.100'}
    values = {'locked': True, 'description': 'd', 'tags': ['x'], 'trusted_image_certificates': ['cert'],
              'server_groups': [], 'locked_reason': 'why', 'pinned_availability_zone': 'zone-1',
              'scheduler_hints': {'group': ['g']}}
    for name, version in first.items():
        before = '2.' + str(int(version[2:]) - 1)
        assert name not in show(cloud, made.uuid, before), name
        assert show(cloud, made.uuid, version)[name] == values[name]


def test_flavor_is_embedded(cloud: Cloud) -> None:
    made = cloud.server(flavor=cloud.flavor(name='big', swap=3, extra_specs={'a': 'b'}))
    assert show(cloud, made.uuid, '2.47')['flavor'] == {
        'vcpus': 1, 'ram': 512, 'disk': 1, 'ephemeral': 0, 'swap': 3, 'original_name': 'big',
        'extra_specs': {'a': 'b'}}


def test_image(cloud: Cloud) -> None:
    made = cloud.server()
    assert set(show(cloud, made.uuid, '2.97')['image']) == {'id', 'links'}
    assert show(cloud, made.uuid, '2.98')['image']['properties'] == {'hw_disk_bus': 'virtio', 'owner': 'me'}
    assert show(cloud, cloud.server(image_ref='').uuid, '2.98')['image'] == ''


def test_volumes(cloud: Cloud) -> None:
    volume = uuids.generate()
    device = objects.BlockDeviceMapping(
        source_type='volume', destination_type='volume', volume_id=volume, delete_on_termination=True)
    local = objects.BlockDeviceMapping(source_type='image', destination_type='local', boot_index=0)
    made = cloud.server(block_devices=[device, local])
    key = 'os-extended-volumes:volumes_attached'
    assert show(cloud, made.uuid, '2.2')[key] == [{'id': volume}]
    assert show(cloud, made.uuid, '2.3')[key] == [{'id': volume, 'delete_on_termination': True}]


def test_server_without_a_cell_is_shown_and_listed(cloud: Cloud) -> None:
    """CEL-S1: GET works at every instant."""
    made = cloud.server(None, display_name='new', vm_state='building', task_state='scheduling',
                        launched_at=None)
    server = show(cloud, made.uuid, '2.96')
    assert (server['status'], server['addresses'], server['hostId']) == ('BUILD', {}, '')
    assert names(cloud) == ['new']
    detail = cloud.call('GET', '/servers/detail', '2.96').json['servers']
    assert detail[0]['OS-EXT-STS:task_state'] == 'scheduling'


def test_other_projects_servers_do_not_exist(cloud: Cloud) -> None:
    made = cloud.server()
    assert cloud.call('GET', f'/servers/{made.uuid}', headers=STRANGER).status_code == 404
    assert cloud.call('GET', f'/servers/{uuids.generate()}').status_code == 404
    assert names(cloud, headers=STRANGER) == []
    assert names(cloud, headers=READER) == ['one']


def test_deleted_servers_are_for_administrators(cloud: Cloud) -> None:
    made = cloud.server(display_name='gone')
    cloud.db(1).write(lambda conn: objects.Instance.get(conn, uuid=made.uuid).destroy(conn))
    assert cloud.call('GET', f'/servers/{made.uuid}').status_code == 404
    assert names(cloud) == [] and names(cloud, 'deleted=true') == ['gone']
    assert names(cloud, 'deleted=true', headers=MEMBER) == []
    assert names(cloud, 'status=deleted') == ['gone']
    assert cloud.call('GET', '/servers?status=deleted', headers=MEMBER).status_code == 403
    since = (clock.utcnow() - datetime.timedelta(hours=1)).isoformat() + 'Z'
    assert names(cloud, f'changes-since={since}', headers=MEMBER) == ['gone']


def test_all_tenants(cloud: Cloud) -> None:
    cloud.server(display_name='mine')
    cloud.server(2, display_name='theirs', project_id=OTHER)
    assert names(cloud) == ['mine']
    assert sorted(names(cloud, 'all_tenants=1')) == sorted(names(cloud, 'all_tenants=')) == ['mine', 'theirs']
    assert names(cloud, f'all_tenants=1&tenant_id={OTHER}') == ['theirs']
    assert cloud.call('GET', '/servers?all_tenants=1', headers=MEMBER).status_code == 403
    assert cloud.call('GET', '/servers?all_tenants=perhaps').status_code == 400


def test_filters(cloud: Cloud) -> None:
    cloud.server(display_name='red', tags=['a', 'b'], network_info=network('192.0.2.77'), launch_index=3)
    cloud.server(2, display_name='green', vm_state='stopped', tags=['a'], locked_by='owner', host='host1')
    assert names(cloud, 'name=re') == ['green', 'red'] and names(cloud, 'name=^re') == ['red']
    assert names(cloud, 'status=shutoff') == ['green'] and names(cloud, 'status=ACTIVE&status=SHUTOFF') != []
    assert names(cloud, 'status=NONSENSE', '2.37') == []
    assert cloud.call('GET', '/servers?status=NONSENSE', '2.38').status_code == 400
    assert names(cloud, 'tags=a,b', '2.26') == ['red'] and names(cloud, 'tags-any=b,c', '2.26') == ['red']
    assert names(cloud, 'not-tags=a,b', '2.26') == ['green']
    assert names(cloud, 'not-tags-any=b', '2.26') == ['green']
    assert names(cloud, 'locked=true', '2.73') == ['green'] and names(cloud, 'locked=false', '2.73') == ['red']
    assert names(cloud, 'host=host1') == ['green'] and names(cloud, 'launch_index=3') == ['red']
    assert names(cloud, 'flavor=nope') == []
    assert names(cloud, 'host=host1', headers=MEMBER) == ['green', 'red']
    assert names(cloud, 'vm_state=stopped', '2.82', headers=MEMBER) == ['green', 'red']
    assert names(cloud, 'vm_state=stopped', '2.83', headers=MEMBER) == ['green']


@pytest.mark.parametrize('query', [
    'limit=-1', 'limit=x', 'marker=c0ffee00-0000-4000-8000-000000000000', 'sort_key=secret', 'name=(',
    'changes-since=yesterday', 'launch_index=x', 'metadata=a', 'sort_key=created_at&sort_dir=up'])
def test_wrong_queries_are_refused(cloud: Cloud, query: str) -> None:
    assert cloud.call('GET', f'/servers?{query}', '2.96').status_code == 400


@pytest.mark.parametrize('name', [
    '(?a)a', 'a{0,70000}', '(?i)a', '%5Cb', '(?=a)', '(a)%5C1', '[[:alpha:]]', 'a%2B%2B',
    '(' * 300 + ')' * 300])
def test_expressions_that_not_every_database_takes_are_refused(cloud: Cloud, name: str) -> None:
    answer = cloud.call('GET', f'/servers?name={name}', '2.96')
    assert answer.status_code == 400 and 'regular expression' in answer.json['badRequest']['message']


@pytest.mark.parametrize('cell', [1, None])
def test_expressions_mean_the_same_everywhere(cloud: Cloud, cell: int | None) -> None:
    """In cells and in build requests, on every database."""
    for name in ('Web-1', 'web.2', 'w\u00eb b', '\U0001f600', 'a' * 200):
        cloud.server(cell, display_name=name)
    for expression, found in {
            '%5Cu0057': ['Web-1'], '(?P%3Cx%3Eweb)': ['web.2'], '^w': ['w\u00eb b', 'web.2'],
            '%5C.': ['web.2'], '%5Cd$': ['Web-1', 'web.2'], '%F0%9F%98%80': ['\U0001f600'],
            'w.%20': ['w\u00eb b'], '%5CS%5Cs': ['w\u00eb b'], '(Web|web)[-.]': ['Web-1', 'web.2']}.items():
        assert sorted(names(cloud, f'name={expression}')) == sorted(found), expression
    assert cloud.call('GET', '/servers?name=(a%2B)%2Bb').status_code in (200, 400)


def test_addresses_are_asked_of_the_network_service(cloud: Cloud) -> None:
    """LST-S6."""
    api = cloud.clients.network.api
    v4, v6 = api.add_network(PROJECT, '10.0.0.0/16'), api.add_network(PROJECT, '2001:db8::/64')

    def server(name: str, address: str, owner: str = PROJECT, cell: int = 1) -> str:
        made = cloud.server(cell, display_name=name, project_id=owner)
        api.add_port(v6 if ':' in address else v4, owner, device_id=made.uuid,
                     fixed_ips=[{'ip_address': address}])
        return made.uuid
    server('seven', '10.0.0.7')
    server('seventy', '10.0.0.70', cell=2)
    six = server('six', '2001:db8::a7')
    server('theirs', '10.0.0.71', OTHER)
    cloud.server(display_name='none')
    for query, found in {
            'ip=10.0.0.7': ['seven', 'seventy'], 'ip=^10.0.0.7$': ['seven'], 'ip=10.1': [], 'ip=a7': [],
            'ip=0%5C.70$': ['seventy'], 'ip=.*7': ['seven', 'seventy'], 'ip6=DB8::A7': ['six'], 'ip6=10.0': [],
            f'ip6=a7&uuid={six}': ['six'], f'ip=10&uuid={six}': [], 'ip=10.0&ip6=2001': [],
            'ip=10.0&name=seven$': ['seven']}.items():
        assert sorted(names(cloud, query, '2.5')) == found, query
    assert names(cloud, 'ip=0.71&all_tenants=1') == ['theirs']
    assert names(cloud, 'ip=0.71') == [] == names(cloud, 'ip=0.71', headers=MEMBER)


def test_an_address_is_one_statement_a_cell(cloud: Cloud) -> None:
    """Whether it is found or not, and however many servers there are."""
    api = cloud.clients.network.api
    network = api.add_network(PROJECT)
    for number in range(12):
        made = cloud.server(1 + number % 2)
        api.add_port(network, PROJECT, device_id=made.uuid)
    for query, rows, most in (('ip=10.0.', 5, 2), ('ip=192.', 0, 0)):
        with cloud.db(1).counting() as one, cloud.db(2).counting() as other:
            assert len(names(cloud, f'{query}&limit=5')) == rows
        for statements in (one, other):
            assert sum(text.startswith('SELECT') for text in statements) <= most, statements


def test_too_many_addresses_are_refused(cloud: Cloud) -> None:
    api = cloud.clients.network.api
    with api.lock:
        port = {'device_id': 'x', 'project_id': PROJECT, 'fixed_ips': [{'ip_address': '10.0.0.1'}]}
        api.all_ports.update({str(number): {'id': str(number), **port} for number in range(10001)})
    answer = cloud.call('GET', '/servers?ip=10.')
    assert answer.status_code == 400 and 'longer part' in answer.json['badRequest']['message']


def test_unknown_filters(cloud: Cloud) -> None:
    assert cloud.call('GET', '/servers?nonsense=1', '2.74').status_code == 200
    assert cloud.call('GET', '/servers?nonsense=1', '2.75').status_code == 400
    both = 'changes-since=2026-02-01T00:00:00Z&changes-before=2026-01-01T00:00:00Z'
    assert cloud.call('GET', f'/servers?{both}', '2.66').status_code == 400


def test_pages_over_cells_are_the_whole_list(cloud: Cloud) -> None:
    """LST-S1, LST-S2: concatenated pages equal the list, in one order over all cells."""
    start = clock.utcnow()
    for number in range(9):
        cloud.server((0, 1, 2, None)[number % 4], display_name=str(number),
                     created_at=start - datetime.timedelta(minutes=number))
    whole = names(cloud)
    assert whole == list('012345678')
    seen: list[str] = []
    path = '/servers/detail?limit=2&sort_key=created_at'
    while path:
        page = cloud.call('GET', path).json
        seen += [server['name'] for server in page['servers']]
        links = page.get('servers_links')
        path = links[0]['href'].partition('/v2.1')[2] if links else ''
    assert seen == whole
    assert names(cloud, 'sort_key=display_name&sort_dir=desc') == list('876543210')
    assert cloud.call('GET', '/servers?sort_key=host', headers=MEMBER).status_code == 403


def test_faults_are_shown_in_error(cloud: Cloud) -> None:
    made = cloud.server(vm_state=str(states.VM.ERROR))
    cloud.fail(made, {'code': 500, 'message': 'No valid host', 'details': 'Traceback', 'type': 'x',
                      'created': '2026-01-01T00:00:00'})
    fault = show(cloud, made.uuid, headers=MEMBER)['fault']
    assert fault['message'] == 'No valid host' and 'details' not in fault
    assert show(cloud, made.uuid)['fault']['details'] == 'Traceback'
    assert cloud.call('GET', '/servers/detail').json['servers'][0]['fault']['code'] == 500


def test_tracebacks_are_not_for_users_whosoever_the_fault_is(cloud: Cloud) -> None:
    made = cloud.server(vm_state=str(states.VM.ERROR))
    cloud.fail(made, {'code': 400, 'message': 'Invalid fixed IP', 'details': 'Traceback', 'type': 'x',
                      'created': '2026-01-01T00:00:00'})
    fault = show(cloud, made.uuid, headers=MEMBER)['fault']
    assert (fault['code'], fault['message']) == (400, 'Invalid fixed IP') and 'details' not in fault
    assert show(cloud, made.uuid)['fault']['details'] == 'Traceback'


def test_security_groups(cloud: Cloud) -> None:
    """What comes in, in Compute's words; groups that the user does not see are not shown."""
    made, api = cloud.server(), cloud.clients.network.api
    path = f'/servers/{made.uuid}/os-security-groups'
    assert cloud.call('GET', path, headers=MEMBER).json == {'security_groups': []}
    web, lan, hidden = api.add_group('web', PROJECT), api.add_group('lan', PROJECT), api.add_group('h', 'other')
    rule = {'security_group_id': web, 'direction': 'ingress', 'ethertype': 'IPv4', 'protocol': 'tcp',
            'port_range_min': None, 'port_range_max': None, 'remote_group_id': None, 'remote_ip_prefix': None}
    api.all_groups[web]['security_group_rules'] = [
        {**rule, 'id': 'a'}, {**rule, 'id': 'b', 'direction': 'egress'},
        {**rule, 'id': 'c', 'protocol': 'icmp', 'remote_group_id': lan}]
    api.add_port(api.add_network(PROJECT), PROJECT, device_id=made.uuid, security_groups=[web, hidden])
    shown, = cloud.call('GET', path, headers=MEMBER).json['security_groups']
    assert (shown['id'], shown['name'], shown['tenant_id']) == (web, 'web', PROJECT)
    assert shown['rules'] == [
        {'id': 'a', 'parent_group_id': web, 'ip_protocol': 'tcp', 'from_port': 1, 'to_port': 65535, 'group': {},
         'ip_range': {'cidr': '0.0.0.0/0'}},
        {'id': 'c', 'parent_group_id': web, 'ip_protocol': 'icmp', 'from_port': -1, 'to_port': -1,
         'group': {'name': 'lan', 'tenant_id': PROJECT}, 'ip_range': {}}]
    assert cloud.call('GET', '/servers/none/os-security-groups').status_code == 404


def test_servers_of_a_cell_that_is_down(cloud: Cloud) -> None:
    """LST-F2: stubs from 2.69 on; skipped before, and wherever the list is filtered or paged."""
    up, down = cloud.server(1, display_name='up'), cloud.server(2, display_name='down')
    cloud.break_cell(2)
    assert names(cloud, '', '2.68') == ['up']
    listed = cloud.call('GET', '/servers', '2.69').json['servers']
    assert [server['id'] for server in listed] == [up.uuid, down.uuid]
    assert set(listed[1]) == {'id', 'status', 'links'} and listed[1]['status'] == 'UNKNOWN'
    detailed = cloud.call('GET', '/servers/detail', '2.69').json['servers'][1]
    assert set(detailed) == {'id', 'status', 'links', 'tenant_id', 'created'}
    assert len(cloud.call('GET', '/servers?limit=10', '2.69').json['servers']) == 1
    assert cloud.call('GET', f'/servers/{down.uuid}', '2.68').status_code == 503
    shown = show(cloud, down.uuid, '2.71')
    assert set(shown) == {'id', 'status', 'links', 'tenant_id', 'user_id', 'created', 'flavor', 'image',
                          'OS-EXT-AZ:availability_zone', 'OS-EXT-STS:power_state', 'server_groups'}
    assert shown['image']['id'] == down.image_ref and shown['flavor']['ram'] == 512


def test_addresses(cloud: Cloud) -> None:
    made = cloud.server(network_info=network())
    assert cloud.call('GET', f'/servers/{made.uuid}/ips').json['addresses']['private'][0] == {
        'version': 4, 'addr': '192.0.2.7'}
    assert len(cloud.call('GET', f'/servers/{made.uuid}/ips/private').json['private']) == 2
    assert cloud.call('GET', f'/servers/{made.uuid}/ips/public').status_code == 404


def test_a_change_follows_the_server_into_its_cell(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was found as a build request, and is handed over before it is changed."""
    made = cloud.server(None, vm_state=str(states.VM.BUILDING))
    change = request.Request.change

    def late(req: Any, *args: Any, **kwargs: Any) -> Any:
        cloud.db(1).write(lambda conn: made.copy().create(conn))
        cloud.dbs.api.write(lambda conn: objects.BuildRequest.take(conn, made.uuid))
        cloud.dbs.api.write(lambda conn: objects.InstanceMapping.hand_over(conn, made.uuid, cloud.cells[1].id))
        return change(req, *args, **kwargs)
    monkeypatch.setattr(request.Request, 'change', late)
    answer = cloud.call('PUT', f'/servers/{made.uuid}', json={'server': {'name': 'new'}})
    assert (answer.status_code, answer.json['server']['name']) == (200, 'new')
    assert cloud.instance(made.uuid).display_name == 'new'


def test_of_two_who_change_a_build_request_at_once_neither_overwrites_the_other(cloud: Cloud) -> None:
    made = cloud.server(None)

    def mine(conn: Any) -> None:
        def meanwhile(instance: Any) -> None:
            objects.BuildRequest.alter(conn, made.uuid, lambda other: setattr(other, 'display_name', 'theirs'))
            instance.display_description = 'mine'
        objects.BuildRequest.alter(conn, made.uuid, meanwhile)
    with pytest.raises(errors.server.BuildRequestNotFound):
        cloud.dbs.api.write(mine)


def test_tags(cloud: Cloud) -> None:
    made = cloud.server(tags=['old'])
    path = f'/servers/{made.uuid}/tags'
    assert cloud.call('GET', path, '2.25').status_code == 404
    assert cloud.call('GET', path, '2.26').json == {'tags': ['old']}
    added = cloud.call('PUT', f'{path}/new', '2.26')
    assert added.status_code == 201 and added.headers['location'].endswith('/tags/new')
    assert cloud.call('PUT', f'{path}/new', '2.26').status_code == 204
    assert cloud.call('GET', f'{path}/new', '2.26').status_code == 204
    assert cloud.call('GET', f'{path}/other', '2.26').status_code == 404
    assert cloud.call('PUT', f'{path}/a,b', '2.26').status_code == 400
    assert cloud.call('DELETE', f'{path}/new', '2.26').status_code == 204
    assert cloud.call('DELETE', f'{path}/new', '2.26').status_code == 404
    assert cloud.call('PUT', path, '2.26', json={'tags': ['b', 'a', 'a']}).json == {'tags': ['a', 'b']}
    assert cloud.call('PUT', path, '2.26', json={'tags': [str(n) for n in range(51)]}).status_code == 400
    assert cloud.call('DELETE', path, '2.26').status_code == 204
    assert cloud.instance(made.uuid).tags == []
    rescued = cloud.server(vm_state='rescued')
    assert cloud.call('DELETE', f'/servers/{rescued.uuid}/tags', '2.26').status_code == 409
    assert cloud.call('DELETE', path, '2.26', headers=READER).status_code == 403


def test_metadata(cloud: Cloud) -> None:
    made = cloud.server(metadata={'a': '1'})
    path = f'/servers/{made.uuid}/metadata'
    assert cloud.call('GET', path).json == {'metadata': {'a': '1'}}
    assert cloud.call('POST', path, json={'metadata': {'b': '2'}}).json == {'metadata': {'a': '1', 'b': '2'}}
    assert cloud.call('GET', f'{path}/b').json == {'meta': {'b': '2'}}
    assert cloud.call('PUT', f'{path}/b', json={'meta': {'b': '3'}}).json == {'meta': {'b': '3'}}
    assert cloud.call('PUT', f'{path}/b', json={'meta': {'c': '3'}}).status_code == 400
    assert cloud.call('PUT', f'{path}/b', json={'meta': {'b': 3}}).status_code == 400
    assert cloud.call('DELETE', f'{path}/b').status_code == 204
    assert cloud.call('DELETE', f'{path}/b').status_code == 404
    assert cloud.call('PUT', path, json={'metadata': {'z': '9'}}).json == {'metadata': {'z': '9'}}
    assert cloud.instance(made.uuid).metadata == {'z': '9'}
    many = {str(number): 'x' for number in range(129)}
    assert cloud.call('PUT', path, json={'metadata': many}).status_code == 403
    locked = cloud.server(locked_by='admin')
    refused = cloud.call('DELETE', f'/servers/{locked.uuid}/metadata/a', headers=MEMBER)
    assert refused.status_code == 409 and 'locked' in refused.json['conflictingRequest']['message']


def test_actions_and_events(cloud: Cloud) -> None:
    made = cloud.server()
    cloud.fail(made, {'code': 500, 'message': 'm', 'details': 'd', 'type': 'x',
                      'created': '2026-01-01T00:00:00'})
    path = f'/servers/{made.uuid}/os-instance-actions'
    action = cloud.call('GET', path, headers=MEMBER).json['instanceActions'][0]
    assert set(action) == {'action', 'instance_uuid', 'request_id', 'user_id', 'project_id', 'start_time',
                           'message'}
    assert action['message'] == 'Error'
    request = action['request_id']
    assert 'events' not in cloud.call('GET', f'{path}/{request}', '2.50', headers=MEMBER).json['instanceAction']
    event = cloud.call('GET', f'{path}/{request}', '2.84', headers=MEMBER).json['instanceAction']['events'][0]
    assert set(event) == {'event', 'start_time', 'finish_time', 'result', 'hostId'}
    event = cloud.call('GET', f'{path}/{request}', '2.84').json['instanceAction']['events'][0]
    assert set(event) >= {'traceback', 'host', 'details'}
    assert cloud.call('GET', f'{path}/req-none').status_code == 404
    assert 'updated_at' in cloud.call('GET', path, '2.58').json['instanceActions'][0]
    assert cloud.call('GET', f'{path}?marker=nope', '2.58').status_code == 400
    cloud.db(1).write(lambda conn: objects.Instance.get(conn, uuid=made.uuid).destroy(conn))
    assert cloud.call('GET', path, '2.20').status_code == 404
    assert cloud.call('GET', path, '2.21').status_code == 200




def test_a_server_that_no_cell_takes_shows_why(cloud: Cloud) -> None:
    """16.4: its owner reads the fault and the failed operation, and can delete it."""
    made = cloud.server(None, vm_state='error', launched_at=None)
    cloud.fail(made, {'code': 500, 'message': 'No valid host was found.', 'type': 'no_valid_host',
                      'details': None, 'created': '2026-01-31T12:00:00Z'}, None)
    shown = cloud.call('GET', f'/servers/{made.uuid}').json['server']
    assert (shown['status'], shown['fault']['message']) == ('ERROR', 'No valid host was found.')
    actions = cloud.call('GET', f'/servers/{made.uuid}/os-instance-actions').json['instanceActions']
    assert [one['message'] for one in actions] == ['Error']
    assert cloud.call('DELETE', f'/servers/{made.uuid}').status_code == 204
    assert cloud.call('GET', f'/servers/{made.uuid}').status_code == 404
    with cloud.dbs.api.read() as conn:
        assert objects.InstanceMapping.find(conn, instance_uuid=made.uuid) is None


def test_a_cell_that_takes_connections_and_never_answers(cloud: Cloud) -> None:
    """7.13: GET of a server in it ends in time, with 503; the next one is answered at once."""
    made = cloud.server(1)
    with contextlib.closing(socket.create_server(('127.0.0.1', 0))) as silent:
        broken = cloud.cells[1].copy()
        broken.database_connection = f'mysql+pymysql://u:p@127.0.0.1:{silent.getsockname()[1]}/nova'
        cloud.dbs.api.write(lambda conn: broken.save(conn))
        began = clock.monotonic()
        assert cloud.call('GET', f'/servers/{made.uuid}').status_code == 503
        assert clock.monotonic() - began < cloud.conf.api.cell_timeout + 5
        stub = cloud.call('GET', f'/servers/{made.uuid}', '2.69').json['server']
        assert (stub['id'], stub['status']) == (made.uuid, 'UNKNOWN')


@pytest.mark.parametrize(('path', 'status', 'answer'), [
    ('/migrations', 200, {'migrations': []}), ('/migrations/1', 404, None)])
def test_a_server_that_no_cell_has_yet_does_not_move(
        cloud: Cloud, path: str, status: int, answer: Any) -> None:
    made = cloud.server(None)
    answered = cloud.call('GET', f'/servers/{made.uuid}{path}', '2.59')
    assert answered.status_code == status and answer in (None, answered.json)
