"""Guests: made, started, stopped, removed."""

from collections.abc import Sequence
from typing import Protocol

from nova.states import Power
from nova.task.handles import Host


class PowerDriver(Protocol):
    """Every method may be repeated: one whose effect is there already returns.

    A method that needs a guest raises `errors.virt.GuestNotFound` where there is none. Long ones read images
    through ``h.clients``, tell ``h.progress``, and stop with `errors.task.Cancelled` once ``h.cancelled`` is
    set.
    """

    def spawn(self, h: Host, files: Sequence[tuple[str, bytes]] = (), paused: bool = False,
              password: str | None = None) -> None:
        """Make and start the guest, its volumes being connected already; what it needs of the host is claimed.

        Disks that are there already are used as they are.

        Args:
            files: path and contents of what the guest finds on its disk, or on its config drive where it has
                one; nobody else may see them.
            paused: its interfaces are there, but it does not run until `unpause`.
            password: the administrator's, for the guest to set itself: it finds it on its config drive.
        """

    def destroy(self, h: Host) -> None:
        """Remove the guest with its local disks, interfaces and claims; it is no error that there is none.

        Its volumes stay connected to the host until `disconnect_volume`.
        """

    def reboot(self, h: Host, kind: str) -> None:
        """``SOFT`` asks the guest; ``HARD`` builds it anew from its record, with the disks and connections that
        are there, and starts it, whatever it was."""

    def power_on(self, h: Host) -> None:
        """Start the guest with its interfaces and volumes, also after the host was booted; one that is
        suspended is resumed."""

    def power_off(self, h: Host, timeout: float = 0) -> None:
        """Ask the guest to shut down, and switch it off after `timeout` seconds; 0 switches it off at once."""

    def pause(self, h: Host) -> None:
        """Its CPUs stand still."""

    def unpause(self, h: Host) -> None:
        """Its CPUs go on."""

    def suspend(self, h: Host) -> None:
        """Save the guest's memory to disk and stop it."""

    def resume(self, h: Host) -> None:
        """Go on from the memory on disk."""

    def rescue(self, h: Host, image_id: str, password: str | None) -> None:
        """Start the guest from a rescue image, its own root disk beside it; `password` as in `spawn`."""

    def unrescue(self, h: Host) -> None:
        """Start the guest from its own disk again."""

    def crash_dump(self, h: Host) -> None:
        """Send the guest the interrupt that makes it dump."""

    def set_password(self, h: Host, password: str) -> None:
        """Have the guest's agent set the administrator's password.

        Raises:
            errors.virt.AgentUnavailable: the guest has no agent, or it does not answer.
        """

    def state(self, h: Host) -> Power | None:
        """The guest's power; None when there is no guest."""

    def guests(self) -> dict[str, Power]:
        """Server uuid to power, of every guest on the host that is ours."""
