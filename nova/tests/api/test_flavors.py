"""Flavors, their access and extra specs, at the microversions where they change."""

from typing import Any

import pytest

from nova.tests.api.cloud import MEMBER, OTHER, STRANGER, Cloud

BODY = {'name': 'm1.tiny', 'ram': '512', 'vcpus': 1, 'disk': 0}


def create(cloud: Cloud, version: str = '2.1', **values: Any) -> Any:
    return cloud.call('POST', '/flavors', version, json={'flavor': {**BODY, **values}})


def test_created_as_asked(cloud: Cloud) -> None:
    made = create(cloud, id='1', swap=10, **{'OS-FLV-EXT-DATA:ephemeral': 3, 'rxtx_factor': 2.0})
    assert made.status_code == 200
    flavor = made.json['flavor']
    links = flavor.pop('links')
    assert [link['rel'] for link in links] == ['self', 'bookmark']
    assert links[0]['href'].endswith('/v2.1/flavors/1') and links[1]['href'].endswith('.org/flavors/1')
    assert flavor == {
        'id': '1', 'name': 'm1.tiny', 'ram': 512, 'disk': 0, 'vcpus': 1, 'OS-FLV-EXT-DATA:ephemeral': 3,
        'swap': 10, 'rxtx_factor': 2.0, 'OS-FLV-DISABLED:disabled': False, 'os-flavor-access:is_public': True}


def test_id_is_made_where_none_is_given(cloud: Cloud) -> None:
    assert len(create(cloud).json['flavor']['id']) == 36
    assert len(create(cloud, name='other', id='auto').json['flavor']['id']) == 36


def test_name_and_id_are_unique(cloud: Cloud) -> None:
    create(cloud, id='1')
    taken = create(cloud, id='2').json['conflictingRequest']['message']
    assert taken == 'Flavor with name m1.tiny already exists.'
    assert 'ID 1' in create(cloud, id='1', name='b').json['conflictingRequest']['message']


@pytest.mark.parametrize('values', [
    {'ram': 0}, {'vcpus': 'x'}, {'disk': -1}, {'name': ''}, {'name': ' a'}, {'id': '#'}, {'rxtx_factor': 0},
    {'description': 'early'}, {'nonsense': 1}, {'ram': 2147483648}, {'os-flavor-access:is_public': 'maybe'}])
def test_wrong_values_are_refused(cloud: Cloud, values: dict[str, Any]) -> None:
    answer = create(cloud, **values)
    assert answer.status_code == 400 and 'badRequest' in answer.json


def test_swap_of_none_was_empty_text(cloud: Cloud) -> None:
    create(cloud, id='1')
    assert cloud.call('GET', '/flavors/1', '2.74').json['flavor']['swap'] == ''
    assert cloud.call('GET', '/flavors/1', '2.75').json['flavor']['swap'] == 0
    assert cloud.call('GET', '/flavors/detail', '2.101').json['flavors'][0]['swap'] == ''
    assert cloud.call('GET', '/flavors/detail', '2.102').json['flavors'][0]['swap'] == 0


def test_fields_by_version(cloud: Cloud) -> None:
    create(cloud, '2.55', id='1', description='small')
    assert 'description' not in cloud.call('GET', '/flavors', '2.54').json['flavors'][0]
    assert cloud.call('GET', '/flavors', '2.55').json['flavors'][0]['description'] == 'small'
    assert 'extra_specs' not in cloud.call('GET', '/flavors/1', '2.60').json['flavor']
    assert cloud.call('GET', '/flavors/1', '2.61').json['flavor']['extra_specs'] == {}
    newest = cloud.call('GET', '/flavors/1', '2.102').json['flavor']
    assert 'rxtx_factor' not in newest and 'OS-FLV-DISABLED:disabled' not in newest
    changed = cloud.call('PUT', '/flavors/1', '2.55', json={'flavor': {'description': None}})
    assert changed.status_code == 200 and changed.json['flavor']['description'] is None


def test_list_is_paged_sorted_and_filtered(cloud: Cloud) -> None:
    for number in range(5):
        create(cloud, id=str(number), name=f'f{number}', ram=100 * (5 - number), disk=number)
    def ids(query: str) -> list[str]:
        return [flavor['id'] for flavor in cloud.call('GET', f'/flavors?{query}', '2.1').json['flavors']]
    assert ids('') == list('01234')
    assert ids('minRam=300') == list('012') and ids('minDisk=3') == list('34')
    assert ids('sort_key=memory_mb') == list('43210')
    assert ids('sort_key=memory_mb&sort_dir=desc&marker=1') == list('234')
    assert cloud.call('GET', '/flavors?minRam=x').status_code == 400
    assert cloud.call('GET', '/flavors?marker=x').status_code == 400
    assert cloud.call('GET', '/flavors?sort_key=secret').status_code == 400
    first = cloud.call('GET', '/flavors/detail?limit=2&minRam=0').json
    assert [flavor['id'] for flavor in first['flavors']] == ['0', '1']
    link = first['flavors_links'][0]
    assert link['rel'] == 'next' and '/v2.1/flavors/detail?' in link['href']
    assert 'marker=1' in link['href'] and 'limit=2' in link['href'] and 'minRam=0' in link['href']
    named = cloud.call('GET', '/flavors?name=f3', '2.102').json['flavors']
    assert [flavor['id'] for flavor in named] == ['3']


def test_private_flavors_are_seen_by_those_who_have_access(cloud: Cloud) -> None:
    create(cloud, id='1', **{'os-flavor-access:is_public': False})
    assert cloud.call('GET', '/flavors/1', headers=STRANGER).status_code == 404
    assert cloud.call('GET', '/flavors', headers=STRANGER).json['flavors'] == []
    access = cloud.call('GET', '/flavors/1/os-flavor-access').json['flavor_access']
    assert access == [], 'its creator gets no access by creating it'
    body = {'addTenantAccess': {'tenant': OTHER}}
    added = cloud.call('POST', '/flavors/1/action', json=body)
    assert added.status_code == 200 and added.json['flavor_access'] == [{'flavor_id': '1', 'tenant_id': OTHER}]
    assert cloud.call('POST', '/flavors/1/action', json=body).status_code == 409
    assert cloud.call('GET', '/flavors/1', headers=STRANGER).status_code == 200
    removed = cloud.call('POST', '/flavors/1/action', json={'removeTenantAccess': {'tenant': OTHER}})
    assert removed.json['flavor_access'] == []
    again = cloud.call('POST', '/flavors/1/action', json={'removeTenantAccess': {'tenant': OTHER}})
    assert again.status_code == 404
    assert cloud.call('GET', '/flavors?is_public=None').json['flavors'][0]['id'] == '1'
    assert cloud.call('GET', '/flavors?is_public=false').json['flavors'][0]['id'] == '1'
    assert cloud.call('GET', '/flavors?is_public=perhaps').status_code == 400


def test_access_to_public_flavors(cloud: Cloud) -> None:
    create(cloud, id='1')
    body = {'addTenantAccess': {'tenant': OTHER}}
    assert cloud.call('GET', '/flavors/1/os-flavor-access').status_code == 404
    assert cloud.call('POST', '/flavors/1/action', '2.6', json=body).status_code == 200
    assert cloud.call('POST', '/flavors/1/action', '2.7', json=body).status_code == 409


def test_extra_specs(cloud: Cloud) -> None:
    create(cloud, id='1')
    path = '/flavors/1/os-extra_specs'
    made = cloud.call('POST', path, json={'extra_specs': {'hw:numa_nodes': '1', 'quota:x': 2}})
    assert made.status_code == 200 and made.json == {'extra_specs': {'hw:numa_nodes': '1', 'quota:x': 2}}
    assert cloud.call('GET', path, headers=MEMBER).json == {
        'extra_specs': {'hw:numa_nodes': '1', 'quota:x': '2'}}
    assert cloud.call('GET', f'{path}/quota:x').json == {'quota:x': '2'}
    assert cloud.call('PUT', f'{path}/quota:x', json={'quota:x': '3'}).json == {'quota:x': '3'}
    assert cloud.call('PUT', f'{path}/quota:x', json={'other': '3'}).status_code == 400
    assert cloud.call('PUT', f'{path}/quota:x', json={'quota:x': '3', 'b': '4'}).status_code == 400
    assert cloud.call('POST', path, json={'extra_specs': {'a/b': '1'}}).status_code == 400
    assert cloud.call('DELETE', f'{path}/quota:x').status_code == 200
    assert cloud.call('DELETE', f'{path}/quota:x').status_code == 404
    assert cloud.call('GET', f'{path}/quota:x').status_code == 404
    assert cloud.call('POST', path, headers=MEMBER, json={'extra_specs': {'a': '1'}}).status_code == 403


def test_known_extra_specs_are_checked(cloud: Cloud) -> None:
    create(cloud, id='1')
    body = {'extra_specs': {'hw:cpu_policy': 'sometimes'}}
    assert cloud.call('POST', '/flavors/1/os-extra_specs', '2.85', json=body).status_code == 200
    assert cloud.call('POST', '/flavors/1/os-extra_specs', '2.86', json=body).status_code == 400


def test_deleted(cloud: Cloud) -> None:
    create(cloud, id='1')
    assert cloud.call('DELETE', '/flavors/1').status_code == 202
    assert cloud.call('DELETE', '/flavors/1').status_code == 404
