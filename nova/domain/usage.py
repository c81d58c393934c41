"""How long servers ran within a period, and what that comes to for their project: pure arithmetic."""

import dataclasses
import datetime
from collections.abc import Iterable

HOUR = 3600.0


@dataclasses.dataclass(frozen=True, slots=True)
class Run:
    """One server's time on earth.

    Attributes:
        began, ended: when it was launched and terminated; it still runs without an end.
        local_gb: of its root disk and the ephemeral one.
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


@dataclasses.dataclass(slots=True)
class Usage:
    """What a project used in a period.

    Attributes:
        hours: of its servers together; vcpus, memory_mb and local_gb are each multiplied by hours.
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
    until = min(stop, run.ended or now)
    return max(0.0, (until - max(start, run.began)).total_seconds()) / HOUR


def sum_up(runs: Iterable[Run], start: datetime.datetime, stop: datetime.datetime, now: datetime.datetime
           ) -> dict[str, Usage]:
    """What each project used, by project id."""
    found: dict[str, Usage] = {}
    for run in runs:
        usage = found.setdefault(run.project_id, Usage(run.project_id, start, stop))
        lasted = hours(run, start, stop, now)
        usage.runs.append(run)
        usage.hours += lasted
        usage.vcpus += lasted * run.vcpus
        usage.memory_mb += lasted * run.memory_mb
        usage.local_gb += lasted * run.local_gb
    return found
