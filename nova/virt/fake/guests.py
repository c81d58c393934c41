"""The guests and disks of a fake hypervisor, and the effects on them that faults may strike."""

import functools
import pathlib
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from oslo_utils import strutils

from nova import errors, objects
from nova.common import threads
from nova.states import Power, Signal
from nova.task.handles import Host
from nova.virt.driver import events, kept
from nova.virt.fake import faults as fake_faults
from nova.virt.fake.fabric import Fabric, Site
from nova.virt.fake.things import Guest

P = ParamSpec('P')
R = TypeVar('R')
Self = TypeVar('Self', bound='Guests')


def effect(method: Callable[Concatenate[Self, Host, P], R]) -> Callable[Concatenate[Self, Host, P], R]:
    """A method that changes a guest, or what it needs on the host; or that looks for long, as a check may."""
    name = method.__name__

    @functools.wraps(method)
    def call(self: Self, h: Host, *args: P.args, **kwargs: P.kwargs) -> R:
        uuid = h.instance.uuid
        self.faults.strike('before', name, uuid)
        self._last(h, name)
        with self._lock:
            result = method(self, h, *args, **kwargs)
        self.faults.strike('after', name, uuid)
        return result

    return call


class Guests:
    """What the parts of the driver share.

    Args:
        host: its name, which is its node's too.
        state_dir: keeps guests and reads ``faults.json`` there; None forgets with the object.
        fabric: connects it to other fake hosts; None is a host that reaches nobody.
        cpu: model of its CPUs.
    """

    CANCELLED_BY = frozenset({'spawn', 'snapshot', 'swap_volume', 'migrate_out', 'live_migrate'})
    """Long ones, which stop when the operation is cancelled."""

    def __init__(self, host: str, state_dir: pathlib.Path | str | None = None,
                 faults: fake_faults.Faults | None = None, fabric: Fabric | None = None,
                 cpu: str = 'Fake') -> None:
        self.host, self.cpu = host, cpu
        directory = pathlib.Path(state_dir) if state_dir is not None else None
        self.faults = faults or fake_faults.Faults(directory / 'faults.json' if directory else None)
        self.fabric = fabric or Fabric()
        self._lock = threads.rlock()
        self._hear: Callable[[events.Lifecycle], None] | None = None
        self.site = Site(host, directory)
        self._guests, self._volumes = self.site.guests, self.site.volumes
        self.files: dict[str, dict[str, bytes]] = {}
        """Server uuid to the files that it was spawned with, by path; kept in memory only."""
        self.passwords: dict[str, str | None] = {}
        """Server uuid to the password that was set last; kept in memory only."""
        self.cached: dict[str, int] = {}
        """Image id to the bytes of images that were fetched ahead; kept in memory only."""
        self.fabric.join(self.site)

    @property
    def connected(self) -> dict[str, set[str]]:
        """Volume id to the servers for which it is on the host."""
        return {volume: set(found.servers) for volume, found in self._volumes.items()}

    def guest(self, h: Host) -> Guest:
        """
        Raises:
            errors.virt.GuestNotFound: there is none.
        """
        found = self._guests.get(h.instance.uuid)
        if found is None:
            raise errors.virt.GuestNotFound(server=h.instance.uuid)
        return found

    def state(self, h: Host) -> Power | None:
        found = self._guests.get(h.instance.uuid)
        return None if found is None else Power(found.power)

    def guests(self) -> dict[str, Power]:
        with self._lock:
            return {uuid: Power(guest.power) for uuid, guest in self._guests.items()}

    def set_power(self, uuid: str, power: Power) -> None:
        """The guest changed on its own: it crashed, or somebody used the hypervisor directly."""
        with self._lock:
            self._power(self._guests[uuid], power)

    def listen(self, hear: Callable[[events.Lifecycle], None]) -> None:
        self._hear = hear

    def _tell(self, uuid: str, change: events.Change) -> None:
        if self._hear is not None:
            self._hear(events.Lifecycle(uuid, change))

    def _save(self, guest: Guest) -> None:
        self._guests[guest.uuid] = guest

    def _power(self, guest: Guest, power: Power) -> None:
        """Give the guest another power; one that goes on lets go what it was asked to."""
        before, guest.power = guest.power, int(power)
        if power != Power.PAUSED and guest.leaving:
            guest.volumes = [one for one in guest.volumes if one not in guest.leaving]
            guest.interfaces = [one for one in guest.interfaces if one not in guest.leaving]
            guest.leaving = []
        self._save(guest)
        if before != power:
            self._tell(guest.uuid, _CHANGES.get((Power(before), power)) or _CHANGE[power])

    def _expect(self, h: Host, what: str, *powers: Power) -> Guest:
        guest = self.guest(h)
        if guest.power not in powers:
            raise errors.virt.DriverFailed(
                reason=f'{what}: the guest of {guest.uuid} is {Power(guest.power).name}')
        return guest

    def _build(self, h: Host, power: Power, spawned: int = 1) -> Guest:
        """A guest of the server's record as it is now, from the disks and volumes that are here."""
        instance = h.instance
        for volume in volumes_of(instance):
            if h.instance.uuid not in self.connected.get(volume, ()):
                raise errors.virt.DriverFailed(reason=f'volume {volume} is not connected to {self.host}')
        guest = Guest(
            uuid=instance.uuid, power=int(power), vcpus=number(instance, 'vcpus'),
            memory_mb=number(instance, 'memory_mb'),
            disk_gb=number(instance, 'root_gb') + number(instance, 'ephemeral_gb'),
            image=instance.image_ref or None if instance.known('image_ref') else None,
            volumes=volumes_of(instance), interfaces=interfaces_of(instance), spawned=spawned, cpu=self.cpu,
            agent=has_agent(instance))
        self._save(guest)
        kept.keep_record(h)
        return guest

    def _last(self, h: Host, name: str) -> None:
        """Take as long as faults say that this operation takes, telling progress.

        Raises:
            errors.task.Cancelled: it stops when cancelled.
        """
        stops = name in self.CANCELLED_BY
        seconds = self.faults.duration(name)
        for step in range(20 if seconds else 0):
            if (stops and h.cancelled.wait(seconds / 20)) or h.signals:
                break
            if not stops:
                threads.sleep(seconds / 20)
            h.progress(5 * step)
        if stops and (h.cancelled.is_set() or Signal.ABORT in h.signals):
            raise errors.task.Cancelled(task=h.task)


_CHANGE = {Power.RUNNING: events.Change.STARTED, Power.SHUTDOWN: events.Change.STOPPED,
           Power.PAUSED: events.Change.PAUSED, Power.CRASHED: events.Change.CRASHED,
           Power.SUSPENDED: events.Change.SUSPENDED, Power.NOSTATE: events.Change.STOPPED}
_CHANGES = {(Power.PAUSED, Power.RUNNING): events.Change.RESUMED}


def has_agent(instance: objects.Instance) -> bool:
    """Whether its image says that a guest agent runs in it."""
    image = instance.image_meta if instance.known('image_meta') else None
    return image is not None and strutils.bool_from_string(image.properties.hw_qemu_guest_agent)


def number(instance: objects.Instance, name: str) -> int:
    """A number of the record; 0 where it says nothing."""
    return int(getattr(instance, name) or 0) if instance.known(name) else 0


def volumes_of(instance: objects.Instance) -> list[str]:
    """ids of the server's volumes."""
    return [device.volume_id for device in instance.block_devices if device.volume_id]


def interfaces_of(instance: objects.Instance) -> list[str]:
    """ids of the server's ports."""
    info = instance.network_info if instance.known('network_info') else None
    return [vif.id for vif in info.vifs] if info is not None else []
