"""How long servers ran within a period, and what that comes to for their project: pure arithmetic."""

import dataclasses
import datetime
from collections.abc import Iterable

HOUR = 3600.0


@dataclasses.dataclass(frozen=True, slots=True)
class Earlier:
    """What a server had, by a flavor of before, until it was resized."""

    until: datetime.datetime
    vcpus: int
    memory_mb: int
    local_gb: int


@dataclasses.dataclass(frozen=True, slots=True)
class Run:
    """One server's time on earth.

    Attributes:
        began, ended: when it was launched and terminated; it still runs without an end.
        vcpus, memory_mb, local_gb: what it has now, or had last; disk is root and ephemeral together.
        earlier: what it had before, in order.
    """

    uuid: str
    project_id: str
    name: str
    flavor: str
    vm_state: str
    vcpus: int
    memory_mb: int
    local_gb: int
    began: datetime.datetime
    ended: datetime.datetime | None
    earlier: tuple[Earlier, ...] = ()


@dataclasses.dataclass(slots=True)
class Usage:
    """What a project used in a period.

    Attributes:
        hours: of its servers together; vcpus, memory_mb and local_gb are each multiplied by hours, by those
            for which a server had them.
    """

    project_id: str
    start: datetime.datetime
    stop: datetime.datetime
    hours: float = 0.0
    vcpus: float = 0.0
    memory_mb: float = 0.0
    local_gb: float = 0.0
    runs: list[Run] = dataclasses.field(default_factory=list)


def hours(run: Run, start: datetime.datetime, stop: datetime.datetime, now: datetime.datetime) -> float:
    """Hours of a run that lie between `start` and `stop`; what has not happened yet is not counted."""
    return _hours(max(start, run.began), min(stop, run.ended or now))


def _hours(start: datetime.datetime, until: datetime.datetime) -> float:
    return max(0.0, (until - start).total_seconds()) / HOUR


def sum_up(runs: Iterable[Run], start: datetime.datetime, stop: datetime.datetime, now: datetime.datetime
           ) -> dict[str, Usage]:
    """What each project used, by project id."""
    found: dict[str, Usage] = {}
    for run in runs:
        usage = found.setdefault(run.project_id, Usage(run.project_id, start, stop))
        usage.runs.append(run)
        usage.hours += hours(run, start, stop, now)
        began, ended = max(start, run.began), min(stop, run.ended or now)
        for had in (*run.earlier, Earlier(ended, run.vcpus, run.memory_mb, run.local_gb)):
            until = min(had.until, ended)
            lasted = _hours(began, until)
            usage.vcpus += lasted * had.vcpus
            usage.memory_mb += lasted * had.memory_mb
            usage.local_gb += lasted * had.local_gb
            began = max(began, until)
    return found
