"""Fake guests that go to another host, over the fabric."""

import dataclasses

from nova import errors
from nova.states import Power
from nova.task.handles import Host
from nova.virt.driver import kept
from nova.virt.driver.move import LiveData, LiveMove, Move
from nova.virt.fake.claims import FakeClaims
from nova.virt.fake.guests import effect, interfaces_of, volumes_of
from nova.virt.fake.things import Disk, Prepared


class FakeCold(FakeClaims):
    """See `nova.virt.driver.move.ColdDriver`."""

    @effect
    def migrate_out(self, h: Host, move: Move) -> None:
        kept.check_no_shares(h)
        uuid = h.instance.uuid
        old, new = move.old_flavor, move.new_flavor
        if new.root_gb < old.root_gb and not h.instance.is_volume_backed and new.root_gb:
            raise errors.virt.MigrationImpossible(server=uuid, reason='the disk of the new flavor is too small')
        if uuid not in self.site.kept:
            guest = self.guest(h)
            self._power(guest, Power.SHUTDOWN)
            self.site.kept[uuid] = self.site.disks.pop(uuid, Disk())
            self.claims.set_aside(h)
        self._guests.pop(uuid, None)
        target = self.fabric.reach(move.dest, uuid)
        target.disks[uuid] = dataclasses.replace(self.site.kept[uuid], marks=list(self.site.kept[uuid].marks))
        h.progress(100)

    @effect
    def migrate_in(self, h: Host, move: Move, start: bool, paused: bool = False) -> None:
        uuid = h.instance.uuid
        found = self._guests.get(uuid)
        if found is None:
            disk = self.site.disks.get(uuid)
            if disk is None:
                raise errors.virt.DriverFailed(reason=f'the disks of {uuid} have not come to {self.host}')
            self.claim(h)
            disk.gb = max(disk.gb, move.new_flavor.root_gb + move.new_flavor.ephemeral_gb)
            self.site.disks[uuid] = disk
            found = self._build(h, Power.SHUTDOWN)
        if start and found.power != Power.RUNNING:
            self._power(found, Power.PAUSED if paused else Power.RUNNING)

    @effect
    def confirm_migration(self, h: Host, move: Move) -> None:
        self.site.kept.pop(h.instance.uuid, None)
        self.claims.forget_aside(h)
        if not move.same_host:
            h.journal.put(kept.RECORD, None)

    @effect
    def revert_migration(self, h: Host, move: Move, start: bool) -> None:
        uuid = h.instance.uuid
        if uuid in self.site.kept:
            self._guests.pop(uuid, None)
            self.site.disks[uuid] = self.site.kept.pop(uuid)
            self.claims.take_back(h)
        found = self._guests.get(uuid)
        if found is None:
            self.claim(h)
            found = self._build(h, Power.SHUTDOWN)
        if start:
            self._power(found, Power.RUNNING)


    @effect
    def leave_evacuated(self, h: Host, move: Move) -> None:
        uuid = h.instance.uuid
        self._guests.pop(uuid, None)
        self.site.disks.pop(uuid, None)
        self.unclaim(h)
        h.journal.put(kept.RECORD, None)


class FakeLive(FakeClaims):
    """See `nova.virt.driver.move.LiveDriver`."""

    @effect
    def check_destination(self, h: Host, move: LiveMove) -> LiveData:
        if self._guests.get(h.instance.uuid) is not None:
            raise errors.virt.MigrationImpossible(
                server=h.instance.uuid, reason=f'host {self.host} has a guest of it already')
        return {'cpu': self.cpu, 'shared': self.fabric.shared}

    @effect
    def check_source(self, h: Host, move: LiveMove, data: LiveData) -> LiveData:
        kept.check_no_shares(h)
        guest = self._expect(h, 'live migration', Power.RUNNING, Power.PAUSED)
        if guest.cpu != data['cpu']:
            raise errors.virt.MigrationImpossible(
                server=guest.uuid, reason=f'its CPU is {guest.cpu}, that of {move.dest} is {data["cpu"]}')
        local = not h.instance.is_volume_backed
        block = local and not data['shared'] if move.block_migration is None else bool(move.block_migration)
        if block and data['shared']:
            raise errors.virt.MigrationImpossible(
                server=guest.uuid, reason='block migration cannot be used with shared storage')
        if not block and local and not data['shared']:
            raise errors.virt.MigrationImpossible(
                server=guest.uuid, reason=f'{move.dest} is not on shared storage: block migration is needed')
        return {**data, 'block_migration': block}

    @effect
    def prepare_live_migration(self, h: Host, move: LiveMove, data: LiveData) -> LiveData:
        for volume in volumes_of(h.instance):
            if h.instance.uuid not in self.connected.get(volume, ()):
                raise errors.virt.DriverFailed(reason=f'volume {volume} is not connected to {self.host}')
        self.claims.claim(h)
        self.site.arriving[h.instance.uuid] = Prepared(
            volumes_of(h.instance), interfaces_of(h.instance), self.cpu)
        kept.keep_record(h)
        return data

    @effect
    def live_migrate(self, h: Host, move: LiveMove, data: LiveData) -> None:
        uuid = h.instance.uuid
        target = self.fabric.reach(move.dest, uuid)
        guest = self._guests.get(uuid)
        if guest is None and target.guests.get(uuid) is not None:
            return
        guest = self._expect(h, 'live migration', Power.RUNNING, Power.PAUSED)
        prepared = target.arriving.get(uuid)
        if prepared is None:
            raise errors.virt.MigrationFailed(server=uuid, reason=f'{move.dest} does not expect it')
        if sorted(prepared.volumes) != sorted(guest.volumes):
            raise errors.virt.MigrationFailed(server=uuid, reason=f'its volumes are not those of {move.dest}')
        if prepared.cpu != guest.cpu:
            raise errors.virt.MigrationFailed(server=uuid, reason=f'its CPU is not that of {move.dest}')
        if data['block_migration'] or data['shared']:
            target.disks[uuid] = dataclasses.replace(self.site.disks.get(uuid, Disk()))
        target.guests[uuid] = dataclasses.replace(guest)
        del self._guests[uuid]
        h.progress(100)

    @effect
    def finish_live_migration(self, h: Host, move: LiveMove, data: LiveData) -> None:
        guest = self.guest(h)
        self.site.arriving.pop(guest.uuid, None)
        self.claim(h)
        kept.keep_record(h)

    @effect
    def leave_after_live_migration(self, h: Host, move: LiveMove, data: LiveData) -> None:
        uuid = h.instance.uuid
        if self._guests.get(uuid) is not None:
            raise errors.virt.DriverFailed(reason=f'the guest of {uuid} runs on {self.host} still')
        self.site.disks.pop(uuid, None)
        self.unclaim(h)
        h.journal.put(kept.RECORD, None)

    @effect
    def rollback_live_migration(self, h: Host, move: LiveMove, data: LiveData) -> None:
        uuid = h.instance.uuid
        if self._guests.get(uuid) is not None:
            raise errors.virt.GuestArrived(server=uuid)
        self.site.arriving.pop(uuid, None)
        self.site.disks.pop(uuid, None)
        self.unclaim(h)
        h.journal.put(kept.RECORD, None)
