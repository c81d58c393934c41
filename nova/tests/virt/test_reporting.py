"""What is left of a host's cells and devices."""

from nova.domain import numa
from nova.virt import reporting
from nova.virt.driver.claims import Cell, Claim
from nova.virt.driver.inventory import HostCell, HostDevice

CELLS = (HostCell(0, 1024, cpus=frozenset(range(4)), dedicated=frozenset({2, 3}), pages={2048: 256}),
         HostCell(1, 1024, cpus=frozenset(range(4, 8))))
DEVICES = (HostDevice('a', '10de', '1eb8', 0), HostDevice('b', '10de', '1eb8', 0), HostDevice('c', '8086', '1'))


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
    assert reporting.pools(DEVICES, [Claim(devices=('a',))]) == [
        {'vendor_id': '10de', 'product_id': '1eb8', 'numa_node': 0, 'count': 1},
        {'vendor_id': '8086', 'product_id': '1', 'numa_node': None, 'count': 1}]
    assert reporting.pools(DEVICES, [Claim(devices=('a', 'b', 'c'))]) == []
