"""Resizing and cold migration over the whole cloud: both ends, both decisions, and what each leaves behind."""

import contextlib

import pytest

from nova.common import clock
from nova.tests.fixtures.waiting import until
from nova.tests.functional import leaks
from nova.tests.functional.moving import LARGE, SMALL, attachments, held, host_of, migration_of

pytestmark = [pytest.mark.parametrize('cloud', ['sqlite'], indirect=True),
              pytest.mark.usefixtures('nothing_leaks')]


@pytest.fixture
def flavor(admin):
    """``flavor(vcpus=..., ram=..., disk=...)``: the id of a new one."""
    made = []

    def make(vcpus=2, ram=1024, disk=2, **specs):
        answer = admin.call('POST', '/flavors', {'flavor': {
            'name': f'moves-{len(made)}', 'vcpus': vcpus, 'ram': ram, 'disk': disk}})
        made.append(answer.json()['flavor']['id'])
        if specs:
            admin.call('POST', f'/flavors/{made[-1]}/os-extra_specs', {'extra_specs': specs})
        return made[-1]
    yield make
    for ident in made:
        admin.call('DELETE', f'/flavors/{ident}')


def test_a_resize_is_confirmed(cloud, demo, admin, flavor):
    """MIG-S2, MIG-S3: the source's part is the migration's until the user has decided."""
    began = clock.utcnow().isoformat()
    uuid = demo.booted('resized')['id']
    source = host_of(admin, uuid)
    demo.act(uuid, 'resize', {'flavorRef': flavor()}, 'VERIFY_RESIZE')
    dest = host_of(admin, uuid)
    assert dest != source
    assert demo.show(uuid)['flavor']['vcpus'] == 2
    migration = migration_of(admin, uuid)
    assert (migration['status'], migration['migration_type']) == ('finished', 'resize')
    assert (migration['source_compute'], migration['dest_compute']) == (source, dest)
    assert held(admin, uuid) == {dest: LARGE}
    assert held(admin, migration['uuid']) == {source: SMALL}
    leaks.check(cloud, admin)
    assert demo.act(uuid, 'confirmResize').status_code == 204
    demo.wait(uuid, 'ACTIVE')
    assert held(admin, uuid) == {dest: LARGE} and not held(admin, migration['uuid'])
    assert migration_of(admin, uuid)['status'] == 'confirmed'
    used = demo.get(f'/os-simple-tenant-usage/{demo.project}?start={began}')['tenant_usage']
    one, = used['server_usages']
    assert one['hours'] * 1 < used['total_vcpus_usage'] < one['hours'] * 2, 'by the flavor of its time'
    found = demo.get(f'/servers/{uuid}/os-instance-actions')['instanceActions']
    assert [each['action'] for each in found] == ['confirmResize', 'resize', 'create']


def test_a_resize_is_taken_back(demo, admin, flavor):
    uuid = demo.booted('reverted')['id']
    before = demo.show(uuid)
    source = host_of(admin, uuid)
    demo.act(uuid, 'resize', {'flavorRef': flavor()}, 'VERIFY_RESIZE')
    demo.act(uuid, 'revertResize', None, 'ACTIVE')
    after = demo.show(uuid)
    assert (after['flavor'], after['addresses']) == (before['flavor'], before['addresses'])
    assert host_of(admin, uuid) == source and held(admin, uuid) == {source: SMALL}
    migration = migration_of(admin, uuid)
    assert migration['status'] == 'reverted' and not held(admin, migration['uuid'])
    demo.act(uuid, 'resize', {'flavorRef': flavor()}, 'VERIFY_RESIZE')


def test_a_stopped_server_stays_stopped(demo, flavor):
    uuid = demo.booted('stopped')['id']
    demo.act(uuid, 'os-stop', None, 'SHUTOFF')
    demo.act(uuid, 'resize', {'flavorRef': flavor()}, 'VERIFY_RESIZE')
    assert demo.show(uuid)['OS-EXT-STS:power_state'] == 4
    demo.act(uuid, 'confirmResize', None, 'SHUTOFF')


@pytest.mark.parametrize('kind', ['DELETE', 'forceDelete'])
def test_an_undecided_resize_is_deleted(demo, admin, flavor, kind):
    """MIG-F3: both consumers are gone with the server, and nothing is kept aside."""
    uuid = demo.booted('undecided')['id']
    demo.act(uuid, 'resize', {'flavorRef': flavor()}, 'VERIFY_RESIZE')
    migration = migration_of(admin, uuid)
    if kind == 'DELETE':
        demo.delete(uuid)
    else:
        admin.call('POST', f'/servers/{uuid}/action', {kind: None})
        demo.gone(uuid)
    assert not held(admin, uuid) and not held(admin, migration['uuid'])


def test_a_resize_is_deleted_on_its_way(demo, admin, flavor):
    uuid = demo.booted('brief')['id']
    demo.act(uuid, 'resize', {'flavorRef': flavor()})
    migration = migration_of(admin, uuid)  # a deletion that comes before it is written down leaves none
    demo.delete(uuid, 60)
    assert not held(admin, uuid) and not held(admin, migration['uuid'])


def test_a_cold_migration_goes_to_another_host_of_the_cell(demo, admin):
    """CEL-S5: not to another cell; and 2.56: where it is told to."""
    uuid = demo.booted('cold')['id']
    source = host_of(admin, uuid)
    admin.act(uuid, 'migrate', None, 'VERIFY_RESIZE')
    dest = host_of(admin, uuid)
    assert dest != source and int(dest[-1]) % 2 == int(source[-1]) % 2
    assert migration_of(admin, uuid)['migration_type'] == 'migration'
    admin.act(uuid, 'confirmResize', None, 'ACTIVE')
    admin.act(uuid, 'migrate', {'host': source}, 'VERIFY_RESIZE')
    assert host_of(admin, uuid) == source


@pytest.mark.parametrize(('host', 'code'), [('nowhere', 400), ('same', 400), ('other cell', 202)])
def test_a_host_that_will_not_do(demo, admin, host, code):
    uuid = demo.booted('picky')['id']
    source = host_of(admin, uuid)
    others = {'same': source, 'other cell': f'compute{int(source[-1]) % 2 + 1}'}
    answer = admin.call('POST', f'/servers/{uuid}/action', {'migrate': {'host': others.get(host, host)}})
    assert answer.status_code == code, answer.text
    if code == 202:
        demo.wait(uuid, 'ACTIVE')
        assert migration_of(admin, uuid)['status'] == 'error'
        assert held(admin, uuid) == {source: SMALL}


def test_users_may_not_choose_the_host(demo):
    uuid = demo.booted('mine')['id']
    assert demo.call('POST', f'/servers/{uuid}/action', {'migrate': None}).status_code == 403


def test_no_host_has_room(demo, admin, flavor):
    """MIG-F1: the server is untouched, says why, and counts for what it is."""
    uuid = demo.booted('stays')['id']
    source = host_of(admin, uuid)
    demo.act(uuid, 'resize', {'flavorRef': flavor(disk=10 ** 6)})
    server = demo.wait(uuid, 'ACTIVE')
    assert host_of(admin, uuid) == source and held(admin, uuid) == {source: SMALL}
    assert server['flavor']['vcpus'] == 1
    assert migration_of(admin, uuid)['status'] == 'error'
    action, _ = demo.get(f'/servers/{uuid}/os-instance-actions')['instanceActions']
    assert (action['action'], action['message']) == ('resize', 'Error')
    limits = demo.get('/limits')['limits']['absolute']
    assert limits['totalRAMUsed'] == sum(each['flavor']['ram'] for each in demo.get(
        '/servers/detail')['servers'])


@contextlib.contextmanager
def quota(admin, demo, **limits):
    project = demo.cloud.deployment.projects['demo'] if hasattr(demo.cloud.deployment, 'projects') else None
    project = project or demo.get('/servers/detail')['servers'][0]['tenant_id']
    admin.call('PUT', f'/os-quota-sets/{project}', {'quota_set': limits})
    try:
        yield
    finally:
        admin.call('DELETE', f'/os-quota-sets/{project}')


def test_quota(demo, admin, flavor):
    """QTA-F1: refused when there is no room; a resize that is taken back leaves no drift."""
    uuid = demo.booted('counted')['id']
    large = flavor()
    with quota(admin, demo, cores=1):
        answer = demo.call('POST', f'/servers/{uuid}/action', {'resize': {'flavorRef': large}})
        assert answer.status_code == 403, answer.text

    def cores():
        return demo.get('/limits')['limits']['absolute']['totalCoresUsed']
    before = cores()
    demo.act(uuid, 'resize', {'flavorRef': large}, 'VERIFY_RESIZE')
    assert cores() == before + 1
    demo.act(uuid, 'revertResize', None, 'ACTIVE')
    assert cores() == before


@pytest.mark.parametrize(('body', 'code'), [
    ({'flavorRef': '1'}, 400), ({'flavorRef': 'none'}, 400), ({}, 400), ({'flavorRef': ''}, 400),
    ({'flavorRef': '1', 'more': 1}, 400)])
def test_what_is_no_resize(demo, body, code):
    uuid = demo.booted('odd')['id']
    assert demo.call('POST', f'/servers/{uuid}/action', {'resize': body}).status_code == code


def test_a_smaller_disk(demo, flavor):
    uuid = demo.booted('shrinks', flavorRef=flavor())['id']
    answer = demo.call('POST', f'/servers/{uuid}/action', {'resize': {'flavorRef': '1'}})
    assert answer.status_code == 400 and 'disk' in answer.text


def test_decisions_are_for_resized_servers(demo):
    uuid = demo.booted('plain')['id']
    for action in ('confirmResize', 'revertResize'):
        assert demo.call('POST', f'/servers/{uuid}/action', {action: None}).status_code == 409


@pytest.mark.parametrize('decision', ['confirmResize', 'revertResize'])
def test_volumes_have_both_attachments_until_it_is_decided(demo, admin, flavor, decision):
    """VOL-S4."""
    volume = demo.call('POST', '/v3/volumes', {'volume': {'size': 1}}, service='volume').json()['volume']['id']
    until(lambda: demo.get(f'/v3/volumes/{volume}', service='volume')['volume']['status'] == 'available')
    uuid = demo.booted('moved', block_device_mapping_v2=[
        {'source_type': 'image', 'destination_type': 'local', 'uuid': demo.image, 'boot_index': 0},
        {'source_type': 'volume', 'destination_type': 'volume', 'uuid': volume}])['id']
    (before, _), = attachments(admin, uuid)
    demo.act(uuid, 'resize', {'flavorRef': flavor()}, 'VERIFY_RESIZE')
    assert len(attachments(admin, uuid)) == 2
    demo.act(uuid, decision, None, 'ACTIVE')
    (after, status), = attachments(admin, uuid)
    assert status == 'attached' and (after == before) == (decision == 'revertResize')
    demo.delete(uuid)
    demo.call('DELETE', f'/v3/volumes/{volume}', service='volume')


def test_ports_go_along(demo, admin, flavor):
    uuid = demo.booted('plugged')['id']

    def ports():
        found = admin.get(f'/v2.0/ports?device_id={uuid}', service='network')['ports']
        return {port['id']: port['binding:host_id'] for port in found}
    before = ports()
    demo.act(uuid, 'resize', {'flavorRef': flavor()}, 'VERIFY_RESIZE')
    assert ports() == dict.fromkeys(before, host_of(admin, uuid))
    demo.act(uuid, 'revertResize', None, 'ACTIVE')
    assert ports() == before


def test_servers_that_stay_apart_stay_apart(demo, admin):
    """The two of a cell of two hosts cannot change places: the policy holds for moves, too."""
    group = demo.call('POST', '/os-server-groups', {'server_group': {
        'name': 'apart', 'policy': 'anti-affinity'}}).json()['server_group']['id']
    ids = [demo.booted(f'apart{number}', hints={'group': group})['id'] for number in range(4)]
    assert len({host_of(admin, uuid) for uuid in ids}) == 4
    admin.act(ids[0], 'migrate', None)
    demo.wait(ids[0], 'ACTIVE')
    assert migration_of(admin, ids[0])['status'] == 'error'
    demo.call('DELETE', f'/os-server-groups/{group}')
