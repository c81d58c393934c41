"""When a port that was bound to a host becomes ACTIVE, and how Compute hears of it.

Left alone, ports are ACTIVE at once and nobody is told. By a script, the stand-in behaves as Neutron with an
agent on the host: the port is DOWN, some time later it is ACTIVE, and then Compute is told so. Either half can
be left out: an event that is lost, or a port that is never plugged.
"""

import dataclasses
from collections.abc import Callable

from nova.common import threads
from nova.sandbox import netkinds as n
from nova.sandbox import store
from nova.sandbox.store import Document, Rows
from nova.sandbox.telling import Telling


@dataclasses.dataclass(frozen=True, slots=True)
class Script:
    """What becomes of ports from now on.

    Attributes:
        delay: seconds from the binding to the plugging.
        plugs: without it a port is never plugged.
        token: with which Compute is told; without one it is not.
        status: what Compute is told: completed or failed.
    """

    delay: float = 0.0
    plugs: bool = True
    token: str | None = dataclasses.field(default=None, repr=False)
    status: str = 'completed'

    def __post_init__(self) -> None:
        if not isinstance(self.delay, (int, float)) or not 0 <= self.delay <= 3600:
            raise ValueError('delay is a number of seconds')


class Plugging:
    """Follows the script, if there is one.

    Args:
        plugged: called with each port that became ACTIVE by the script.
    """

    def __init__(self, keep: store.Store, telling: Telling,
                 plugged: Callable[[Document], object] | None = None) -> None:
        self._store, self._telling, self._plugged = keep, telling, plugged
        self.script: Script | None = None

    @property
    def at_once(self) -> bool:
        return self.script is None

    def bound(self, port: Document) -> None:
        """A port was bound, and stored so; see to the rest of it later."""
        script = self.script
        if script is not None:
            threads.later('plug', script.delay, self._plug, script, port['id'], port['binding:host_id'])

    def _plug(self, script: Script, ident: str, host: str) -> None:
        port = self._store.write(lambda rows: self._activate(rows, ident, host, script.plugs))
        if port is None:
            return
        if script.plugs and self._plugged is not None:
            self._plugged(port)
        if script.token is not None:
            self._telling.tell([{'name': 'network-vif-plugged', 'server_uuid': port['device_id'],
                                 'tag': port['id'], 'status': script.status}], script.token)

    @staticmethod
    def _activate(rows: Rows, ident: str, host: str, plugs: bool) -> Document | None:
        """The port, if it still is where it was bound; ACTIVE now, if it is to be."""
        port = rows.get(n.PORT, ident)
        if port is None or port['binding:host_id'] != host:
            return None
        return rows.update(n.PORT, n.touch({**port, 'status': 'ACTIVE'})) if plugs else port
