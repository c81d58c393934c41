"""Looking at a guest."""

from typing import Any, Protocol


class ConsoleDriver(Protocol):
    def console_output(self, instance: Any, lines: int | None = None) -> str:
        """The end of the serial console's log; None is all of it."""

    def console(self, instance: Any, kind: str) -> dict[str, Any]:
        """Where a console of this kind (``novnc``, ``spice-html5``, ``serial`` ...) listens: ``host``, ``port``
        and, where the proxy needs it, ``internal_access_path``.

        Raises:
            errors.virt.ConsoleTypeUnavailable: the guest has none of this kind.
        """

    def diagnostics(self, instance: Any) -> dict[str, Any]:
        """Counters of the guest as API 2.48 shows them: ``state``, ``driver``, ``hypervisor``, ``uptime``,
        ``cpu_details``, ``nic_details``, ``disk_details``, ``memory_details`` ..."""
