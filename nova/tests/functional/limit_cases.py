"""Unified limits over the whole cloud, whoever keeps them: the sandbox (`test_unified_limits`) or Keystone
(nova/tests/realcloud).

With the fixture ``limited`` the cloud's API runs with ``[quota] driver = nova.quota.UnifiedLimitsDriver``; with
``silent`` the identity service tells no limits. Each test has the limits that it sets, and no other.
"""

import concurrent.futures

import openstack
import pytest

from nova.tests.fixtures.waiting import until

PLENTY = {'servers': 50, 'class:VCPU': 100, 'class:MEMORY_MB': 100000, 'class:DISK_GB': 1000,
          'server_metadata_items': 128, 'server_injected_files': 5, 'server_injected_file_content_bytes': 10240,
          'server_injected_file_path_bytes': 255, 'server_key_pairs': 100, 'server_groups': 10,
          'server_group_members': 10}


class Limits:
    """Those of the Compute service and of demo's project."""

    def __init__(self, cloud):
        deployment = cloud.deployment
        self.identity = openstack.connect(
            auth_url=deployment.url('identity') + '/v3', username='admin', project_name='admin',
            password=deployment.passwords['admin'], user_domain_id='default', project_domain_id='default',
            region_name='RegionOne', load_yaml_config=False, load_envvars=False).identity
        self.service = next(self.identity.services(type='compute')).id
        self.project = self.identity.find_project('demo').id

    def set(self, **registered):
        """These for every project; of what is not named, there is plenty."""
        self.clear()
        for name, limit in (PLENTY | registered).items():
            if limit is not None:
                self.identity.create_registered_limit(
                    service_id=self.service, region_id='RegionOne', resource_name=name, default_limit=limit)

    def own(self, **limits):
        """These for demo's project."""
        for name, limit in limits.items():
            self.identity.create_limit(service_id=self.service, region_id='RegionOne', resource_name=name,
                                       resource_limit=limit, project_id=self.project)

    def clear(self):
        for one in self.identity.limits(service_id=self.service):
            self.identity.delete_limit(one)
        for one in self.identity.registered_limits(service_id=self.service):
            self.identity.delete_registered_limit(one)


@pytest.fixture
def limits(cloud, demo, limited):
    found = Limits(cloud)
    found.set()
    yield found
    for server in demo.get('/servers')['servers']:
        demo.delete(server['id'], 60)
    found.clear()


def refused(answer, *words):
    assert answer.status_code == 403, answer.text
    for word in words:
        assert word in answer.json()['forbidden']['message'], answer.text


def test_what_a_project_may_use(demo, admin, limits):
    """Limits and usage by the old names; those of users and of classes are the project's and everybody's."""
    limits.set(servers=8, server_groups=3, **{'class:VCPU': 6})
    limits.own(servers=4, **{'class:MEMORY_MB': 2048})
    demo.booted('used')
    shown = demo.get('/limits')['limits']['absolute']
    assert [shown[f'maxTotal{name}'] for name in ('Instances', 'Cores', 'RAMSize')] == [4, 6, 2048]
    assert [shown[f'total{name}Used'] for name in ('Instances', 'Cores')] == [1, 1]
    assert shown['maxServerGroups'] == 3 and shown['maxTotalKeypairs'] == 100
    path = f'/os-quota-sets/{limits.project}'
    detail = demo.get(f'{path}/detail')['quota_set']
    assert detail['instances'] == {'limit': 4, 'in_use': 1, 'reserved': 0}
    assert admin.get(f'{path}?user_id=somebody')['quota_set'] == demo.get(path)['quota_set']
    assert admin.get(f'{path}/defaults')['quota_set']['instances'] == 8
    assert admin.get('/os-quota-class-sets/default')['quota_class_set']['instances'] == 8


def test_limits_are_not_set_through_the_compute_api(admin, limits):
    """Who asks for it gets what holds, and nothing changes; what makes no sense is still refused."""
    limits.own(servers=4)
    path = f'/os-quota-sets/{limits.project}'
    for asked in (path, f'{path}?user_id=somebody'):
        answer = admin.call('PUT', asked, {'quota_set': {'instances': 1}})
        assert answer.status_code == 200 and answer.json()['quota_set']['instances'] == 4, answer.text
    answer = admin.call('PUT', '/os-quota-class-sets/default', {'quota_class_set': {'instances': 1}})
    assert answer.json()['quota_class_set']['instances'] == 50
    assert admin.call('PUT', path, {'quota_set': {'instances': -2}}).status_code == 400
    assert admin.call('DELETE', path).status_code == 202
    assert admin.get(path)['quota_set']['instances'] == 4


@pytest.mark.parametrize(('name', 'limit'), [('servers', 1), ('class:VCPU', 1), ('class:DISK_GB', 1)])
def test_no_more_than_the_limit(demo, limits, name, limit):
    limits.own(**{name: limit})
    demo.booted('first')
    refused(demo.boot('second'), f'Resource {name} is over limit of {limit} due to current usage 1 and delta 1')
    assert [server['name'] for server in demo.get('/servers')['servers']] == ['first']


def test_of_several_as_many_as_there_is_room_for(demo, limits):
    limits.own(servers=2)
    assert demo.boot('many', min_count=1, max_count=5).status_code == 202
    assert len(demo.get('/servers')['servers']) == 2


def test_of_racing_requests_exactly_those_that_fit_win(demo, limits):
    """QTA-S2, with limits of the identity service."""
    limits.own(servers=3)
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda number: demo.boot(f'racing-{number}').status_code, range(12)))
    assert sorted(answers) == [202] * 3 + [403] * 9
    for server in demo.get('/servers')['servers']:
        demo.wait(server['id'], 'ACTIVE', 60)


def test_room_is_there_again_once_a_server_is_gone(demo, limits):
    limits.own(servers=1)
    demo.delete(demo.booted('first')['id'], 60)
    demo.booted('second')


def test_resize_needs_room(demo, limits):
    """The larger of both flavors counts until the resize is over."""
    limits.own(**{'class:MEMORY_MB': 2048})
    uuid = demo.booted('grows')['id']
    refused(demo.call('POST', f'/servers/{uuid}/action', {'resize': {'flavorRef': '3'}}), 'class:MEMORY_MB')
    assert demo.show(uuid)['status'] == 'ACTIVE'


def test_what_is_not_registered(demo, limits):
    """By default servers have to be registered, and whatever else has no limit then is not limited."""
    limits.set(**{'class:VCPU': None, 'server_groups': None})
    demo.booted('unlimited')
    assert demo.get('/limits')['limits']['absolute']['maxTotalCores'] == -1
    limits.set(servers=None)
    refused(demo.boot('none'), 'servers')
    assert demo.get('/limits')['limits']['absolute']['maxTotalInstances'] == 0


def test_what_is_limited_for_all_projects_alike(demo, limits):
    limits.set(server_metadata_items=1, server_groups=1, server_key_pairs=0, server_group_members=1,
               server_injected_files=0)
    refused(demo.boot('tagged', metadata={'a': '1', 'b': '2'}), 'metadata')
    file = [{'path': '/a', 'contents': 'YQ=='}]
    refused(demo.boot('filed', version='2.50', personality=file), 'files')
    refused(demo.call('POST', '/os-keypairs', {'keypair': {'name': 'k', 'type': 'ssh', 'public_key': KEY}}),
            'key pairs')
    group = {'server_group': {'name': 'g', 'policy': 'anti-affinity'}}
    made = demo.call('POST', '/os-server-groups', group).json()['server_group']['id']
    refused(demo.call('POST', '/os-server-groups', group), 'server groups')
    assert demo.boot('member', hints={'group': made}).status_code == 202
    refused(demo.boot('another', hints={'group': made}), 'group members')
    until(lambda: demo.call('DELETE', f'/os-server-groups/{made}').status_code == 204, 60)


def test_nobody_tells_the_limits(demo, limits, request):
    """What needs them says so, and nothing is made; the rest goes on."""
    uuid = demo.booted('there')['id']
    request.getfixturevalue('silent')
    for answer in (demo.boot('none'), demo.call('GET', '/limits')):
        assert answer.status_code == 503, answer.text
        assert 'limits of the project cannot be read' in answer.json()['serviceUnavailable']['message']
    assert [server['id'] for server in demo.get('/servers')['servers']] == [uuid]


KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f user@host'
