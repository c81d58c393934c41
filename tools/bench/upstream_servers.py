"""One server in each cell of upstream's, written by its own objects as if it were booted; run by its Python.

    python upstream_servers.py NOVA.CONF      prints {cell: uuid}
"""

import datetime
import json
import sys
import uuid

from nova.network import model

from nova import config, context, objects
from nova.compute import vm_states

PROJECT, USER, HOST, IMAGE = uuid.uuid4().hex, 'alice', 'host1', str(uuid.uuid4())
NAMED = {'image_hw_disk_bus': 'virtio', 'image_owner': 'me', 'image_base_image_ref': IMAGE,
         'image_container_format': 'bare', 'image_disk_format': 'qcow2', 'image_min_disk': '1',
         'image_min_ram': '0', 'boot_roles': 'member,reader', 'owner_project_name': 'demo',
         'owner_user_name': 'alice'}
"""What is written beside a server that was booted of an image."""


def network():
    """One port with one address."""
    return model.NetworkInfo([model.VIF(
        id=str(uuid.uuid4()), address='fa:16:3e:00:00:01', type=model.VIF_TYPE_OVS, devname='tap0', active=True,
        network=model.Network(id=str(uuid.uuid4()), label='private', bridge='br-int', subnets=[model.Subnet(
            cidr='10.0.0.0/24', dns=[], gateway=model.IP('10.0.0.1', 'gateway'), routes=[],
            ips=[model.FixedIP(address='10.0.0.2')], version=4)]))])


def write(admin, mapping, flavor):
    """The server, its disk, and what the API database knows of it."""
    server, now = str(uuid.uuid4()), datetime.datetime.now(datetime.UTC)
    with context.target_cell(admin, mapping) as within:
        objects.Service(within, host=HOST, binary='nova-compute', topic='compute', report_count=1,
                        last_seen_up=now).create()
        made = objects.Instance(
            within, uuid=server, project_id=PROJECT, user_id=USER, display_name='one', hostname='one',
            host=HOST, launched_on=HOST, vm_state=vm_states.ACTIVE, power_state=1, launched_at=now,
            image_ref=IMAGE, flavor=flavor, old_flavor=None, new_flavor=None, instance_type_id=flavor.id,
            memory_mb=flavor.memory_mb, vcpus=flavor.vcpus, root_gb=flavor.root_gb, ephemeral_gb=0,
            availability_zone='zone-1', auto_disk_config=True, metadata={'a': 'b'}, system_metadata=NAMED,
            root_device_name='/dev/vda', reservation_id='r-00000000', launch_index=0, locked=False,
            display_description='one', config_drive='', key_name=None, user_data=None)
        made.create()
        made.progress = 0
        made.save()  # so that it has been changed once
        objects.InstanceInfoCache(within, instance_uuid=server, network_info=network()).save()
        objects.BlockDeviceMapping(
            within, instance_uuid=server, source_type='image', destination_type='local', boot_index=0,
            device_name='/dev/vda', image_id=IMAGE, delete_on_termination=True, no_device=False,
            volume_size=1).create()
        objects.TagList.create(within, server, ['t'])
    objects.InstanceMapping(admin, instance_uuid=server, cell_mapping=mapping, project_id=PROJECT, user_id=USER,
                            queued_for_delete=False).create()
    objects.RequestSpec(
        admin, instance_uuid=server, project_id=PROJECT, user_id=USER, flavor=flavor, num_instances=1,
        image=objects.ImageMeta(id=IMAGE, properties=objects.ImageMetaProps(hw_disk_bus='virtio')),
        availability_zone='zone-1', numa_topology=None, pci_requests=None, ignore_hosts=None, force_hosts=None,
        force_nodes=None, retry=None, limits=objects.SchedulerLimits(), instance_group=None,
        scheduler_hints={}, security_groups=objects.SecurityGroupList(objects=[]), is_bfv=False,
        requested_destination=None, requested_networks=objects.NetworkRequestList(objects=[]),
        requested_resources=[], request_level_params=objects.RequestLevelParams()).create()
    return server


def main():
    config.parse_args(['nova-manage', '--config-file', sys.argv[1]])
    objects.register_all()
    admin = context.get_admin_context()
    flavor = objects.Flavor.get_by_flavor_id(admin, '1')
    print(json.dumps({mapping.name: write(admin, mapping, flavor)
                      for mapping in objects.CellMappingList.get_all(admin) if not mapping.is_cell0()}))


if __name__ == '__main__':
    main()
