"""The guests of a fake hypervisor, in memory or as files, and the effects on them that faults may strike."""

import dataclasses
import functools
import json
import os
import pathlib
from collections.abc import Callable
from typing import Any, TypeVar

from nova import errors
from nova.common import threads
from nova.states import Power
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


def effect(method: Method) -> Method:
    """A method that changes the guest of its first argument (an instance, or a handle that has one)."""
    name = method.__name__

    @functools.wraps(method)
    def call(self: 'Guests', first: Any, *args: Any, **kwargs: Any) -> Any:
        uuid = getattr(first, 'instance', first).uuid
        self.faults.strike('before', name, uuid)
        with self._lock:
            result = method(self, first, *args, **kwargs)
        self.faults.strike('after', name, uuid)
        return result

    return call  # type: ignore[return-value]


class Guests:
    """What the parts of the driver share.

    Args:
        host: its name, which is its node's too.
        state_dir: keeps guests and reads ``faults.json`` there; None forgets with the object.
    """

    def __init__(self, host: str, state_dir: pathlib.Path | str | None = None,
                 faults: fake_faults.Faults | None = None) -> None:
        self.host = host
        directory = pathlib.Path(state_dir) if state_dir is not None else None
        self.faults = faults or fake_faults.Faults(directory / 'faults.json' if directory else None)
        self._lock = threads.rlock()
        self._dir = directory / 'guests' if directory else None
        self._guests: dict[str, Guest] = {}
        self.connected: dict[str, set[str]] = {}
        """Volume id to the servers for which it is on the host."""
        self.files: dict[str, dict[str, bytes]] = {}
        """Server uuid to the files that it was spawned with, by path; kept in memory only."""
        self.passwords: dict[str, str | None] = {}
        """Server uuid to the password that was set last; kept in memory only."""
        if self._dir is not None:
            self._dir.mkdir(parents=True, exist_ok=True)
            for file in self._dir.glob('*.json'):
                guest = Guest(**json.loads(file.read_text(encoding='utf-8')))
                self._guests[guest.uuid] = guest

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

    def _expect(self, instance: Any, what: str, *powers: Power) -> Guest:
        guest = self.guest(instance)
        if guest.power not in powers:
            raise errors.virt.DriverFailed(
                reason=f'{what}: the guest of {guest.uuid} is {Power(guest.power).name}')
        return guest
