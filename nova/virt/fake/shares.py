"""Shares of fake guests."""

from nova import errors
from nova.objects import ShareMapping
from nova.task.handles import Host
from nova.virt.driver import kept
from nova.virt.fake.guests import Guests, effect
from nova.virt.fake.things import Mounted


class FakeShares(Guests):
    """See `nova.virt.driver.share`."""

    @effect
    def attach_share(self, h: Host, share: ShareMapping, key: str | None) -> None:
        self._stands_still(h)
        if (key is None) != (share.access_type == 'ip'):
            raise errors.virt.DriverFailed(reason=f'share {share.share_id} cannot be mounted: no permission')
        kept.keep_share(h, share.share_id, {'tag': share.tag, 'export_location': share.export_location})
        self._mounted(h, {*self.mounted.get(h.instance.uuid, ()), share.share_id})

    @effect
    def detach_share(self, h: Host, share_id: str) -> None:
        if share_id in kept.shares(h):
            self._stands_still(h)
            kept.keep_share(h, share_id, None)
        self._mounted(h, self.mounted.get(h.instance.uuid, set()) - {share_id})

    @property
    def mounted(self) -> dict[str, set[str]]:
        """Server uuid to its shares that are mounted on the host."""
        return {server: set(found.shares) for server, found in self.site.mounted.items()}

    def _mounted(self, h: Host, shares: set[str]) -> None:
        if shares:
            self.site.mounted[h.instance.uuid] = Mounted(sorted(shares))
        else:
            self.site.mounted.pop(h.instance.uuid, None)

    def shares(self, h: Host) -> list[str]:
        return sorted(kept.shares(h))

    def _stands_still(self, h: Host) -> None:
        guest = self._guests.get(h.instance.uuid)
        kept.check_off(h.instance.uuid, guest.power if guest is not None else None)
