"""Wrong input of every sort is refused; it never breaks a stand-in."""

import httpx
import pytest

from nova.tests.fixtures.sandbox import Running

VALUES = (None, True, -1, 1.5, '', 'x' * 300, [1], ['a'], [{}], {'a': 1})

BODIES = {
    ('POST', '/identity/v3/projects'): ('project', {'name': 'n', 'domain_id': 'default', 'tags': []}),
    ('POST', '/identity/v3/users'): ('user', {'name': 'n', 'password': 'p', 'default_project_id': None}),
    ('POST', '/identity/v3/endpoints'): ('endpoint', {'service_id': 's', 'url': 'u', 'interface': 'public'}),
    ('POST', '/identity/v3/users/{nova}/application_credentials'): (
        'application_credential', {'name': 'n', 'roles': [], 'expires_at': None, 'secret': 's'}),
    ('POST', '/network/v2.0/networks'): ('network', {'name': 'n', 'mtu': 1500, 'shared': False}),
    ('POST', '/network/v2.0/subnets'): ('subnet', {
        'network_id': '{private}', 'cidr': '192.0.2.0/24', 'ip_version': 4, 'gateway_ip': None,
        'allocation_pools': [], 'name': 'n'}),
    ('POST', '/network/v2.0/ports'): ('port', {
        'network_id': '{private}', 'fixed_ips': [], 'mac_address': None, 'security_groups': [], 'device_id': '',
        'device_owner': '', 'binding:host_id': '', 'binding:profile': {}, 'binding:vnic_type': 'normal',
        'project_id': None, 'tags': [], 'port_security_enabled': True, 'qos_policy_id': None}),
    ('POST', '/network/v2.0/qos/policies'): ('policy', {'name': 'n', 'shared': False}),
    ('POST', '/network/v2.0/qos/policies/abc/minimum_bandwidth_rules'): (
        'minimum_bandwidth_rule', {'min_kbps': 1, 'direction': 'egress'}),
    ('POST', '/network/v2.0/security-groups'): ('security_group', {'name': 'n', 'description': ''}),
    ('POST', '/network/v2.0/security-group-rules'): ('security_group_rule', {
        'security_group_id': 'x', 'direction': 'ingress', 'protocol': 'tcp', 'port_range_min': 1,
        'port_range_max': 2, 'remote_ip_prefix': None}),
    ('POST', '/network/v2.0/floatingips'): ('floatingip', {
        'floating_network_id': '{public}', 'floating_ip_address': None, 'port_id': None, 'subnet_id': None}),
    ('POST', '/volume/v3/volumes'): ('volume', {
        'size': 1, 'name': 'n', 'imageRef': None, 'snapshot_id': None, 'source_volid': None,
        'volume_type': None, 'metadata': {}, 'availability_zone': None}),
    ('POST', '/volume/v3/attachments'): ('attachment', {
        'volume_uuid': 'x', 'instance_uuid': None, 'connector': None, 'mode': 'rw'}),
    ('POST', '/volume/v3/snapshots'): ('snapshot', {'volume_id': 'x', 'name': 'n', 'force': True}),
    ('POST', '/volume/v3/types'): ('volume_type', {'name': 'n', 'extra_specs': {}}),
    ('PUT', '/network/v2.0/quotas/abc'): ('quota', {'port': 1}),
    ('PUT', '/volume/v3/os-quota-sets/abc'): ('quota_set', {'volumes': 1}),
}


@pytest.fixture(scope='module')
def client(running: Running):
    headers = {'X-Auth-Token': running.session('nova').get_token(), 'OpenStack-API-Version': 'volume 3.71'}
    with httpx.Client(base_url=running.url, headers=headers) as found:
        yield found


@pytest.mark.parametrize(('method', 'path'), BODIES)
def test_bodies(running: Running, client: httpx.Client, method: str, path: str) -> None:
    ids = {'nova': running.made.users['nova'], **running.made.networks}
    key, fields = BODIES[method, path]
    right = {name: value.format(**ids) if isinstance(value, str) else value for name, value in fields.items()}
    bodies = [{key: {**right, name: value}} for name in fields for value in VALUES]
    bodies += [{key: value} for value in VALUES] + list(VALUES)
    for body in bodies:
        answer = client.request(method, path.format(**ids), json=body)
        assert answer.status_code < 500, (body, answer.text)


ACTIONS = {
    'os-reserve': {}, 'os-extend': {'new_size': 2}, 'os-extend_volume_completion': {'error': False},
    'os-reset_status': {'status': 'available', 'attach_status': 'detached'},
    'os-set_bootable': {'bootable': True},
    'os-update_readonly_flag': {'readonly': False}, 'os-set_image_metadata': {'metadata': {}},
    'os-unset_image_metadata': {'key': 'k'}, 'os-show_image_metadata': {}, 'os-retype': {'new_type': 't'},
    'os-reimage': {'image_id': 'x', 'reimage_reserved': False}, 'os-migrate_volume': {'host': 'h'},
    'os-migrate_volume_completion': {'new_volume': 'x', 'error': False}}


def test_actions_on_volumes(client: httpx.Client) -> None:
    made = client.post('/volume/v3/volumes', json={'volume': {'size': 1}})
    path = f'/volume/v3/volumes/{made.json()["volume"]["id"]}/action'
    for name, fields in ACTIONS.items():
        bodies = [{name: value} for value in VALUES]
        bodies += [{name: {**fields, key: value}} for key in fields for value in VALUES]
        for body in bodies:
            answer = client.post(path, json=body)
            assert answer.status_code < 500, (body, answer.text)


@pytest.mark.parametrize('path', [
    '/identity/v3/users', '/identity/v3/role_assignments', '/image/v2/images', '/network/v2.0/ports',
    '/network/v2.0/networks', '/volume/v3/volumes/detail', '/volume/v3/attachments', '/volume/v3/snapshots'])
def test_queries(client: httpx.Client, path: str) -> None:
    for query in ('limit=x', 'limit=-1', 'limit=0', 'marker=x', 'sort_key=fixed_ips', 'sort_key=nothing',
                  'sort=:', 'sort=,', 'sort_dir=up', 'offset=x', 'fields=', 'fixed_ips==', 'tags=,', 'name=%00',
                  'id=', 'size_min=x', 'a=1&a=2', 'visibility=x', 'with_count=1', 'enabled=x'):
        answer = client.get(f'{path}?{query}')
        assert answer.status_code < 500, (query, answer.text)
