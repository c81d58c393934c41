"""[libvirt]: guests of QEMU, through libvirt."""

from oslo_config import cfg

GROUP = 'libvirt'
_BASICS: list[cfg.Opt] = [
    cfg.StrOpt('connection_uri', default='', help='''
How libvirt is reached; empty is ``qemu:///system`` on this host.'''),
    cfg.StrOpt('virt_type', default='kvm', choices=('kvm', 'qemu'), help='''
Whether the machine's own virtualization runs guests, or QEMU interprets them (slowly); never guessed.'''),
    cfg.StrOpt('cpu_mode', choices=('host-model', 'host-passthrough', 'custom', 'none'), help='''
CPU of guests. Unset is host-model with kvm, and none (what QEMU chooses) with qemu.'''),
    cfg.ListOpt('cpu_models', default=[], help='''
With cpu_mode custom: names of CPU models, the most common first; the first is used.'''),
    cfg.ListOpt('cpu_model_extra_flags', default=[], help='''
CPU features on top of the model: ``+name`` (or ``name``) switches one on, ``-name`` off.'''),
    cfg.ListOpt('hw_machine_type', default=[], help='''
Machine type by architecture, as ``x86_64=q35``; an image's hw_machine_type wins.'''),
    cfg.IntOpt('num_pcie_ports', default=0, min=0, max=28, help='''
PCIe ports of q35 guests, each for one device that is plugged in while they run; 0 is sixteen.'''),
    cfg.IntOpt('tb_cache_size', min=0, help='''
MiB of memory in which QEMU keeps translated code of a guest, with virt_type qemu; unset leaves it to QEMU.'''),
    cfg.StrOpt('rng_dev_path', default='/dev/urandom', help='''
Source of random numbers of guests whose flavor and image allow them.'''),
    cfg.IntOpt('mem_stats_period_seconds', default=10, min=0, help='''
How often a guest tells how much memory it uses; 0 is never.'''),
    cfg.IntOpt('wait_soft_reboot_seconds', default=120, min=0, help='''
How long a guest may take to shut down for a soft reboot, before it becomes a hard one.'''),
    cfg.StrOpt('rescue_image_id', help='''
Image for rescue where the request names none.'''),
    cfg.BoolOpt('swtpm_enabled', default=False, help='''
Guests may have an emulated TPM. It takes the program swtpm, and a key manager for their passphrases.'''),
    cfg.StrOpt('swtpm_user', default='tss', help='''
User as whom libvirt has emulated TPMs run; qemu.conf says the same. What they keep is his after a move.'''),
    cfg.StrOpt('swtpm_group', default='tss', help='''
Group of the same.'''),
]
_DISKS: list[cfg.Opt] = [
    cfg.StrOpt('images_type', default='default', choices=('default', 'qcow2', 'raw', 'flat'), help='''
Local disks of guests: ``qcow2`` grows over an image that guests share, ``raw`` and ``flat`` are copies of it.
``default`` is qcow2 where use_cow_images, else flat.'''),
    cfg.ListOpt('disk_cachemodes', default=[], help='''
Cache mode by kind of disk: ``file=none``, ``block=none``, ``network=writeback``.'''),
    cfg.StrOpt('hw_disk_discard', choices=('ignore', 'unmap'), help='''
Whether what a guest discards is given back to the host.'''),
    cfg.StrOpt('snapshot_image_format', choices=('raw', 'qcow2', 'vmdk', 'vdi'), help='''
Disk format of images that are made of servers; unset is the format of the disk.'''),
    cfg.BoolOpt('snapshot_compression', default=False, help='''
Whether such an image is compressed, where its format is qcow2.'''),
    cfg.IntOpt('device_detach_attempts', default=8, min=1, help='''
How often a guest is asked to let a device go.'''),
    cfg.IntOpt('device_detach_timeout', default=20, min=1, help='''
Seconds to wait for it, each time.'''),
]
_VOLUMES: list[cfg.Opt] = [
    cfg.BoolOpt('volume_use_multipath', default=False, deprecated_name='iscsi_use_multipath', help='''
Volumes on iSCSI, Fibre Channel and NVMe-oF are connected by all the ways there are.'''),
    cfg.BoolOpt('volume_enforce_multipath', default=False, help='''
With volume_use_multipath: the service does not start, and no volume is connected, where multipathd does not
run; otherwise one way does then.'''),
    cfg.IntOpt('num_volume_scan_tries', default=5, min=1, deprecated_name='num_iscsi_scan_tries', help='''
How often a host looks for a volume that is being connected.'''),
    cfg.StrOpt('iscsi_iface', deprecated_name='iscsi_transport', help='''
Interface of open-iscsi that volumes are connected by; unset is its default.'''),
    cfg.BoolOpt('iser_use_multipath', default=False, help='''
The same as volume_use_multipath for volumes on iSER.'''),
    cfg.IntOpt('num_iser_scan_tries', default=5, min=1, help='''
The same as num_volume_scan_tries for volumes on iSER.'''),
    cfg.IntOpt('num_nvme_discover_tries', default=5, min=1, help='''
The same for volumes on NVMe-oF.'''),
    cfg.StrOpt('nfs_mount_point_base', default='$state_path/mnt', help='''
Where shares of NFS are mounted, each in a directory that is named after it.'''),
    cfg.StrOpt('nfs_mount_options', help='''
Options of these mounts; see nfs(5).'''),
    cfg.StrOpt('ceph_mount_point_base', default='$state_path/mnt', help='''
Where shares of CephFS are mounted, each in a directory of its own.'''),
    cfg.ListOpt('ceph_mount_options', default=[], help='''
Options of these mounts, beside the name and the key of who mounts; see mount.ceph(8).'''),
    cfg.StrOpt('quobyte_mount_point_base', default='$state_path/mnt', help='''
The same as nfs_mount_point_base for Quobyte.'''),
    cfg.StrOpt('rbd_user', help='''
Who opens volumes on RBD, where the volume service does not say it.'''),
    cfg.StrOpt('rbd_secret_uuid', help='''
The secret of libvirt with the key of this user, where the volume service does not say it.'''),
]
_MOVES: list[cfg.Opt] = [
    cfg.StrOpt('live_migration_uri', help='''
libvirt of the destination, as the source reaches it; ``%s`` is the destination's address. Unset is made of
live_migration_scheme: ``qemu+tcp://%s/system``.'''),
    cfg.StrOpt('live_migration_scheme', help='''
Transport to the destination's libvirt where live_migration_uri is unset: ``tcp``, ``tls``, ``ssh``.'''),
    cfg.HostAddressOpt('live_migration_inbound_addr', help='''
Address of this host for migrations to it; unset is my_ip.'''),
    cfg.IntOpt('live_migration_bandwidth', default=0, min=0, help='''
MiB/s that a migration may use; 0 is no bound.'''),
    cfg.BoolOpt('live_migration_permit_post_copy', default=False, help='''
A guest may go on at the destination before all of its memory is there, where it would not get there.'''),
    cfg.BoolOpt('live_migration_permit_auto_converge', default=False, help='''
A guest that writes faster than it can be copied is slowed down.'''),
    cfg.BoolOpt('live_migration_tunnelled', default=False, help='''
Memory goes through libvirt's own connection; not with local disks.'''),
    cfg.BoolOpt('live_migration_with_native_tls', default=False, help='''
QEMU encrypts what it copies, memory and local disks, with the certificates of ``migrate_tls_x509_cert_dir`` (or
``default_tls_x509_cert_dir``) of qemu.conf. Not together with live_migration_tunnelled.'''),
    cfg.IntOpt('live_migration_completion_timeout', default=800, min=0, mutable=True, help='''
Seconds for each GiB of memory and disk, at least two GiB, after which a migration is ended by
live_migration_timeout_action; 0 is never.'''),
    cfg.StrOpt('live_migration_timeout_action', default='abort', choices=('abort', 'force_complete'),
               mutable=True, help='''
What happens to a migration that takes longer.'''),
]
OPTS = _BASICS + _DISKS + _VOLUMES + _MOVES


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> dict[str, list[cfg.Opt]]:
    return {GROUP: OPTS}
