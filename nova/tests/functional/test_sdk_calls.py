"""Every call of openstacksdk's compute proxy, against a standalone cloud; on demand.

The calls are listed by the library itself, so that none is forgotten: each is made, or struck with a reason.
"""

import inspect
import json

import openstack
import openstack.proxy
import pytest
from openstack.compute.v2 import _proxy

from nova.tests.fixtures.waiting import until
from nova.tests.functional import calls
from nova.tests.functional.conftest import User, standalone

SOFT = '[DEFAULT]\nreclaim_instance_interval = 3600\n'
STRUCK = {
    'delete_service': 'refused while the host is up; nova/tests/api/test_operators.py',
    'validate_console_auth_token': 'asks at a version of its own choice, which has no such route'}


def listed():
    inherited = dir(openstack.proxy.Proxy)
    return {name for name, _ in inspect.getmembers(_proxy.Proxy, callable)
            if not name.startswith('_') and name not in inherited}


def test_no_call_is_forgotten():
    made = calls.made_by(__file__, {'one', 'root', 'old', 'newer'})
    assert not listed() - made - set(STRUCK)
    assert not made & set(STRUCK)


@pytest.fixture(scope='module')
def cloud(tmp_path_factory, supply):
    """Of its own, in which what is deleted may be restored."""
    with standalone('sqlite', tmp_path_factory, supply, SOFT) as found:
        yield found


def connected(cloud, user, version=None, **more):
    """A connection as a user, at a microversion of Compute; without one the library chooses for each call."""
    if version is not None:
        more['compute_default_microversion'] = version
    return openstack.connection.Connection(config=openstack.config.OpenStackConfig(
        config_files=[str(cloud.clouds_file)]).get_one(user, **more))


@pytest.fixture(scope='module')
def demo(cloud):
    return User(cloud, 'demo')


@pytest.fixture(scope='module')
def one(cloud):
    """The compute proxy of a member."""
    with connected(cloud, 'demo', '2.96') as connection:
        yield connection.compute


@pytest.fixture(scope='module')
def root(cloud):
    """And of an administrator."""
    with connected(cloud, 'admin', '2.96') as connection:
        yield connection.compute


@pytest.fixture
def server(one, demo):
    made = one.create_server(name='called', image_id=demo.image, flavor_id='1',
                             networks=[{'uuid': demo.network}])
    yield one.wait_for_server(made, interval=0.5)
    one.delete_server(made.id)
    demo.wait(made.id, 'SOFT_DELETED', 60)
    one.restore_server(made.id)
    until(lambda: demo.show(made.id)['status'] != 'SOFT_DELETED')
    one.delete_server(made.id, force=True)
    one.wait_for_delete(made, interval=0.5)


pytestmark = [pytest.mark.timeout(1800)]


@pytest.mark.slow
def test_flavors_keys_and_groups(one, root, demo):
    made = root.create_flavor(name='called', ram=64, vcpus=1, disk=1, is_public=False)
    root.update_flavor(made, description='words')
    root.create_flavor_extra_specs(made, {'hw:cpu_policy': 'shared'})
    root.fetch_flavor_extra_specs(made)
    root.update_flavor_extra_specs_property(made, 'hw:numa_nodes', '1')
    assert root.get_flavor_extra_specs_property(made, 'hw:numa_nodes') == '1'
    root.delete_flavor_extra_specs_property(made, 'hw:numa_nodes')
    root.flavor_add_tenant_access(made, demo.project)
    assert root.get_flavor_access(made)
    root.flavor_remove_tenant_access(made, demo.project)
    assert one.find_flavor('m1.tiny').id == one.get_flavor('1').id and list(one.flavors())
    root.delete_flavor(made)
    key = one.create_keypair(name='called', public_key=calls.KEY)
    assert one.find_keypair('called').name == one.get_keypair(key).name and list(one.keypairs())
    one.delete_keypair(key)
    group = one.create_server_group(name='called', policy='affinity')
    assert one.find_server_group('called').id == one.get_server_group(group).id and list(one.server_groups())
    one.delete_server_group(group)


@pytest.mark.slow
def test_what_operators_ask(cloud, one, root, demo):
    made = root.create_aggregate(name='called')
    assert root.find_aggregate('called').id == root.get_aggregate(made).id and list(root.aggregates())
    root.add_host_to_aggregate(made, 'compute1')
    root.set_aggregate_metadata(made, {'rack': '7'})
    root.update_aggregate(made, name='called too')
    root.aggregate_precache_images(made, [demo.image])
    root.remove_host_from_aggregate(made, 'compute1')
    root.delete_aggregate(made)
    assert list(one.availability_zones()) and list(one.extensions()) and one.find_extension('os-keypairs')
    found = next(iter(root.hypervisors(details=True)))
    assert root.find_hypervisor(found.name).id == root.get_hypervisor(found).id
    with connected(cloud, 'admin', '2.87') as connection:
        old = connection.compute
        old.get_hypervisor_uptime(found)
    service = next(each for each in root.services() if each.host == 'compute4')
    assert root.find_service(service.id).id == service.id
    root.disable_service(service, service.host, service.binary, 'called')
    root.enable_service(service, service.host, service.binary)
    root.update_service(service, status='enabled')
    root.update_service_forced_down(service, service.host, service.binary, True)
    root.force_service_down(service, service.host, service.binary, False)
    assert one.get_limits().absolute.instances
    mine = demo.project
    assert root.get_quota_set_defaults(mine).instances
    root.update_quota_set(mine, instances=20)
    assert root.get_quota_set(mine).instances == 20
    root.revert_quota_set(mine)
    root.update_quota_class_set('default', instances=11)
    assert root.get_quota_class_set('default').instances == 11
    assert one.get_usage(mine) and list(root.usages()) is not None
    assert list(root.migrations()) is not None


@pytest.mark.slow
def test_images_by_way_of_compute(cloud):
    """Below 2.36."""
    with connected(cloud, 'demo', '2.35') as connection:
        one = connection.compute
        image, = (each for each in one.images() if each.name == 'tiny')
        assert one.find_image('tiny').id == one.get_image(image).id
        one.fetch_image_metadata(image)
        one.get_image_metadata(image)
        copy = connection.image.create_image('called', data=b'x', disk_format='raw', container_format='bare')
        one.set_image_metadata(copy.id, a='b')
        one.delete_image_metadata(copy.id, ['a'])
        one.delete_image(copy.id)


@pytest.mark.slow
def test_a_server(cloud, one, root, demo, server):
    def rests(status):
        return demo.wait(server.id, status, 60)
    assert one.find_server('called').id == one.get_server(server).id and list(one.servers())
    one.update_server(server, name='called')
    one.set_server_metadata(server, a='b')
    one.fetch_server_metadata(server)
    one.get_server_metadata(server)
    one.delete_server_metadata(server, ['a'])
    one.add_tag_to_server(server, 'red')
    one.remove_tag_from_server(server, 'red')
    one.remove_tags_from_server(server)
    one.lock_server(server, 'because')
    one.unlock_server(server)
    for call, status in ((one.pause_server, 'PAUSED'), (one.unpause_server, 'ACTIVE'),
                         (one.suspend_server, 'SUSPENDED'), (one.resume_server, 'ACTIVE'),
                         (one.stop_server, 'SHUTOFF'), (one.start_server, 'ACTIVE'),
                         (one.rescue_server, 'RESCUE'), (one.unrescue_server, 'ACTIVE'),
                         (one.shelve_server, 'SHELVED_OFFLOADED'), (one.unshelve_server, 'ACTIVE')):
        call(server)
        one.wait_for_status(one.get_server(server), status, interval=0.5, wait=120)
        rests(status)
    one.reboot_server(server, 'HARD')
    rests('ACTIVE')
    one.rebuild_server(server, demo.image)
    rests('ACTIVE')
    one.resize_server(server, '2')
    rests('VERIFY_RESIZE')
    one.revert_server_resize(server)
    rests('ACTIVE')
    one.resize_server(server, '2')
    rests('VERIFY_RESIZE')
    one.confirm_server_resize(server)
    rests('ACTIVE')
    one.get_server_console_output(server)
    with connected(cloud, 'demo', '2.5') as connection:
        old = connection.compute
        old.get_server_console_url(server, 'novnc')
        old.create_console(server, 'novnc')
    one.create_server_remote_console(server, protocol='vnc', type='novnc')
    one.get_server_password(server)
    one.clear_server_password(server)
    root.get_server_diagnostics(server)
    root.trigger_server_crash_dump(server)
    root.reset_server_state(server, 'active')
    action = next(iter(one.server_actions(server)))
    assert one.get_server_action(action, server).request_id == action.request_id
    one.create_server_image(server, 'called-image', wait=True)
    rests('ACTIVE')
    one.backup_server(server, 'called-backup', 'daily', 1)
    rests('ACTIVE')


@pytest.mark.slow
def test_ports_groups_and_volumes(cloud, one, root, demo, server):
    assert list(one.server_ips(server)) and list(one.server_interfaces(server))
    made = one.create_server_interface(server, net_id=demo.network)
    assert one.get_server_interface(made, server).port_id == made.port_id
    one.delete_server_interface(made, server)
    until(lambda: len(list(one.server_interfaces(server))) == 1)
    with connected(cloud, 'demo', '2.96') as connection:
        connection.network.create_security_group(name='called')
        one.add_security_group_to_server(server, 'called')
        one.fetch_server_security_groups(server)
        one.remove_security_group_from_server(server, 'called')
        volume = connection.block_storage.create_volume(size=1)
        connection.block_storage.wait_for_status(volume, 'available', interval=0.5)
        one.create_volume_attachment(server, volume)
        until(lambda: connection.block_storage.get_volume(volume).status == 'in-use')
        assert one.get_volume_attachment(server, volume) and list(one.volume_attachments(server))
        one.update_volume_attachment(server, volume, delete_on_termination=True)
        one.update_volume_attachment(server, volume, delete_on_termination=False)
        one.delete_volume_attachment(server, volume)
        until(lambda: connection.block_storage.get_volume(volume).status == 'available')
    root.create_server_external_events([{'name': 'network-changed', 'server_uuid': server.id}])
    with connected(cloud, 'demo', '2.43') as connection:
        one = connection.compute
        public = connection.network.find_network('public').id
        address = connection.network.create_ip(floating_network_id=public)
        one.add_floating_ip_to_server(server, address.floating_ip_address)
        one.remove_floating_ip_from_server(server, address.floating_ip_address)
        one.add_fixed_ip_to_server(server, demo.network)
        until(lambda: len(demo.show(server.id)['addresses']['private']) == 2)
        address = demo.show(server.id)['addresses']['private'][1]['addr']
        one.remove_fixed_ip_from_server(server, address)


@pytest.mark.slow
def test_shares(cloud, one, demo, server):
    one.stop_server(server)
    demo.wait(server.id, 'SHUTOFF')
    with connected(cloud, 'demo', '2.97') as connection:
        newer = connection.compute
        share = connection.shared_file_system.create_share(share_protocol='NFS', size=1)
        newer.create_share_attachment(server, share.id, tag='data')
        until(lambda: newer.get_share_attachment(server, share.id).status == 'inactive')
        assert [each.tag for each in newer.share_attachments(server)] == ['data']
        newer.delete_share_attachment(server, share.id)
        until(lambda: not list(newer.share_attachments(server)))


@pytest.mark.slow
def test_moves(cloud, one, root, demo, server):
    root.migrate_server(server)
    demo.wait(server.id, 'VERIFY_RESIZE', 60)
    one.confirm_server_resize(server)
    demo.wait(server.id, 'ACTIVE', 60)
    files = [cloud.deployment.directory / 'computes' / host / 'faults.json' for host in cloud.deployment.hosts]
    for file in files:
        file.write_text(json.dumps({'live_migrate': {'do': 'last', 'seconds': 60}}))
    for call in ('force', 'abort'):
        root.live_migrate_server(server, block_migration='auto')
        move = until(lambda: [each for each in root.server_migrations(server) if each.status == 'running'])[0]
        assert root.get_server_migration(move, server).id == move.id
        if call == 'force':
            root.force_complete_server_migration(move, server)
        else:
            root.abort_server_migration(move, server)
        demo.wait(server.id, 'ACTIVE', 60)
    for file in files:
        file.unlink()
    one.shelve_server(server)
    demo.wait(server.id, 'SHELVED_OFFLOADED', 60)
    assert root.find_server(server.id, all_projects=True)
    with pytest.raises(openstack.exceptions.ConflictException):
        root.shelve_offload_server(server)
    one.unshelve_server(server)
    demo.wait(server.id, 'ACTIVE', 60)
    with pytest.raises(openstack.exceptions.BadRequestException):
        root.evacuate_server(server)
    one.change_server_password(server, 'secret')
    demo.wait(server.id, 'ACTIVE', 60)
