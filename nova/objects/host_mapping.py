"""Hosts and the cells they are in."""

from nova import errors
from nova.db.api import models
from nova.objects import base
from nova.objects.base import fields


class HostMapping(base.Record):
    table = models.host_mappings
    key = ('host',)
    missing, fact = errors.host.HostMappingNotFound, 'host'
    fields = {
        'id': fields.maybe(fields.IntegerField),
        'cell_id': fields.IntegerField(),
        'host': fields.StringField(),
        'created_at': fields.maybe(fields.TimeField),
        'updated_at': fields.maybe(fields.TimeField),
    }
