"""Guests: made, started, stopped, removed."""

from collections.abc import Sequence
from typing import Any, Protocol

from nova.states import Power


class PowerDriver(Protocol):
    """Every method may be repeated: one whose effect is there already returns.

    A method that needs a guest raises `errors.virt.GuestNotFound` where there is none.
    """

    def spawn(self, h: Any, files: Sequence[tuple[str, bytes]] = (), paused: bool = False) -> None:
        """Make and start the guest of ``h.instance`` (a `handles.Host`), volumes being connected already.

        Reads the image through ``h.clients``, tells ``h.progress``, and stops when ``h.cancelled`` is set.

        Args:
            files: path and contents of what the guest finds on its disk, or on its config drive where it has
                one; nobody else may see them.
            paused: its interfaces are there, but it does not run until `unpause`.
        """

    def destroy(self, instance: Any) -> None:
        """Remove the guest with its local disks and interfaces; none is left is what counts."""

    def reboot(self, instance: Any, kind: str) -> None:
        """``SOFT`` asks the guest; ``HARD`` builds it anew from its record and starts it, whatever it was."""

    def power_on(self, instance: Any) -> None: ...

    def power_off(self, instance: Any, timeout: float = 0) -> None:
        """Ask the guest to shut down, and switch it off after `timeout` seconds; 0 switches it off at once."""

    def pause(self, instance: Any) -> None: ...

    def unpause(self, instance: Any) -> None: ...

    def suspend(self, instance: Any) -> None:
        """Save the guest's memory to disk and stop it."""

    def resume(self, instance: Any) -> None: ...

    def rescue(self, h: Any, image_id: str, password: str | None) -> None:
        """Start the guest from a rescue image, its own root disk beside it."""

    def unrescue(self, instance: Any) -> None:
        """Start the guest from its own disk again."""

    def crash_dump(self, instance: Any) -> None:
        """Send the guest the interrupt that makes it dump."""

    def set_password(self, instance: Any, password: str) -> None:
        """Have the guest's agent set the administrator's password."""

    def state(self, instance: Any) -> Power | None:
        """The guest's power; None when there is no guest."""

    def guests(self) -> dict[str, Power]:
        """Server uuid to power, of every guest on the host that is ours."""
