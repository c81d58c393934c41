"""Key pairs: public keys that guests let their users in by."""


import sqlalchemy as sa
from oslo_db import exception as db_exc

from nova import errors
from nova.api import keys
from nova.api.request import Request
from nova.common import clock
from nova.objects import quota
from nova.objects.keypair import KeyPair
from nova.policies import base as policies
from nova.policies import keypairs as rules
from nova.rest import types
from nova.rest.field import ABSENT, Document, Faces, Field, Span
from nova.rest.resource import Body, Many, One, Page, Reply, Resource, delete, get, post
from nova.task import notify

_NAME = (Span('2.1', '2.91', type=types.text(1, 255, 'keypair-chars')),
         Span('2.92', type=types.text(1, 255, 'keypair-chars-v292')))
_EVERY: Faces = dict(list='2.1', show='2.1', created='2.1')


class Key(Document):
    """Faces: ``create`` (body), ``list``, ``show``, and ``created`` (what creating answers)."""

    name = Field(types.NAME, 'Name, unique for the user.', required=True, create=_NAME, **_EVERY)
    type = Field(types.enum('ssh', 'x509'), 'Kind of key.', create='2.2', list='2.2', show='2.2', created='2.2')
    public_key = Field(types.TEXT, 'Public half; made with a private one when absent, up to 2.91.',
                       create=Span('2.1', '2.91'), **_EVERY)
    needed_key = Field(types.TEXT, 'Public half.', key='public_key', required=True, create='2.92')
    fingerprint = Field(types.TEXT, 'Short form to compare.', **_EVERY)
    user_id = Field(types.TEXT, 'Whose it is.', create='2.10', show='2.1', created='2.1')
    private_key = Field(types.TEXT, 'Private half of a pair that was made; kept nowhere.', maybe=True,
                        get=lambda k, look: look.private or ABSENT, created=Span('2.1', '2.91'))
    id = Field(types.INTEGER, show='2.1')
    created_at = Field(types.TEXT, get=lambda k, look: clock.strtime(k.created_at), show='2.1')
    updated_at = Field(types.NULL, get=lambda k, look: None, show='2.1')
    deleted = Field(types.BOOLEAN, get=lambda k, look: False, show='2.1')
    deleted_at = Field(types.NULL, get=lambda k, look: None, show='2.1')


class Listed(Document):
    """An item of the list wraps the key once more."""

    keypair = Field(Key, get=lambda k, look: k, list='2.1')


class OwnerQuery(Document):
    user_id = Field(types.TEXT, 'Whose; of others only for administrators.', query='2.10')


class ListQuery(OwnerQuery):
    limit = Field(types.LIMIT, query='2.35')
    marker = Field(types.TEXT, 'Name of the last key pair seen.', query='2.35')


class _Private:
    def __init__(self, key: str | None) -> None:
        self.private = key


def _owner(req: Request, rule: policies.Rule, given: str | None) -> str:
    """Whose key pairs are meant, once policy allows it."""
    user = given or req.user_id
    req.authorize(rule, {'user_id': user})
    return user


class KeyPairs(Resource):

    @get('/os-keypairs', rules=(rules.INDEX,), query=ListQuery, strict='2.75', returns=Many('keypairs', Listed))
    def index(self, req: Request) -> Page:
        """List a user's key pairs, by name."""
        user = _owner(req, rules.INDEX, req.query.get('user_id'))
        limit, marker = req.paging()
        columns = KeyPair.table.c
        where: list[sa.ColumnElement[bool]] = []
        with req.dbs.api.read() as conn:
            if marker:
                if KeyPair.find(conn, user_id=user, name=marker) is None:
                    raise errors.server.MarkerNotFound(marker=marker)
                where.append(columns.name > marker)
            found = KeyPair.all(conn, *where, user_id=user, order=[columns.name],
                                limit=limit + 1 if req.at('2.35') else None)
        return Page.of(found, limit, lambda key: key.name) if req.at('2.35') else Page(found)

    @get('/os-keypairs/{name}', rules=(rules.SHOW,), query=OwnerQuery, strict='2.75',
         returns=One('keypair', Key))
    def show(self, req: Request, name: str) -> KeyPair:
        """Show a key pair."""
        user = _owner(req, rules.SHOW, req.query.get('user_id'))
        with req.dbs.api.read() as conn:
            return KeyPair.get(conn, user_id=user, name=name)

    @post('/os-keypairs', rules=(rules.CREATE,), ok={'2.1': 200, '2.2': 201},
          returns=One('keypair', Key, 'created'), body=Body(Key, face='create', under='keypair'))
    def create(self, req: Request) -> Reply:
        """Import a public key, or (up to 2.91) make a pair."""
        wanted = req.body['keypair']
        user = _owner(req, rules.CREATE, wanted.get('user_id'))
        kind = wanted.get('type', 'ssh')
        made = keys.imported(kind, wanted['public_key']) if 'public_key' in wanted else keys.generated(
            kind, wanted['name'])
        key = KeyPair(user_id=user, name=wanted['name'], type=kind, fingerprint=made.fingerprint,
                      public_key=made.public)
        limit = req.limit('key_pairs')

        def write(conn: sa.Connection) -> KeyPair:
            record = key.copy()
            quota.lock(conn, user)
            if 0 <= limit <= quota.key_pairs(conn, user):
                raise errors.server.LimitExceeded('Quota exceeded, too many key pairs.')
            record.create(conn)
            notify.of_keypair(conn, 'import' if 'public_key' in wanted else 'create', record)
            return record
        try:
            record = req.dbs.api.write(write)
        except db_exc.DBDuplicateEntry:
            raise errors.server.KeyPairExists(name=key.name) from None
        return Reply(subject=record, look=_Private(made.private))

    @delete('/os-keypairs/{name}', rules=(rules.DELETE,), query=OwnerQuery, strict='2.75',
            ok={'2.1': 202, '2.2': 204})
    def remove(self, req: Request, name: str) -> None:
        """Delete a key pair; servers that have it keep it."""
        user = _owner(req, rules.DELETE, req.query.get('user_id'))

        def write(conn: sa.Connection) -> None:
            record = KeyPair.get(conn, user_id=user, name=name)
            notify.of_keypair(conn, 'delete', record)
            record.destroy(conn)
        req.dbs.api.write(write)
