"""Shares: mounted on the host, one mount a guest and share, and given to the guest by virtiofs.

What is mounted is somebody's data: a mount point is removed only when it is an empty directory.
"""

from nova import errors
from nova.objects import ShareMapping
from nova.task.handles import Host
from nova.virt.driver import kept
from nova.virt.libvirt.guests import Guests, power_of
from nova.virt.libvirt.session import translated

TAG_BYTES = 36
"""As long as a tag may be for virtiofs."""


class LibvirtShares(Guests):
    """See `nova.virt.driver.share`."""

    @translated
    def attach_share(self, h: Host, share: ShareMapping, key: str | None) -> None:
        self._stands_still(h)
        if len(share.tag.encode()) > TAG_BYTES:
            raise errors.virt.DriverFailed(
                reason=f'tag {share.tag} has more than {TAG_BYTES} characters, which virtiofs does not take')
        kept.keep_share(h, share.share_id, {
            'tag': share.tag, 'export_location': share.export_location, 'share_proto': share.share_proto,
            'access_to': share.access_to, 'key': key})
        self.mounts.mount(h.instance.uuid, share.share_id, kept.shares(h)[share.share_id])

    @translated
    def detach_share(self, h: Host, share_id: str) -> None:
        share = kept.shares(h).get(share_id)
        if share is None:
            return
        self._stands_still(h)
        self.mounts.unmount(h.instance.uuid, share_id, share)
        kept.keep_share(h, share_id, None)

    def shares(self, h: Host) -> list[str]:
        return sorted(kept.shares(h))

    def _stands_still(self, h: Host) -> None:
        domain = self.session.find(h.instance.uuid)
        kept.check_off(h.instance.uuid, power_of(domain) if domain is not None else None)
