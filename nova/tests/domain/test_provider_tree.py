"""Trees of resource providers."""

import pytest

from nova.domain import provider_tree
from nova.domain.provider_tree import Provider, ProviderTree


def test_parents_come_first_and_names_are_unique() -> None:
    tree = ProviderTree(Provider('r', 'root'))
    tree.add(Provider('c', 'child', parent='r'))
    tree.add(Provider('g', 'grandchild', parent='c'))
    assert [one.name for one in tree] == ['root', 'child', 'grandchild']
    assert 'g' in tree and len(tree) == 3
    for wrong in (Provider('x', 'x', parent='nowhere'), Provider('c', 'other', parent='r'),
                  Provider('y', 'child', parent='r')):
        with pytest.raises(ValueError):
            tree.add(wrong)
    with pytest.raises(ValueError):
        ProviderTree(Provider('r', 'root', parent='p'))


def test_facts_tell_whether_anything_changed() -> None:
    def tree(**values: object) -> tuple:
        return ProviderTree(Provider('r', 'root', **values)).facts()
    plain = tree(inventory={'VCPU': {'total': 1}}, traits={'A', 'B'})
    assert plain == tree(inventory={'VCPU': {'total': 1}}, traits={'B', 'A'})
    assert plain != tree(inventory={'VCPU': {'total': 2}}, traits={'A', 'B'})
    assert plain != tree(inventory={'VCPU': {'total': 1}}, traits={'A'})
    assert plain != tree(inventory={'VCPU': {'total': 1}}, traits={'A', 'C'})


def test_an_initial_ratio_is_written_once_and_then_left_to_operators():
    wanted = {'VCPU': {'total': 8, provider_tree.INITIAL_RATIO: 4.0}, 'DISK_GB': {'total': 9}}
    first = provider_tree.complete(wanted, {})
    assert (first['VCPU']['allocation_ratio'], first['DISK_GB']['allocation_ratio']) == (4.0, 1.0)
    changed = {'VCPU': {**first['VCPU'], 'allocation_ratio': 16.0}, 'DISK_GB': {'allocation_ratio': 3.0}}
    again = provider_tree.complete(wanted, changed)
    assert (again['VCPU']['allocation_ratio'], again['DISK_GB']['allocation_ratio']) == (16.0, 1.0)
