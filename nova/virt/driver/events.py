"""What guests do on their own."""

import dataclasses
import enum
from collections.abc import Callable
from typing import Protocol


class Change(enum.StrEnum):
    """What has become of a guest."""

    STARTED = 'started'
    STOPPED = 'stopped'
    CRASHED = 'crashed'
    PAUSED = 'paused'
    RESUMED = 'resumed'
    SUSPENDED = 'suspended'
    MIGRATED = 'migrated'
    """It runs on another host now; from a post-copy migration on, before its memory is there."""


@dataclasses.dataclass(frozen=True, slots=True)
class Lifecycle:
    """Something happened to the guest of a server, whether asked for or not."""

    server: str
    change: Change


class EventsDriver(Protocol):
    def listen(self, hear: Callable[[Lifecycle], None]) -> None:
        """Call `hear` whenever something happens to a guest of ours, from a thread of the driver's; one
        listener. Events may be lost while the hypervisor cannot be reached: nothing may depend on them alone.

        `hear` returns at once and raises nothing.
        """
