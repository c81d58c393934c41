"""A hypervisor in memory, strict about what a real one is strict about, with faults on demand.

With a state directory its guests are files, so that they outlive the agent like real ones:
``guests/UUID.json``.
"""

import dataclasses
import functools
import json
import os
import pathlib
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from oslo_config import cfg

from nova import errors
from nova.states import Power
from nova.virt import driver
from nova.virt.driver import inventory
from nova.virt.fake import faults as fake_faults

Method = TypeVar('Method', bound=Callable[..., Any])


@dataclasses.dataclass(slots=True)
class Guest:
    """A guest. `volumes` and `interfaces` are ids of volumes and ports."""

    uuid: str
    power: int
    vcpus: int = 0
    memory_mb: int = 0
    disk_gb: int = 0
    image: str | None = None
    volumes: list[str] = dataclasses.field(default_factory=list)
    interfaces: list[str] = dataclasses.field(default_factory=list)
    rescued: bool = False
    spawned: int = 1
    """How often it was made anew."""
    log: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True, slots=True)
class Size:
    """What the host pretends to have."""

    vcpus: int = 64
    memory_mb: int = 256 * 1024
    local_gb: int = 4096


def effect(method: Method) -> Method:
    """A method that changes the guest of its first argument (an instance, or a handle that has one)."""
    name = method.__name__

    @functools.wraps(method)
    def call(self: 'FakeDriver', first: Any, *args: Any, **kwargs: Any) -> Any:
        uuid = getattr(first, 'instance', first).uuid
        self.faults.strike('before', name, uuid)
        with self._lock:
            result = method(self, first, *args, **kwargs)
        self.faults.strike('after', name, uuid)
        return result

    return call  # type: ignore[return-value]


class FakeDriver:
    """See `nova.virt.driver.Driver`.

    Args:
        host: its name, which is its node's too.
        state_dir: keeps guests and reads ``faults.json`` there; None forgets with the object.
    """

    capabilities = driver.Capabilities(
        attach_interface=True, attach_interface_with_tag=True, attach_volume_with_tag=True, device_tagging=True,
        extend_volume=True, multiattach=True, rescue_volume_backed=True, same_host_cold_migrate=True,
        trusted_certs=True, image_types=('raw', 'qcow2', 'iso', 'vmdk', 'vhd', 'vdi', 'ami', 'ari', 'aki'))

    def __init__(self, host: str, state_dir: pathlib.Path | str | None = None,
                 faults: fake_faults.Faults | None = None, size: Size | None = None) -> None:
        self.host, self.size = host, size or Size()
        directory = pathlib.Path(state_dir) if state_dir is not None else None
        self.faults = faults or fake_faults.Faults(directory / 'faults.json' if directory else None)
        self._lock = threading.RLock()
        self._dir = directory / 'guests' if directory else None
        self._guests: dict[str, Guest] = {}
        self.connected: dict[str, set[str]] = {}
        """Volume id to the servers for which it is on the host."""
        self.passwords: dict[str, str | None] = {}
        """Server uuid to the password that was set last; kept in memory only."""
        if self._dir is not None:
            self._dir.mkdir(parents=True, exist_ok=True)
            for file in self._dir.glob('*.json'):
                guest = Guest(**json.loads(file.read_text(encoding='utf-8')))
                self._guests[guest.uuid] = guest

    @classmethod
    def build(cls, conf: cfg.ConfigOpts, host: str, state_dir: pathlib.Path | None) -> 'FakeDriver':
        """For the loader: the size is that of ``[fake]``."""
        return cls(host, state_dir,
                   size=Size(conf.fake.vcpus, conf.fake.memory_mb, conf.fake.local_gb))

    # Guests

    def guest(self, instance: Any) -> Guest:
        """
        Raises:
            errors.virt.GuestNotFound: there is none.
        """
        found = self._guests.get(instance.uuid)
        if found is None:
            raise errors.virt.GuestNotFound(server=instance.uuid)
        return found

    def state(self, instance: Any) -> Power | None:
        found = self._guests.get(instance.uuid)
        return None if found is None else Power(found.power)

    def guests(self) -> dict[str, Power]:
        with self._lock:
            return {uuid: Power(guest.power) for uuid, guest in self._guests.items()}

    def set_power(self, uuid: str, power: Power) -> None:
        """The guest changed on its own: it crashed, or somebody used the hypervisor directly."""
        with self._lock:
            self._change(self._guests[uuid], power=int(power))

    def _change(self, guest: Guest, **values: Any) -> None:
        for name, value in values.items():
            setattr(guest, name, value)
        self._guests[guest.uuid] = guest
        if self._dir is not None:
            new = self._dir / f'{guest.uuid}.new'
            new.write_text(json.dumps(dataclasses.asdict(guest)), encoding='utf-8')
            os.replace(new, self._dir / f'{guest.uuid}.json')

    # Power

    @effect
    def spawn(self, h: Any) -> None:
        instance = h.instance
        if h.cancelled.is_set():
            raise errors.task.Cancelled(task=h.task)
        found = self._guests.get(instance.uuid)
        if found is not None and found.power == Power.RUNNING:
            return
        h.progress(50)
        self._change(Guest(
            uuid=instance.uuid, power=int(Power.RUNNING), vcpus=_number(instance, 'vcpus'),
            memory_mb=_number(instance, 'memory_mb'),
            disk_gb=_number(instance, 'root_gb') + _number(instance, 'ephemeral_gb'),
            image=getattr(instance, 'image_ref', None) or None, volumes=_volumes(instance),
            interfaces=_interfaces(instance), spawned=found.spawned + 1 if found else 1))
        h.progress(100)

    @effect
    def destroy(self, instance: Any) -> None:
        self._guests.pop(instance.uuid, None)
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

    def _expect(self, instance: Any, what: str, *powers: Power) -> Guest:
        guest = self.guest(instance)
        if guest.power not in powers:
            raise errors.virt.DriverFailed(
                reason=f'{what}: the guest of {guest.uuid} is {Power(guest.power).name}')
        return guest

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

    # The host

    def nodes(self) -> list[str]:
        return [self.host]

    def resources(self, node: str) -> inventory.Resources:
        with self._lock:
            found = list(self._guests.values())
        return inventory.Resources(
            vcpus=self.size.vcpus, memory_mb=self.size.memory_mb, local_gb=self.size.local_gb,
            hypervisor_type='fake', hypervisor_version=1000000,
            vcpus_used=sum(guest.vcpus for guest in found),
            memory_mb_used=sum(guest.memory_mb for guest in found),
            local_gb_used=sum(guest.disk_gb for guest in found),
            running_vms=sum(guest.power == Power.RUNNING for guest in found),
            cpu_info={'arch': 'x86_64', 'model': 'Fake', 'vendor': 'Fake', 'features': [],
                      'topology': {'sockets': 1, 'cores': self.size.vcpus, 'threads': 1}},
            supported_instances=[('x86_64', 'fake', 'hvm')],
            traits={'COMPUTE_ARCH_X86_64', 'HW_CPU_X86_SSE'})

    def host_uptime(self) -> str:
        return '00:00:00 up 1 day, 0:00, 0 users, load average: 0.00, 0.00, 0.00'

    # Looking at guests

    def console_output(self, instance: Any, lines: int | None = None) -> str:
        text = ['FAKE CONSOLE OUTPUT', 'ANOTHER', 'LAST LINE', *self.guest(instance).log]
        return '\n'.join(text if lines is None else text[-lines:] if lines > 0 else [])

    def console(self, instance: Any, kind: str) -> dict[str, Any]:
        self.guest(instance)
        ports = {'novnc': 6080, 'spice-html5': 6082, 'spice-direct': 6082, 'rdp-html5': 6083, 'serial': 6083,
                 'webmks': 6090}
        if kind not in ports:
            raise errors.virt.ConsoleTypeUnavailable(type=kind)
        return {'host': f'{self.host}.example', 'port': ports[kind], 'internal_access_path': instance.uuid}

    def diagnostics(self, instance: Any) -> dict[str, Any]:
        guest = self.guest(instance)
        return {
            'state': Power(guest.power).name.lower(), 'driver': 'fake', 'hypervisor': 'fake',
            'hypervisor_os': 'fake', 'uptime': 0, 'config_drive': False, 'num_cpus': guest.vcpus,
            'num_nics': len(guest.interfaces), 'num_disks': 1 + len(guest.volumes),
            'cpu_details': [{'id': number, 'time': 0, 'utilisation': 0} for number in range(guest.vcpus)],
            'nic_details': [], 'disk_details': [],
            'memory_details': {'maximum': guest.memory_mb, 'used': 0}}


def _number(instance: Any, name: str) -> int:
    return getattr(instance, name, None) or 0


def _volumes(instance: Any) -> list[str]:
    return [device.volume_id for device in getattr(instance, 'block_devices', None) or [] if device.volume_id]


def _interfaces(instance: Any) -> list[str]:
    info = getattr(instance, 'network_info', None)
    return [vif.id for vif in info.vifs] if info is not None else []
