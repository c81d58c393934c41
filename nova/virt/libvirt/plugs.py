"""Devices of a guest, plugged in and out while it runs or not."""

from collections.abc import Callable

import libvirt
from lxml import etree

from nova import errors
from nova.states import Power
from nova.task.handles import Host
from nova.virt.libvirt import xml
from nova.virt.libvirt.guests import Guests, affect, power_of

Find = Callable[[etree._Element], etree._Element | None]


class Plugs(Guests):
    """Shared by disks and interfaces."""

    def plug_in(self, h: Host, domain: libvirt.virDomain, device: etree._Element, alias: str) -> None:
        """Give the guest a device, unless it has it."""
        if xml.find_device(self.tree(domain), alias) is None:
            domain.attachDeviceFlags(xml.text(device), affect(domain))

    def plug_out(self, h: Host, domain: libvirt.virDomain, find: Find, name: str) -> None:
        """Take a device from the guest, which may need to be asked several times.

        A guest that is paused is asked once, and not waited for: it lets the device go when it goes on.

        Args:
            find: the device in a domain.
            name: what users call it.

        Raises:
            errors.virt.DetachFailed: it has it still.
        """
        if domain.isActive():
            paused = power_of(domain) == Power.PAUSED
            attempts = 1 if paused else self.conf.libvirt.device_detach_attempts
            for _ in range(attempts):
                if self._asked(h, domain, find, 0 if paused else self.conf.libvirt.device_detach_timeout):
                    break
            else:
                raise errors.virt.DetachFailed(
                    server=h.instance.uuid, device=name,
                    reason='the guest is paused' if paused else f'it was asked {attempts} times')
        kept = find(self.tree(domain, inactive=True))
        if kept is not None:
            domain.detachDeviceFlags(xml.text(kept), libvirt.VIR_DOMAIN_AFFECT_CONFIG)

    def _asked(self, h: Host, domain: libvirt.virDomain, find: Find, seconds: int) -> bool:
        """Ask the guest to let a device go, and wait so long; whether it is gone."""
        found = find(self.tree(domain))
        if found is None:
            return True
        with self.session.removal(h.instance.uuid, found.find('alias').get('name')) as gone:
            try:
                domain.detachDeviceFlags(xml.text(found), libvirt.VIR_DOMAIN_AFFECT_LIVE)
            except libvirt.libvirtError as error:
                if error.get_error_code() == libvirt.VIR_ERR_DEVICE_MISSING:
                    return True
                if 'in the process of unplug' not in str(error):
                    raise
            gone.wait(seconds)
        return find(self.tree(domain)) is None
