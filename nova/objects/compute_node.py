"""Hypervisors: what a compute service says about each of its nodes."""

from typing import Self

import sqlalchemy as sa

from nova import errors
from nova.db.cell import models
from nova.objects import base
from nova.objects.base import fields


class ComputeNode(base.Record):
    """A node. Amounts are what the hypervisor has and uses; what may be allocated is Placement's to say.

    Attributes:
        uuid: also of its resource provider.
        supported_instances: list of [architecture, hypervisor type, mode].
        stats: further facts that filters look at, text to text.
        mapped: the host's mapping in the API database is known to exist.
    """

    table = models.compute_nodes
    missing, fact = errors.host.ComputeNodeNotFound, 'node'
    fields = {
        'id': fields.maybe(fields.IntegerField),
        'uuid': fields.UUIDField(),
        'host': fields.StringField(),
        'hypervisor_hostname': fields.StringField(),
        'hypervisor_type': fields.StringField(default=''),
        'hypervisor_version': fields.IntegerField(default=0),
        'host_ip': fields.maybe(fields.StringField),
        'vcpus': fields.IntegerField(default=0),
        'memory_mb': fields.IntegerField(default=0),
        'local_gb': fields.IntegerField(default=0),
        'vcpus_used': fields.IntegerField(default=0),
        'memory_mb_used': fields.IntegerField(default=0),
        'local_gb_used': fields.IntegerField(default=0),
        'disk_available_least': fields.maybe(fields.IntegerField),
        'running_vms': fields.IntegerField(default=0),
        'current_workload': fields.IntegerField(default=0),
        'cpu_allocation_ratio': fields.maybe(fields.FloatField),
        'ram_allocation_ratio': fields.maybe(fields.FloatField),
        'disk_allocation_ratio': fields.maybe(fields.FloatField),
        'cpu_info': fields.maybe(fields.JsonField),
        'supported_instances': fields.maybe(fields.JsonField),
        'numa_topology': fields.maybe(fields.JsonField),
        'pci_stats': fields.maybe(fields.JsonField),
        'metrics': fields.maybe(fields.JsonField),
        'stats': fields.JsonField(default={}),
        'mapped': fields.BooleanField(default=False),
        'created_at': fields.maybe(fields.TimeField),
        'updated_at': fields.maybe(fields.TimeField),
    }

    @property
    def free_ram_mb(self) -> int:
        return self.memory_mb - self.memory_mb_used

    @property
    def free_disk_gb(self) -> int:
        return self.local_gb - self.local_gb_used

    @classmethod
    def report(cls, conn: sa.Connection, reported: Self) -> Self:
        """Make the row of a node what its host says; whether it is mapped stays as it was.

        Raises:
            nova.errors.Conflict: another host has a node of this uuid, so one of the two was copied or renamed.
        """
        kept = cls.find(conn, uuid=reported.uuid)
        if kept is None:
            fresh = reported.copy()
            fresh.id = None
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
