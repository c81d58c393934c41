"""From a server's record, and what its host knows of it, to the description of its guest."""

import dataclasses
from collections.abc import Mapping
from typing import cast

from oslo_config import cfg
from oslo_utils import strutils

from nova.domain import bdm, tpm
from nova.objects import BlockDeviceMapping, ImageProperties, Instance
from nova.virt.driver.claims import Claim
from nova.virt.driver.kept import Connection
from nova.virt.libvirt import spec, vif, volume_disks
from nova.virt.libvirt.paths import Paths

_LETTERS = 'abcdefghijklmnopqrstuvwxyz'
_PREFIXES = {'virtio': 'vd', 'scsi': 'sd', 'sata': 'sd', 'usb': 'sd', 'ide': 'hd', 'fdc': 'fd'}
_TUNE_CPU = {'quota:cpu_shares': 'shares', 'quota:cpu_period': 'period', 'quota:cpu_quota': 'quota'}
_TUNE_DISK = {f'quota:disk_{name}': f'{name}' for name in (
    'total_bytes_sec', 'read_bytes_sec', 'write_bytes_sec', 'total_iops_sec', 'read_iops_sec',
    'write_iops_sec')}


@dataclasses.dataclass(frozen=True, slots=True)
class Subject:
    """A server as a host is to run it.

    Attributes:
        connections: of its volumes.
        disk_format: of its local disks.
        rescue: it starts from its rescue disk, its own root disk beside that.
        filesystems: its shares, mounted here.
    """

    instance: Instance
    conf: cfg.ConfigOpts
    paths: Paths
    connections: Mapping[str, Connection]
    claim: Claim
    disk_format: str
    rescue: bool = False
    drive: bool = False
    serial_port: int | None = None
    filesystems: tuple[spec.Filesystem, ...] = ()

    @property
    def properties(self) -> ImageProperties:
        """The properties of its image; empty where it has none."""
        image = self.instance.image_meta if self.instance.known('image_meta') else None
        return image.properties if image is not None else ImageProperties()

    def extra(self, name: str) -> str | None:
        """An extra spec of its flavor."""
        flavor = self.instance.flavor if self.instance.known('flavor') else None
        return flavor.extra_specs.get(name) if flavor is not None else None

    def asked(self, extra: str, image: str) -> str | None:
        """What the flavor asks for, or else the image."""
        value = self.extra(extra)
        if value is None:
            value = getattr(self.properties, image)
        return None if value is None else str(value)


def guest(of: Subject) -> spec.Guest:
    """The guest."""
    instance, conf, properties = of.instance, of.conf, of.properties
    arch = properties.hw_architecture or 'x86_64'
    memory = instance.memory_mb
    return spec.Guest(
        uuid=instance.uuid, name=name_of(instance, conf), virt_type=conf.libvirt.virt_type,
        memory_mb=memory, vcpus=instance.vcpus, cpu=_cpu(of), boot=_boot(of, arch), about=_about(of),
        serial=spec.Serial(log=str(of.paths.console), port=of.serial_port, host=(
            conf.serial_console.proxyclient_address if of.serial_port else None)),
        cells=tuple(spec.Cell(id=cell.id, cpus=cell.cpus, memory_kb=cell.memory_mb * 1024, node=cell.node)
                    for cell in of.claim.cells),
        tuning=_tuning(of), disks=tuple(_disks(of)), filesystems=of.filesystems, nics=tuple(nics(of)),
        graphics=_graphics(of),
        video=properties.hw_video_model or 'vga', pci_devices=of.claim.pci, mdevs=of.claim.mdevs,
        pcie_ports=conf.libvirt.num_pcie_ports or 16,
        scsi_model=properties.hw_scsi_model if properties.hw_disk_bus == 'scsi' else None,
        agent=strutils.bool_from_string(properties.hw_qemu_guest_agent), rng=_rng(of), tpm=_tpm(of),
        watchdog=_watchdog(of), balloon_period=conf.libvirt.mem_stats_period_seconds,
        tb_cache_mb=conf.libvirt.tb_cache_size if conf.libvirt.virt_type == 'qemu' else None,
        clock='localtime' if properties.os_type == 'windows' else 'utc',
        hide_hypervisor=strutils.bool_from_string(of.asked('hide_hypervisor_id', 'img_hide_hypervisor_id')))


def name_of(instance: Instance, conf: cfg.ConfigOpts) -> str:
    """The name of its domain; it is found by its uuid, the name is for people."""
    if instance.known('id') and instance.id is not None:
        return str(instance.guest_name(conf.instance_name_template))
    return f'instance-{instance.uuid}'


def _about(of: Subject) -> spec.About:
    instance = of.instance
    flavor = instance.flavor if instance.known('flavor') else None
    return spec.About(
        name=(instance.display_name if instance.known('display_name') else None) or instance.uuid,
        flavor=flavor.name if flavor is not None else '', project=instance.project_id, user=instance.user_id,
        image=instance.image_ref if instance.known('image_ref') else None)


# Machine

def _machine(of: Subject, arch: str) -> str:
    known = dict(pair.split('=', 1) for pair in of.conf.libvirt.hw_machine_type if '=' in pair)
    return of.properties.hw_machine_type or known.get(arch) or 'pc'


def _boot(of: Subject, arch: str) -> spec.Boot:
    properties = of.properties
    wanted = of.asked('os:secure_boot', 'os_secure_boot')
    uefi = properties.hw_firmware_type == 'uefi'
    return spec.Boot(machine=_machine(of, arch), arch=arch, firmware='uefi' if uefi else 'bios',
                     secure=uefi and wanted == 'required',
                     menu=strutils.bool_from_string(of.asked('hw:boot_menu', 'hw_boot_menu')))


def _cpu(of: Subject) -> spec.Cpu:
    conf, vcpus = of.conf.libvirt, of.instance.vcpus
    mode = conf.cpu_mode or ('host-model' if conf.virt_type == 'kvm' else 'none')
    cores = _number(of, 'hw:cpu_cores', 'hw_cpu_cores') or 1
    threads = _number(of, 'hw:cpu_threads', 'hw_cpu_threads') or 1
    sockets = vcpus // (cores * threads)
    if sockets * cores * threads != vcpus:
        sockets, cores, threads = vcpus, 1, 1
    features = tuple((flag.lstrip('+-'), 'disable' if flag.startswith('-') else 'require')
                     for flag in conf.cpu_model_extra_flags)
    return spec.Cpu(mode=mode, model=conf.cpu_models[0] if mode == 'custom' and conf.cpu_models else None,
                    sockets=sockets, cores=cores, threads=threads, features=features if mode != 'none' else ())


def _number(of: Subject, extra: str, image: str) -> int | None:
    value = of.asked(extra, image)
    return int(value) if value else None


def _tuning(of: Subject) -> spec.Tuning:
    pins = tuple((vcpu, str(pcpu)) for cell in of.claim.cells for vcpu, pcpu in sorted(cell.pinned.items()))
    pages = {cell.page_kb for cell in of.claim.cells if cell.page_kb}
    return spec.Tuning(
        cpu=tuple((name, int(value)) for extra, name in _TUNE_CPU.items() if (value := of.extra(extra))),
        pins=pins, emulator=','.join(sorted({pin for _, pin in pins}, key=int)) or None,
        page_kb=max(pages) if pages else None, shared_memory=bool(of.filesystems))


def _rng(of: Subject) -> str | None:
    allowed = of.extra('hw_rng:allowed')
    return of.conf.libvirt.rng_dev_path if allowed is None or strutils.bool_from_string(allowed) else None


def _tpm(of: Subject) -> spec.Tpm | None:
    version = of.asked('hw:tpm_version', 'hw_tpm_version')
    if version is None or not of.conf.libvirt.swtpm_enabled:
        return None
    return spec.Tpm(version=version, model=of.asked('hw:tpm_model', 'hw_tpm_model') or 'tpm-tis',
                    secret=of.instance.uuid if tpm.secret_of(of.instance) else None)


def _watchdog(of: Subject) -> str | None:
    action = of.asked('hw:watchdog_action', 'hw_watchdog_action')
    return None if action in (None, 'disabled') else action


def _graphics(of: Subject) -> tuple[spec.Graphics, ...]:
    return tuple(spec.Graphics(kind=kind, listen=of.conf[kind].server_listen)
                 for kind in ('vnc', 'spice') if of.conf[kind].enabled)


def nics(of: Subject) -> list[spec.Nic]:
    """Its interfaces."""
    info = of.instance.network_info if of.instance.known('network_info') else None
    return [vif.describe(each, model(of), device=of.claim.ports.get(each.id))
            for each in info.vifs] if info is not None else []


def model(of: Subject) -> str:
    """What kind of card its interfaces are."""
    return of.properties.hw_vif_model or 'virtio'


# Disks

class _Names:
    """Gives disks their names, one each."""

    def __init__(self, taken: set[str]) -> None:
        self.taken = taken

    def take(self, bus: str, wanted: str | None = None) -> str:
        """The name that is wanted where it goes with the bus, or the next one that is free."""
        prefix = _PREFIXES.get(bus, 'vd')
        name = (wanted or '').removeprefix('/dev/')
        if name.startswith(prefix) and name not in self.taken:
            self.taken.add(name)
            return name
        free = next(prefix + letter for letter in _LETTERS if prefix + letter not in self.taken)
        self.taken.add(free)
        return free


def bus_of(of: Subject, device: BlockDeviceMapping | None = None) -> str:
    """The bus of a disk."""
    return (device.disk_bus if device is not None else None) or of.properties.hw_disk_bus or 'virtio'


def _local(of: Subject, path: object, target: str, bus: str, boot: int | None = None) -> spec.Disk:
    return spec.Disk(target=target, path=str(path), bus=bus, format=of.disk_format, boot=boot,
                     cache=volume_disks.cache_mode(of.conf, 'file'), discard=of.conf.libvirt.hw_disk_discard,
                     tune=tuple((name, int(value)) for extra, name in _TUNE_DISK.items()
                                if (value := of.extra(extra))))


def _disks(of: Subject) -> list[spec.Disk]:
    instance = of.instance
    names, found = _Names(set()), []
    devices = list(instance.block_devices)
    if of.rescue:
        bus = of.properties.hw_rescue_bus or bus_of(of)
        found.append(_local(of, of.paths.rescue, names.take(bus), bus, boot=1))
    if not instance.is_volume_backed:
        bus = bus_of(of, instance.root_device)
        wanted = instance.root_device_name if instance.known('root_device_name') else None
        found.append(_local(of, of.paths.root, names.take(bus, wanted), bus, boot=None if of.rescue else 1))
    root = [device for device in devices if device.is_root and device.volume_id]
    for device in root + [device for device in devices if device.volume_id and not device.is_root]:
        found.append(volume(of, device, names.taken))
    for number, device in enumerate(each for each in devices if bdm.is_ephemeral(each)):
        bus = bus_of(of, device)
        found.append(_local(of, of.paths.ephemeral(number), names.take(bus, device.device_name), bus))
    for device in filter(bdm.is_swap, devices):
        bus = bus_of(of, device)
        found.append(_local(of, of.paths.swap, names.take(bus, device.device_name), bus))
    if of.drive:
        found.append(_drive(of, names))
    return found


def _drive(of: Subject, names: _Names) -> spec.Disk:
    """The config drive: a CD, or a disk where it is vfat."""
    if of.conf.config_drive_format == 'vfat':
        return spec.Disk(target=names.take('virtio'), path=str(of.paths.config), format='raw',
                         cache=volume_disks.cache_mode(of.conf, 'file'))
    machine = _machine(of, of.properties.hw_architecture or 'x86_64')
    bus = of.properties.hw_cdrom_bus or ('sata' if 'q35' in machine else 'ide')
    return spec.Disk(target=names.take(bus), path=str(of.paths.config), bus=bus, device='cdrom', format='raw',
                     readonly=True, cache=volume_disks.cache_mode(of.conf, 'file'))


def volume(of: Subject, device: BlockDeviceMapping, taken: set[str]) -> spec.Disk:
    """A volume as a disk, from how it is connected.

    Args:
        taken: names that other disks of the guest have.

    Raises:
        errors.virt.DriverFailed: it is not connected to this host.
    """
    bus = bus_of(of, device)
    boot = 1 if device.is_root and not of.rescue else None
    names = _Names(taken)
    made = volume_disks.describe(device, of.connections.get(cast(str, device.volume_id)), of.conf)
    return dataclasses.replace(made, target=names.take(bus, device.device_name), bus=bus, boot=boot)
