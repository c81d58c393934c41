"""Cells that guests ask for, and hosts that have room for them."""

import pytest

from nova import errors
from nova.domain.numa import Cell, fits, wanted


@pytest.mark.parametrize(('specs', 'cells'), [
    ({}, ()), ({'hw:cpu_sockets': '2'}, ()), ({'hw:numa_nodes': '2'}, (Cell(2, 512), Cell(2, 512))),
    ({'hw:cpu_policy': 'dedicated'}, (Cell(4, 1024, pinned=4),)),
    ({'hw:cpu_policy': 'mixed', 'hw:cpu_dedicated_mask': '1-3', 'hw:numa_nodes': '2'},
     (Cell(2, 512, pinned=1), Cell(2, 512, pinned=2))),
    ({'hw:cpu_policy': 'mixed', 'hw:cpu_dedicated_mask': '^0'}, (Cell(4, 1024, pinned=3),)),
    ({'hw:cpu_policy': 'shared'}, ()),
    ({'hw:mem_page_size': 'large'}, (Cell(4, 1024, 'large'),)),
    ({'hw:numa_nodes': '2', 'hw:numa_cpus.0': '0-2', 'hw:numa_mem.0': '768', 'hw:numa_cpus.1': '3',
      'hw:numa_mem.1': '256'}, (Cell(3, 768), Cell(1, 256)))])
def test_cells_of_a_flavor(specs, cells):
    assert wanted(4, 1024, specs, {}) == cells


def test_an_image_may_ask_too():
    assert wanted(4, 1024, {}, {'hw_numa_nodes': 2}) == (Cell(2, 512), Cell(2, 512))


@pytest.mark.parametrize('specs', [{'hw:numa_nodes': '3'}, {'hw:numa_nodes': '0'}, {'hw:numa_nodes': 'x'},
                                   {'hw:numa_nodes': '2', 'hw:numa_cpus.0': '0', 'hw:numa_cpus.1': '1'}])
def test_cells_that_do_not_add_up(specs):
    with pytest.raises(errors.Invalid):
        wanted(4, 1024, specs, {})


def room(cpus=4, memory=1024, **more):
    return {'id': 0, 'cpus': cpus, 'memory': memory, **more}


@pytest.mark.parametrize(('rooms', 'cells', 'enough'), [
    ([room()], [Cell(4, 1024)], True), ([room(3)], [Cell(4, 1024)], False),
    ([room(0, dedicated=4)], [Cell(4, 1024, pinned=4)], True), ([room(8)], [Cell(4, 1024, pinned=4)], False),
    ([room(0, dedicated=4, dedicated_used=1)], [Cell(4, 1024, pinned=4)], False),
    ([room(2, dedicated=2)], [Cell(4, 1024, pinned=2)], True),
    ([room(memory_used=1)], [Cell(4, 1024)], False), ([room()], [Cell(2, 512), Cell(2, 512)], False),
    ([room(2, 512), room(4, 2048)], [Cell(4, 1024), Cell(2, 512)], True),
    ([room(pages=[{'size_kb': 4, 'total': 10**6}])], [Cell(4, 1024, 'large')], False),
    ([room(pages=[{'size_kb': 2048, 'total': 512}])], [Cell(4, 1024, 'large')], True),
    ([room(pages=[{'size_kb': 2048, 'total': 512, 'used': 1}])], [Cell(4, 1024, '2MB')], False),
    ([room(pages=[{'size_kb': 2048, 'total': 512}])], [Cell(4, 1024, '1GB')], False),
    ([room(pages=[{'size_kb': 4, 'total': 10**6}])], [Cell(4, 1024, 'any')], True)])
def test_hosts(rooms, cells, enough):
    assert fits({'cells': rooms}, cells) is enough


def test_a_host_without_cells():
    assert fits(None, []) and not fits(None, [Cell(1, 1)]) and not fits({}, [Cell(1, 1)])
