"""Key pairs: the public halves of users' keys."""

import datetime
from collections.abc import Mapping

from nova import errors
from nova.db.api import models
from nova.objects import fields
from nova.objects.persistent import Persistent


class KeyPair(Persistent):
    table = models.key_pairs
    key = ('user_id', 'name')
    missing = errors.server.KeyPairNotFound

    id: fields.Late[int] = fields.NOT_YET
    user_id: str
    name: str
    type: str = 'ssh'
    fingerprint: str | None = None
    public_key: str | None = None
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None

    @classmethod
    def not_found(cls, by: Mapping[str, object]) -> errors.NovaError:
        return cls.missing(name=by.get('name'), user=by.get('user_id'))
