"""What operators say of PCI devices, and what Placement is asked for them."""

import dataclasses
import json

import pytest

from nova import errors
from nova.domain import pci

KNOWN = pci.aliases([
    '{"name": "gpu", "vendor_id": "10de", "product_id": "1eB8", "traits": "fast,HW_GPU_API_VULKAN"}',
    '{"name": "any", "vendor_id": "8086"}', '{"name": "nic", "resource_class": "my nic"}'])
GPU = {'CUSTOM_PCI_10DE_1EB8': 1}


def test_groups_of_a_flavor() -> None:
    found = dict(pci.groups('gpu:2, nic:1', KNOWN))
    assert {suffix: group.resources for suffix, group in found.items()} == {
        '_pci0': GPU, '_pci1': GPU, '_pci2': {'CUSTOM_MY_NIC': 1}}
    assert found['_pci0'].required == {'CUSTOM_FAST', 'HW_GPU_API_VULKAN'}


@pytest.mark.parametrize('asked', ['other:1', 'gpu:x', 'gpu:-1', 'any:1'])
def test_what_cannot_be_asked_for(asked: str) -> None:
    with pytest.raises(errors.Invalid):
        list(pci.groups(asked, KNOWN))


@pytest.mark.parametrize('text', ['gpu', '[]', '{"vendor_id": "10de"}', '{"name": "x", "product_id": "1"}'])
def test_wrong_aliases(text: str) -> None:
    with pytest.raises(errors.Invalid, match=r'\[pci\] alias'):
        pci.aliases([text])


def test_the_first_entry_that_names_a_device_counts() -> None:
    first, second = pci.device_specs(['{"address": "0000:81:00.0"}', '{"vendor_id": "10de"}'])
    one, other = Found('0000:81:00.0'), Found('0000:82:00.0', '10de', '1eb8')
    assert first.names(one) and not first.names(other)
    assert second.names(other)


@dataclasses.dataclass
class Found:
    """A device as a host finds it."""

    address: str
    vendor_id: str = '8086'
    product_id: str = '154c'
    card: str | None = None
    devnames: tuple[str, ...] = ()


FUNCTION = Found('0000:81:02.1', card='0000:81:00.0', devnames=('ens1f0v9', 'ens1f0'))


@pytest.mark.parametrize(('spec', 'named'), [
    ({'address': '0000:81:02.1'}, True), ({'address': '0000:81:00.0'}, True), ({'address': ':81:02.'}, True),
    ({'address': '*:81:*.*'}, True), ({'address': '0000:82:*'}, False), ({'devname': 'ens1f0'}, True),
    ({'devname': 'ens1f1'}, False), ({'vendor_id': '8086', 'product_id': '154c'}, True),
    ({'vendor_id': '8086', 'product_id': '1572'}, False), ({}, True)])
def test_what_names_a_card_names_its_functions(spec: dict[str, str], named: bool) -> None:
    found, = pci.device_specs([json.dumps(spec)])
    assert found.names(FUNCTION) is named


def test_ports_are_devices_of_their_network_alone() -> None:
    """They are no alias's, nor others' of another network, nor of those who are not trusted."""
    spec, = pci.device_specs(['{"vendor_id": "8086", "physical_network": "physnet-1", "trusted": "true"}'])
    named, traits = spec.described_as(pci.FUNCTION)
    assert (named, traits) == ('SRIOV_NET_VF', {'CUSTOM_PHYSNET_PHYSNET_1', 'CUSTOM_TRUSTED'})
    there = ('8086', '154c', named, traits, pci.FUNCTION)
    assert not KNOWN['any'].fits(*there)
    for wish, fits in ((('direct', 'physnet-1'), True), (('macvtap', 'physnet-1', True), True),
                       (('direct', 'physnet-2'), False), (('direct-physical', 'physnet-1'), False)):
        assert pci.of_port(*wish).fits(*there) is fits
    untrusted = (*there[:3], traits - {'CUSTOM_TRUSTED'}, pci.FUNCTION)
    assert not pci.of_port('direct', 'physnet-1', True).fits(*untrusted)
    assert pci.of_port('normal', 'physnet-1') is None
    with pytest.raises(errors.Invalid, match='provider:physical_network'):
        pci.of_port('direct', None)


def test_types_of_devices() -> None:
    card = pci.aliases(['{"name": "card", "vendor_id": "8086", "device_type": "type-PF"}'])['card']
    assert card.fits('8086', '1572', 'CUSTOM_X', (), pci.CARD)
    assert not card.fits('8086', '154c', 'CUSTOM_X', (), pci.FUNCTION)
    assert card.fits('8086', '154c', 'CUSTOM_X', ()), 'a host of the release before does not say it'


@pytest.mark.parametrize('text', [
    '{"physical_network": "a", "resource_class": "X"}', '{"device_type": "type-X"}'])
def test_wrong_specs(text: str) -> None:
    with pytest.raises(errors.Invalid, match=r'\[pci\] device_spec'):
        pci.device_specs([text])


def test_groups_of_ports() -> None:
    (suffix, group), = pci.port_groups([('p1', pci.of_port('direct', 'a'))])
    assert (suffix, group.resources, group.required) == ('_port-p1', {'SRIOV_NET_VF': 1}, {'CUSTOM_PHYSNET_A'})
