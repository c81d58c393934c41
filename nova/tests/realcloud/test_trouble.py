"""The real neighbours misbehave, or our processes are killed: servers become ACTIVE or say why not.

Once they are deleted no port, volume, attachment or allocation is left (acceptance 1.13).
"""

import contextlib
import time

import pytest

from nova.tests.fixtures.waiting import until
from nova.tests.functional import leaks
from nova.tests.functional.conftest import User
from nova.tests.realcloud.trouble import Servers, over_time

pytestmark = [pytest.mark.realcloud, pytest.mark.slow, pytest.mark.timeout(600)]

LATE = 120
"""Seconds: what a neighbour may have made after its answer was given up is looked for a minute later."""


@pytest.fixture
def servers(cloud, demo, admin, trouble):
    """Afterwards they are deleted, all are well, and nothing is left of them, nor a port or a volume more."""
    found, before = Servers(demo, admin), owned(demo)
    yield found
    trouble.end()
    found.delete()
    leaks.check(cloud, admin, LATE)
    until(lambda: owned(demo) == before, told=lambda: (before, owned(demo)))


def owned(user):
    """Ports and volumes that the user has."""
    return {one['id'] for one in (*ports(user), *volumes(user))}


def ports(user):
    return user.get('/v2.0/ports', service='network')['ports']


def volumes(user):
    return user.get(f'/v3/{user.project}/volumes/detail', service='volume')['volumes']


def statuses(found):
    return [server['status'] for server in found.values()]


def told(found):
    """Every server that failed says why."""
    for server in found.values():
        if server['status'] == 'ERROR':
            assert server['fault']['message'], server
    return [server['fault']['message'] for server in found.values() if server['status'] == 'ERROR']


def assert_failed(found, reason):
    said = told(found)
    assert statuses(found) == ['ERROR'] * len(found), said
    assert all(reason.lower() in one.lower() for one in said), said


def project(admin, name='demo'):
    [found] = admin.get(f'/v3/projects?name={name}', service='identity')['projects']
    return found['id']


# Neutron -----------------------------------------------------------------------------------------

def test_a_host_whose_ports_neutron_refuses_is_left_for_an_alternate(trouble, servers):
    before = trouble.refusals('compute1')
    with trouble.told('neutron', refuse_hosts='^compute1$'):
        for _ in range(6):
            servers.boot()
        found = servers.settled()
    assert statuses(found) == ['ACTIVE'] * 6, told(found)
    assert 'compute1' not in {server['OS-EXT-SRV-ATTR:host'] for server in found.values()}
    assert trouble.refusals('compute1') > before, 'nobody was to be on that host'


def test_a_server_whose_ports_neutron_refuses_everywhere_fails_and_says_so(trouble, servers):
    with trouble.told('neutron', refuse_hosts='.'):
        servers.boot()
        servers.boot_from_volume()
        found = servers.settled()
    assert_failed(found, 'Binding failed')


def test_a_port_that_is_active_late_is_waited_for(trouble, servers):
    with trouble.told('neutron', activate_after=4):
        began = time.monotonic()
        servers.boot()
        found = servers.settled()
        took = time.monotonic() - began
    assert statuses(found) == ['ACTIVE'], told(found)
    assert took > 3, 'it was ACTIVE before its port'


def test_a_port_that_never_is_active_fails_the_server(trouble, servers):
    with trouble.options(vif_plugging_timeout=6), trouble.told('neutron', activate_after=-1):
        servers.boot()
        servers.boot_from_volume()
        found = servers.settled()
    assert_failed(found, 'plugged in time')


def test_a_port_that_cannot_be_plugged_in_fails_the_server_at_once(trouble, servers):
    """Neutron tells of it; `vif_plugging_timeout` is longer than this test waits."""
    with trouble.told('neutron', activate_after=1, plugging_fails=True):
        servers.boot()
        servers.boot_from_volume()
        found = servers.settled()
    assert_failed(found, 'could not plug')


def test_a_port_of_which_no_news_came_is_asked_for(admin, trouble, servers):
    """Neutron cannot reach us when the port becomes ACTIVE, and tries no more after some seconds."""
    def port():
        return next((one for one in ports(admin) if one['device_id'] == server), {'status': 'none'})
    with trouble.told('neutron', activate_after=10):
        server = servers.boot()
        until(lambda: port().get('binding:host_id'), 60, told=port)
        with trouble.away('api'):
            assert port()['status'] == 'DOWN', 'it was too late'
            until(lambda: port()['status'] == 'ACTIVE', 60, told=port)
            time.sleep(10)  # by then Neutron has given up telling us
        found = servers.settled()
    assert statuses(found) == ['ACTIVE'], told(found)


def test_the_quota_of_ports_fails_the_server_and_says_so(demo, admin, servers):
    quota = f'/v2.0/quotas/{project(admin)}'
    assert admin.call('PUT', quota, {'quota': {'port': 1}}, service='network').status_code == 200
    try:
        answer = demo.boot('trouble')
        if answer.status_code == 202:
            servers.uuids.append(answer.json()['server']['id'])
            found = servers.settled()
            assert_failed(found, 'quota')
        else:
            assert answer.status_code == 403 and 'ports exceeded' in answer.text, answer.text
    finally:
        assert admin.call('DELETE', quota, service='network').status_code == 204


# Cinder ------------------------------------------------------------------------------------------

def test_the_quota_of_volumes_fails_the_server_and_says_so(admin, servers):
    path = f'/v3/{project(admin, "admin")}/os-quota-sets/{project(admin)}'
    assert admin.call('PUT', path, {'quota_set': {'volumes': 0}}, service='volume').status_code == 200
    try:
        servers.boot_from_volume()
        found = servers.settled()
    finally:
        assert admin.call('DELETE', path, service='volume').status_code == 200
    assert_failed(found, 'quota')


def test_slow_volumes_are_waited_for(trouble, servers):
    with trouble.told('cinder', seconds=6):
        servers.boot_from_volume()
        servers.boot_from_volume()
        found = servers.settled(120)
        assert statuses(found) == ['ACTIVE'] * 2, told(found)
        servers.delete(120)


def test_servers_deleted_while_their_volumes_are_made_leave_no_volume(trouble, servers):
    with trouble.told('cinder', seconds=3):
        over_time(servers.boot_from_volume)
        servers.delete(120)


# Who is away -------------------------------------------------------------------------------------

def test_an_image_that_cannot_be_downloaded_fails_the_server_and_says_so(demo, trouble, servers):
    """Glance goes when Cinder knows the image, and has yet to download it."""
    with trouble.told('cinder', seconds=5):
        servers.boot_from_volume()
        until(lambda: [one for one in volumes(demo) if one['status'] in ('creating', 'downloading')], 60)
        with trouble.away('glance'):
            found = servers.settled(150)
    assert_failed(found, 'volume')


def test_tokens_known_before_go_on_being_good_while_keystone_is_away(cloud, demo, trouble, servers):
    servers.boot()
    assert statuses(servers.settled()) == ['ACTIVE']
    with trouble.away('keystone'):
        demo.get('/servers/detail')
        servers.boot()
        answer = User(cloud, 'demo').http.get(
            cloud.deployment.url('compute') + '/v2.1/servers', headers={'X-Auth-Token': 'never-seen'})
        assert answer.status_code == 503, answer.text
    found = servers.settled()
    assert statuses(found) == ['ACTIVE'] * 2, told(found)


@pytest.mark.parametrize('neighbour', ['keystone', 'glance', 'neutron', 'cinder-api', 'cinder-volume'])
def test_servers_are_built_or_say_why_not_when_a_neighbour_goes(trouble, servers, neighbour):
    over_time(servers.boot_both)
    with trouble.away(neighbour):
        time.sleep(2)  # long enough that what was asked for comes to need it
    told(servers.settled(150))


@pytest.mark.parametrize('neighbour', ['keystone', 'neutron', 'cinder-api', 'cinder-volume'])
def test_servers_are_deleted_when_a_neighbour_goes(trouble, servers, neighbour):
    servers.boot()
    servers.boot_from_volume()
    assert statuses(servers.settled()) == ['ACTIVE'] * 2
    with trouble.away(neighbour):
        servers.ask_deletion()
        time.sleep(2)  # long enough that what was asked for comes to need it
    servers.delete(120)


def test_a_token_that_expires_in_mid_operation_does_not_end_it(cloud, trouble, servers):
    with trouble.short_tokens(20), trouble.told('cinder', seconds=24):
        servers.user = User(cloud, 'demo')
        servers.boot_from_volume()
        servers.boot()
        time.sleep(21)  # the token has expired by then
        assert servers.user.call('GET', '/servers').status_code == 401
        assert 'BUILD' in statuses(servers.shown()), 'it was over before'
        found = servers.settled(120)
    assert statuses(found) == ['ACTIVE'] * 2, told(found)


# kill -9 of ours ---------------------------------------------------------------------------------

@pytest.mark.parametrize('neighbours', ['quick', 'slow'])
@pytest.mark.parametrize('victims', [
    ('compute1', 'compute3'), ('cell1-conductor1', 'cell1-conductor2'), ('super-conductor',), ('scheduler',),
    ('placement',), ('api',)], ids='-'.join)
def test_servers_are_built_and_deleted_when_we_are_killed(trouble, servers, victims, neighbours):
    with contextlib.ExitStack() as told_so:
        if neighbours == 'slow':  # so that who is killed waits for them
            told_so.enter_context(trouble.told('neutron', activate_after=1.5))
            told_so.enter_context(trouble.told('cinder', seconds=1.5))
        _kill_meanwhile(trouble, servers, victims)


def _kill_meanwhile(trouble, servers, victims):
    over_time(servers.boot_both)
    with trouble.away(*victims):
        pass
    found = servers.settled(150)
    # Placement is asked again for some seconds only, since somebody waits for the answer.
    assert statuses(found) == ['ACTIVE'] * len(found) or 'placement' in victims, told(found)
    assert all(told(found))
    waiting = iter(list(found))
    over_time(lambda: servers.ask_deletion(next(waiting), next(waiting)))
    with trouble.away(*victims):
        pass
    servers.delete(120)
