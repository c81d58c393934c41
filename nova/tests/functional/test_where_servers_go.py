"""Where servers go that move: groups and hosts that are named count as when they were made.

Where none will do, the task says why.
"""

import pytest

from nova.tests.fixtures.waiting import until
from nova.tests.functional.moving import host_of, migration_of
from nova.tests.functional.test_evacuate import dead, evacuate

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


# Zones -------------------------------------------------------------------------------------------

APART = 'compute1'
"""The only host of the zone."""


@pytest.fixture
def zone(admin):
    """A zone with one host, whose cell has another one."""
    made = admin.call('POST', '/os-aggregates', {'aggregate': {'name': 'apart', 'availability_zone': 'apart'}})
    path = f'/os-aggregates/{made.json()["aggregate"]["id"]}'

    def change(what):
        answer = admin.call('POST', f'{path}/action', {what: {'host': APART}})
        return answer.status_code == 200
    assert change('add_host')
    yield 'apart'
    # A host with servers stays where it is: they are gone soon.
    for server in admin.get(f'/servers?all_tenants=1&host={APART}')['servers']:
        admin.delete(server['id'])
    until(lambda: change('remove_host'))
    assert admin.call('DELETE', path).status_code == 200


@pytest.fixture
def large(admin):
    flavor = admin.call('POST', '/flavors', {'flavor': {'name': 'where', 'ram': 1024, 'vcpus': 2, 'disk': 2}})
    ident = flavor.json()['flavor']['id']
    yield ident
    admin.call('DELETE', f'/flavors/{ident}')


def untied(admin, uuid):
    answer = admin.call('PUT', f'/servers/{uuid}', {'server': {'pinned_availability_zone': None}},
                        version='2.104')
    assert answer.status_code == 200, answer.text
    assert answer.json()['server']['pinned_availability_zone'] is None


MOVES = {'migrate': (None, 'VERIFY_RESIZE'), 'resize': ({}, 'VERIFY_RESIZE'),
         'os-migrateLive': ({'host': None, 'block_migration': 'auto'}, 'ACTIVE')}
"""Body, and the status of a server that has moved."""


@pytest.mark.parametrize('action', MOVES)
def test_a_server_that_is_tied_to_a_zone_does_not_leave_it(demo, admin, zone, large, action):
    """2.96 shows that it is tied, 2.104 unties it."""
    body, status = MOVES[action]
    body = {'flavorRef': large} if action == 'resize' else body
    uuid = demo.booted('tied', availability_zone=zone)['id']
    assert (host_of(admin, uuid), admin.show(uuid)['pinned_availability_zone']) == (APART, zone)
    admin.act(uuid, action, body)
    until(lambda: migration_of(admin, uuid)['status'] == 'error', told=lambda: migration_of(admin, uuid))
    demo.wait(uuid, 'ACTIVE')
    untied(admin, uuid)
    admin.act(uuid, action, body)
    until(lambda: host_of(admin, uuid) != APART)
    demo.wait(uuid, status)
    assert admin.show(uuid)['pinned_availability_zone'] is None


def test_nor_when_its_host_is_dead(demo, admin, zone):
    uuid = demo.booted('tied', availability_zone=zone)['id']
    with dead(admin, APART):
        assert evacuate(admin, uuid).status_code == 200
        until(lambda: migration_of(admin, uuid)['status'] == 'error')
        demo.wait(uuid, 'ACTIVE')
        untied(admin, uuid)
        assert evacuate(admin, uuid).status_code == 200
        demo.wait(uuid, 'SHUTOFF')
        assert host_of(admin, uuid) != APART


def test_nor_when_it_comes_back_from_a_shelf(demo, admin, zone):
    uuid = demo.booted('tied', availability_zone=zone)['id']
    demo.act(uuid, 'shelve', status='SHELVED_OFFLOADED')
    with dead(admin, APART):
        demo.act(uuid, 'unshelve')
        demo.wait(uuid, 'SHELVED_OFFLOADED')
        assert demo.get(f'/servers/{uuid}/os-instance-actions')['instanceActions'][0]['message'] == 'Error'
        assert admin.show(uuid)['pinned_availability_zone'] == zone
        untied(admin, uuid)
        demo.act(uuid, 'unshelve', status='ACTIVE')
        assert host_of(admin, uuid) != APART
