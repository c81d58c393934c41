"""Network interfaces."""

from collections.abc import Sequence
from typing import Protocol

from nova.objects import VIF
from nova.task.handles import Host


class NetDriver(Protocol):
    """Spawning and destroying a guest plugs and unplugs its interfaces; `plug` and `unplug` are for moves, and
    for a host that was booted."""

    def plug(self, h: Host, vifs: Sequence[VIF]) -> None:
        """Make the host's ends of interfaces. Repeatable."""

    def unplug(self, h: Host, vifs: Sequence[VIF]) -> None:
        """Remove the host's ends of interfaces; what is not there is removed."""

    def attach_interface(self, h: Host, vif: VIF) -> None:
        """Give an interface to a guest, running or not, and make the host's end. Repeatable."""

    def detach_interface(self, h: Host, vif: VIF) -> None:
        """Take an interface from a guest and the host; one it does not have is taken.

        Raises:
            errors.virt.DetachFailed: the guest does not let it go; it has it still.
        """
