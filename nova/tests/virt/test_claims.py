"""What of a host one guest has to itself: who gets which CPUs, cells, pages and devices, and who none."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova import conf as nova_conf
from nova import errors, objects
from nova.clients import fake
from nova.clients.protocols import Allocations
from nova.compute.servers import ServerJournals
from nova.conf import devices as devices_conf
from nova.domain import numa_providers, pci
from nova.tests.compute.cell import Handle
from nova.tests.virt.labs.base import Moving
from nova.virt import fitting, mdevs, reporting
from nova.virt.driver import inventory
from nova.virt.driver.inventory import HostCell, HostDevice
from nova.virt.fake.driver import FakeDriver

CORES = (frozenset({0, 1}), frozenset({2, 3}))
CELLS = (HostCell(0, 1024, dedicated=frozenset({0, 1, 2, 3}), siblings=CORES, pages={2048: 256}),
         HostCell(1, 1024, dedicated=frozenset({4, 5}), pages={1048576: 1}))
GPU = '{"name": "gpu", "vendor_id": "10de", "product_id": "1eb8"}'
DEVICES = (HostDevice('0000:81:00.0', '10de', '1eb8', 1), HostDevice('0000:82:00.0', '10de', '1eb8', 0),
           HostDevice('0000:83:00.0', '8086', '1eb8', 0))


def server(vcpus=2, memory_mb=512, image=None, **specs):
    flavor = objects.Flavor(flavorid='1', name='f', vcpus=vcpus, memory_mb=memory_mb, root_gb=1,
                            extra_specs={name.replace('__', ':'): value for name, value in specs.items()})
    meta = objects.ImageMeta(properties=objects.ImageProperties.from_image(image or {}))
    return objects.Instance.new(project_id='p', user_id='u', flavor=flavor, image_meta=meta)


@pytest.fixture
def host():
    driver, journals = FakeDriver('host1', cells=CELLS, devices=DEVICES, aliases=[GPU]), ServerJournals()

    class Host:
        def __init__(self):
            self.driver, self.journals = driver, journals

        def claim(self, instance):
            return driver.claim(Handle(instance, journals))

        def unclaim(self, instance):
            driver.unclaim(Handle(instance, journals))
    return Host()


PINNED = {'hw__cpu_policy': 'dedicated'}


def pins(claim):
    return {vcpu: pcpu for cell in claim.cells for vcpu, pcpu in cell.pinned.items()}


def test_nothing_is_asked_for(host):
    instance = server()
    claim = host.claim(instance)
    assert (claim.cells, claim.devices, instance.numa_topology) == ((), (), None)


def test_cpus_are_given_once(host):
    first, second, third = server(**PINNED), server(image={'hw_cpu_policy': 'dedicated'}), server(**PINNED)
    given_ = [set(pins(host.claim(each)).values()) for each in (first, second, third)]
    assert given_ == [{0, 1}, {2, 3}, {4, 5}]
    assert host.claim(first) == host.claim(first)
    with pytest.raises(errors.task.Refused, match='dedicated CPUs'):
        host.claim(server(vcpus=1, **PINNED))
    host.unclaim(second)
    host.unclaim(second)
    assert set(pins(host.claim(server(vcpus=1, **PINNED))).values()) == {2}
    assert first.numa_topology['cells'][0]['cpu_pinning'] == {'0': 0, '1': 1}


def test_a_claim_outlives_the_process(host, tmp_path):
    journals = ServerJournals(tmp_path)
    instance = server(**PINNED)
    FakeDriver('host1', cells=CELLS).claim(Handle(instance, journals))
    again = FakeDriver('host1', cells=CELLS)
    with_same = again.claim(Handle(instance, ServerJournals(tmp_path)))
    other = again.claim(Handle(server(**PINNED), ServerJournals(tmp_path)))
    assert pins(with_same) == {0: 0, 1: 1} and set(pins(other).values()) == {2, 3}


@pytest.mark.parametrize(('threads', 'chosen'), [('isolate', {0, 2}), ('require', {0, 1}), ('prefer', {0, 1})])
def test_threads_of_a_core(host, threads, chosen):
    assert set(pins(host.claim(server(hw__cpu_thread_policy=threads, **PINNED))).values()) == chosen


def test_mixed_cpus(host):
    claim = host.claim(server(vcpus=4, hw__cpu_policy='mixed', hw__cpu_dedicated_mask='^0-1'))
    assert set(pins(claim)) == {2, 3}


def test_cells_of_the_guest_are_on_cells_of_the_host(host):
    claim = host.claim(server(vcpus=4, memory_mb=1536, hw__numa_nodes='2', **{
        'hw__numa_cpus.0': '0-2', 'hw__numa_cpus.1': '3', 'hw__numa_mem.0': '1024', 'hw__numa_mem.1': '512'}))
    assert [(cell.node, cell.cpus, cell.memory_mb) for cell in claim.cells] == [
        (0, (0, 1, 2), 1024), (1, (3,), 512)]
    with pytest.raises(errors.task.Refused, match='memory'):
        host.claim(server(memory_mb=1024, hw__numa_nodes='1'))
    with pytest.raises(errors.task.Refused, match='fewer NUMA cells'):
        host.claim(server(vcpus=3, memory_mb=3, hw__numa_nodes='3'))


@pytest.mark.parametrize(('page', 'memory', 'node', 'size'), [
    ('large', 512, 0, 2048), ('2MB', 512, 0, 2048), ('1GB', 1024, 1, 1048576), ('any', 512, 0, 2048),
    ('small', 512, 0, None), ('any', 5, 0, None)])
def test_pages(host, page, memory, node, size):
    cell, = host.claim(server(memory_mb=memory, hw__mem_page_size=page)).cells
    assert (cell.node, cell.page_kb) == (node, size)


def test_pages_run_out(host):
    host.claim(server(hw__mem_page_size='large'))
    with pytest.raises(errors.task.Refused, match='pages'):
        host.claim(server(hw__mem_page_size='large'))


def test_devices(host):
    """Those near the guest's memory first; each once."""
    first = host.claim(server(pci_passthrough__alias='gpu:1', **PINNED))
    second = host.claim(server(pci_passthrough__alias='gpu'))
    assert (first.devices, second.devices) == (('0000:82:00.0',), ('0000:81:00.0',))
    with pytest.raises(errors.task.Refused, match='no device'):
        host.claim(server(pci_passthrough__alias='gpu:1'))


NICS = inventory.offered(
    [HostDevice('0000:05:00.0', '8086', '1572', type=pci.CARD, devnames=('ens1',), mac='52:54:00:00:00:01'),
     *(HostDevice(f'0000:05:02.{number}', '8086', '154c', type=pci.FUNCTION, card='0000:05:00.0',
                  devnames=(f'ens1v{number}', 'ens1')) for number in range(2)),
     HostDevice('0000:06:00.0', '8086', '1572', type=pci.CARD, devnames=('ens2',), mac='52:54:00:00:00:02')],
    pci.device_specs(['{"vendor_id": "8086", "physical_network": "a"}']))


def port(ident, vnic_type='direct', physical='a', **values):
    network = objects.Network(id='net', physical_network=physical)
    return objects.VIF(id=ident, network=network, vnic_type=vnic_type, **values)


def test_ports_that_are_devices():
    """Each has a device of its own and of its network; the host says which, as the network service reads it."""
    driver, journals = FakeDriver('host1', devices=NICS), ServerJournals()

    def handle(*vifs):
        instance = server()
        instance.network_info = objects.NetworkInfo(vifs=list(vifs))
        return Handle(instance, journals)
    first = handle(port('p1'), port('p2', 'macvtap'), port('p3', 'direct-physical'), port('p4', 'normal'))
    said = driver.port_profiles(first)
    assert said == driver.port_profiles(first) == {
        'p1': {'pci_vendor_info': '8086:154c', 'pci_slot': '0000:05:02.0', 'physical_network': 'a'},
        'p2': {'pci_vendor_info': '8086:154c', 'pci_slot': '0000:05:02.1', 'physical_network': 'a'},
        'p3': {'pci_vendor_info': '8086:1572', 'pci_slot': '0000:06:00.0', 'physical_network': 'a',
               'device_mac_address': '52:54:00:00:00:02'}}
    for other in (port('p5'), port('p5', physical='b'), port('p5', 'direct-physical')):
        with pytest.raises(errors.task.Refused, match='no device'):
            driver.port_profiles(handle(other))
    driver.claims.forget_port(first, 'p2')
    driver.claims.forget_port(first, 'p2')
    assert driver.port_profiles(handle(port('p6')))['p6']['pci_slot'] == '0000:05:02.1'
    driver.unclaim(first)
    assert driver.port_profiles(handle(port('p7')))['p7']['pci_slot'] == '0000:05:02.0'


def test_a_guest_gets_the_devices_again_that_it_had():
    """A resize in place leaves its ports where they are."""
    driver, journals = FakeDriver('host1', devices=NICS), ServerJournals()
    instance, other = server(), server()
    instance.network_info = objects.NetworkInfo(vifs=[port('p1')])
    other.network_info = objects.NetworkInfo(vifs=[port('p2')])
    h = Handle(instance, journals)
    driver.claim(Handle(other, journals))
    driver.claim(h)
    driver.unclaim(Handle(other, journals))
    driver.claims.set_aside(h)
    assert driver.claim(h).ports['p1'].address == '0000:05:02.1'


def graphics(beta='CUSTOM_BETA'):
    """Mediated devices of two cards, of which the second is named by the type beta."""
    conf = nova_conf.new(config_files=[], **{'devices.enabled_mdev_types': ['alpha', 'beta']})
    devices_conf.of_type(conf, 'alpha')
    devices_conf.of_type(conf, 'beta')
    conf.set_override('device_addresses', ['0000:82:00.0'], 'mdev_beta')
    conf.set_override('mdev_class', beta, 'mdev_beta')
    conf.set_override('max_instances', 1, 'mdev_beta')
    types = {'alpha': 2, 'beta': 4}
    return mdevs.offered(conf, [mdevs.Card('0000:81:00.0', types, {'alpha': 1}),
                                mdevs.Card('0000:82:00.0', types), mdevs.Card('0000:83:00.0', types)])


def test_mediated_devices():
    """Flavors ask by class; what others have made is left out, and uuids are the same every time."""
    devices = graphics()
    assert [(device.card[5:7], device.product_id, device.resource_class) for device in devices] == [
        ('81', 'alpha', 'VGPU'), ('82', 'beta', 'CUSTOM_BETA'), *[('83', 'alpha', 'VGPU')] * 2]
    assert len({device.address for device in devices}) == 4 and graphics() == devices
    driver, journals = FakeDriver('host1', devices=DEVICES, mdevs=devices), ServerJournals()

    def claim(**specs):
        return driver.claim(Handle(server(**specs), journals))
    first = claim(**{'resources__VGPU': '2', 'resources1__CUSTOM_BETA': '1'})
    assert first.mdevs == first.devices and not first.pci
    second = claim(resources__VGPU='1')
    assert sorted(first.mdevs + second.mdevs) == sorted(device.address for device in devices)
    assert first.mdevs[0] == devices[1].address, 'CUSTOM_BETA comes first'
    with pytest.raises(errors.task.Refused, match='no device VGPU'):
        claim(resources__VGPU='1')
    found = reporting.device_providers('node1', driver.resources('node1').mdevs)
    assert {child.name: child.inventory for child in found} == {
        'node1_VGPU': {'VGPU': inventory.whole(3)}, 'node1_CUSTOM_BETA': {'CUSTOM_BETA': inventory.whole(1)}}


def test_types_of_one_class_are_refused():
    with pytest.raises(errors.Invalid, match='mdev_class'):
        graphics(beta='VGPU')


def test_claims_of_the_release_before_are_known_again(host):
    """What it did not know is not in them, and a guest that runs keeps its CPUs."""
    instance = server(**PINNED)
    h = Handle(instance, host.journals)
    old = fitting.Wanted((fitting.WantedCell((0, 1), 512),), frozenset({0, 1}))
    assert fitting.wanted(instance).words == repr(old) == (
        'Wanted(cells=(WantedCell(cpus=(0, 1), memory_mb=512),), dedicated=frozenset({0, 1}), threads=None, '
        'page=None, devices=())')
    h.journal.put('claim', {'wish': old.words, 'devices': [], 'cells': [
        {'id': 0, 'node': 0, 'cpus': [0, 1], 'memory_mb': 512, 'pinned': {'0': 2, '1': 3}, 'page_kb': None}]})
    assert pins(host.claim(instance)) == {0: 2, 1: 3}


@pytest.mark.parametrize('specs', [
    {'hw__cpu_policy': 'mixed'}, {'hw__numa_nodes': '3'}, {'pci_passthrough__alias': 'nonsense:1'},
    {'hw__mem_page_size': 'huge'}, {'hw__numa_nodes': '1', 'hw__numa_cpus.0': '0', 'hw__numa_mem.0': '512'},
    {'hw__numa_nodes': '1', 'hw__numa_cpus.0': '0-1', 'hw__numa_mem.0': '511'},
    {'hw__numa_nodes': '1', 'hw__numa_cpus.0': 'x', 'hw__numa_mem.0': '512'}], ids=json.dumps)
def test_wishes_that_make_no_sense(host, specs):
    with pytest.raises(errors.Invalid):
        host.claim(server(**specs))


def test_a_resize_in_place_may_use_what_was_set_aside(host):
    """Nobody else gets it, and a revert finds it (MIG-S4)."""
    instance = server(**PINNED)
    h = Handle(instance, host.journals)
    driver, old = host.driver, instance.flavor
    driver.spawn(h)
    new = server(vcpus=4, memory_mb=1024, **PINNED).flavor

    class Resize:
        same_host, dest, old_flavor, new_flavor = True, 'host1', old, new
    driver.migrate_out(h, Moving(Resize))
    instance.take_flavor(new)
    driver.migrate_in(h, Moving(Resize), True)
    assert set(pins(driver.claim(h)).values()) == {0, 1, 2, 3}
    assert set(pins(host.claim(server(memory_mb=256, **PINNED))).values()) == {4, 5}
    driver.destroy(h)
    with pytest.raises(errors.task.Refused):
        host.claim(server(vcpus=4, memory_mb=256, **PINNED))  # two of the four are set aside
    instance.take_flavor(old)
    driver.revert_migration(h, Moving(Resize), True)
    assert set(pins(driver.claim(h)).values()) == {0, 1}
    driver.destroy(h)
    assert host.claim(server(vcpus=4, **PINNED)).cells[0].node == 0


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 8), st.booleans()), max_size=12))
def test_nobody_gets_what_another_has(wishes):
    driver, journals, held = FakeDriver('host1', cells=CELLS), ServerJournals(), []
    for vcpus, blocks, gives_back in wishes:
        instance = server(vcpus=vcpus, memory_mb=128 * blocks, **PINNED)
        try:
            claim = driver.claim(Handle(instance, journals))
        except errors.task.Refused:
            continue
        if gives_back:
            driver.unclaim(Handle(instance, journals))
        else:
            held.append(claim)
    cpus = [pcpu for claim in held for pcpu in pins(claim).values()]
    assert len(cpus) == len(set(cpus)) and set(cpus) <= {0, 1, 2, 3, 4, 5}
    for cell in CELLS:
        assert sum(each.memory_mb for claim in held for each in claim.cells if each.node == cell.node) <= 1024


def test_sizes_of_pages():
    assert fitting.page_kb('2048') == 2048 and fitting.page_kb('1GiB') == 1048576


def test_cells_that_placement_has_given():
    """The host takes those, not others, and is refused where they have no room; a claim made stays."""
    driver, journals = FakeDriver('host1', cells=CELLS), ServerJournals()
    clients = fake.build()
    first, second = server(**PINNED), server(**PINNED)
    given_ = {'resources': {'PCPU': 2, 'MEMORY_MB': 512}}
    for instance in (first, second):
        clients.placement.consumers[instance.uuid] = Allocations({
            numa_providers.cell_uuid('host1', 'host1', 1): given_, 'node': {'resources': {'DISK_GB': 1}}})
    assert [cell.node for cell in driver.claim(Handle(first, journals, clients)).cells] == [1]
    with pytest.raises(errors.task.Refused, match='cell 1 has not enough dedicated CPUs'):
        driver.claim(Handle(second, journals, clients))
    clients.placement.consumers.clear()
    assert [cell.node for cell in driver.claim(Handle(first, journals, clients)).cells] == [1]
    assert [cell.node for cell in driver.claim(Handle(second, journals, clients)).cells] == [0]


def test_which_cell_is_which():
    """Nodes of a server that differ are on the cells that have given their amounts."""
    driver, clients = FakeDriver('host1', cells=CELLS), fake.build()
    instance = server(vcpus=4, memory_mb=1024, hw__numa_nodes='2', **{
        'hw__numa_cpus.0': '0-2', 'hw__numa_cpus.1': '3', 'hw__numa_mem.0': '768', 'hw__numa_mem.1': '256'})
    clients.placement.consumers[instance.uuid] = Allocations({
        numa_providers.cell_uuid('host1', 'host1', 0): {'resources': {'VCPU': 1, 'MEMORY_MB': 256}},
        numa_providers.cell_uuid('host1', 'host1', 1): {'resources': {'VCPU': 3, 'MEMORY_MB': 768}}})
    assert [cell.node for cell in driver.claim(Handle(instance, None, clients)).cells] == [1, 0]


def test_devices_that_have_to_be_near(host):
    """hw:pci_numa_affinity_policy=required: the guest goes where such a device is, or nowhere on this host."""
    near = {'hw__pci_numa_affinity_policy': 'required', 'pci_passthrough__alias': 'gpu', 'hw__numa_nodes': '1'}
    for node, address in ((0, '0000:82:00.0'), (1, '0000:81:00.0')):
        claim = host.claim(server(memory_mb=128, **near))
        assert ([cell.node for cell in claim.cells], claim.devices) == ([node], (address,))
    alone = {name: value for name, value in near.items() if name != 'hw__numa_nodes'}
    with pytest.raises(errors.task.Refused, match='no device'):
        host.claim(server(memory_mb=128, **alone))
    with pytest.raises(errors.task.Refused, match='no device'):
        host.claim(server(memory_mb=128, **near))
