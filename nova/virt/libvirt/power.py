"""Starting, stopping and everything between."""

import contextlib
import os
import shutil
from collections.abc import Sequence

import libvirt

from nova import errors
from nova.common import clock, threads
from nova.common.jsonutil import JsonObject
from nova.states import Power
from nova.task.handles import Host
from nova.virt import config_drive
from nova.virt.driver import kept
from nova.virt.driver.claims import Claim
from nova.virt.libvirt import drive, serial, vif
from nova.virt.libvirt.guests import LOOK_SECONDS, Guests, power_of, stop_if_cancelled, vifs_of
from nova.virt.libvirt.session import translated
from nova.virt.libvirt.tpms import closing


class LibvirtPower(Guests):
    """See `nova.virt.driver.power`."""

    def claim(self, h: Host) -> Claim:
        return self.claims.take(h)

    @translated
    def port_profiles(self, h: Host) -> dict[str, JsonObject]:
        return self.claims.port_profiles(h)

    def unclaim(self, h: Host) -> None:
        self.claims.unclaim(h)

    @translated
    @closing
    def spawn(self, h: Host, files: Sequence[tuple[str, bytes]] = (), paused: bool = False,
              password: str | None = None) -> None:
        stop_if_cancelled(h)
        domain = self.session.find(h.instance.uuid)
        wanted = Power.PAUSED if paused else Power.RUNNING
        if domain is not None and power_of(domain) in (wanted, Power.RUNNING):
            return
        self.claim(h)
        self.remove(h)
        self.ready(h)
        h.progress(50)
        self._config_drive(h, files, password)
        stop_if_cancelled(h)
        self.start(h, paused=paused)
        h.progress(100)

    def _config_drive(self, h: Host, files: Sequence[tuple[str, bytes]], password: str | None) -> None:
        """What the user puts into the guest goes there too, so it gets one where it has files."""
        if files or config_drive.wanted(h):
            drive.write(self.commands, self.paths(h).config, config_drive.contents(h, files, password),
                        self.conf.config_drive_format)

    @translated
    def destroy(self, h: Host) -> None:
        self.remove(h)
        self.tpms.close(h)
        self.drop_mdevs(h)
        for each in vifs_of(h):
            vif.unplug(self.commands, each)
        paths = self.paths(h)
        # It is moved away first, so that nobody takes half of it for a guest's disks.
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(paths.leaving, ignore_errors=True)
            os.rename(paths.home, paths.leaving)
        shutil.rmtree(paths.leaving, ignore_errors=True)
        self.unclaim(h)
        serial.release(h)
        h.journal.put(kept.RECORD, None)

    @translated
    @closing
    def reboot(self, h: Host, kind: str) -> None:
        if kind != 'HARD' and self._soft(h):
            return
        domain = self.session.find(h.instance.uuid)
        if domain is not None:
            self.halt(domain)
            if domain.hasManagedSaveImage():
                domain.managedSaveRemove()
        self.claim(h)
        self.ready(h)
        self.start(h)

    def _soft(self, h: Host) -> bool:
        """Have the guest shut down and start it again; whether it did."""
        domain = self.expect(h, 'reboot', Power.RUNNING)
        if not self._shut_down(h, domain, self.conf.libvirt.wait_soft_reboot_seconds):
            return False
        self.start(h)
        return True

    def _shut_down(self, h: Host, domain: libvirt.virDomain, seconds: float) -> bool:
        """Ask the guest to shut down, every `shutdown_retry_interval`; whether it has within `seconds`."""
        deadline, again = clock.Deadline(seconds), clock.Deadline(0)
        while domain.isActive():
            if deadline.passed():
                return False
            if again.passed():
                with contextlib.suppress(libvirt.libvirtError):  # it may be down meanwhile, or not answer yet
                    domain.shutdown()
                again = clock.Deadline(self.conf.compute.shutdown_retry_interval)
            threads.sleep(LOOK_SECONDS)
        return True

    @translated
    @closing
    def power_on(self, h: Host) -> None:
        domain = self.domain(h)
        power = power_of(domain)
        if power == Power.PAUSED:
            domain.resume()
        elif power == Power.SUSPENDED:
            self.ready(h)
            self.tpms.open(h)
            domain.create()
        elif power != Power.RUNNING:
            self.claim(h)
            self.ready(h)
            self.start(h)

    @translated
    def power_off(self, h: Host, timeout: float = 0) -> None:
        domain = self.domain(h)
        if timeout and power_of(domain) == Power.RUNNING and self._shut_down(h, domain, timeout):
            return
        self.halt(domain)

    @translated
    def pause(self, h: Host) -> None:
        domain = self.expect(h, 'pause', Power.RUNNING, Power.PAUSED)
        if power_of(domain) == Power.RUNNING:
            domain.suspend()

    @translated
    def unpause(self, h: Host) -> None:
        domain = self.expect(h, 'unpause', Power.PAUSED, Power.RUNNING)
        if power_of(domain) == Power.PAUSED:
            domain.resume()

    @translated
    def suspend(self, h: Host) -> None:
        domain = self.expect(h, 'suspend', Power.RUNNING, Power.SUSPENDED)
        if power_of(domain) == Power.RUNNING:
            domain.managedSave(0)

    @translated
    @closing
    def resume(self, h: Host) -> None:
        domain = self.expect(h, 'resume', Power.SUSPENDED, Power.RUNNING)
        if power_of(domain) == Power.SUSPENDED:
            self.ready(h)
            self.tpms.open(h)
            domain.create()

    @translated
    @closing
    def rescue(self, h: Host, image_id: str, password: str | None) -> None:
        domain, paths = self.domain(h), self.paths(h)
        if paths.rescue.exists() and power_of(domain) == Power.RUNNING:
            return
        image = self.image(h, image_id)
        self.halt(domain)
        self.disks.create(paths.rescue, image, 0)
        self.ready(h)
        if config_drive.wanted(h):
            drive.write(self.commands, paths.config, config_drive.contents(h, (), password),
                        self.conf.config_drive_format)
        self.start(h, rescue=True)

    @translated
    @closing
    def unrescue(self, h: Host) -> None:
        domain, paths = self.domain(h), self.paths(h)
        if not paths.rescue.exists() and power_of(domain) == Power.RUNNING:
            return
        self.halt(domain)
        self.ready(h)
        self.start(h)
        paths.rescue.unlink(missing_ok=True)

    @translated
    def crash_dump(self, h: Host) -> None:
        self.expect(h, 'crash dump', Power.RUNNING, Power.PAUSED).injectNMI()

    @translated
    def set_password(self, h: Host, password: str) -> None:
        domain = self.expect(h, 'set password', Power.RUNNING)
        properties = self.subject(h).properties
        user = properties.os_admin_user or ('Administrator' if properties.os_type == 'windows' else 'root')
        try:
            domain.setUserPassword(user, password)
        except libvirt.libvirtError as error:
            if error.get_error_code() in _NO_AGENT:
                raise errors.virt.AgentUnavailable(server=h.instance.uuid, reason=str(error)) from error
            raise


_NO_AGENT = frozenset({libvirt.VIR_ERR_AGENT_UNRESPONSIVE, libvirt.VIR_ERR_AGENT_UNSYNCED,
                       libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED, libvirt.VIR_ERR_OPERATION_UNSUPPORTED,
                       libvirt.VIR_ERR_OPERATION_TIMEOUT, libvirt.VIR_ERR_OPERATION_INVALID})
