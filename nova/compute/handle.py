"""The handle that a step on this host receives; see `nova.task.handles.Host`."""

import dataclasses
from collections.abc import Callable
from typing import Any

from oslo_config import cfg

from nova import context as nova_context
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
    progress: Callable[[int], None]
    cancelled: threads.Event = dataclasses.field(default_factory=threads.event)


class Throttle:
    """Passes progress on, at most every `PROGRESS_SECONDS`: a step that is quickly done sends no message."""

    def __init__(self, report: Callable[[int], None] | None) -> None:
        self._report = report
        self._last = clock.monotonic()
        self._percent = 0

    def __call__(self, percent: int) -> None:
        now = clock.monotonic()
        if self._report is not None and percent > self._percent and now - self._last >= PROGRESS_SECONDS:
            self._last, self._percent = now, percent
            self._report(percent)
