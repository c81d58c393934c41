"""What went wrong with volumes elsewhere, by the numbers that it has there: here it does not."""

import concurrent.futures

import pytest

from nova.tests.fixtures.waiting import until
from nova.tests.functional import test_volumes
from nova.tests.functional.moving import attachments, host_of, migration_of
from nova.tests.functional.test_live_migrate import migrate
from nova.tests.functional.volumes import Volumes

volumes, faulty, nothing_leaks = test_volumes.volumes, test_volumes.faulty, test_volumes.nothing_leaks


def root(volume):
    """Fields of a server that boots from a volume which stays when it goes."""
    return {'imageRef': '', 'block_device_mapping_v2': [{
        'source_type': 'volume', 'destination_type': 'volume', 'boot_index': 0, 'uuid': volume}]}


@pytest.fixture
def huge(admin):
    """A flavor for which no host is large enough."""
    flavor = admin.call('POST', '/flavors', {'flavor': {
        'name': 'huge', 'id': 'huge', 'vcpus': 1, 'ram': 512, 'disk': 1, 'OS-FLV-EXT-DATA:ephemeral': 10 ** 6}})
    assert flavor.status_code == 200, flavor.text
    yield 'huge'
    admin.call('DELETE', '/flavors/huge')


@pytest.mark.parametrize('why', ['no host is found', 'its host refuses'])
def test_a_server_that_could_not_be_built_has_no_volume(admin, faulty, huge, why):
    """VOL-F2, B 1404867, B 1899649: its volume is free for others, who keep it when the server is deleted."""
    volumes = Volumes(admin)
    volume = volumes.make(imageRef=admin.image)
    if why == 'no host is found':
        more = {'flavorRef': huge}
    else:
        more = {'availability_zone': 'nova:compute1'}
        faulty(driver={'spawn': {'do': 'fail'}})
    server = admin.boot(**root(volume), **more).json()['server']['id']
    admin.wait(server, 'ERROR')
    faulty.clear()
    assert volumes.show(volume)['status'] == 'available' and attachments(admin, server) == []
    other = admin.booted('other', host='compute1')['id']
    assert volumes.attach(other, volume).status_code == 202
    volumes.wait(volume, 'in-use')
    volumes.settled(other)
    admin.delete(server)
    assert [one['server_id'] for one in volumes.show(volume)['attachments']] == [other]
    admin.delete(other)
    volumes.wait(volume, 'available')
    volumes.call('DELETE', f'/volumes/{volume}')


def test_a_volume_that_an_offloaded_server_got_is_free_when_that_is_deleted(demo, volumes):
    """VOL-F2, B 1675570."""
    server, volume = demo.booted()['id'], volumes.make()
    demo.act(server, 'shelve', None, 'SHELVED_OFFLOADED')
    assert volumes.attach(server, volume).status_code == 202
    volumes.settled(server)
    assert volumes.show(volume)['status'] == 'reserved'
    demo.delete(server)
    volumes.wait(volume, 'available')


def test_who_is_over_the_quota_leaves_no_volume_behind(demo, admin, volumes):
    """VOL-F2, B 1806064: of several at once one fits; nobody finds out later that he does not."""
    quota = f'/os-quota-sets/{demo.project}'
    assert admin.call('PUT', quota, {'quota_set': {'instances': 1}}).status_code == 200
    try:
        many = [volumes.make(imageRef=demo.image) for _ in range(4)]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            answers = dict(zip(many, pool.map(lambda volume: demo.boot(**root(volume)), many), strict=True))
        assert sorted(answer.status_code for answer in answers.values()) == [202, 403, 403, 403]
        for volume, answer in answers.items():
            if answer.status_code == 202:
                demo.wait(answer.json()['server']['id'], 'ACTIVE')
            volumes.wait(volume, 'in-use' if answer.status_code == 202 else 'available')
    finally:
        admin.call('DELETE', quota)


def test_deleted_while_it_is_placed_and_built(demo, volumes, faulty):
    """VOL-F2, B 2088066: whatever the build has come to, the volume is free in the end."""
    faulty(driver={'spawn': {'do': 'delay', 'seconds': 2}})
    states = ['available', 'reserved', 'attaching', 'in-use']
    for least in (1, 2, 3):  # a busy machine may see it only further on
        volume = volumes.make(imageRef=demo.image)
        server = demo.boot(**root(volume)).json()['server']['id']
        until(lambda volume=volume, least=least: states.index(volumes.show(volume)['status']) >= least,
              pause=0.01)
        demo.delete(server)
        volumes.wait(volume, 'available')


@pytest.mark.parametrize('fault', [
    {'driver': {'prepare_live_migration': {'do': 'fail'}}}, {'driver': {'connect_volume': {'do': 'fail'}}},
    {'method': 'POST', 'path': 'attachments$', 'status': 409, 'count': 0},
    {'method': 'PUT', 'path': 'attachments', 'status': 500, 'count': 0}], ids=str)
def test_a_migration_that_fails_early_leaves_the_sources_attachment_alone(demo, admin, volumes, faulty, fault):
    """VOL-S3, B 1889108, B 1899835: only what was made for the destination goes; the guest keeps its volume."""
    server, volume = demo.booted()['id'], volumes.make()
    assert volumes.attach(server, volume).status_code == 202
    volumes.wait(volume, 'in-use')
    volumes.settled(server)
    before, source = volumes.of(server), host_of(admin, server)
    faulty(**fault)
    migrate(admin, server)
    until(lambda: migration_of(admin, server)['status'] in ('error', 'failed'))
    faulty.clear()
    demo.wait(server, 'ACTIVE')
    assert host_of(admin, server) == source and volumes.of(server) == before
    assert attachments(admin, server) == [(before[0]['attachment_id'], 'attached')]
    assert volumes.show(volume)['status'] == 'in-use'
    assert volumes.detach(server, volume).status_code == 202
    volumes.wait(volume, 'available')


def test_a_volume_that_was_reset_is_another_servers_still(admin):
    """MAT-S1, B 1908075: the guest that has it goes on writing, whatever Cinder was made to believe."""
    volumes = Volumes(admin)
    first, second = (admin.booted(name, host='compute1')['id'] for name in ('first', 'second'))
    volume = volumes.make()
    assert volumes.attach(first, volume).status_code == 202
    volumes.wait(volume, 'in-use')
    volumes.settled(first)
    assert admin.call('POST', f'/v3/volumes/{volume}/action', service='volume', body={
        'os-reset_status': {'status': 'available', 'attach_status': 'detached'}}).status_code == 202
    assert volumes.show(volume)['status'] == 'available'
    assert volumes.attach(second, volume).status_code == 400 and volumes.of(second) == []
    assert volumes.detach(first, volume).status_code == 202
    until(lambda: volumes.of(first) == [])
    assert volumes.attach(second, volume).status_code == 202
    volumes.wait(volume, 'in-use')
    volumes.settled(second)
    for server in (first, second):
        admin.delete(server)
    volumes.wait(volume, 'available')
    volumes.call('DELETE', f'/volumes/{volume}')
