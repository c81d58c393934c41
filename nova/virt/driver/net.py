"""Network interfaces."""

from typing import Any, Protocol


class NetDriver(Protocol):
    """An interface is a `VIF` of the network model."""

    def plug(self, instance: Any, network_info: Any) -> None:
        """Make the host's ends of all interfaces. Repeatable."""

    def unplug(self, instance: Any, network_info: Any) -> None:
        """Remove the host's ends of all interfaces; what is not there is removed."""

    def attach_interface(self, instance: Any, vif: Any) -> None:
        """Give an interface to a guest, running or not. Repeatable."""

    def detach_interface(self, instance: Any, vif: Any) -> None:
        """Take an interface from a guest; one it does not have is taken."""
