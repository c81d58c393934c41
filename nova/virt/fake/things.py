"""What there is on a fake host."""

import dataclasses


@dataclasses.dataclass(slots=True)
class Guest:
    """A guest. `volumes` and `interfaces` are ids of volumes and ports.

    Attributes:
        leaving: volumes and interfaces that it was asked to let go while it stood still; it does when it
            goes on.
        spawned: how often it was made anew.
        cpu: the model that it was started with.
    """

    uuid: str
    power: int
    vcpus: int = 0
    memory_mb: int = 0
    disk_gb: int = 0
    image: str | None = None
    volumes: list[str] = dataclasses.field(default_factory=list)
    interfaces: list[str] = dataclasses.field(default_factory=list)
    leaving: list[str] = dataclasses.field(default_factory=list)
    rescued: bool = False
    agent: bool = False
    cpu: str = ''
    spawned: int = 1
    log: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(slots=True)
class Disk:
    """The local disks of a guest, as one; `marks` is what was written to it, which goes where the disk goes."""

    gb: int = 0
    marks: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(slots=True)
class Prepared:
    """A guest is expected from another host."""

    volumes: list[str] = dataclasses.field(default_factory=list)
    interfaces: list[str] = dataclasses.field(default_factory=list)
    cpu: str = ''


@dataclasses.dataclass(slots=True)
class Connected:
    """A volume is on the host; `servers` are those that use it, `size_gb` is None where nobody said it."""

    servers: list[str] = dataclasses.field(default_factory=list)
    size_gb: int | None = None


@dataclasses.dataclass(slots=True)
class Mounted:
    """Shares that are mounted on the host for a guest: their ids."""

    shares: list[str] = dataclasses.field(default_factory=list)
