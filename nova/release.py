"""This release and the one before it, as far as their services have to know of one another.

While a deployment is upgraded, services of both work together. Each says which release it is of by the version
in its heartbeats; whoever writes for others to read, a message or a task, writes so that the oldest of them
can.

What is older than `PREVIOUS` is not spoken to. Which release a process is of is handed in (`own`), so that a
simulation can have both. A new `PREVIOUS` is a new commit in
``nova/tests/upgrade/previous.txt``, with what its ``contracts.lock`` says.
"""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping

from nova import version

UNSERVED = '0.0'
"""What a release speaks that does not serve an interface."""


@dataclasses.dataclass(frozen=True)
class Release:
    """
    Attributes:
        service: the version that its services give in their heartbeats.
        interfaces: topic to the version of its interface; one that is not named is not served.
        records: record to the version that it reads, where ours is newer.
        flows: flow to the version that it runs; others it does not know.
    """

    service: int
    interfaces: Mapping[str, str] = dataclasses.field(default_factory=dict)
    records: Mapping[str, str] = dataclasses.field(default_factory=dict)
    flows: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def speaks(self, topic: str, newest: str) -> str:
        """The version of an interface that its services speak, of which `newest` is ours."""
        return newest if self.is_current else self.interfaces.get(topic, UNSERVED)

    @property
    def is_current(self) -> bool:
        return self.service >= version.SERVICE_VERSION


CURRENT = Release(version.SERVICE_VERSION)

PREVIOUS = Release(
    service=1,
    interfaces={'compute': '1.0', 'conductor': '1.0', 'scheduler': '1.0'},
    records=dict.fromkeys((
        'BuildState', 'DeleteState', 'HostOrders', 'HostReport', 'NetworkRequest', 'Planned', 'ScheduleState',
        'SelectRequest', 'StepCall', 'StepProgress'), '1.0'),
    flows=dict.fromkeys((
        'build', 'delete', 'pause', 'reboot', 'refresh_network', 'restore', 'resume', 'schedule', 'soft_delete',
        'start', 'stop', 'suspend', 'sync_power', 'sync_stop', 'unpause'), '1.0'))


def oldest(*releases: Release) -> Release:
    """The oldest of some releases."""
    return min(releases, key=lambda one: one.service)


def _this() -> Release:
    return CURRENT


_own: Callable[[], Release] = _this


def own() -> Release:
    """The release that this process is of: it knows nothing newer."""
    return _own()


@contextlib.contextmanager
def use(which: Callable[[], Release]) -> Iterator[None]:
    """Have `own` ask `which` meanwhile."""
    global _own
    before, _own = _own, which
    try:
        yield
    finally:
        _own = before


def of(service: int) -> Release:
    """The release whose services give this version, as far as this process knows it."""
    mine = own()
    return mine if service >= mine.service else PREVIOUS
