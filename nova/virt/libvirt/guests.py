"""What the parts of the driver share: the connection, the guests, their files."""

import dataclasses
import pathlib
from collections.abc import Callable

import libvirt
from lxml import etree
from oslo_config import cfg

from nova import errors
from nova.domain import bdm
from nova.keymgr import Keys
from nova.objects import VIF
from nova.states import Power
from nova.task.handles import Host
from nova.virt import claiming
from nova.virt.driver import events, kept
from nova.virt.libvirt import claims, describe, serial, spec, vif, xml
from nova.virt.libvirt.cache import ImageCache
from nova.virt.libvirt.commands import Commands
from nova.virt.libvirt.connectors import Connectors
from nova.virt.libvirt.disks import Disks
from nova.virt.libvirt.mounts import Mounts
from nova.virt.libvirt.paths import Paths
from nova.virt.libvirt.secrets import Secrets
from nova.virt.libvirt.session import Session, translated
from nova.virt.libvirt.tpms import Tpms
from nova.virt.libvirt.volumes import Volumes
from nova.virt.signatures import Signatures

_POWERS = {
    libvirt.VIR_DOMAIN_RUNNING: Power.RUNNING, libvirt.VIR_DOMAIN_BLOCKED: Power.RUNNING,
    libvirt.VIR_DOMAIN_SHUTDOWN: Power.RUNNING, libvirt.VIR_DOMAIN_PAUSED: Power.PAUSED,
    libvirt.VIR_DOMAIN_CRASHED: Power.CRASHED, libvirt.VIR_DOMAIN_PMSUSPENDED: Power.SUSPENDED,
    libvirt.VIR_DOMAIN_SHUTOFF: Power.SHUTDOWN, libvirt.VIR_DOMAIN_NOSTATE: Power.NOSTATE}

UNDEFINE = (libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
            | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA | libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA)

LOOK_SECONDS = 0.2
"""Between two looks at a guest whose events may be lost."""


class Guests:
    """The guests of one host.

    Args:
        session: its libvirt.
        commands: its programs.
        reach: address of another host to the URI under which this process reaches libvirt there.
    """

    def __init__(self, conf: cfg.ConfigOpts, host: str, session: Session, commands: Commands,
                 reach: Callable[[str], str]) -> None:
        self.conf, self.host, self.session, self.commands, self._reach = conf, host, session, commands, reach
        self.instances = pathlib.Path(conf.instances_path)
        self._hosts = self.instances / '.hosts'
        self._hosts.mkdir(parents=True, exist_ok=True)
        (self._hosts / host).touch()
        self.cache = ImageCache(self.instances / conf.image_cache.subdirectory_name, commands,
                                conf.force_raw_images)
        self.disks = Disks(conf, commands, self.cache)
        self.connectors = Connectors(conf)
        self.mounts = Mounts(conf, commands)
        keys = Keys(conf)
        self.volumes = Volumes(self.connectors, Secrets(session, keys))
        self.tpms = Tpms(conf, session, keys)
        self.signatures = Signatures(conf, keys)
        self.claims = claiming.Claims(
            host, session.node,
            lambda: claims.cells(conf, etree.fromstring(session.conn.getCapabilities())),
            lambda: claims.devices(conf, lambda: session.conn), conf.pci.alias,
            lambda: claims.mediated(conf, lambda: session.conn))

    # Looking

    @translated
    def state(self, h: Host) -> Power | None:
        domain = self.session.find(h.instance.uuid)
        return None if domain is None else power_of(domain)

    @translated
    def guests(self) -> dict[str, Power]:
        found = {}
        for domain in self.session.conn.listAllDomains():
            try:
                if is_ours(domain):
                    found[domain.UUIDString()] = power_of(domain)
            except libvirt.libvirtError as error:
                if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:
                    raise
        return found

    def listen(self, hear: Callable[[events.Lifecycle], None]) -> None:
        self.session.listen(hear)

    def paths(self, h: Host) -> Paths:
        """Where the guest's files are."""
        return Paths(self.instances, h.instance.uuid)

    def domain(self, h: Host) -> libvirt.virDomain:
        """The domain.

        Raises:
            errors.virt.GuestNotFound: there is none.
        """
        found = self.session.find(h.instance.uuid)
        if found is None:
            raise errors.virt.GuestNotFound(server=h.instance.uuid)
        return found

    def expect(self, h: Host, what: str, *powers: Power) -> libvirt.virDomain:
        """The domain, in one of these states.

        Raises:
            errors.virt.GuestNotFound: there is none.
            errors.virt.DriverFailed: it is in another state.
        """
        domain = self.domain(h)
        power = power_of(domain)
        if power not in powers:
            raise errors.virt.DriverFailed(reason=f'{what}: the guest of {h.instance.uuid} is {power.name}')
        return domain

    def subject(self, h: Host, rescue: bool = False) -> describe.Subject:
        """The server as this host is to run it."""
        paths = self.paths(h)
        return describe.Subject(h.instance, self.conf, paths, kept.connections(h), self.claims.of(h),
                                self.disks.format, rescue, drive=paths.config.exists(),
                                filesystems=tuple(spec.Filesystem(
                                    tag=str(share['tag']),
                                    path=str(self.mounts.point(h.instance.uuid, share_id, share)))
                                    for share_id, share in kept.shares(h).items()))

    def shares_files_with(self, host: str) -> bool:
        """Whether another host has its guests' files where this one has: each leaves a mark there."""
        return (self._hosts / host).exists()

    # Making

    def define(self, h: Host, rescue: bool = False) -> libvirt.virDomain:
        """Write the domain down as the server's record says, in place of what was there."""
        described = describe.guest(dataclasses.replace(
            self.subject(h, rescue), serial_port=serial.port(h, self.conf)))
        old = self.session.find(h.instance.uuid)
        if old is not None and old.name() != described.name:
            old.undefineFlags(UNDEFINE | libvirt.VIR_DOMAIN_UNDEFINE_KEEP_TPM)
        return self.session.conn.defineXML(xml.text(xml.domain(described)))

    def ready(self, h: Host) -> None:
        """What the guest needs on the host is there: volumes, shares, images, mediated devices, interfaces."""
        for volume, connection in kept.connections(h).items():
            self.volumes.bring(h, volume, connection)
        for share_id, share in kept.shares(h).items():
            self.mounts.mount(h.instance.uuid, share_id, share)
        self.make_disks(h)
        if made_of := self.claims.made_of(h):
            claims.make_mdevs(self.session.conn, made_of)
        for each in vifs_of(h):
            vif.plug(self.commands, each)

    def drop_mdevs(self, h: Host) -> None:
        """Remove the mediated devices that the guest has here; who claims them next makes them again."""
        claims.drop_mdevs(self.session.conn, self.claims.of(h).mdevs)

    def make_disks(self, h: Host) -> None:
        """Make the local disks that are not there."""
        instance, paths = h.instance, self.paths(h)
        paths.home.mkdir(parents=True, exist_ok=True)
        if not instance.is_volume_backed:
            self._root(h, paths)
        devices = list(instance.block_devices)
        for number, device in enumerate(each for each in devices if bdm.is_ephemeral(each)):
            self.disks.blank(paths.ephemeral(number), (device.volume_size or 1) << 30)
        for device in filter(bdm.is_swap, devices):
            self.disks.blank(paths.swap, (device.volume_size or 1) << 20)

    def _root(self, h: Host, paths: Paths) -> None:
        if paths.root.exists():
            base = self.disks.base_of(paths.root)
            if base is None or base.exists():
                return
            self.image(h, base.stem)
            return
        image = h.instance.image_ref
        if not image:
            raise errors.virt.DriverFailed(reason=f'server {h.instance.uuid} has neither image nor root volume')
        self.disks.create(paths.root, self.image(h, image), h.instance.root_gb)

    def image(self, h: Host, image_id: str) -> pathlib.Path:
        """The file of an image, brought here where it is not."""
        trusted = h.instance.trusted_certs if h.instance.known('trusted_certs') else None
        return self.cache.fetch(h.clients.image, image_id, lambda: stop_if_cancelled(h),
                                self.signatures.asked(h.context, trusted))

    def start(self, h: Host, rescue: bool = False, paused: bool = False) -> None:
        """Define the guest and start it; whoever does so is `tpms.closing`."""
        domain = self.define(h, rescue)
        self.tpms.restore(h, self.paths(h))
        self.tpms.open(h)
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED if paused else 0)
        kept.keep_record(h)

    def halt(self, domain: libvirt.virDomain) -> None:
        """Switch the guest off, if it is on."""
        try:
            domain.destroy()
        except libvirt.libvirtError as error:
            if error.get_error_code() not in (libvirt.VIR_ERR_OPERATION_INVALID, libvirt.VIR_ERR_NO_DOMAIN):
                raise

    def remove(self, h: Host) -> None:
        """Switch the guest off and forget its domain."""
        domain = self.session.find(h.instance.uuid)
        if domain is not None:
            self.halt(domain)
            try:
                domain.undefineFlags(UNDEFINE)
            except libvirt.libvirtError as error:
                if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:
                    raise

    def tree(self, domain: libvirt.virDomain, inactive: bool = False) -> etree._Element:
        """The domain as libvirt has it now, or as it starts next."""
        return etree.fromstring(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE if inactive else 0))


def power_of(domain: libvirt.virDomain) -> Power:
    """What a domain does."""
    power = _POWERS.get(domain.state()[0], Power.NOSTATE)
    return Power.SUSPENDED if power == Power.SHUTDOWN and domain.hasManagedSaveImage() else power


def is_ours(domain: libvirt.virDomain) -> bool:
    """Whether we made a domain."""
    try:
        domain.metadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, xml.NAMESPACE)
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN_METADATA:
            return False
        raise
    return True


def affect(domain: libvirt.virDomain) -> int:
    """Flags of a change that the guest sees now, if it is on, and at each start."""
    live = libvirt.VIR_DOMAIN_AFFECT_LIVE if domain.isActive() else 0
    return int(libvirt.VIR_DOMAIN_AFFECT_CONFIG | live)


def vifs_of(h: Host) -> list[VIF]:
    """The server's interfaces."""
    info = h.instance.network_info if h.instance.known('network_info') else None
    return list(info.vifs) if info is not None else []


def stop_if_cancelled(h: Host) -> None:
    """
    Raises:
        errors.task.Cancelled: the operation was cancelled.
    """
    if h.cancelled.is_set():
        raise errors.task.Cancelled(task=h.task)
