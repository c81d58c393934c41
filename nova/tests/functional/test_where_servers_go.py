"""Where servers go that move: groups and hosts that are named count as when they were made.

Where none will do, the task says why.
"""

import pytest

from nova.tests.functional.moving import host_of, migration_of

pytestmark = [pytest.mark.parametrize('cloud', ['sqlite'], indirect=True),
              pytest.mark.usefixtures('nothing_leaks')]


@pytest.fixture
def beside(cloud):
    """``beside(host)``: the other host of its cell."""
    def other(host):
        number = int(host.removeprefix('compute'))
        return f'compute{(number + 1) % 4 + 1}'
    return other


def grouped(demo, policy, count=2):
    """The group, and so many servers of it."""
    group = demo.call('POST', '/os-server-groups', {'server_group': {
        'name': 'where', 'policy': policy}}).json()['server_group']['id']
    return group, [demo.booted(f'where{number}', hints={'group': group})['id'] for number in range(count)]


def stays(demo, admin, uuid, name):
    """The move has failed, the server is as before, and its task tells what no host meets."""
    demo.wait(uuid, 'ACTIVE')
    assert migration_of(admin, uuid)['status'] == 'error'
    newest = demo.get(f'/servers/{uuid}/tasks')['tasks'][0]
    told = demo.get(f'/servers/{uuid}/tasks/{newest["id"]}')['task']['error']['message']
    assert told.endswith(f'No host meets: {name}.'), told


@pytest.mark.parametrize(('action', 'body'), [
    ('migrate', None), ('os-migrateLive', {'host': None, 'block_migration': 'auto'})])
def test_servers_that_belong_together_stay_together(demo, admin, action, body):
    group, (uuid, other) = grouped(demo, 'affinity')
    assert host_of(admin, uuid) == host_of(admin, other)
    assert admin.call('POST', f'/servers/{uuid}/action', {action: body}).status_code == 202
    stays(demo, admin, uuid, 'ServerGroupAffinityFilter')
    demo.call('DELETE', f'/os-server-groups/{group}')


@pytest.mark.parametrize('policy', ['soft-affinity', 'soft-anti-affinity'])
def test_what_is_only_preferred_keeps_nobody(demo, admin, beside, policy):
    group, (uuid, _) = grouped(demo, policy)
    source = host_of(admin, uuid)
    admin.act(uuid, 'migrate', None)
    demo.wait(uuid, 'VERIFY_RESIZE')
    assert host_of(admin, uuid) == beside(source)
    demo.act(uuid, 'confirmResize', None, 'ACTIVE')
    demo.call('DELETE', f'/os-server-groups/{group}')


def test_a_host_that_is_named_is_checked(demo, admin, beside):
    """It has to be one of the server's cell that will do; the source is none."""
    uuid = demo.booted('named')['id']
    source = host_of(admin, uuid)
    answer = admin.call('POST', f'/servers/{uuid}/action', {'migrate': {'host': source}})
    assert answer.status_code == 400, answer.text
    admin.act(uuid, 'migrate', {'host': beside(source)})
    demo.wait(uuid, 'VERIFY_RESIZE')
    assert host_of(admin, uuid) == beside(source)
    demo.act(uuid, 'confirmResize', None, 'ACTIVE')


def test_a_host_that_is_disabled_gets_no_servers(demo, admin, beside):
    uuid = demo.booted('disabled')['id']
    other = beside(host_of(admin, uuid))
    service, = admin.get(f'/os-services?host={other}&binary=nova-compute')['services']

    def say(status):
        assert admin.call('PUT', f'/os-services/{service["id"]}', {'status': status}).status_code == 200
    say('disabled')
    try:
        admin.act(uuid, 'migrate', None)
        stays(demo, admin, uuid, 'ignored hosts')
    finally:
        say('enabled')
