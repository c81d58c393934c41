"""Looking at a guest."""

import dataclasses
from typing import Protocol

from nova.task.handles import Host


@dataclasses.dataclass(frozen=True, slots=True)
class Console:
    """Where a console listens, as a proxy reaches it.

    Attributes:
        internal_access_path: what the proxy asks the listener for, where it needs that.
        tls_port: where it listens for TLS, where it does.
    """

    host: str
    port: int
    internal_access_path: str | None = None
    tls_port: int | None = None


class ConsoleDriver(Protocol):
    def console_output(self, h: Host, lines: int | None = None) -> str:
        """The end of the serial console's log; None is all of it."""

    def console(self, h: Host, kind: str) -> Console:
        """Where a console of this kind (``novnc``, ``spice-html5``, ``serial`` ...) listens.

        Raises:
            errors.virt.ConsoleTypeUnavailable: the guest has none of this kind.
        """

    def diagnostics(self, h: Host) -> dict[str, object]:
        """Counters of the guest as API 2.48 shows them: ``state``, ``driver``, ``hypervisor``, ``uptime``,
        ``cpu_details``, ``nic_details``, ``disk_details``, ``memory_details`` ..."""
