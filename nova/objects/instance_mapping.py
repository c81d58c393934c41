"""Servers and the cells they are in; what quotas count."""

import datetime

import sqlalchemy as sa
from os_resource_classes import MEMORY_MB, VCPU

from nova import errors
from nova.db.api import models
from nova.objects import fields
from nova.objects.demand import Demand
from nova.objects.persistent import Persistent

_T = models.instance_mappings
_OF_SERVER = _T.c.instance_uuid == sa.bindparam('its_uuid')
_HAND_OVER = _T.update().where(_OF_SERVER, _T.c.cell_id.is_(None), _T.c.queued_for_delete.is_(False))
_QUEUE = _T.update().where(_OF_SERVER, _T.c.queued_for_delete == sa.bindparam('its_other'))


class InstanceMapping(Persistent):
    """Where a server is.

    Attributes:
        cell_id: None until the server was handed over to a cell.
        vcpus, memory_mb, resources: what it counts for; during a resize the larger of old and new. Older rows
            have no `resources`.
        queued_for_delete: it was deleted or is about to be, so quotas do not count it.
    """

    table = models.instance_mappings
    key = ('instance_uuid',)
    missing, fact = errors.server.InstanceMappingNotFound, 'server'

    id: fields.Late[int] = fields.NOT_YET
    instance_uuid: fields.Uuid
    cell_id: int | None = None
    project_id: str
    user_id: str
    vcpus: int = 0
    memory_mb: int = 0
    queued_for_delete: bool = False
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None
    resources: dict[str, int] | None = fields.since('1.1', None)

    @property
    def demand(self) -> Demand:
        """What it counts for."""
        resources = {VCPU: self.vcpus, MEMORY_MB: self.memory_mb} if self.resources is None else self.resources
        return Demand(self.vcpus, self.memory_mb, resources)

    @classmethod
    def hand_over(cls, conn: sa.Connection, instance_uuid: str, cell_id: int) -> bool:
        """Set the cell of a server that has none; False when it has one, or is being deleted."""
        return conn.execute(_HAND_OVER, {'its_uuid': instance_uuid, 'cell_id': cell_id}).rowcount == 1

    @classmethod
    def queue_for_delete(cls, conn: sa.Connection, instance_uuid: str, queued: bool = True) -> bool:
        """Stop (or begin again) counting a server; False when nothing changed."""
        return conn.execute(_QUEUE, {
            'its_uuid': instance_uuid, 'its_other': not queued, 'queued_for_delete': queued}).rowcount == 1
