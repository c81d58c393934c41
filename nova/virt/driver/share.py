"""Shares: file systems of the share service, which guests mount by virtiofs."""

from typing import Protocol

from nova.objects import ShareMapping
from nova.task.handles import Host


class ShareDriver(Protocol):
    """A share is given to a guest that is off, and is there from its next start on.

    It is kept in the host's journal until `detach_share`: whatever starts the guest finds it there.
    """

    def attach_share(self, h: Host, share: ShareMapping, key: str | None) -> None:
        """Mount a share on the host, and have the guest find it when it starts. Repeatable.

        Args:
            key: with which Ceph's user ``share.access_to`` opens it.
        """

    def detach_share(self, h: Host, share_id: str) -> None:
        """Take a share from a guest that is off or not there, and unmount it; one it has not is taken."""

    def shares(self, h: Host) -> list[str]:
        """ids of the shares that the guest has here."""
