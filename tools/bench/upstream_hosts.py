"""One host in each cell of upstream's, by its own objects; run by its Python.

    python upstream_hosts.py NOVA.CONF write    writes it, and prints {cell: its name}
    python upstream_hosts.py NOVA.CONF tell     tells schedulers that the hosts of the list on standard input
                                                have no servers, as hosts do once a while
"""

import datetime
import json
import sys
import uuid

from nova import config, context, objects
from nova.scheduler import rpcapi

KIND = {'hypervisor_type': 'fake', 'hypervisor_version': 1, 'host_ip': '192.0.2.1', 'cpu_info': '{}',
        'metrics': '[]', 'numa_topology': None, 'current_workload': 0, 'running_vms': 0,
        'stats': {'num_instances': '0'}, 'mapped': 1}
ROOM = {'vcpus': 32, 'vcpus_used': 0, 'cpu_allocation_ratio': 16.0,
        'memory_mb': 131072, 'memory_mb_used': 0, 'free_ram_mb': 131072, 'ram_allocation_ratio': 1.0,
        'local_gb': 2000, 'local_gb_used': 0, 'free_disk_gb': 2000, 'disk_allocation_ratio': 1.0,
        'disk_available_least': 2000}


def write(admin, mapping):
    """A host of this cell; its name."""
    host, now = f'like-{mapping.name}', datetime.datetime.now(datetime.UTC)
    with context.target_cell(admin, mapping) as within:
        objects.Service(within, host=host, binary='nova-compute', topic='compute', report_count=1,
                        last_seen_up=now).create()
        objects.ComputeNode(
            within, host=host, uuid=str(uuid.uuid4()), hypervisor_hostname=host,
            supported_hv_specs=[objects.HVSpec.from_list(['x86_64', 'fake', 'hvm'])],
            pci_device_pools=objects.PciDevicePoolList(objects=[]), **KIND, **ROOM).create()
    objects.HostMapping(admin, host=host, cell_mapping=mapping).create()
    return host


def main():
    config.parse_args(['nova-manage', '--config-file', sys.argv[1]])
    objects.register_all()
    admin = context.get_admin_context()
    if sys.argv[2] == 'write':
        print(json.dumps({mapping.name: write(admin, mapping)
                          for mapping in objects.CellMappingList.get_all(admin) if not mapping.is_cell0()}))
        return
    hosts, schedulers = json.load(sys.stdin), rpcapi.SchedulerAPI()
    for _ in range(2):  # of a host that it does not know yet, a scheduler looks for servers itself
        for host in hosts:
            schedulers.sync_instance_info(admin, host, [])


if __name__ == '__main__':
    main()
