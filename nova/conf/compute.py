"""[DEFAULT] and [compute]: how a host runs its servers."""

from oslo_config import cfg

_DRIVER = [
    cfg.StrOpt('compute_driver', help='''
Hypervisor driver: libvirt.LibvirtDriver, or fake.FakeDriver for simulations.'''),
    cfg.StrOpt('instances_path', default='$state_path/instances', help='''
Directory of the servers' files on this host.'''),
    cfg.BoolOpt('resume_guests_state_on_host_boot', default=False, help='''
Guests that ran before the host rebooted are started again.'''),
    cfg.BoolOpt('use_cow_images', default=True, help='''
Disks are qcow2 overlays on cached images.'''),
    cfg.BoolOpt('force_raw_images', default=True, help='''
Cached images are converted to raw.'''),
    cfg.StrOpt('config_drive_format', default='iso9660', choices=('iso9660', 'vfat'), help='''
File system of config drives; a CD, or a disk with vfat.'''),
    cfg.BoolOpt('force_config_drive', default=False, help='''
Every server gets a config drive.'''),
    cfg.ListOpt('non_inheritable_image_properties', default=['cache_in_nova', 'bittorrent'], help='''
Properties of a server's image that images of the server do not get.'''),
    cfg.IntOpt('password_length', default=12, min=0, help='''
Length of generated administrator passwords.'''),
]

_RESOURCES = [
    cfg.IntOpt('reserved_host_cpus', default=0, min=0, help='''
CPUs of the host that servers do not get.'''),
    cfg.IntOpt('reserved_host_memory_mb', default=512, min=0, help='''
Megabytes of memory of the host that servers do not get.'''),
    cfg.IntOpt('reserved_host_disk_mb', default=0, min=0, help='''
Megabytes of disk of the host that servers do not get.'''),
    cfg.FloatOpt('cpu_allocation_ratio', min=0.0, help='''
vCPUs offered for each CPU; set, it is written to Placement again and again, and what was set there is
lost. Unset leaves a new host with initial_cpu_allocation_ratio.'''),
    cfg.FloatOpt('ram_allocation_ratio', min=0.0, help='''
The same for memory.'''),
    cfg.FloatOpt('disk_allocation_ratio', min=0.0, help='''
The same for disk.'''),
    cfg.FloatOpt('initial_cpu_allocation_ratio', default=4.0, min=0.0, help='''
vCPUs offered for each CPU of a new host.'''),
    cfg.FloatOpt('initial_ram_allocation_ratio', default=1.0, min=0.0, help='''
Memory offered for each byte of a new host.'''),
    cfg.FloatOpt('initial_disk_allocation_ratio', default=1.0, min=0.0, help='''
Disk offered for each byte of a new host.'''),
]

_LIMITS = [
    cfg.IntOpt('max_concurrent_builds', default=10, min=0, help='''
Builds that run on a host at the same time; 0 is no limit.'''),
    cfg.IntOpt('max_concurrent_snapshots', default=5, min=0, help='''
Snapshots that run on a host at the same time; 0 is no limit.'''),
    cfg.IntOpt('migrate_max_retries', default=-1, min=-1, help='''
Other hosts that a live migration tries when one will not do; -1 tries them all.'''),
    cfg.IntOpt('max_concurrent_live_migrations', default=1, min=0, help='''
Live migrations that leave a host at the same time; 0 is no limit.'''),
    cfg.IntOpt('max_local_block_devices', default=3, min=-1, help='''
Local disks of a new server, its root disk included; -1 is no limit, 0 allows volumes only.'''),
    cfg.BoolOpt('allow_resize_to_same_host', default=False, help='''
A resize may end on the host where the server is.'''),
]

_TIMES = [
    cfg.IntOpt('sync_power_state_interval', default=600, min=-1, help='''
Seconds between two comparisons of guests with records; negative never compares.'''),
    cfg.IntOpt('heal_instance_info_cache_interval', default=-1, min=-1, help='''
Seconds between two refreshes of one server's network information; negative never refreshes.'''),
    cfg.IntOpt('update_resources_interval', default=60, min=0, help='''
Seconds between two reports of a host's resources.'''),
    cfg.IntOpt('reclaim_instance_interval', default=0, min=0, help='''
Seconds that a deleted server can be restored; 0 deletes at once. Must be the same for the API and
computes.'''),
    cfg.IntOpt('shelved_offload_time', default=0, min=-1, help='''
Seconds until a shelved server leaves its host; negative never.'''),
    cfg.IntOpt('reboot_timeout', default=0, min=0, help='''
Seconds after which a hanging reboot is repeated as a hard one; 0 leaves it to the task's deadline.'''),
    cfg.IntOpt('rescue_timeout', default=0, min=0, help='''
Seconds after which a rescued server is unrescued; 0 never.'''),
    cfg.IntOpt('resize_confirm_window', default=0, min=0, help='''
Seconds after which a resize is confirmed; 0 never.'''),
    cfg.IntOpt('instance_build_timeout', default=0, min=0, help='''
Seconds after which a build is an error, where shorter than [task] build_timeout; 0 leaves it to that.'''),
    cfg.IntOpt('shutdown_timeout', default=60, min=0, help='''
Seconds that a guest gets to shut itself down before it is stopped hard.'''),
    cfg.IntOpt('vif_plugging_timeout', default=300, min=0, help='''
Seconds to wait for the network service to report ports as plugged in; 0 does not wait.'''),
    cfg.BoolOpt('vif_plugging_is_fatal', default=True, help='''
A server whose ports were not reported in time is an error.'''),
    cfg.IntOpt('block_device_allocate_retries', default=60, min=0, help='''
How often a new volume is looked at until it is available.'''),
    cfg.IntOpt('block_device_allocate_retries_interval', default=3, min=0, help='''
Seconds between two looks.'''),
    cfg.IntOpt('network_allocate_retries', default=0, min=0, help='''
How often allocating a server's network is tried again.'''),
]

OPTS = _DRIVER + _RESOURCES + _LIMITS + _TIMES

GROUP = 'compute'
GROUP_OPTS: list[cfg.Opt] = [
    cfg.IntOpt('consecutive_build_service_disable_threshold', default=10, min=0, help='''
Failed builds in a row, counted against a host when hosts are weighed; 0 counts none.'''),
    cfg.IntOpt('shutdown_retry_interval', default=10, min=1, help='''
Seconds between two signals to a guest that should shut down.'''),
    cfg.IntOpt('resource_provider_association_refresh', default=300, min=0, help='''
Seconds after which a host reads its providers from Placement again; 0 never.'''),
    cfg.StrOpt('cpu_shared_set', help='''
CPUs for floating vCPUs, such as "4-12,^8".'''),
    cfg.StrOpt('cpu_dedicated_set', help='''
CPUs for pinned vCPUs, such as "4-12,^8".'''),
    cfg.BoolOpt('report_numa_in_placement', default=False, help='''
CPUs and memory are reported as those of the host's NUMA cells, each a resource provider below the node:
Placement knows then which cell a server with NUMA nodes is on. Any other server has to fit on the cells: its
CPUs on one, its memory on one. What servers hold moves along when this is turned on or off and the host starts,
as soon as no server is being moved from or to it.'''),
    cfg.IntOpt('max_disk_devices_to_attach', default=-1, min=-1, help='''
Most disks of a server; -1 leaves it to the hypervisor.'''),
    cfg.ListOpt('image_type_exclude_list', default=[], help='''
Disk formats that this host does not offer.'''),
    cfg.StrOpt('provider_config_location', default='/etc/nova/provider_config/', help='''
Directory of YAML files that add inventories and traits to this host's providers.'''),
    cfg.BoolOpt('live_migration_wait_for_vif_plug', default=True, help='''
A live migration waits until the destination's ports are plugged in.'''),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTS)
    conf.register_opts(GROUP_OPTS, group=GROUP)


def list_opts() -> dict[str, list[cfg.Opt]]:
    return {'DEFAULT': OPTS, GROUP: GROUP_OPTS}
