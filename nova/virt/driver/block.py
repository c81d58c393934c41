"""Volumes and snapshots."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from nova.objects import BlockDeviceMapping
from nova.task.handles import Host

if TYPE_CHECKING:
    from nova.clients import Clients


class BlockDriver(Protocol):
    """A connection is what Cinder answers about an attachment: ``driver_volume_type`` and what belongs to it.

    It is told once, to `connect_volume`, and kept in the host's journal until `disconnect_volume`: whatever
    needs it in between (spawn, hard reboot, the end of the guest, a host that was booted) finds it there.
    """

    def cache_image(self, clients: 'Clients', image_id: str) -> bool:
        """Keep the data of an image at hand for guests to come; False when it was there already."""

    def connector(self) -> dict[str, object]:
        """What this host tells Cinder about itself: ``host``, ``ip``, ``initiator``, ``multipath`` ..."""

    def connect_volume(self, h: Host, device: BlockDeviceMapping, connection: Mapping[str, object]) -> None:
        """Bring a volume to the host, for this server. Repeatable, with other connection data too."""

    def disconnect_volume(self, h: Host, device: BlockDeviceMapping) -> None:
        """Let a volume go from the host, unless another guest here uses it. One that is not there is gone."""

    def attach_volume(self, h: Host, device: BlockDeviceMapping) -> None:
        """Give a connected volume to a guest, running or not. Repeatable."""

    def detach_volume(self, h: Host, device: BlockDeviceMapping) -> None:
        """Take a volume from a guest; one it does not have is taken.

        Raises:
            errors.virt.DetachFailed: the guest does not let it go; it has it still.
        """

    def swap_volume(self, h: Host, old: BlockDeviceMapping, new: BlockDeviceMapping) -> None:
        """Copy a volume of a running guest to another one, connected as well, and use that from then on.

        Repeatable: one whose copy is used already is done. Long: tells progress, stops when cancelled, and then
        the guest uses the old one.
        """

    def rename_volume(self, h: Host, device: BlockDeviceMapping, volume_id: str) -> None:
        """What host and guest know as this device's volume has another id from now on: the volume service has
        ended a migration. Repeatable: one that is known by the new id already, or not at all, is done.
        """

    def extend_volume(self, h: Host, device: BlockDeviceMapping, size_gb: int) -> None:
        """Let the host and the guest see that a volume has grown; its new size. Repeatable."""

    def snapshot(self, h: Host, image_id: str) -> None:
        """Upload the guest's root disk as the data of an image that is registered already. Repeatable."""

    def snapshot_volume(self, h: Host, device: BlockDeviceMapping, snapshot: Mapping[str, object]) -> None:
        """Begin a new file of a volume that is a file, at Cinder's wish; the guest may be off.

        Args:
            snapshot: as Cinder gives it: ``snapshot_id``, ``type`` (qcow2), ``new_file``.
        """

    def delete_volume_snapshot(self, h: Host, device: BlockDeviceMapping,
                               snapshot: Mapping[str, object]) -> None:
        """Merge the file of a snapshot into its neighbour, at Cinder's wish; the guest may be off.

        Args:
            snapshot: ``snapshot_id``, ``type``, ``file_to_merge``, ``merge_target_file``. The first is written
                into the second, below it; where the second is None, the file in use takes up what is between it
                and the first, and everything where that is None, too.
        """
