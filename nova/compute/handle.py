"""The handle that a step on this host receives; see `nova.task.handles.Host`."""

import dataclasses
from collections.abc import Callable
from typing import Any

from oslo_config import cfg

from nova import context as nova_context
from nova import objects, states
from nova.common import clock, threads

PROGRESS_SECONDS = 2.0
"""Least time between two reports of progress, and before the first."""


@dataclasses.dataclass(slots=True)
class Host:
    """A step's view of its host."""

    context: nova_context.RequestContext
    task: str
    attempt: int
    instance: Any
    host: str
    conf: cfg.ConfigOpts
    driver: Any
    clients: Any
    progress: Callable[[int | objects.Progress], None]
    cancelled: threads.Event = dataclasses.field(default_factory=threads.event)
    signals: set[states.Signal] = dataclasses.field(default_factory=set)


class Throttle:
    """Passes progress on, at most every `PROGRESS_SECONDS`: a step that is quickly done sends no message.

    Args:
        kind: the flow's `Progress`, of which percent alone is told by a number.
    """

    def __init__(self, report: Callable[[objects.Progress], None],
                 kind: type[objects.Progress] = objects.Progress) -> None:
        self._report, self._kind = report, kind
        self._last = clock.monotonic()
        self._told: dict[str, Any] | None = None

    def __call__(self, progress: int | objects.Progress) -> None:
        if isinstance(progress, int):
            progress = self._kind(percent=progress)
        if not isinstance(progress, self._kind):
            raise TypeError(f'this flow tells of its progress by {self._kind.__name__}, not {progress!r}')
        now = clock.monotonic()
        if now - self._last < PROGRESS_SECONDS or progress.to_wire() == self._told:
            return
        self._last, self._told = now, progress.to_wire()
        self._report(progress)
