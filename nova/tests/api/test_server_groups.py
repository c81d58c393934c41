"""Server groups: versions, policies and their rules, quota, whose they are."""

from typing import Any

import pytest

from nova.tests.api.cloud import MEMBER, PROJECT, READER, STRANGER, Cloud


def made(cloud: Cloud, name: str = 'one', policy: str = 'anti-affinity', status: int = 200,
         headers: Any = MEMBER, version: str = '2.64', **more: Any) -> Any:
    answer = cloud.call('POST', '/os-server-groups', version, headers=headers,
                        json={'server_group': {'name': name, 'policy': policy, **more}})
    assert answer.status_code == status, answer.text
    return answer.json.get('server_group')


def test_a_group_at_each_turn(cloud: Cloud) -> None:
    group = made(cloud, rules={'max_server_per_host': '3'})
    assert group == {'id': group['id'], 'name': 'one', 'policy': 'anti-affinity', 'members': [],
                     'rules': {'max_server_per_host': 3}, 'project_id': PROJECT, 'user_id': group['user_id']}
    path = f'/os-server-groups/{group["id"]}'
    old = cloud.call('GET', path, '2.13').json['server_group']
    assert (old['policies'], old['metadata'], old['project_id']) == (['anti-affinity'], {}, PROJECT)
    assert 'policy' not in old and 'rules' not in old
    assert 'project_id' not in cloud.call('GET', path).json['server_group']
    answer = cloud.call('POST', '/os-server-groups', headers=MEMBER,
                        json={'server_group': {'name': 'two', 'policies': ['affinity']}})
    assert answer.json['server_group']['policies'] == ['affinity']


@pytest.mark.parametrize(('version', 'body'), [
    ('2.14', {'policies': ['soft-affinity']}), ('2.14', {'policies': []}), ('2.14', {'policy': 'affinity'}),
    ('2.15', {'policies': ['affinity', 'anti-affinity']}), ('2.64', {'policies': ['affinity']}),
    ('2.64', {'policy': 'together'}), ('2.64', {'policy': 'affinity', 'rules': {'max_server_per_host': 1}}),
    ('2.64', {'policy': 'anti-affinity', 'rules': {'max_server_per_host': 0}}),
    ('2.64', {'policy': 'anti-affinity', 'rules': {'most': 1}}), ('2.64', {'policy': 'affinity', 'name': ' '})])
def test_what_is_refused(cloud: Cloud, version: str, body: dict[str, Any]) -> None:
    answer = cloud.call('POST', '/os-server-groups', version, headers=MEMBER,
                        json={'server_group': {'name': 'one', **body}})
    assert answer.status_code == 400, answer.text


def test_pages_and_projects(cloud: Cloud) -> None:
    names = [made(cloud, f'g{number}')['name'] for number in range(5)]
    made(cloud, 'theirs', headers=STRANGER)

    def listed(query: str = '', headers: Any = MEMBER) -> list[str]:
        answer = cloud.call('GET', f'/os-server-groups{query}', '2.64', headers=headers)
        assert answer.status_code == 200, answer.text
        return [group['name'] for group in answer.json['server_groups']]
    assert listed() == names and listed('?all_projects=1') == names
    assert listed('?limit=2&offset=3') == names[3:] and listed('?limit=0') == []
    assert listed('?all_projects=1', None) == [*names, 'theirs']
    assert cloud.call('GET', '/os-server-groups?color=red', '2.75', headers=MEMBER).status_code == 400


def test_another_projects_group_is_none(cloud: Cloud) -> None:
    path = f'/os-server-groups/{made(cloud)["id"]}'
    assert cloud.call('GET', path, headers=STRANGER).status_code == 404
    assert cloud.call('DELETE', path, headers=STRANGER).status_code == 404
    assert cloud.call('GET', path, headers=READER).status_code == 200
    assert cloud.call('DELETE', path, headers=MEMBER).status_code == 204
    assert cloud.call('DELETE', path, headers=MEMBER).status_code == 404
    assert cloud.call('GET', path).status_code == 404


def test_a_quota_that_is_full(cloud: Cloud) -> None:
    cloud.call('PUT', f'/os-quota-sets/{PROJECT}', json={'quota_set': {'server_groups': 1}})
    made(cloud)
    made(cloud, 'two', status=403)
