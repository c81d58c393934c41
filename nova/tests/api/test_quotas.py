"""Limits and quota sets by version, and what may be set."""

from typing import Any

from nova.tests.api.cloud import MEMBER, OTHER, PROJECT, READER, Cloud

SETS = f'/os-quota-sets/{PROJECT}'


def put(cloud: Cloud, path: str = SETS, **values: Any) -> Any:
    return cloud.call('PUT', path, '2.60', json={'quota_set': values})


def test_limits_count_what_is_used(cloud: Cloud) -> None:
    cloud.server()
    absolute = cloud.call('GET', '/limits', '2.60', headers=MEMBER).json['limits']['absolute']
    assert (absolute['totalInstancesUsed'], absolute['totalCoresUsed'], absolute['totalRAMUsed']) == (1, 1, 512)
    assert absolute['maxTotalInstances'] == 10 and absolute['maxServerMeta'] == 128
    assert 'maxPersonality' in cloud.call('GET', '/limits', '2.56').json['limits']['absolute']
    assert 'maxSecurityGroups' not in cloud.call('GET', '/limits', '2.36').json['limits']['absolute']
    assert cloud.call('GET', '/limits').json['limits']['rate'] == []
    assert cloud.call('GET', f'/limits?tenant_id={OTHER}', headers=MEMBER).status_code == 403
    other = cloud.call('GET', f'/limits?tenant_id={OTHER}').json['limits']['absolute']
    assert other['totalInstancesUsed'] == 0


def test_servers_of_a_cell_that_is_down_count(cloud: Cloud) -> None:
    """QTA-S3, LST-F3: what counts is in the API database, so that nobody is refused for want of the cell."""
    cloud.server(1)
    cloud.server(2)
    cloud.break_cell(2)
    absolute = cloud.call('GET', '/limits', '2.60', headers=MEMBER).json['limits']['absolute']
    used = [absolute[f'total{what}Used'] for what in ('Instances', 'Cores', 'RAM')]
    assert used == [2, 2, 1024]


def test_quota_sets(cloud: Cloud) -> None:
    cloud.server()
    first = cloud.call('GET', SETS, '2.60', headers=READER).json['quota_set']
    assert first == {'id': PROJECT, 'instances': 10, 'cores': 20, 'ram': 51200, 'metadata_items': 128,
                     'key_pairs': 100, 'server_groups': 10, 'server_group_members': 10}
    assert 'fixed_ips' in cloud.call('GET', SETS, '2.35').json['quota_set']
    changed = put(cloud, cores='5', ram=-1)
    assert changed.status_code == 200 and 'id' not in changed.json['quota_set']
    assert (changed.json['quota_set']['cores'], changed.json['quota_set']['ram']) == (5, -1)
    assert put(cloud, instances=0).status_code == 400
    assert put(cloud, instances=0, force=True).status_code == 200
    assert put(cloud, nonsense=1).status_code == put(cloud, cores=-2).status_code == 400
    detail = cloud.call('GET', f'{SETS}/detail', '2.60').json['quota_set']
    assert detail['instances'] == {'limit': 0, 'in_use': 1, 'reserved': 0}
    assert cloud.call('DELETE', SETS).status_code == 202
    assert cloud.call('GET', SETS).json['quota_set']['instances'] == 10
    assert cloud.call('GET', f'/os-quota-sets/{OTHER}', headers=MEMBER).status_code == 403
    assert cloud.call('PUT', SETS, headers=MEMBER, json={'quota_set': {}}).status_code == 403


def test_limits_of_a_user(cloud: Cloud) -> None:
    path = f'{SETS}?user_id=alice'
    assert put(cloud, path, cores=21).status_code == 400
    assert put(cloud, path, cores=3).status_code == 200
    assert cloud.call('GET', path).json['quota_set']['cores'] == 3
    assert cloud.call('GET', SETS).json['quota_set']['cores'] == 20


def test_the_default_class_is_everyones_default(cloud: Cloud) -> None:
    path = '/os-quota-class-sets/default'
    assert 'server_groups' not in cloud.call('GET', path, '2.49').json['quota_class_set']
    changed = cloud.call('PUT', path, '2.50', json={'quota_class_set': {'cores': 7, 'server_groups': 2}})
    assert changed.json['quota_class_set']['cores'] == 7
    assert cloud.call('GET', f'{SETS}/defaults', '2.50', headers=MEMBER).json['quota_set']['cores'] == 7
    assert cloud.call('GET', SETS, '2.50').json['quota_set']['server_groups'] == 2
    assert cloud.call('GET', path, headers=MEMBER).status_code == 403


def test_limits_on_networks_are_shown_as_they_were_set(cloud: Cloud) -> None:
    path = '/os-quota-class-sets/default'
    assert cloud.call('GET', path).json['quota_class_set']['fixed_ips'] == -1
    changed = cloud.call('PUT', path, json={'quota_class_set': {'fixed_ips': 99, 'security_groups': 7}})
    assert changed.json['quota_class_set'].items() >= {'fixed_ips': 99, 'security_groups': 7,
                                                       'floating_ips': -1}.items()
    assert cloud.call('GET', SETS).json['quota_set']['fixed_ips'] == 99
    changed = cloud.call('PUT', SETS, json={'quota_set': {'fixed_ips': 5}})
    assert changed.json['quota_set']['fixed_ips'] == 5
    detail = cloud.call('GET', f'{SETS}/detail').json['quota_set']
    assert detail['fixed_ips'] == {'limit': 5, 'in_use': 0, 'reserved': 0}
    assert cloud.call('PUT', f'{SETS}?user_id=alice', json={'quota_set': {'fixed_ips': 6}}).status_code == 400


def test_projects_that_do_not_exist_have_no_quota_and_no_access(cloud: Cloud) -> None:
    """16.12: Keystone is asked."""
    cloud.clients.identity.unknown.add('nobody')
    answer = cloud.call('PUT', '/os-quota-sets/nobody', json={'quota_set': {'cores': 1}})
    assert (answer.status_code, 'nobody' in answer.text) == (400, True)
    made = cloud.flavor(is_public=False)
    path = f'/flavors/{made.flavorid}/action'
    assert cloud.call('POST', path, json={'addTenantAccess': {'tenant': 'nobody'}}).status_code == 400
    assert cloud.call('POST', path, json={'addTenantAccess': {'tenant': 'somebody'}}).status_code == 200
