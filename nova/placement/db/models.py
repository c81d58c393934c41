"""Placement's tables.

Two numbers move with a provider. `generation` is the API's: clients send it back to show that they saw the
latest state. `version` is private: it moves with *every* change that could alter an answer about the provider
(inventories, allocations, traits, aggregates, name, place in the tree), so that a worker can tell in one
statement whether its in-memory snapshot is still true. A deleted provider leaves a tombstone, and
`names_version` moves when a resource class or a trait is created, renamed or deleted.

Ids of providers, traits, resource classes and tombstones are never used twice: caches key on them.
"""


import sqlalchemy as sa
from sqlalchemy.schema import SchemaItem

from nova.common import clock, dbkit
from nova.common.exact import Exact

metadata = sa.MetaData(naming_convention=dbkit.NAMING)

FIRST_CUSTOM_CLASS_ID = 10000
"""Standard resource classes have their position in os_resource_classes.STANDARDS as id; custom ones follow."""

_MYSQL: dict = {
    'mysql_engine': 'InnoDB', 'mysql_charset': 'utf8mb4', 'mysql_collate': 'utf8mb4_bin',
}


def _times() -> tuple[sa.Column, sa.Column]:
    return (sa.Column('created_at', sa.DateTime, nullable=False, default=clock.utcnow),
            sa.Column('updated_at', sa.DateTime, onupdate=clock.utcnow))


def _noun(name: str, *items: SchemaItem) -> dbkit.Table:
    return sa.Table(name, metadata, sa.Column('id', sa.Integer, primary_key=True), *items, *_times(),
                    sqlite_autoincrement=True, **_MYSQL)


def _to(target: str, *, index: bool | None = None, unique: bool | None = None,
        primary_key: bool = False) -> sa.Column[int]:
    """A mandatory foreign key column, named after the singular of the table it points to."""
    table = target.partition('.')[0]
    name = 'resource_class_id' if table == 'resource_classes' else f'{table.removesuffix("s")}_id'
    return sa.Column(name, sa.Integer, sa.ForeignKey(target), nullable=False, index=index, unique=unique,
                     primary_key=primary_key)


resource_providers = _noun(
    'resource_providers',
    sa.Column('uuid', Exact(36), nullable=False, unique=True),
    sa.Column('name', Exact(200), nullable=False, unique=True),
    sa.Column('generation', sa.Integer, nullable=False, default=0),
    sa.Column('root_provider_id', sa.Integer, sa.ForeignKey('resource_providers.id'), index=True),
    sa.Column('parent_provider_id', sa.Integer, sa.ForeignKey('resource_providers.id'), index=True),
    sa.Column('version', sa.BigInteger, nullable=False, default=1, index=True),
)

provider_tombstones = _noun(
    'provider_tombstones',
    sa.Column('provider_id', sa.Integer, nullable=False),
    sa.Column('uuid', Exact(36), nullable=False),
)

resource_classes = sa.Table(
    'resource_classes', metadata,
    sa.Column('id', sa.Integer, primary_key=True, autoincrement=False),
    sa.Column('name', Exact(255), nullable=False, unique=True),
    *_times(), **_MYSQL,
)

traits = _noun('traits', sa.Column('name', Exact(255), nullable=False, unique=True))

names_version = sa.Table(
    'names_version', metadata,
    sa.Column('id', sa.Integer, primary_key=True, autoincrement=False),
    sa.Column('version', sa.BigInteger, nullable=False), **_MYSQL,
)
"""One row, id 1."""

inventories = _noun(
    'inventories',
    _to('resource_providers.id'),
    _to('resource_classes.id', index=True),
    sa.Column('total', sa.Integer, nullable=False),
    sa.Column('reserved', sa.Integer, nullable=False),
    sa.Column('min_unit', sa.Integer, nullable=False),
    sa.Column('max_unit', sa.Integer, nullable=False),
    sa.Column('step_size', sa.Integer, nullable=False),
    sa.Column('allocation_ratio', sa.Double, nullable=False),
    sa.UniqueConstraint('resource_provider_id', 'resource_class_id'),
)

allocations = _noun(
    'allocations',
    sa.Column('consumer_id', Exact(36), nullable=False),
    _to('resource_providers.id'),
    _to('resource_classes.id', index=True),
    sa.Column('used', sa.Integer, nullable=False),
    sa.UniqueConstraint('consumer_id', 'resource_provider_id', 'resource_class_id',
                        name='uq_allocations_consumer'),
    sa.Index('ix_allocations_usage', 'resource_provider_id', 'resource_class_id', 'used'),
)
"""`consumer_id` is the consumer's uuid."""

projects = _noun('projects', sa.Column('external_id', Exact(255), nullable=False, unique=True))

users = _noun('users', sa.Column('external_id', Exact(255), nullable=False, unique=True))

consumer_types = _noun('consumer_types', sa.Column('name', Exact(255), nullable=False, unique=True))

consumers = _noun(
    'consumers',
    sa.Column('uuid', Exact(36), nullable=False, unique=True),
    _to('projects.id'),
    _to('users.id', index=True),
    sa.Column('generation', sa.Integer, nullable=False, default=0),
    sa.Column('consumer_type_id', sa.Integer, sa.ForeignKey('consumer_types.id'), index=True),
    sa.Index('ix_consumers_project_user', 'project_id', 'user_id'),
)

aggregates = _noun('aggregates', sa.Column('uuid', Exact(36), nullable=False, unique=True))

resource_provider_aggregates = sa.Table(
    'resource_provider_aggregates', metadata,
    _to('resource_providers.id', primary_key=True),
    _to('aggregates.id', primary_key=True, index=True),
    *_times(), **_MYSQL,
)

resource_provider_traits = sa.Table(
    'resource_provider_traits', metadata,
    _to('resource_providers.id', primary_key=True),
    _to('traits.id', primary_key=True, index=True),
    *_times(), **_MYSQL,
)
