"""Key pairs: the public halves of users' keys."""

from collections.abc import Mapping
from typing import Any

from nova import errors
from nova.db.api import models
from nova.objects import base
from nova.objects.base import fields


class KeyPair(base.Record):
    table = models.key_pairs
    key = ('user_id', 'name')
    missing = errors.server.KeyPairNotFound
    fields = {
        'id': fields.maybe(fields.IntegerField),
        'user_id': fields.StringField(),
        'name': fields.StringField(),
        'type': fields.StringField(default='ssh'),
        'fingerprint': fields.maybe(fields.StringField),
        'public_key': fields.maybe(fields.StringField),
        'created_at': fields.maybe(fields.TimeField),
        'updated_at': fields.maybe(fields.TimeField),
    }

    @classmethod
    def not_found(cls, by: Mapping[str, Any]) -> errors.NovaError:
        return cls.missing(name=by.get('name'), user=by.get('user_id'))
