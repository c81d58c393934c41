"""Volumes and interfaces of fake guests."""

from typing import Any

from nova import errors
from nova.virt.fake.guests import Guests, effect


class FakeDevices(Guests):
    """See `nova.virt.driver.block` and `nova.virt.driver.net`."""

    # Volumes

    def connector(self) -> dict[str, Any]:
        return {'host': self.host, 'ip': '127.0.0.1', 'initiator': f'iqn.1994-05.com.example:{self.host}',
                'multipath': False, 'os_type': 'linux', 'platform': 'x86_64'}

    @effect
    def connect_volume(self, instance: Any, device: Any, connection: dict[str, Any]) -> None:
        self.connected.setdefault(device.volume_id, set()).add(instance.uuid)

    @effect
    def disconnect_volume(self, instance: Any, device: Any) -> None:
        self.connected.get(device.volume_id, set()).discard(instance.uuid)

    @effect
    def attach_volume(self, instance: Any, device: Any) -> None:
        guest = self.guest(instance)
        if device.volume_id not in guest.volumes:
            self._change(guest, volumes=[*guest.volumes, device.volume_id])

    @effect
    def detach_volume(self, instance: Any, device: Any) -> None:
        guest = self._guests.get(instance.uuid)
        if guest is not None and device.volume_id in guest.volumes:
            self._change(guest, volumes=[one for one in guest.volumes if one != device.volume_id])

    @effect
    def extend_volume(self, instance: Any, device: Any, size_gb: int) -> None:
        guest = self.guest(instance)
        if device.volume_id not in guest.volumes:
            raise errors.virt.DriverFailed(reason=f'volume {device.volume_id} is not attached')

    @effect
    def snapshot(self, h: Any, image_id: str) -> None:
        guest = self.guest(h.instance)
        if h.cancelled.is_set():
            raise errors.task.Cancelled(task=h.task)
        h.clients.image.upload(image_id, f'disk of {guest.uuid}'.encode())
        h.progress(100)

    # Interfaces

    @effect
    def plug(self, instance: Any, network_info: Any) -> None:
        """There is nothing on the host to plug into."""

    @effect
    def unplug(self, instance: Any, network_info: Any) -> None:
        """There is nothing on the host to unplug from."""

    @effect
    def attach_interface(self, instance: Any, vif: Any) -> None:
        guest = self.guest(instance)
        if vif.id not in guest.interfaces:
            self._change(guest, interfaces=[*guest.interfaces, vif.id])

    @effect
    def detach_interface(self, instance: Any, vif: Any) -> None:
        guest = self._guests.get(instance.uuid)
        if guest is not None and vif.id in guest.interfaces:
            self._change(guest, interfaces=[one for one in guest.interfaces if one != vif.id])
