"""NUMA cells that hosts report to Placement: asked for there, held there, and moved to and from the node."""

import dataclasses

import pytest

from nova import conf as nova_conf
from nova.cmd import manage
from nova.cmd.manage import command
from nova.standalone import config
from nova.tests.fixtures.waiting import until
from nova.tests.functional import leaks
from nova.tests.functional.conftest import Apart, User, cloud_of, flavors, running, user
from nova.tests.functional.test_audit import audit

PINNED = {'hw__cpu_policy': 'dedicated'}


@dataclasses.dataclass
class WithCells(Apart):
    """Hosts of two cells, each with two CPUs that are shared and two that are not."""

    on: bool = True

    def options(self, file):
        if file == 'nova':
            return {'DEFAULT': {'allow_resize_to_same_host': 'true'}, 'quota': {'instances': -1, 'cores': -1}}
        return {'DEFAULT': {'report_interval': 1, 'update_resources_interval': 1},
                'fake': {'vcpus': 8, 'memory_mb': 4096, 'numa_cells': 2},
                'compute': {'cpu_dedicated_set': '2-3,6-7', 'report_numa_in_placement': str(self.on).lower()}}


cloud = cloud_of(WithCells, 4)
admin = user('admin', 'module')


@pytest.fixture
def flavor(admin):
    with flavors(admin) as make:
        yield make


def cells(admin):
    """Providers of cells, by uuid, to their number."""
    found = admin.get('/resource_providers?required=HW_NUMA_ROOT', service='placement')['resource_providers']
    return {one['uuid']: int(one['name'].rpartition('_NUMA')[2]) for one in found}


def held(admin, uuid):
    """What a consumer has of each cell; anything else under None."""
    known, found = cells(admin), {}
    for provider, part in admin.get(f'/allocations/{uuid}', service='placement')['allocations'].items():
        found[known.get(provider)] = part['resources']
    return found


def nodes(admin, uuid):
    """The cells of the host that the guest has, by what its host says."""
    answer = admin.get(f'/servers/{uuid}/topology', version='2.78')
    return [node['host_node'] for node in answer['nodes']]


def agree(admin, uuid):
    """The guest is on the cells that Placement has given to it."""
    given = {each: part for each, part in held(admin, uuid).items() if each is not None}
    assert sorted(given) == sorted(nodes(admin, uuid))
    return given


def reported(admin, count):
    until(lambda: len(cells(admin)) == count, told=lambda: cells(admin))


def heal(cloud):
    env = command.Env(nova_conf.new(args=['--config-file', str(cloud.deployment.directory / 'nova.conf')]))
    return manage.run(['placement', 'heal_allocations'], env)


def all_agrees(cloud, admin, capsys):
    leaks.check(cloud, admin)
    assert audit(cloud, capsys) == (0, [])


def test_servers_are_on_the_cells_that_they_are_given(cloud, admin, flavor, capsys):
    reported(admin, 8)
    plain = admin.booted('plain')
    assert set(held(admin, plain['id'])) == {0, None} and nodes(admin, plain['id']) == []
    wide = admin.booted('wide', flavorRef=flavor(2, hw__numa_nodes='2'))
    assert agree(admin, wide['id']) == dict.fromkeys((0, 1), {'VCPU': 1, 'MEMORY_MB': 32})
    on_volume = admin.booted('volume', flavorRef=flavor(2, hw__numa_nodes='2', trait__COMPUTE_NODE='required'),
                             **admin.on_volume())
    assert set(agree(admin, on_volume['id'])) == {0, 1}
    kind = flavor(2, **PINNED)
    pinned = [admin.boot(f'pinned-{number}', flavorRef=kind).json()['server']['id'] for number in range(8)]
    assert [list(agree(admin, admin.wait(each, 'ACTIVE')['id']).values()) for each in pinned] == [
        [{'PCPU': 2, 'MEMORY_MB': 64}]] * 8
    late = admin.ended(admin.boot('late', flavorRef=flavor(1, **PINNED)).json()['server']['id'])
    assert late['status'] == 'ERROR', 'every cell has given its two'
    wider = admin.boot('wider', flavorRef=flavor(4, hw__numa_nodes='4')).json()['server']['id']
    assert admin.ended(wider)['status'] == 'ERROR'
    before = {uuid: held(admin, uuid) for uuid in (plain['id'], wide['id'], pinned[0])}
    for uuid in before:
        assert admin.call('DELETE', f'/allocations/{uuid}', service='placement').status_code == 204
    assert heal(cloud) == 0
    assert {uuid: held(admin, uuid) for uuid in before} == before
    all_agrees(cloud, admin, capsys)
    for server in admin.get('/servers')['servers']:
        admin.delete(server['id'])
    leaks.check(cloud, admin)


def test_moves(cloud, admin, flavor, capsys):
    """MIG: what a move gives and takes is of cells; who resizes where he is stays on his cell."""
    reported(admin, 8)
    server = admin.booted('moves', flavorRef=flavor(2, **PINNED))['id']
    first = admin.show(server)['OS-EXT-SRV-ATTR:host']
    admin.act(server, 'migrate', None, 'VERIFY_RESIZE')
    agree(admin, server)
    admin.act(server, 'revertResize', None, 'ACTIVE')
    assert admin.show(server)['OS-EXT-SRV-ATTR:host'] == first
    agree(admin, server)
    admin.act(server, 'migrate', None, 'VERIFY_RESIZE')
    admin.act(server, 'confirmResize', None, 'ACTIVE')
    agree(admin, server)
    admin.act(server, 'os-migrateLive', {'host': None, 'block_migration': 'auto'})
    until(lambda: admin.show(server)['OS-EXT-SRV-ATTR:host'] == first)
    host = admin.wait(server, 'ACTIVE')['OS-EXT-SRV-ATTR:host']
    agree(admin, server)
    other = admin.booted('other', flavorRef=flavor(2, **PINNED), host=host)
    before = agree(admin, server)
    # The host has no dedicated CPU left: the server is resized where it is, on its cell.
    admin.act(server, 'resize', {'flavorRef': flavor(1, **PINNED)}, 'VERIFY_RESIZE')
    admin.act(server, 'revertResize', None, 'ACTIVE')
    assert agree(admin, server) == before
    for action, status in (('shelve', 'SHELVED_OFFLOADED'), ('unshelve', 'ACTIVE')):
        admin.act(server, action, None, status)
    agree(admin, server)
    all_agrees(cloud, admin, capsys)
    for each in (server, other['id']):
        admin.delete(each)
    leaks.check(cloud, admin)


def test_a_host_with_servers_begins_and_ends_to_report_cells(tmp_path_factory, capsys):
    """All that is held goes along, both ways; a server that is being moved holds it up until that has ended."""
    deployment = config.load(tmp_path_factory.mktemp('cloud'), 1, 2, dict.fromkeys(config.PORTS, 0))
    values, servers = vars(deployment), {}
    with running(WithCells(**values, on=False)) as cloud:
        admin = User(cloud, 'admin')
        with flavors(admin) as make:
            servers['plain'] = admin.booted('plain')['id']
            servers['wide'] = admin.booted('wide', flavorRef=make(2, hw__numa_nodes='2'))['id']
            servers['pinned'] = admin.booted('pinned', flavorRef=make(2, **PINNED))['id']
            servers['moving'] = admin.booted('moving')['id']
        admin.act(servers['moving'], 'migrate', None, 'VERIFY_RESIZE')
        before = {name: held(admin, uuid) for name, uuid in servers.items()}
        assert all(set(each) == {None} for each in before.values())
    with running(WithCells(**values)) as cloud:
        admin = User(cloud, 'admin')
        reported(admin, 2)
        assert set(held(admin, servers['moving'])) != {None}, 'its new host holds up nothing'
        admin.act(servers['moving'], 'confirmResize', None, 'ACTIVE')
        reported(admin, 4)
        assert agree(admin, servers['wide']) == dict.fromkeys((0, 1), {'VCPU': 1, 'MEMORY_MB': 32})
        assert list(agree(admin, servers['pinned']).values()) == [{'PCPU': 2, 'MEMORY_MB': 64}]
        all_agrees(cloud, admin, capsys)
        admin.act(servers['pinned'], 'reboot', {'type': 'HARD'}, 'ACTIVE')
        agree(admin, servers['pinned'])
    with running(WithCells(**values, on=False)) as cloud:
        admin = User(cloud, 'admin')
        reported(admin, 0)
        after = {name: held(admin, uuid) for name, uuid in servers.items()}
        assert after == before
        all_agrees(cloud, admin, capsys)
        for uuid in servers.values():
            admin.delete(uuid)
        leaks.check(cloud, admin)
