"""Starting, stopping and everything between, of guests that are not there."""

from collections.abc import Sequence

from nova import errors
from nova.states import Power
from nova.task.handles import Host
from nova.virt.driver import kept
from nova.virt.fake.claims import FakeClaims
from nova.virt.fake.guests import effect, number
from nova.virt.fake.things import Disk


class FakePower(FakeClaims):
    """See `nova.virt.driver.power`."""

    @effect
    def spawn(self, h: Host, files: Sequence[tuple[str, bytes]] = (), paused: bool = False,
              password: str | None = None) -> None:
        uuid = h.instance.uuid
        found = self._guests.get(uuid)
        power = Power.PAUSED if paused else Power.RUNNING
        if found is not None and found.power in (power, Power.RUNNING):
            return
        self.claim(h)
        self.files[uuid], self.passwords[uuid] = dict(files), password
        h.progress(50)
        gb = number(h.instance, 'root_gb') + number(h.instance, 'ephemeral_gb')
        self.site.disks.setdefault(uuid, Disk(gb, [f'image {_image(h)}']))
        self._power(self._build(h, Power.NOSTATE, found.spawned + 1 if found else 1), power)
        h.progress(100)

    @effect
    def destroy(self, h: Host) -> None:
        uuid = h.instance.uuid
        for shelf in (self._guests, self.site.disks, self.site.arriving):
            shelf.pop(uuid, None)
        self.files.pop(uuid, None)
        self.passwords.pop(uuid, None)
        self.unclaim(h)
        h.journal.put(kept.RECORD, None)

    @effect
    def reboot(self, h: Host, kind: str) -> None:
        if kind != 'HARD':
            guest = self._expect(h, 'reboot', Power.RUNNING)
            self._save(guest)
            return
        found = self._guests.get(h.instance.uuid)
        if found is None:
            self.site.disks.setdefault(h.instance.uuid, Disk())
        self._power(self._build(h, Power.NOSTATE, found.spawned if found else 0), Power.RUNNING)

    @effect
    def power_on(self, h: Host) -> None:
        self._power(self.guest(h), Power.RUNNING)

    @effect
    def power_off(self, h: Host, timeout: float = 0) -> None:
        self._power(self.guest(h), Power.SHUTDOWN)

    @effect
    def pause(self, h: Host) -> None:
        self._power(self._expect(h, 'pause', Power.RUNNING, Power.PAUSED), Power.PAUSED)

    @effect
    def unpause(self, h: Host) -> None:
        self._power(self._expect(h, 'unpause', Power.PAUSED, Power.RUNNING), Power.RUNNING)

    @effect
    def suspend(self, h: Host) -> None:
        self._power(self._expect(h, 'suspend', Power.RUNNING, Power.SUSPENDED), Power.SUSPENDED)

    @effect
    def resume(self, h: Host) -> None:
        self._power(self._expect(h, 'resume', Power.SUSPENDED, Power.RUNNING), Power.RUNNING)

    @effect
    def rescue(self, h: Host, image_id: str, password: str | None) -> None:
        guest = self.guest(h)
        guest.rescued = True
        self._power(guest, Power.RUNNING)
        self.passwords[guest.uuid] = password

    @effect
    def unrescue(self, h: Host) -> None:
        guest = self.guest(h)
        guest.rescued = False
        self._power(guest, Power.RUNNING)

    @effect
    def crash_dump(self, h: Host) -> None:
        guest = self._expect(h, 'crash dump', Power.RUNNING, Power.PAUSED)
        guest.log = [*guest.log, 'crash dump']
        self._save(guest)

    @effect
    def set_password(self, h: Host, password: str) -> None:
        guest = self._expect(h, 'set password', Power.RUNNING)
        if not guest.agent:
            raise errors.virt.AgentUnavailable(
                server=guest.uuid, reason='its image does not say hw_qemu_guest_agent=yes')
        self.passwords[guest.uuid] = password


def _image(h: Host) -> str | None:
    return h.instance.image_ref if h.instance.known('image_ref') else None
