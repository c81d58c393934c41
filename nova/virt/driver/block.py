"""Volumes and snapshots."""

from typing import Any, Protocol


class BlockDriver(Protocol):
    """A device is a `BlockDeviceMapping`; a connection is what Cinder answers about an attachment."""

    def connector(self) -> dict[str, Any]:
        """What this host tells Cinder about itself: ``host``, ``ip``, ``initiator``, ``multipath`` ..."""

    def connect_volume(self, instance: Any, device: Any, connection: dict[str, Any]) -> None:
        """Bring a volume to the host. Repeatable."""

    def disconnect_volume(self, instance: Any, device: Any) -> None:
        """Let a volume go from the host, unless another guest here uses it. One that is not there is gone."""

    def attach_volume(self, instance: Any, device: Any) -> None:
        """Give a connected volume to a guest, running or not. Repeatable."""

    def detach_volume(self, instance: Any, device: Any) -> None:
        """Take a volume from a guest; one it does not have is taken."""

    def extend_volume(self, instance: Any, device: Any, size_gb: int) -> None:
        """Let the guest see that a volume has grown."""

    def snapshot(self, h: Any, image_id: str) -> None:
        """Upload the guest's root disk as the data of an image."""
