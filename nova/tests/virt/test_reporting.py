"""What is left of a host's cells and devices."""

from nova.domain import numa, pci
from nova.virt import reporting
from nova.virt.driver.claims import Cell, Claim
from nova.virt.driver.inventory import HostCell, HostDevice

CELLS = (HostCell(0, 1024, cpus=frozenset(range(4)), dedicated=frozenset({2, 3}), pages={2048: 256}),
         HostCell(1, 1024, cpus=frozenset(range(4, 8))))
SPECS = pci.device_specs([
    '{"address": "c", "resource_class": "PGPU", "traits": "fast"}', '{"vendor_id": "8086"}'])
DEVICES = [device.described(SPECS) for device in (
    HostDevice('a', '10de', '1eb8', 0), HostDevice('b', '10de', '1eb8', 1), HostDevice('c', '8086', '0001'))]


def test_cells() -> None:
    taken = [Claim((Cell(0, 0, (0, 1), 128, {0: 2}, 2048), Cell(1, 1, (2,), 256)))]
    first, second = reporting.topology(CELLS, taken)['cells']
    assert first == {'id': 0, 'cpus': 2, 'dedicated': 2, 'dedicated_used': 1, 'memory': 1024, 'memory_used': 0,
                     'pages': [{'size_kb': 4, 'total': 512 * 256, 'used': 0},
                               {'size_kb': 2048, 'total': 256, 'used': 64}]}
    assert (second['memory_used'], second['dedicated']) == (256, 0)
    left = {'cells': [first, second]}
    assert numa.fits(left, [numa.Cell(1, 128, pinned=1)]) and not numa.fits(left, [numa.Cell(2, 128, pinned=2)])
    assert reporting.topology((), taken) is None


def test_devices() -> None:
    assert reporting.pools(DEVICES, [Claim(devices=('b',))]) == [
        {'vendor_id': '10de', 'product_id': '1eb8', 'numa_node': 0, 'count': 1,
         'resource_class': 'CUSTOM_PCI_10DE_1EB8', 'traits': [], 'device_type': 'type-PCI'},
        {'vendor_id': '8086', 'product_id': '0001', 'numa_node': None, 'count': 1, 'resource_class': 'PGPU',
         'traits': ['CUSTOM_FAST'], 'device_type': 'type-PCI'}]
    assert reporting.pools(DEVICES, [Claim(devices=('a', 'b', 'c'))]) == []


def test_device_providers() -> None:
    """One provider for each kind, wherever in the host its devices are."""
    first, second = reporting.device_providers('node1', DEVICES)
    assert (first.name, first.traits) == ('node1_CUSTOM_PCI_10DE_1EB8', set())
    assert first.inventory['CUSTOM_PCI_10DE_1EB8']['total'] == 2
    assert (second.name, second.traits) == ('node1_PGPU_CUSTOM_FAST', {'CUSTOM_FAST'})
