"""The calls of openstacksdk's cloud layer, as scripts make them: by names, waiting, over several services."""

import pytest

from nova.tests.fixtures.waiting import until
from nova.tests.functional import calls
from nova.tests.functional.test_sdk_calls import connected

pytestmark = [pytest.mark.slow, pytest.mark.parametrize('cloud', ['sqlite'], indirect=True)]


@pytest.fixture
def one(cloud):
    with connected(cloud, 'demo') as connection:
        yield connection


@pytest.fixture
def root(cloud):
    with connected(cloud, 'admin') as connection:
        yield connection


@pytest.fixture
def server(one):
    made = one.create_server('scripted', image='tiny', flavor='m1.tiny', network='private', wait=True,
                             auto_ip=False, meta={'kept': 'by script'}, description='made by a script')
    yield made
    assert one.delete_server(made.id, wait=True)


def test_servers(one, server):
    assert (server.status, server.metadata) == ('ACTIVE', {'kept': 'by script'})
    assert one.get_server('scripted').id == one.get_server_by_id(server.id).id == one.get_server_id('scripted')
    assert one.get_server_private_ip(server).startswith('10.0.')
    for filters, found in (({'status': 'ACTIVE'}, True), ({'status': 'SHUTOFF'}, False),
                           ({'name': 'scripted'}, True), ({'ip': '10.0.'}, True), ({'tags': 'none'}, False)):
        listed = [each.id for each in one.list_servers(filters=filters, detailed=True)]
        assert (server.id in listed) == found, filters
    assert [each.id for each in one.search_servers(filters={'metadata': {'kept': 'by script'}})] == [server.id]
    assert one.list_servers(all_projects=False, bare=True)
    one.set_server_metadata(server.id, {'more': 'words'})
    one.delete_server_metadata(server.id, ['kept'])
    assert one.get_server(server.id).metadata == {'more': 'words'}
    assert one.update_server(server.id, name='renamed').name == 'renamed'
    assert one.get_server_meta(server)['server_vars']['id'] == server.id
    one.get_server_console(server)
    assert one.rebuild_server(server.id, one.get_image('tiny').id, wait=True).status == 'ACTIVE'
    assert one.get_active_server(one.get_server(server.id), auto_ip=False).id == server.id
    image = one.create_image_snapshot('snapped', server.id, wait=True)
    assert image.status == 'active' and one.delete_image('snapped', wait=True)
    assert one.delete_server('no-such', wait=True) is False
    assert one.get_server('no-such') is None


def test_addresses(cloud, server):
    """Where servers have private addresses alone, scripts make them one of the public network."""
    with connected(cloud, 'demo', floating_ip_source='neutron') as one:
        public = one.get_network('public').id
        found = one.get_server(server.id)
        port = one.list_ports(filters={'device_id': server.id})[0]
        address = one.create_floating_ip(network='public', server=found,
                                         fixed_address=port.fixed_ips[0]['ip_address'])
        assert address.floating_network_id == public
        until(lambda: address.floating_ip_address in str(one.get_server_by_id(server.id).addresses))
        assert one.get_floating_ip(address.id).port_id == port.id
        assert one.detach_ip_from_server(server.id, address.id)
        one.add_auto_ip(one.get_server(server.id), wait=True, reuse=True)
        assert one.get_floating_ip(address.id).port_id == port.id
        assert one.delete_floating_ip(address.id)


def test_volumes(one, server):
    volume = one.create_volume(1, name='scripted', wait=True)
    one.attach_volume(one.get_server(server.id), volume, wait=True)
    attached = one.get_volume('scripted')
    assert attached.status == 'in-use' and one.get_volume_attach_device(attached, server.id)
    assert [each.id for each in one.get_volumes(server)] == [volume.id]
    one.detach_volume(server, attached, wait=True)
    assert one.delete_volume('scripted', wait=True)


def test_a_server_on_a_volume(one):
    made = one.create_server('on-volume', image='tiny', flavor='m1.tiny', network='private', wait=True,
                             auto_ip=False, boot_from_volume=True, volume_size=1, terminate_volume=True)
    assert one.delete_server(made.id, wait=True)
    until(lambda: not one.list_volumes())


def test_groups_and_keys(one, server):
    one.create_keypair('scripted', calls.KEY)
    assert one.get_keypair('scripted') and [each.name for each in one.list_keypairs()] == ['scripted']
    assert one.delete_keypair('scripted')
    one.create_security_group('scripted', 'of a script')
    assert one.add_server_security_groups(server, 'scripted')
    assert 'scripted' in [each['name'] for each in one.list_server_security_groups(server)]
    assert one.remove_server_security_groups(server, 'scripted') and one.delete_security_group('scripted')
    group = one.create_server_group('scripted', policy='anti-affinity')
    assert one.get_server_group('scripted').id == group.id and one.delete_server_group('scripted')


def test_what_administrators_do(one, root):
    assert 'nova' in root.list_availability_zone_names()
    flavor = root.create_flavor('scripted', 128, 1, 1)
    root.set_flavor_specs(flavor.id, {'hw:cpu_cores': '1'})
    root.unset_flavor_specs(flavor.id, ['hw:cpu_cores'])
    assert one.get_flavor_by_ram(100).name == 'scripted' and one.get_flavor('scripted').id == flavor.id
    assert root.delete_flavor('scripted')
    hidden = root.create_flavor('hidden', 128, 1, 1, is_public=False)
    root.add_flavor_access(hidden.id, one.current_project_id)
    assert len(root.list_flavor_access(hidden.id)) == 1
    root.remove_flavor_access(hidden.id, one.current_project_id)
    assert root.delete_flavor('hidden')
    assert len(root.list_hypervisors()) == 4
    made = root.create_aggregate('scripted', availability_zone='scripted')
    host = root.list_hypervisors()[0].name
    root.add_host_to_aggregate('scripted', host)
    root.set_aggregate_metadata('scripted', {'kept': 'by script'})
    assert root.get_aggregate('scripted').metadata['kept'] == 'by script'
    root.remove_host_from_aggregate('scripted', host)
    assert root.update_aggregate(made.id, name='renamed') and root.delete_aggregate('renamed')
    root.set_compute_quotas('demo', cores=7)
    assert root.get_compute_quotas('demo').cores == 7
    root.delete_compute_quotas('demo')
    assert one.get_compute_limits().total_cores
    assert root.get_compute_usage('demo')
