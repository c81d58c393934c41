"""CPUs and memory that move between a node and its cells: nobody loses any, who knows his place keeps it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova import errors
from nova.domain import provider_tree, reshaping
from nova.domain.provider_tree import Provider, ProviderTree

CELLS = ('cell0', 'cell1')


def amount(total, ratio=1.0):
    return {'total': total, 'max_unit': total, 'allocation_ratio': ratio}


def divided(guests=dict, cpus=4, memory=1000):
    tree = ProviderTree(Provider('root', 'host', inventory={'DISK_GB': amount(100)}), lambda: guests)
    for name in CELLS:
        tree.add(Provider(name, f'host_{name}', 'root', {
            'VCPU': amount(cpus, 2.0), 'MEMORY_MB': amount(memory)}, is_part=True))
    return tree


def flat(guests=dict, cpus=8, memory=2000):
    return ProviderTree(Provider('root', 'host', inventory={
        'VCPU': amount(cpus, 2.0), 'MEMORY_MB': amount(memory), 'DISK_GB': amount(100)}), lambda: guests)


def there(tree):
    return {one.uuid: provider_tree.complete(one.inventory, {}) for one in tree}


def move(before, after, held):
    losing = reshaping.lost(after, there(before))
    return reshaping.allocations(after, reshaping.inventories(after, there(before), losing), losing, held)


def held(vcpus, memory, provider='root'):
    return {provider: {'resources': {'VCPU': vcpus, 'MEMORY_MB': memory}}}


def test_nothing_moves_where_nothing_changes():
    assert reshaping.lost(flat(), there(flat())) == {}
    assert reshaping.lost(divided(), there(divided())) == {}
    assert reshaping.lost(flat(), {}) == {}


def test_what_moves():
    assert reshaping.lost(divided(), there(flat())) == {'root': {'VCPU', 'MEMORY_MB'}}
    assert reshaping.lost(flat(), there(divided())) == dict.fromkeys(CELLS, {'VCPU', 'MEMORY_MB'})


def test_a_ratio_that_was_set_stays():
    before, after = there(flat()), divided()
    before['root']['VCPU']['allocation_ratio'] = 7.0
    for one in after:
        for values in one.inventory.values():
            values[provider_tree.INITIAL_RATIO] = values.pop('allocation_ratio')
    found = reshaping.inventories(after, before, reshaping.lost(after, before))
    assert {name: values['VCPU']['allocation_ratio'] for name, values in found.items() if name != 'root'} == (
        dict.fromkeys(CELLS, 7.0))
    assert found['root'] == {'DISK_GB': before['root']['DISK_GB']}


def test_who_knows_his_cell_keeps_it_and_the_others_float():
    exact = {'cell1': {'resources': {'VCPU': 2, 'MEMORY_MB': 900}}}
    found = move(flat(), divided({'pinned': exact, 'floats': {}}), {
        'floats': {'root': {'resources': {'VCPU': 1, 'MEMORY_MB': 500, 'DISK_GB': 9}}}, 'pinned': held(2, 900)})
    assert found == {'pinned': exact, 'floats': {
        'root': {'resources': {'DISK_GB': 9}}, 'cell0': {'resources': {'VCPU': 1, 'MEMORY_MB': 500}}}}
    back = move(divided(), flat({'pinned': exact, 'floats': {}}), found)
    assert back == {'pinned': held(2, 900), 'floats': {
        'root': {'resources': {'DISK_GB': 9, 'VCPU': 1, 'MEMORY_MB': 500}}}}


def test_who_is_larger_than_a_cell_is_on_several():
    found = move(flat(), divided({'large': {}}), {'large': held(6, 1500)})
    assert found == {'large': {'cell0': {'resources': {'VCPU': 4, 'MEMORY_MB': 1000}},
                               'cell1': {'resources': {'VCPU': 2, 'MEMORY_MB': 500}}}}


def test_amounts_that_are_not_those_of_the_claim_float():
    found = move(flat(), divided({'other': held(1, 1, 'cell1')}), {'other': held(2, 2)})
    assert list(found['other']) == ['cell0']


def test_who_is_no_guest_is_waited_for():
    with pytest.raises(errors.placement.ReshapeRefused, match=r'host cannot move.*: a-migration\.'):
        move(flat(), divided({'guest': {}}), {'a-migration': held(1, 1), 'guest': held(1, 1)})


@given(st.lists(st.tuples(st.integers(1, 8), st.integers(1, 1500)), max_size=12))
def test_nobody_loses_anything(servers):
    """There and back again everybody has what he had, whether it fits or Placement will refuse it."""
    before = {str(number): held(*each) for number, each in enumerate(servers)}
    guests = dict.fromkeys(before, {})
    found = move(flat(), divided(guests), before)
    assert move(divided(), flat(guests), found) == before
    small = all(vcpus <= 4 and memory <= 1000 for vcpus, memory in servers)
    assert not small or sum(memory for _, memory in servers) > 1000 or set(found) == set(before) and all(
        len(each) == 1 for each in found.values())
