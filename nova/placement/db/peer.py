"""The tables of the peer, OpenStack's own Placement, as its last three releases (14, 15 and 16) have them.

Only what is read here. The peer's database has neither unique keys of allocations nor foreign keys of most
tables, so rows may point to what is gone, and times may be missing.
"""

import sqlalchemy as sa

from nova.common import dbkit

REVISIONS = frozenset({'422ece571366', 'a082b8bb98d0'})
"""Of ``alembic_version``, with the tables below; they differ in indexes alone."""

OLDER = frozenset({'b4ed3a175331', 'b5c396305c25', '611cd6dffd7b'})
"""Revisions before them."""

metadata = sa.MetaData()


def _table(name: str, *columns: sa.Column, keyed: bool = True) -> dbkit.Table:
    times = sa.Column('created_at', sa.DateTime), sa.Column('updated_at', sa.DateTime)
    key = (sa.Column('id', sa.Integer, primary_key=True),) if keyed else ()
    return sa.Table(name, metadata, *key, *columns, *times)


def _whole(name: str) -> sa.Column:
    return sa.Column(name, sa.Integer)


resource_providers = _table(
    'resource_providers', sa.Column('uuid', sa.String(36)), sa.Column('name', sa.String(200)),
    _whole('generation'), _whole('root_provider_id'), _whole('parent_provider_id'))
inventories = _table(
    'inventories', _whole('resource_provider_id'), _whole('resource_class_id'), _whole('total'),
    _whole('reserved'), _whole('min_unit'), _whole('max_unit'), _whole('step_size'),
    sa.Column('allocation_ratio', sa.Float))
allocations = _table(
    'allocations', _whole('resource_provider_id'), sa.Column('consumer_id', sa.String(36)),
    _whole('resource_class_id'), _whole('used'))
consumers = _table(
    'consumers', sa.Column('uuid', sa.String(36)), _whole('project_id'), _whole('user_id'),
    _whole('generation'), _whole('consumer_type_id'))
aggregates = _table('placement_aggregates', sa.Column('uuid', sa.String(36)))
resource_provider_aggregates = _table(
    'resource_provider_aggregates', _whole('resource_provider_id'), _whole('aggregate_id'), keyed=False)
resource_provider_traits = _table(
    'resource_provider_traits', _whole('resource_provider_id'), _whole('trait_id'), keyed=False)
resource_classes = _table(
    'resource_classes', sa.Column('id', sa.Integer, primary_key=True, autoincrement=False),
    sa.Column('name', sa.String(255)), keyed=False)
traits = _table('traits', sa.Column('name', sa.String(255)))
projects = _table('projects', sa.Column('external_id', sa.String(255)))
users = _table('users', sa.Column('external_id', sa.String(255)))
consumer_types = _table('consumer_types', sa.Column('name', sa.String(255)))
