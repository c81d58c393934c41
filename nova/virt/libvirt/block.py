"""Volumes and snapshots."""

import contextlib
import json
import pathlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import libvirt
from lxml import etree
from oslo_utils import strutils

from nova import context, errors
from nova.common.units import Gi
from nova.objects import BlockDeviceMapping
from nova.states import Power
from nova.task.handles import Host
from nova.virt.driver import kept
from nova.virt.libvirt import describe, spec, volume_disks, xml
from nova.virt.libvirt.guests import LOOK_SECONDS, affect, power_of, stop_if_cancelled
from nova.virt.libvirt.plugs import Plugs
from nova.virt.libvirt.session import translated
from nova.virt.libvirt.volume_files import Files, Merge

if TYPE_CHECKING:
    from nova.clients import Clients

SNAPSHOTS = (Power.RUNNING, Power.PAUSED, Power.SHUTDOWN)
"""States in which a volume gets and loses snapshots; a suspended guest remembers the names of its files."""
COPY = libvirt.VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB
"""A copy that does not survive libvirtd: it is begun anew by who repeats the step."""


class LibvirtVolumes(Plugs):
    """See `nova.virt.driver.block`."""

    def cache_image(self, clients: 'Clients', image_id: str) -> bool:
        if self.cache.find(image_id) is not None:
            return False
        self.cache.fetch(clients.image, image_id, lambda: None, self.signatures.asked(context.admin()))
        return True

    @translated
    def connector(self) -> dict[str, object]:
        return self.connectors.properties(self.host)

    @translated
    def connect_volume(self, h: Host, device: BlockDeviceMapping, connection: Mapping[str, object]) -> None:
        self.volumes.bring(h, str(device.volume_id), connection)

    @translated
    def disconnect_volume(self, h: Host, device: BlockDeviceMapping) -> None:
        domain = self.session.find(h.instance.uuid)
        if domain is not None and domain.isActive() and self._find(h, device, self.tree(domain)) is not None:
            raise errors.virt.DriverFailed(reason=f'volume {device.volume_id} is in use by a guest that runs')
        self.volumes.let_go(h, str(device.volume_id), force=domain is None)

    def _find(self, h: Host, device: BlockDeviceMapping, tree: etree._Element) -> etree._Element | None:
        """The disk of a guest that is a volume: known by what it is of, for a disk whose volume was swapped
        keeps its alias."""
        connection = kept.connections(h).get(str(device.volume_id))
        if connection is None or 'device_info' not in connection:
            return None
        return xml.find_source(tree, volume_disks.describe(device, connection, self.conf).path)

    def _expect(self, h: Host, device: BlockDeviceMapping, domain: libvirt.virDomain) -> etree._Element:
        """
        Raises:
            errors.virt.DriverFailed: the guest does not have the volume.
        """
        found = self._find(h, device, self.tree(domain))
        if found is None:
            raise errors.virt.DriverFailed(reason=f'volume {device.volume_id} is not attached')
        return found

    def _disk(self, h: Host, device: BlockDeviceMapping, tree: etree._Element) -> spec.Disk:
        """A volume as a disk that goes beside those that the guest has."""
        taken = {each.get('dev') for each in tree.findall('./devices/disk/target')}
        return describe.volume(self.subject(h), device, taken)

    @translated
    def attach_volume(self, h: Host, device: BlockDeviceMapping) -> None:
        domain = self.domain(h)
        described = self._disk(h, device, self.tree(domain))
        if self._find(h, device, self.tree(domain)) is None:
            domain.attachDeviceFlags(xml.text(xml.disk(described)), affect(domain))
        kept.keep_device(h, device)

    @translated
    def detach_volume(self, h: Host, device: BlockDeviceMapping) -> None:
        domain = self.session.find(h.instance.uuid)
        if domain is not None:
            self.plug_out(h, domain, lambda tree: self._find(h, device, tree), str(device.volume_id))

    @translated
    def swap_volume(self, h: Host, old: BlockDeviceMapping, new: BlockDeviceMapping) -> None:
        domain = self.domain(h)
        if self._find(h, new, self.tree(domain)) is None:
            self.expect(h, 'swap volume', Power.RUNNING, Power.PAUSED)
            found, wanted = self._expect(h, old, domain), describe.volume(self.subject(h), new, set())
            target = found.find('target').get('dev')
            with self._copied(h, domain, target, xml.text(xml.disk(wanted)),
                              libvirt.VIR_DOMAIN_BLOCK_COPY_REUSE_EXT) as pivot:
                pivot()
        kept.keep_device(h, new)

    @contextlib.contextmanager
    def _copied(self, h: Host, domain: libvirt.virDomain, target: str, disk: str, flags: int
                ) -> Iterator[Callable[[], None]]:
        """Within this a disk has a copy that follows what the guest writes; calling what it gives makes the
        guest use the copy, otherwise the copy stays as it is at the end."""
        with contextlib.suppress(libvirt.libvirtError):  # of an attempt before this one
            domain.blockJobAbort(target)
        domain.blockCopy(target, disk, flags=flags | COPY)
        try:
            while True:
                job = domain.blockJobInfo(target)
                if not job:
                    raise errors.virt.DriverFailed(reason=f'copying of disk {target} has failed')
                if job['end'] and job['cur'] == job['end'] and self._ready(domain, target):
                    break
                if job['end']:
                    h.progress(int(90 * job['cur'] / job['end']))
                stop_if_cancelled(h)
                h.cancelled.wait(LOOK_SECONDS)
            yield lambda: domain.blockJobAbort(target, libvirt.VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT)
        finally:
            with contextlib.suppress(libvirt.libvirtError):  # it has ended with the pivot
                domain.blockJobAbort(target)

    def _ready(self, domain: libvirt.virDomain, target: str) -> bool:
        mirrors = self.tree(domain).xpath("./devices/disk[target/@dev=$name]/mirror", name=target)
        return bool(mirrors) and mirrors[0].get('ready') == 'yes'

    def rename_volume(self, h: Host, device: BlockDeviceMapping, volume_id: str) -> None:
        # The disk of a guest is found by what it is of, so the guest need not hear of it.
        kept.rename_connection(h, str(device.volume_id), volume_id)

    @translated
    def extend_volume(self, h: Host, device: BlockDeviceMapping, size_gb: int) -> None:
        domain = self.domain(h)
        found = self._expect(h, device, domain)
        seen = self.volumes.extend(kept.connections(h)[str(device.volume_id)])
        if domain.isActive():
            domain.blockResize(found.find('target').get('dev'), (seen or size_gb * Gi) - self._header(found),
                               libvirt.VIR_DOMAIN_BLOCK_RESIZE_BYTES)

    def _header(self, disk: etree._Element) -> int:
        """Bytes at the beginning of a disk that its guest does not see: what LUKS keeps there."""
        if disk.find('./source/encryption') is None or disk.find('driver').get('type') != 'raw':
            return 0
        place, user = str(xml.source(disk)), disk.find('auth')
        if disk.get('type') == 'network':
            place = f'rbd:{place}' + (f':id={user.get("username")}' if user is not None else '')
        told = json.loads(self.commands.run('qemu-img', 'info', '-U', '-f', 'luks', '--output=json', place))
        return int(told['format-specific']['data']['payload-offset'])

    @translated
    def snapshot_volume(self, h: Host, device: BlockDeviceMapping, snapshot: Mapping[str, object]) -> None:
        domain = self.expect(h, 'volume snapshot', *SNAPSHOTS)
        found = self._expect(h, device, domain)
        now = pathlib.Path(str(xml.source(found)))
        new = now.with_name(str(snapshot['new_file']))
        if now != new:
            wanted = xml.snapshot(found.find('target').get('dev'), str(new), self.tree(domain))
            domain.snapshotCreateXML(
                xml.text(wanted), libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY
                | libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA | libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_REUSE_EXT
                | libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC)
        self.volumes.rename_file(h, str(device.volume_id), new.name)

    @translated
    def delete_volume_snapshot(self, h: Host, device: BlockDeviceMapping,
                               snapshot: Mapping[str, object]) -> None:
        domain = self.expect(h, 'volume snapshot', *SNAPSHOTS)
        found = self._expect(h, device, domain)
        now, merge = pathlib.Path(str(xml.source(found))), Merge.asked(snapshot)
        files = Files(self.commands, now)
        if files.are(merge):
            return
        files.check(merge)
        if domain.isActive():
            self._merge_live(h, domain, found.find('target').get('dev'), now, merge)
        elif found.find('./source/encryption') is not None:
            raise errors.virt.Unsupported(
                reason='files of an encrypted volume are merged while its guest is on')
        else:
            files.merge(merge)
        # Block storage deletes a file as soon as it hears that nobody needs it.
        if not Files(self.commands, now).are(merge):
            raise errors.virt.DriverFailed(reason=f'files of volume {device.volume_id} were not merged')

    def _merge_live(self, h: Host, domain: libvirt.virDomain, target: str, now: pathlib.Path, merge: Merge
                    ) -> None:
        if merge.target is None:
            base = str(now.with_name(merge.base)) if merge.base else None
            domain.blockRebase(target, base, 0, libvirt.VIR_DOMAIN_BLOCK_REBASE_RELATIVE if base else 0)
        else:
            domain.blockCommit(target, str(now.with_name(merge.target)), str(now.with_name(str(merge.merged))),
                               0, libvirt.VIR_DOMAIN_BLOCK_COMMIT_RELATIVE)
        while domain.blockJobInfo(target):
            h.cancelled.wait(LOOK_SECONDS)

    # Images of the root disk

    @translated
    def snapshot(self, h: Host, image_id: str) -> None:
        domain, paths = self.domain(h), self.paths(h)
        if h.instance.is_volume_backed:
            raise errors.virt.Unsupported(reason='the root disk is a volume, of which Cinder makes snapshots')
        kind = h.clients.image.show(image_id).disk_format or self.disks.format
        with tempfile.TemporaryDirectory(dir=self.instances, prefix='snapshot-') as name:
            copy, made = pathlib.Path(name) / 'copy', pathlib.Path(name) / 'image'
            if power_of(domain) in (Power.RUNNING, Power.PAUSED):
                self._copy_live(h, domain, paths.root, copy)
                self.disks.export(copy, made, kind, self.conf.libvirt.snapshot_compression)
                copy.unlink()
            else:
                self.disks.export(paths.root, made, kind, self.conf.libvirt.snapshot_compression)
            stop_if_cancelled(h)
            with made.open('rb') as stream:
                h.clients.image.upload(image_id, stream)
        h.progress(100)

    def _copy_live(self, h: Host, domain: libvirt.virDomain, root: pathlib.Path, copy: pathlib.Path) -> None:
        """Copy the root disk of a guest that is on, its file systems at rest where its image wants that."""
        disk = xml.find_source(self.tree(domain), str(root))
        if disk is None:
            raise errors.virt.DriverFailed(reason=f'disk {root} is not in use')
        target = disk.find('target').get('dev')
        wanted = spec.Disk(target=target, path=str(copy), format=self.disks.format)
        with self._copied(h, domain, target, xml.text(xml.disk(wanted)), 0):
            frozen = self._freeze(h, domain)
            try:
                domain.blockJobAbort(target)
            finally:
                if frozen:
                    domain.fsThaw()

    def _freeze(self, h: Host, domain: libvirt.virDomain) -> bool:
        """Bring the guest's file systems to rest, where it has an agent; whether they are.

        Raises:
            errors.virt.AgentUnavailable: its image demands it, and it cannot be done.
        """
        properties = self.subject(h).properties
        if not strutils.bool_from_string(properties.hw_qemu_guest_agent):
            if properties.os_require_quiesce:
                raise errors.virt.AgentUnavailable(
                    server=h.instance.uuid, reason='its image does not say hw_qemu_guest_agent=yes')
            return False
        try:
            domain.fsFreeze()
        except libvirt.libvirtError as error:
            if properties.os_require_quiesce:
                raise errors.virt.AgentUnavailable(server=h.instance.uuid, reason=str(error)) from error
            return False
        return True
