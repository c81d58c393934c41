"""What operators say of PCI devices, and what Placement is asked for them."""

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
    assert first.names('0000:81:00.0', '8086', '0001') and not first.names('0000:82:00.0', '10de', '1eb8')
    assert second.names('0000:82:00.0', '10de', '1eb8')
