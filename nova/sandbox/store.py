"""What the stand-ins remember: JSON documents of declared kinds in one small SQLite schema.

A kind names the fields by which its documents are found quickly (owner, parent, name) and those that must be
unique. Everything else is in the document, as the API shows it.
"""

import contextlib
import dataclasses
import datetime
import functools
import hashlib
from collections.abc import Callable, Iterator
from typing import TypeVar

import sqlalchemy as sa
import sqlalchemy.exc
from oslo_db import exception as db_exc

from nova.common import clock, dbkit, jsonutil
from nova.common.jsonutil import JsonObject

T = TypeVar('T')
Document = JsonObject

METADATA = sa.MetaData(naming_convention=dbkit.NAMING)

RECORDS = sa.Table(
    'sandbox_records', METADATA,
    sa.Column('seq', sa.Integer, primary_key=True, autoincrement=True),
    sa.Column('kind', sa.String(32), nullable=False),
    sa.Column('id', sa.String(255), nullable=False),
    sa.Column('owner', sa.String(64)),
    sa.Column('parent', sa.String(64)),
    sa.Column('name', sa.String(255)),
    sa.Column('unique_key', sa.String(400)),
    sa.Column('body', sa.Text, nullable=False),
    sa.UniqueConstraint('kind', 'id'),
    sa.UniqueConstraint('kind', 'unique_key'),
    sa.Index('ix_sandbox_records_kind_owner', 'kind', 'owner'),
    sa.Index('ix_sandbox_records_kind_parent', 'kind', 'parent'),
    sa.Index('ix_sandbox_records_kind_name', 'kind', 'name'),
)

TOKENS = sa.Table(
    'sandbox_tokens', METADATA,
    sa.Column('digest', sa.String(64), primary_key=True),
    sa.Column('expires_at', sa.DateTime, nullable=False, index=True),
    sa.Column('body', sa.Text, nullable=False),
)


@dataclasses.dataclass(frozen=True, slots=True)
class Kind:
    """A sort of document and the fields it is found by; a field that a document lacks is not indexed."""

    name: str
    owner: str | None = None
    parent: str | None = None
    unique: tuple[str, ...] = ()

    def columns(self, document: Document) -> JsonObject:
        unique = [document.get(field) for field in self.unique]
        return {
            'owner': document.get(self.owner) if self.owner else None,
            'parent': document.get(self.parent) if self.parent else None,
            'name': document.get('name'),
            'unique_key': '\0'.join(str(value) for value in unique) if unique and None not in unique else None,
            'body': jsonutil.text(document),
        }


_THIS = (RECORDS.c.kind == sa.bindparam('its_kind'), RECORDS.c.id == sa.bindparam('its_id'))
_GET = sa.select(RECORDS.c.body).where(*_THIS)
_LIST = sa.select(RECORDS.c.body).where(_THIS[0]).order_by(RECORDS.c.seq)
_COUNT = sa.select(sa.func.count()).where(_THIS[0])
_INSERT = RECORDS.insert()
_VALUES = ('owner', 'parent', 'name', 'unique_key', 'body')
_UPDATE = RECORDS.update().where(*_THIS).values({name: sa.bindparam(name) for name in _VALUES})
_DELETE = RECORDS.delete().where(*_THIS)
_TOKEN = sa.select(TOKENS.c.expires_at, TOKENS.c.body).where(TOKENS.c.digest == sa.bindparam('its_digest'))


@functools.cache
def _narrowed(query: sa.Select, names: tuple[str, ...]) -> sa.Select:
    """A query for documents with these values, by parameters named ``its_`` and the column. To make a statement
    costs more than to run it."""
    return query.where(*(RECORDS.c[name.removeprefix('its_')] == sa.bindparam(name) for name in names))


class Duplicate(Exception):
    """A document with this id, or with these unique fields, is there already."""


class Rows:
    """Documents as one transaction sees them; made by `Store.read` and `Store.write`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def get(self, kind: Kind, ident: str) -> Document | None:
        body = self._connection.execute(_GET, {'its_kind': kind.name, 'its_id': ident}).scalar()
        return None if body is None else jsonutil.loads(body)

    def list(self, kind: Kind, *, owner: str | None = None, parent: str | None = None,
             name: str | None = None) -> list[Document]:
        """Documents in the order in which they were made."""
        found = self._by(_LIST, kind, owner=owner, parent=parent, name=name)
        return [jsonutil.loads(body) for body in found.scalars()]

    def count(self, kind: Kind, *, owner: str | None = None, parent: str | None = None) -> int:
        return self._by(_COUNT, kind, owner=owner, parent=parent).scalar_one()

    def _by(self, query: sa.Select, kind: Kind, **by: str | None) -> sa.CursorResult:
        """Ask for documents of a kind with these values; None is any."""
        given = {f'its_{name}': value for name, value in by.items() if value is not None}
        return self._connection.execute(_narrowed(query, tuple(given)), {'its_kind': kind.name, **given})

    def insert(self, kind: Kind, document: Document) -> Document:
        """Keep a new document.

        Raises:
            Duplicate: its id or its unique fields are taken.
        """
        with self._unique(kind):
            self._connection.execute(
                _INSERT, {'kind': kind.name, 'id': document['id'], **kind.columns(document)})
        return document

    def update(self, kind: Kind, document: Document) -> Document:
        """Replace the document of the same id.

        Raises:
            Duplicate: its unique fields are taken by another one.
        """
        with self._unique(kind):
            self._connection.execute(
                _UPDATE, {'its_kind': kind.name, 'its_id': document['id'], **kind.columns(document)})
        return document

    def delete(self, kind: Kind, ident: str) -> bool:
        """Forget a document; False when there was none."""
        return self._connection.execute(_DELETE, {'its_kind': kind.name, 'its_id': ident}).rowcount > 0

    def delete_children(self, kind: Kind, parent: str) -> None:
        self._connection.execute(RECORDS.delete().where(
            RECORDS.c.kind == kind.name, RECORDS.c.parent == parent))

    @contextlib.contextmanager
    def _unique(self, kind: Kind) -> Iterator[None]:
        # Only PostgreSQL gives up a whole transaction because of one statement.
        nested = self._connection.dialect.name == 'postgresql'
        try:
            with self._connection.begin_nested() if nested else contextlib.nullcontext():
                yield
        except (sqlalchemy.exc.IntegrityError, db_exc.DBDuplicateEntry):
            raise Duplicate(kind.name) from None


class Store:
    """The database of one sandbox; the schema is made when it is missing."""

    def __init__(self, database: dbkit.Database | str) -> None:
        self.database = dbkit.Database(database) if isinstance(database, str) else database
        METADATA.create_all(self.database.engine)

    @contextlib.contextmanager
    def read(self) -> Iterator[Rows]:
        with self.database.read() as connection:
            yield Rows(connection)

    def get(self, kind: Kind, ident: str) -> Document | None:
        with self.read() as rows:
            return rows.get(kind, ident)

    def list(self, kind: Kind, *, owner: str | None = None, parent: str | None = None,
             name: str | None = None) -> list[Document]:
        with self.read() as rows:
            return rows.list(kind, owner=owner, parent=parent, name=name)

    def write(self, fn: Callable[[Rows], T]) -> T:
        """Run `fn(rows)` in one transaction; nothing is kept when it raises."""
        return self.database.write(lambda connection: fn(Rows(connection)))

    def close(self) -> None:
        self.database.dispose()

    # Tokens: kept by digest, so that a copy of the database lets nobody in.

    def add_token(self, secret: str, expires_at: datetime.datetime, body: Document) -> None:
        self.database.write(lambda connection: connection.execute(TOKENS.insert().values(
            digest=digest(secret), expires_at=expires_at, body=jsonutil.text(body))))

    def get_token(self, token_digest: str) -> tuple[datetime.datetime, Document] | None:
        """When the token ends, and what it was issued for; None when unknown or revoked."""
        with self.database.read() as connection:
            row = connection.execute(_TOKEN, {'its_digest': token_digest}).first()
        return (row[0], jsonutil.loads(row[1])) if row else None

    def expire_token(self, token_digest: str, when: datetime.datetime) -> bool:
        return self.database.write(lambda connection: connection.execute(TOKENS.update().where(
            TOKENS.c.digest == token_digest).values(expires_at=when)).rowcount > 0)

    def delete_token(self, token_digest: str) -> bool:
        return self.database.write(lambda connection: connection.execute(TOKENS.delete().where(
            TOKENS.c.digest == token_digest)).rowcount > 0)

    def purge_tokens(self, older_than: datetime.timedelta) -> int:
        """Drop tokens that ended longer ago than that."""
        limit = clock.utcnow() - older_than
        return self.database.write(lambda connection: connection.execute(TOKENS.delete().where(
            TOKENS.c.expires_at < limit)).rowcount)


def digest(secret: str) -> str:
    """How a token is known to the database."""
    return hashlib.sha256(secret.encode()).hexdigest()
