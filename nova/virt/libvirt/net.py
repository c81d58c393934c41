"""Network interfaces."""

from collections.abc import Sequence

from nova.objects import VIF
from nova.task.handles import Host
from nova.virt.driver import kept
from nova.virt.libvirt import describe, vif, xml
from nova.virt.libvirt.plugs import Plugs
from nova.virt.libvirt.session import translated


class LibvirtNet(Plugs):
    """See `nova.virt.driver.net`."""

    @translated
    def plug(self, h: Host, vifs: Sequence[VIF]) -> None:
        for each in vifs:
            vif.plug(self.commands, each)

    @translated
    def unplug(self, h: Host, vifs: Sequence[VIF]) -> None:
        for each in vifs:
            vif.unplug(self.commands, each)

    @translated
    def attach_interface(self, h: Host, vif: VIF) -> None:
        domain = self.domain(h)
        self.plug(h, [vif])
        device = self.claims.take(h).ports.get(vif.id)
        described = _describe(vif, describe.model(self.subject(h)), device=device)
        self.plug_in(h, domain, xml.interface(described), str(described.alias))
        kept.keep_vif(h, vif)

    @translated
    def detach_interface(self, h: Host, vif: VIF) -> None:
        domain = self.session.find(h.instance.uuid)
        if domain is not None:
            self.plug_out(h, domain, lambda tree: xml.find_device(tree, f'ua-{vif.id}'), vif.id)
        self.unplug(h, [vif])
        self.claims.forget_port(h, vif.id)
        kept.forget_vif(h, vif.id)


_describe = vif.describe
