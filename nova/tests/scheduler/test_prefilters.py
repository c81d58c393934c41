"""Zones, tenants, isolation, traits: what is asked of Placement, and that the answer is the same."""

from typing import Any

import pytest

from nova import objects


def two_hosts(cloud: Any) -> tuple[str, str]:
    return cloud.host('h1'), cloud.host('h2', memory=99999)


def test_availability_zones(cloud: Any) -> None:
    one, _ = two_hosts(cloud)
    cloud.aggregate('a', {'h1': one}, availability_zone='east')
    assert cloud.chosen(availability_zone='east') == ['h1']
    assert cloud.chosen(availability_zone='nova') == ['h2']
    assert cloud.chosen() == ['h2']
    found = cloud.select(availability_zone='west')
    assert found.reason == 'The requested availability zone is not available'
    choice, = cloud.select(availability_zone='east').choices
    assert choice.selections[0].availability_zone == 'east'


def test_a_zone_is_ours_to_say_even_when_placement_has_it_wrong(cloud: Any) -> None:
    """SHR-S2: a host left in Placement's aggregate by mistake is not used for the zone."""
    one, two = two_hosts(cloud)
    zone = cloud.aggregate('a', {'h1': one}, availability_zone='east')
    cloud.placement.add_to_aggregate(two, zone)
    assert cloud.chosen(availability_zone='east') == ['h1']


def test_tenant_aggregates(make_cloud: Any, cloud: Any) -> None:
    cloud = make_cloud(cloud.placement, **{'scheduler.limit_tenants_to_placement_aggregate': True})
    one, _ = two_hosts(cloud)
    assert cloud.chosen() == ['h2']
    cloud.aggregate('a', {'h1': one}, filter_tenant_id_1='x, p')
    assert cloud.chosen() == ['h1']
    assert cloud.chosen(project_id='other') == ['h2']
    strict = make_cloud(cloud.placement, **{'scheduler.limit_tenants_to_placement_aggregate': True,
                                            'scheduler.placement_aggregate_required_for_tenants': True})
    assert strict.select(project_id='other').reason == 'No host aggregate is for this project'


def test_isolated_aggregates(make_cloud: Any, cloud: Any) -> None:
    cloud = make_cloud(cloud.placement, **{'scheduler.enable_isolated_aggregate_filtering': True})
    cloud.host('h1')
    gold = cloud.host('h2', memory=99999, traits=('CUSTOM_GOLD',))
    cloud.aggregate('a', {'h2': gold}, **{'trait:CUSTOM_GOLD': 'required'})
    assert cloud.chosen() == ['h1']
    assert cloud.chosen(extra_specs={'trait:CUSTOM_GOLD': 'required'}) == ['h2']


def test_disabled_hosts_are_not_even_candidates(cloud: Any) -> None:
    cloud.host('h1', traits=('COMPUTE_STATUS_DISABLED',))
    found = cloud.select()
    assert found.reason
    assert 'ComputeFilter' not in {one['name'] for one in found.explain}


@pytest.mark.parametrize('option,image,trait', [
    ('query_placement_for_image_type_support', {'disk_format': 'qcow2'}, 'COMPUTE_IMAGE_TYPE_QCOW2'),
    ('image_metadata_prefilter', {'hw_disk_bus': 'scsi'}, 'COMPUTE_STORAGE_BUS_SCSI'),
    ('image_metadata_prefilter', {'hw_vif_model': 'e1000'}, 'COMPUTE_NET_VIF_MODEL_E1000')])
def test_hosts_that_can_run_the_image(make_cloud: Any, cloud: Any, option: str, image: dict[str, str],
                                      trait: str) -> None:
    cloud = make_cloud(cloud.placement, **{f'scheduler.{option}': True})
    cloud.host('h1', memory=99999)
    cloud.host('h2', traits=(trait,))
    assert cloud.chosen(image=objects.ImageMeta.from_image({'id': 'i', **image})) == ['h2']


def test_traits_of_image_and_aggregates_of_a_destination(cloud: Any) -> None:
    one, two = two_hosts(cloud)
    cloud.host('h3', traits=('CUSTOM_FAST',))
    image = objects.ImageMeta.from_image({'id': 'i', 'trait:CUSTOM_FAST': 'required'})
    assert cloud.chosen(image=image) == ['h3']
    aggregate = cloud.aggregate('a', {'h1': one})
    assert cloud.chosen(requested_destination=objects.Destination(aggregates=[aggregate])) == ['h1']
    other = cloud.aggregate('b', {'h2': two})
    assert cloud.chosen(requested_destination=objects.Destination(forbidden_aggregates=[other]),
                        ignore_hosts=['h3']) == ['h1']


def test_emulated_tpms(cloud: Any) -> None:
    """The traits by which operators know hosts that have them."""
    secure = {'COMPUTE_SECURITY_TPM_SECRET_SECURITY_DEPLOYMENT', 'COMPUTE_SECURITY_TPM_TIS'}
    cloud.host('h1', traits=(*secure, 'COMPUTE_SECURITY_TPM_2_0'))
    cloud.host('h2', memory=99999)
    assert cloud.chosen() == ['h2']
    assert cloud.chosen(extra_specs={'hw:tpm_version': '2.0'}) == ['h1']
    for specs in ({'hw:tpm_version': '1.2'}, {'hw:tpm_version': '2.0', 'hw:tpm_model': 'tpm-crb'}):
        assert cloud.select(extra_specs=specs).reason
    wrong = cloud.select(extra_specs={'hw:tpm_version': '2.0', 'hw:tpm_secret_security': 'user'})
    assert 'can only be deployment' in wrong.reason
