"""Volumes, snapshots and interfaces of fake guests."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nova import errors
from nova.objects import VIF, BlockDeviceMapping
from nova.states import Power
from nova.task.handles import Host
from nova.virt.driver import kept
from nova.virt.fake.claims import FakeClaims
from nova.virt.fake.guests import effect
from nova.virt.fake.things import Connected, Guest

if TYPE_CHECKING:
    from nova.clients import Clients


class FakeDevices(FakeClaims):
    """See `nova.virt.driver.block` and `nova.virt.driver.net`."""

    # Images

    def cache_image(self, clients: 'Clients', image_id: str) -> bool:
        fresh = image_id not in self.cached
        if fresh:
            self.cached[image_id] = sum(len(part) for part in clients.image.download(image_id))
        return fresh

    # Volumes

    def connector(self) -> dict[str, object]:
        return {'host': self.host, 'ip': '127.0.0.1', 'initiator': f'iqn.1994-05.com.example:{self.host}',
                'multipath': False, 'os_type': 'linux', 'platform': 'x86_64'}

    @effect
    def connect_volume(self, h: Host, device: BlockDeviceMapping, connection: Mapping[str, object]) -> None:
        found = self._volumes.get(device.volume_id) or Connected()
        found.servers = sorted({*found.servers, h.instance.uuid})
        self._volumes[device.volume_id] = found
        kept.keep_connection(h, device.volume_id, connection)

    @effect
    def disconnect_volume(self, h: Host, device: BlockDeviceMapping) -> None:
        guest = self._guests.get(h.instance.uuid)
        if guest is not None and device.volume_id in guest.volumes and guest.power in (
                Power.RUNNING, Power.PAUSED):
            raise errors.virt.DriverFailed(reason=f'volume {device.volume_id} is in use by a guest that runs')
        kept.keep_connection(h, device.volume_id, None)
        found = self._volumes.get(device.volume_id)
        if found is None:
            return
        found.servers = [uuid for uuid in found.servers if uuid != h.instance.uuid]
        if found.servers:
            self._volumes[device.volume_id] = found
        else:
            del self._volumes[device.volume_id]

    def _here(self, h: Host, volume_id: str) -> None:
        if h.instance.uuid not in self.connected.get(volume_id, ()):
            raise errors.virt.DriverFailed(reason=f'volume {volume_id} is not connected to {self.host}')

    @effect
    def attach_volume(self, h: Host, device: BlockDeviceMapping) -> None:
        guest = self.guest(h)
        self._here(h, device.volume_id)
        if device.volume_id not in guest.volumes:
            guest.volumes = [*guest.volumes, device.volume_id]
            self._save(guest)
        kept.keep_device(h, device)

    @effect
    def detach_volume(self, h: Host, device: BlockDeviceMapping) -> None:
        guest = self._guests.get(h.instance.uuid)
        if guest is not None and device.volume_id in guest.volumes:
            self._let_go(guest, device.volume_id)

    def _let_go(self, guest: Guest, ident: str) -> None:
        """Guests let go what they are asked to, if they are not standing still: then they do later."""
        if guest.power == Power.PAUSED:
            guest.leaving = sorted({*guest.leaving, ident})
            self._save(guest)
            raise errors.virt.DetachFailed(server=guest.uuid, device=ident, reason='the guest is paused')
        guest.volumes = [one for one in guest.volumes if one != ident]
        guest.interfaces = [one for one in guest.interfaces if one != ident]
        self._save(guest)

    @effect
    def swap_volume(self, h: Host, old: BlockDeviceMapping, new: BlockDeviceMapping) -> None:
        guest = self.guest(h)
        self._here(h, new.volume_id)
        if new.volume_id not in guest.volumes or old.volume_id in guest.volumes:
            self._expect(h, 'swap volume', Power.RUNNING, Power.PAUSED)
            if old.volume_id not in guest.volumes:
                raise errors.virt.DriverFailed(reason=f'volume {old.volume_id} is not attached')
            guest.volumes = [new.volume_id if one == old.volume_id else one for one in guest.volumes]
            self._save(guest)
        kept.keep_device(h, new)

    @effect
    def rename_volume(self, h: Host, device: BlockDeviceMapping, volume_id: str) -> None:
        kept.rename_connection(h, device.volume_id, volume_id)
        found = self._volumes.get(device.volume_id)
        if found is not None:
            del self._volumes[device.volume_id]
            self._volumes[volume_id] = found
        guest = self._guests.get(h.instance.uuid)
        if guest is not None and device.volume_id in guest.volumes:
            guest.volumes = [volume_id if one == device.volume_id else one for one in guest.volumes]
            self._save(guest)

    @effect
    def extend_volume(self, h: Host, device: BlockDeviceMapping, size_gb: int) -> None:
        if device.volume_id not in self.guest(h).volumes:
            raise errors.virt.DriverFailed(reason=f'volume {device.volume_id} is not attached')
        found = self._volumes.get(device.volume_id) or Connected([h.instance.uuid])
        found.size_gb = size_gb
        self._volumes[device.volume_id] = found

    @effect
    def snapshot(self, h: Host, image_id: str) -> None:
        guest = self.guest(h)
        h.clients.image.upload(image_id, f'disk of {guest.uuid}'.encode())
        h.progress(100)

    @effect
    def snapshot_volume(self, h: Host, device: BlockDeviceMapping, snapshot: Mapping[str, object]) -> None:
        guest = self._expect(h, 'volume snapshot', Power.RUNNING, Power.PAUSED, Power.SHUTDOWN)
        if device.volume_id not in guest.volumes:
            raise errors.virt.DriverFailed(reason=f'volume {device.volume_id} is not attached')
        guest.log = [*guest.log, f'volume {device.volume_id} uses {snapshot["new_file"]}']
        self._save(guest)

    @effect
    def delete_volume_snapshot(self, h: Host, device: BlockDeviceMapping,
                               snapshot: Mapping[str, object]) -> None:
        guest = self._expect(h, 'volume snapshot', Power.RUNNING, Power.PAUSED, Power.SHUTDOWN)
        if device.volume_id not in guest.volumes:
            raise errors.virt.DriverFailed(reason=f'volume {device.volume_id} is not attached')
        guest.log = [*guest.log, f'volume {device.volume_id} merges {snapshot["file_to_merge"]}']
        self._save(guest)

    # Interfaces

    @effect
    def plug(self, h: Host, vifs: Sequence[VIF]) -> None:
        """There is nothing on the host to plug into."""

    @effect
    def unplug(self, h: Host, vifs: Sequence[VIF]) -> None:
        """There is nothing on the host to unplug from."""

    @effect
    def attach_interface(self, h: Host, vif: VIF) -> None:
        guest = self.guest(h)
        self.claims.take(h)
        if vif.id not in guest.interfaces:
            guest.interfaces = [*guest.interfaces, vif.id]
            self._save(guest)
        kept.keep_vif(h, vif)

    @effect
    def detach_interface(self, h: Host, vif: VIF) -> None:
        guest = self._guests.get(h.instance.uuid)
        if guest is not None and vif.id in guest.interfaces:
            self._let_go(guest, vif.id)
        self.claims.forget_port(h, vif.id)
        kept.forget_vif(h, vif.id)
