"""Starting, stopping and everything between, of guests that are not there."""

from collections.abc import Sequence
from typing import Any

from nova import errors
from nova.states import Power
from nova.virt.fake.guests import Guest, Guests, effect


class FakePower(Guests):
    """See `nova.virt.driver.power`."""

    @effect
    def spawn(self, h: Any, files: Sequence[tuple[str, bytes]] = (), paused: bool = False) -> None:
        instance = h.instance
        if h.cancelled.is_set():
            raise errors.task.Cancelled(task=h.task)
        found = self._guests.get(instance.uuid)
        power = Power.PAUSED if paused else Power.RUNNING
        if found is not None and found.power in (power, Power.RUNNING):
            return
        self.files[instance.uuid] = dict(files)
        h.progress(50)
        self._change(Guest(
            uuid=instance.uuid, power=int(power), vcpus=_number(instance, 'vcpus'),
            memory_mb=_number(instance, 'memory_mb'),
            disk_gb=_number(instance, 'root_gb') + _number(instance, 'ephemeral_gb'),
            image=getattr(instance, 'image_ref', None) or None, volumes=_volumes(instance),
            interfaces=_interfaces(instance), spawned=found.spawned + 1 if found else 1))
        h.progress(100)

    @effect
    def destroy(self, instance: Any) -> None:
        self._guests.pop(instance.uuid, None)
        self.files.pop(instance.uuid, None)
        if self._dir is not None:
            (self._dir / f'{instance.uuid}.json').unlink(missing_ok=True)

    @effect
    def reboot(self, instance: Any, kind: str) -> None:
        if kind == 'HARD':
            found = self._guests.get(instance.uuid) or Guest(uuid=instance.uuid, power=0, spawned=0)
            self._change(found, power=int(Power.RUNNING), volumes=_volumes(instance),
                         interfaces=_interfaces(instance), rescued=False)
            return
        self._expect(instance, 'reboot', Power.RUNNING)

    @effect
    def power_on(self, instance: Any) -> None:
        self._change(self.guest(instance), power=int(Power.RUNNING))

    @effect
    def power_off(self, instance: Any, timeout: float = 0) -> None:
        self._change(self.guest(instance), power=int(Power.SHUTDOWN))

    @effect
    def pause(self, instance: Any) -> None:
        self._change(self._expect(instance, 'pause', Power.RUNNING, Power.PAUSED), power=int(Power.PAUSED))

    @effect
    def unpause(self, instance: Any) -> None:
        self._change(self._expect(instance, 'unpause', Power.PAUSED, Power.RUNNING), power=int(Power.RUNNING))

    @effect
    def suspend(self, instance: Any) -> None:
        self._change(self._expect(instance, 'suspend', Power.RUNNING, Power.SUSPENDED),
                     power=int(Power.SUSPENDED))

    @effect
    def resume(self, instance: Any) -> None:
        self._change(self._expect(instance, 'resume', Power.SUSPENDED, Power.RUNNING),
                     power=int(Power.RUNNING))

    @effect
    def rescue(self, h: Any, image_id: str, password: str | None) -> None:
        self._change(self.guest(h.instance), power=int(Power.RUNNING), rescued=True)
        self.passwords[h.instance.uuid] = password

    @effect
    def unrescue(self, instance: Any) -> None:
        self._change(self.guest(instance), power=int(Power.RUNNING), rescued=False)

    @effect
    def crash_dump(self, instance: Any) -> None:
        guest = self._expect(instance, 'crash dump', Power.RUNNING)
        self._change(guest, log=[*guest.log, 'crash dump'])

    @effect
    def set_password(self, instance: Any, password: str) -> None:
        self.passwords[self._expect(instance, 'set password', Power.RUNNING).uuid] = password


def _number(instance: Any, name: str) -> int:
    return getattr(instance, name, None) or 0


def _volumes(instance: Any) -> list[str]:
    return [device.volume_id for device in getattr(instance, 'block_devices', None) or [] if device.volume_id]


def _interfaces(instance: Any) -> list[str]:
    info = getattr(instance, 'network_info', None)
    return [vif.id for vif in info.vifs] if info is not None else []
