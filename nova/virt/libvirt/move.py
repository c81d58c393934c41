"""Guests that go from one host to another while they are off."""

import contextlib
import os
import shutil

import libvirt
from oslo_config import cfg

from nova import errors
from nova.states import Power
from nova.task.handles import Host
from nova.virt.driver import kept
from nova.virt.driver.move import Move
from nova.virt.libvirt import serial, transfer, vif
from nova.virt.libvirt.guests import UNDEFINE, power_of, stop_if_cancelled, vifs_of
from nova.virt.libvirt.paths import Paths, is_networked
from nova.virt.libvirt.power import LibvirtPower
from nova.virt.libvirt.session import translated
from nova.virt.libvirt.tpms import closing


def uri_of(conf: cfg.ConfigOpts, address: str) -> str:
    """libvirt of another host, as it is reached from this one."""
    return str(conf.libvirt.live_migration_uri or
               f'qemu+{conf.libvirt.live_migration_scheme or "tcp"}://%s/system') % in_uri(address)


def in_uri(address: str) -> str:
    """A host's address as URIs have it."""
    return f'[{address}]' if ':' in address else address


class LibvirtCold(LibvirtPower):
    """See `nova.virt.driver.move.ColdDriver`."""

    @translated
    def migrate_out(self, h: Host, move: Move) -> None:
        kept.check_no_shares(h)
        paths = self.paths(h)
        old, new = move.old_flavor, move.new_flavor
        if new.root_gb and new.root_gb < old.root_gb and not h.instance.is_volume_backed:
            raise errors.virt.MigrationImpossible(
                server=h.instance.uuid, reason='the disk of the new flavor is too small')
        self._set_aside(h, paths)
        if move.same_host:
            self._copy_here(h, paths)
        else:
            self._copy_there(h, move, paths)
        h.progress(100)

    def _set_aside(self, h: Host, paths: Paths) -> None:
        """Shut the guest down and put its files aside; repeatable."""
        if paths.kept.exists():
            return
        domain = self.domain(h)
        if power_of(domain) == Power.RUNNING:
            self._shut_down(h, domain, self.conf.shutdown_timeout)
        self.halt(domain)
        if self.tree(domain, inactive=True).find('./devices/tpm') is not None:
            self.tpms.save(h, paths)
        domain.undefineFlags(UNDEFINE)
        for each in vifs_of(h):
            vif.unplug(self.commands, each)
        paths.home.mkdir(exist_ok=True)
        self.drop_mdevs(h)
        self.claims.set_aside(h)
        os.rename(paths.home, paths.kept)

    def _copy_here(self, h: Host, paths: Paths) -> None:
        shutil.rmtree(paths.leaving, ignore_errors=True)
        paths.leaving.mkdir()
        for file in sorted(paths.kept.iterdir()):
            stop_if_cancelled(h)
            if file.name.startswith('disk'):
                self.commands.run('cp', '--reflink=auto', '--sparse=always', str(file), str(paths.leaving),
                                  seconds=7200.0)
        shutil.rmtree(paths.home, ignore_errors=True)
        os.rename(paths.leaving, paths.home)

    def _copy_there(self, h: Host, move: Move, paths: Paths) -> None:
        with contextlib.closing(libvirt.open(self._reach(str(move.dest_ip)))) as conn:
            home = transfer.instances_of(conn) / h.instance.uuid
            files = [file for file in sorted(paths.kept.iterdir()) if file.name.startswith('disk')]
            with transfer.Directory(conn, home, h.instance.uuid) as there:
                for number, file in enumerate(files):
                    stop_if_cancelled(h)
                    if file.name in (paths.config.name, paths.tpm.name):
                        there.put(file, file.name)
                    else:
                        self._put_disk(paths, there, file.name)
                    h.progress(int(100 * (number + 1) / (len(files) + 1)))

    def _put_disk(self, paths: Paths, there: transfer.Directory, name: str) -> None:
        """Bring a disk there that needs no image beside it, small whatever its format."""
        plain = paths.kept / f'{name}.flat'
        self.disks.export(paths.kept / name, plain, 'qcow2')
        there.put(plain, f'{name}.came')
        plain.unlink()

    @translated
    @closing
    def migrate_in(self, h: Host, move: Move, start: bool, paused: bool = False) -> None:
        paths = self.paths(h)
        domain = self.session.find(h.instance.uuid)
        if domain is not None and power_of(domain) == Power.RUNNING:
            return
        local = not h.instance.is_volume_backed
        self.disks.adopt(paths)
        if local and not paths.root.exists():
            raise errors.virt.DriverFailed(
                reason=f'the disks of {h.instance.uuid} have not come to {self.host}')
        self.claim(h)
        if local and move.new_flavor.root_gb:
            self.disks.grow(paths.root, move.new_flavor.root_gb)
        self._make(h, start, paused)

    def _make(self, h: Host, start: bool, paused: bool = False) -> None:
        self.ready(h)
        if start:
            self.start(h, paused=paused)
        else:
            self.define(h)
            kept.keep_record(h)

    @translated
    def leave_evacuated(self, h: Host, move: Move) -> None:
        self.remove(h)
        for each in vifs_of(h):
            vif.unplug(self.commands, each)
        if not is_networked(self.instances.resolve()) and not self.shares_files_with(str(move.dest)):
            shutil.rmtree(self.paths(h).home, ignore_errors=True)
            shutil.rmtree(self.paths(h).kept, ignore_errors=True)
        self.unclaim(h)
        serial.release(h)
        h.journal.put(kept.RECORD, None)

    @translated
    def confirm_migration(self, h: Host, move: Move) -> None:
        paths = self.paths(h)
        shutil.rmtree(paths.kept, ignore_errors=True)
        self.claims.forget_aside(h)
        if not move.same_host:
            serial.release(h)
            h.journal.put(kept.RECORD, None)

    @translated
    @closing
    def revert_migration(self, h: Host, move: Move, start: bool) -> None:
        paths = self.paths(h)
        if paths.kept.exists():
            self.remove(h)
            shutil.rmtree(paths.home, ignore_errors=True)
            self.claims.take_back(h)
            os.rename(paths.kept, paths.home)
        domain = self.session.find(h.instance.uuid)
        if domain is None or (start and power_of(domain) != Power.RUNNING):
            self.claim(h)
            self._make(h, start)
