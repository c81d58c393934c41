"""From flavor and image to what Placement is asked."""

import pytest

from nova.domain import placement_request as pr

AMOUNTS = {'VCPU': 2, 'MEMORY_MB': 1024, 'DISK_GB': 20}


def query(request: pr.ResourceRequest) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, value in request.params():
        found.setdefault(key, []).append(value)
    return found


@pytest.mark.parametrize('values,volume_backed,disk', [
    ((20, 5, 0), False, 25), ((20, 5, 0), True, 5), ((20, 0, 512), False, 21), ((0, 0, 1025), True, 2),
    ((0, 0, 0), False, 0)])
def test_disk_of_a_flavor(values: tuple[int, int, int], volume_backed: bool, disk: int) -> None:
    """A root on a volume takes no local disk; swap is rounded up to GB."""
    root, ephemeral, swap = values
    assert pr.flavor_amounts(1, 1, root, ephemeral, swap, volume_backed=volume_backed)['DISK_GB'] == disk


def test_plain_flavor() -> None:
    request = pr.build({**AMOUNTS, 'DISK_GB': 0}, {}, limit=7)
    assert query(request) == {'resources': ['MEMORY_MB:1024,VCPU:2'], 'limit': ['7']}


def test_extra_specs_override_and_remove() -> None:
    """CUS-S1."""
    request = pr.build(AMOUNTS, {'resources:VCPU': '0', 'resources:CUSTOM_BAREMETAL': '1',
                                 'resources:DISK_GB': '5'})
    assert request.amounts() == {'MEMORY_MB': 1024, 'DISK_GB': 5, 'CUSTOM_BAREMETAL': 1}


def test_groups() -> None:
    """GRN-S1."""
    request = pr.build(AMOUNTS, {
        'resources1:SRIOV_NET_VF': '1', 'trait1:CUSTOM_A': 'required', 'resources_X:SRIOV_NET_VF': '2',
        'trait_X:CUSTOM_B': 'forbidden', 'same_subtree': '1,_X'})
    assert query(request) == {
        'resources': ['DISK_GB:20,MEMORY_MB:1024,VCPU:2'], 'resources1': ['SRIOV_NET_VF:1'],
        'required1': ['CUSTOM_A'], 'resources_X': ['SRIOV_NET_VF:2'], 'required_X': ['!CUSTOM_B'],
        'group_policy': ['none'], 'same_subtree': ['1,_X']}
    assert request.amounts()['SRIOV_NET_VF'] == 3
    request = pr.build({}, {'resources1:A': '1', 'resources2:A': '1', 'group_policy': 'isolate'})
    assert query(request)['group_policy'] == ['isolate']


def test_traits_of_flavor_image_and_caller() -> None:
    request = pr.build(AMOUNTS, {'trait:A': 'required', 'trait:B': 'forbidden'},
                       properties={'trait:C': 'required', 'hw_disk_bus': 'scsi'}, traits=[pr.MULTIATTACH])
    assert query(request)['required'] == [f'A,C,{pr.MULTIATTACH},!B']


@pytest.mark.parametrize('specs,properties', [
    ({'hw:cpu_policy': 'dedicated'}, {}), ({}, {'hw_cpu_policy': 'dedicated'}),
    ({'hw:cpu_policy': 'dedicated'}, {'hw_cpu_policy': 'shared'})])
def test_dedicated_cpus_are_another_class(specs: dict[str, str], properties: dict[str, str]) -> None:
    assert pr.build(AMOUNTS, specs, properties=properties).amounts() == {
        'PCPU': 2, 'MEMORY_MB': 1024, 'DISK_GB': 20}


def test_a_flavor_that_names_the_class_itself_is_taken_at_its_word() -> None:
    request = pr.build(AMOUNTS, {'resources:PCPU': '1', 'resources:VCPU': '1', 'hw:cpu_policy': 'dedicated'})
    assert (request.amounts()['PCPU'], request.amounts()['VCPU']) == (1, 1)


@pytest.mark.parametrize('specs', [
    {'resources:VCPU': 'many'}, {'resources:VCPU': '-1'}, {'trait:A': 'maybe'}, {'group_policy': 'some'}])
def test_what_cannot_be_asked(specs: dict[str, str]) -> None:
    with pytest.raises(pr.BadSpec, match=next(iter(specs))):
        pr.build(AMOUNTS, specs)


def test_image_cannot_forbid_and_nothing_is_both() -> None:
    with pytest.raises(pr.BadSpec):
        pr.build(AMOUNTS, {}, properties={'trait:A': 'forbidden'})
    with pytest.raises(pr.BadSpec):
        pr.build(AMOUNTS, {'trait:A': 'forbidden'}, properties={'trait:A': 'required'})


def test_every_way_to_narrow_a_group() -> None:
    request = pr.build({'VCPU': 1}, {}, extra_groups=[pr.group_from_json({
        'suffix': '_port', 'resources': {'NET_BW_EGR_KILOBIT_PER_SEC': 10}, 'required': ['CUSTOM_PHYSNET0'],
        'member_of': [['a', 'b']], 'in_tree': 'root'})])
    main = request.main
    main.member_of += [frozenset({'y', 'x'}), frozenset({'z'})]
    main.not_member_of |= {'q', 'p'}
    main.any_of.append(frozenset({'T2', 'T1'}))
    main.in_tree = 'tree'
    request.root_forbidden.add('COMPUTE_STATUS_DISABLED')
    found = query(request)
    assert found['member_of'] == ['in:x,y', 'in:z', '!in:p,q']
    assert found['required'] == ['in:T1,T2']
    assert (found['in_tree'], found['root_required']) == (['tree'], ['!COMPUTE_STATUS_DISABLED'])
    assert found['resources_port'] == ['NET_BW_EGR_KILOBIT_PER_SEC:10']
    assert (found['member_of_port'], found['in_tree_port']) == (['in:a,b'], ['root'])
    assert 'group_policy' not in found, 'one group with a suffix needs no policy'


def test_what_volumes_need_adds_to_the_flavors_own_group() -> None:
    """MAT-F1: hosts that cannot share a volume are left out before anything is tried."""
    form = {'suffix': '', 'required': [pr.MULTIATTACH], 'resources': {'VCPU': 1}}
    request = pr.build(AMOUNTS, {'trait:A': 'required'}, extra_groups=[pr.group_from_json(form)])
    assert query(request) == {'resources': ['DISK_GB:20,MEMORY_MB:1024,VCPU:3'],
                              'required': [f'A,{pr.MULTIATTACH}']}
