"""Hypervisors: what a compute service says about each of its nodes."""

import datetime
from collections.abc import Sequence
from typing import Self

import sqlalchemy as sa

from nova import errors
from nova.common import dbkit
from nova.db.cell import models
from nova.objects import fields
from nova.objects.persistent import Persistent


class ComputeNode(Persistent):
    """A node. Amounts are what the hypervisor has and uses; what may be allocated is Placement's to say.

    Attributes:
        uuid: also of its resource provider.
        supported_instances: list of [architecture, hypervisor type, mode].
        stats: further facts that filters look at, and what its providers offer (`nova.domain.capabilities`).
        mapped: the host's mapping in the API database is known to exist.
    """

    table = models.compute_nodes
    missing, fact = errors.host.ComputeNodeNotFound, 'node'

    id: fields.Late[int] = fields.NOT_YET
    uuid: fields.Uuid
    host: str
    hypervisor_hostname: str
    hypervisor_type: str = ''
    hypervisor_version: int = 0
    host_ip: str | None = None
    vcpus: int = 0
    memory_mb: int = 0
    local_gb: int = 0
    vcpus_used: int = 0
    memory_mb_used: int = 0
    local_gb_used: int = 0
    disk_available_least: int | None = None
    running_vms: int = 0
    current_workload: int = 0
    cpu_allocation_ratio: float | None = None
    ram_allocation_ratio: float | None = None
    disk_allocation_ratio: float | None = None
    cpu_info: fields.Json | None = None
    supported_instances: fields.Json | None = None
    numa_topology: fields.Json | None = None
    pci_stats: fields.Json | None = None
    metrics: fields.Json | None = None
    stats: fields.Json = {}
    mapped: bool = False
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None

    @property
    def free_ram_mb(self) -> int:
        return self.memory_mb - self.memory_mb_used

    @property
    def free_disk_gb(self) -> int:
        return self.local_gb - self.local_gb_used

    @classmethod
    def unmapped(cls, conn: sa.Connection) -> list[tuple[str, str]]:
        """uuid and host of the nodes whose host is not known to be mapped."""
        table = cls.table
        return [(row.uuid, row.host) for row in conn.execute(
            sa.select(table.c.uuid, table.c.host).where(table.c.mapped == sa.false()))]

    @classmethod
    def note_mapped(cls, conn: sa.Connection, uuids: Sequence[str]) -> None:
        """The hosts of these nodes are mapped; nothing about the nodes themselves has changed."""
        table = cls.table
        for part in dbkit.parts(uuids):
            conn.execute(table.update().where(table.c.uuid.in_(part)).values(
                mapped=True, updated_at=table.c.updated_at))

    @classmethod
    def report(cls, conn: sa.Connection, reported: Self) -> Self:
        """Make the row of a node what its host says; whether it is mapped stays as it was.

        Raises:
            nova.errors.Conflict: another host has a node of this uuid, so one of the two was copied or renamed.
        """
        kept = cls.find(conn, uuid=reported.uuid)
        if kept is None:
            fresh = reported.copy()
            fresh.id = fields.NOT_YET
            fresh.create(conn)
            return fresh
        if kept.host != reported.host:
            raise errors.Conflict(f'Compute node {kept.uuid} belongs to host {kept.host}, not {reported.host}.')
        for name in cls.fields:
            if name not in _OURS and reported.known(name) and getattr(reported, name) != getattr(kept, name):
                setattr(kept, name, getattr(reported, name))
        kept.save(conn)
        return kept


_OURS = frozenset({'id', 'uuid', 'mapped', 'created_at', 'updated_at'})
