"""The handle that a step on this host receives; see `nova.task.handles.Host`."""

import dataclasses
from collections.abc import Callable

from oslo_config import cfg

from nova import clients, objects, states
from nova import context as nova_context
from nova.common import clock, threads
from nova.common.jsonutil import JsonObject
from nova.compute import servers
from nova.virt import driver
from nova.virt.driver.kept import RECORD

PROGRESS_SECONDS = 2.0
"""Least time between two reports of progress, and before the first."""


@dataclasses.dataclass(slots=True)
class Host:
    """A step's view of its host."""

    context: nova_context.RequestContext
    task: str
    attempt: int
    instance: objects.Instance
    host: str
    conf: cfg.ConfigOpts
    driver: driver.Driver
    clients: clients.Clients
    journal: servers.ServerJournal
    progress: Callable[[int | objects.Progress], None]
    cancelled: threads.Event = dataclasses.field(default_factory=threads.event)
    signals: set[states.Signal] = dataclasses.field(default_factory=set)


@dataclasses.dataclass(slots=True)
class Hosting:
    """What all handles of a host have in common."""

    conf: cfg.ConfigOpts
    host: str
    driver: driver.Driver
    clients: clients.Clients
    journals: servers.ServerJournals

    def handle(self, instance: objects.Instance, context: nova_context.RequestContext | None = None,
               task: str = '', attempt: int = 0,
               progress: Callable[[int | objects.Progress], None] | None = None) -> Host:
        """The handle of a step; without a task, of what the host does on its own about a server."""
        return Host(
            context=context or nova_context.admin(), task=task, attempt=attempt, instance=instance,
            host=self.host, conf=self.conf, driver=self.driver, clients=self.clients,
            journal=self.journals.of(instance.uuid if instance is not None else task),
            progress=progress or (lambda percent: None))

    def known(self, uuid: str) -> Host:
        """The handle of a server as its driver wrote down its record last; of one that it knows nothing of,
        the record has nothing but the uuid."""
        kept = self.journals.of(uuid).get(RECORD)
        return self.handle(objects.Instance.part(uuid=uuid, block_devices=[]) if kept is None
                           else objects.Instance.from_wire(kept))


class Throttle:
    """Passes progress on, at most every `PROGRESS_SECONDS`: a step that is quickly done sends no message.

    Args:
        kind: the flow's `Progress`, of which percent alone is told by a number.
    """

    def __init__(self, report: Callable[[objects.Progress], None],
                 kind: type[objects.Progress] = objects.Progress) -> None:
        self._report, self._kind = report, kind
        self._last = clock.monotonic()
        self._told: JsonObject | None = None

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
