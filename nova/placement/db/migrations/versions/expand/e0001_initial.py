"""The first schema."""


import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import SchemaItem

revision = 'e0001'
down_revision = None
branch_labels = ('expand',)
depends_on = None

_OPTIONS: dict = {
    'mysql_engine': 'InnoDB', 'mysql_charset': 'utf8mb4', 'mysql_collate': 'utf8mb4_bin',
    'sqlite_autoincrement': True,
}


def _times() -> list[sa.Column]:
    return [sa.Column('created_at', sa.DateTime, nullable=False), sa.Column('updated_at', sa.DateTime)]


def _table(name: str, *items: SchemaItem) -> None:
    op.create_table(name, sa.Column('id', sa.Integer, nullable=False), *items, *_times(),
                    sa.PrimaryKeyConstraint('id', name=f'pk_{name}'), **_OPTIONS)


def _named(name: str, column: str, length: int) -> None:
    _table(name, sa.Column(column, sa.String(length), nullable=False),
           sa.UniqueConstraint(column, name=f'uq_{name}_{column}'))


def _foreign(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f'{target}.id'], name=f'fk_{table}_{column}')


def _index(table: str, *columns: str, name: str | None = None) -> None:
    op.create_index(name or f'ix_{table}_{"_".join(columns)}', table, list(columns))


def _names() -> None:
    for name, column, length in (('traits', 'name', 255), ('consumer_types', 'name', 255),
                                 ('projects', 'external_id', 255), ('users', 'external_id', 255),
                                 ('aggregates', 'uuid', 36)):
        _named(name, column, length)
    options = {key: value for key, value in _OPTIONS.items() if key.startswith('mysql')}
    op.create_table(
        'resource_classes',
        sa.Column('id', sa.Integer, autoincrement=False, nullable=False),
        sa.Column('name', sa.String(255), nullable=False), *_times(),
        sa.PrimaryKeyConstraint('id', name='pk_resource_classes'),
        sa.UniqueConstraint('name', name='uq_resource_classes_name'), **options)
    op.create_table(
        'names_version',
        sa.Column('id', sa.Integer, autoincrement=False, nullable=False),
        sa.Column('version', sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint('id', name='pk_names_version'), **options)


def _providers() -> None:
    name = 'resource_providers'
    _table(
        name,
        sa.Column('uuid', sa.String(36), nullable=False),
        sa.Column('name', sa.String(200), nullable=False),
        sa.Column('generation', sa.Integer, nullable=False),
        sa.Column('root_provider_id', sa.Integer),
        sa.Column('parent_provider_id', sa.Integer),
        sa.Column('version', sa.BigInteger, nullable=False),
        sa.UniqueConstraint('uuid', name='uq_resource_providers_uuid'),
        sa.UniqueConstraint('name', name='uq_resource_providers_name'),
        _foreign(name, 'root_provider_id', name), _foreign(name, 'parent_provider_id', name))
    for column in ('root_provider_id', 'parent_provider_id', 'version'):
        _index(name, column)
    _table('provider_tombstones', sa.Column('provider_id', sa.Integer, nullable=False),
           sa.Column('uuid', sa.String(36), nullable=False))
    for noun in ('aggregate', 'trait'):
        link = f'resource_provider_{noun}s'
        options = {key: value for key, value in _OPTIONS.items() if key.startswith('mysql')}
        op.create_table(
            link,
            sa.Column('resource_provider_id', sa.Integer, nullable=False),
            sa.Column(f'{noun}_id', sa.Integer, nullable=False), *_times(),
            sa.PrimaryKeyConstraint('resource_provider_id', f'{noun}_id', name=f'pk_{link}'),
            _foreign(link, 'resource_provider_id', name), _foreign(link, f'{noun}_id', f'{noun}s'), **options)
        _index(link, f'{noun}_id')


def _pair() -> list[sa.Column]:
    return [sa.Column('resource_provider_id', sa.Integer, nullable=False),
            sa.Column('resource_class_id', sa.Integer, nullable=False)]


def _amounts() -> None:
    whole = ('total', 'reserved', 'min_unit', 'max_unit', 'step_size')
    _table(
        'inventories', *_pair(),
        *(sa.Column(name, sa.Integer, nullable=False) for name in whole),
        sa.Column('allocation_ratio', sa.Double, nullable=False),
        _foreign('inventories', 'resource_provider_id', 'resource_providers'),
        _foreign('inventories', 'resource_class_id', 'resource_classes'),
        sa.UniqueConstraint('resource_provider_id', 'resource_class_id',
                            name='uq_inventories_resource_provider_id_resource_class_id'))
    _index('inventories', 'resource_class_id')
    _table(
        'allocations', sa.Column('consumer_id', sa.String(36), nullable=False),
        *_pair(), sa.Column('used', sa.Integer, nullable=False),
        _foreign('allocations', 'resource_provider_id', 'resource_providers'),
        _foreign('allocations', 'resource_class_id', 'resource_classes'),
        sa.UniqueConstraint('consumer_id', 'resource_provider_id', 'resource_class_id',
                            name='uq_allocations_consumer'))
    _index('allocations', 'resource_class_id')
    _index('allocations', 'resource_provider_id', 'resource_class_id', 'used', name='ix_allocations_usage')


def _consumers() -> None:
    _table(
        'consumers',
        sa.Column('uuid', sa.String(36), nullable=False),
        sa.Column('project_id', sa.Integer, nullable=False),
        sa.Column('user_id', sa.Integer, nullable=False),
        sa.Column('generation', sa.Integer, nullable=False),
        sa.Column('consumer_type_id', sa.Integer),
        sa.UniqueConstraint('uuid', name='uq_consumers_uuid'),
        _foreign('consumers', 'project_id', 'projects'), _foreign('consumers', 'user_id', 'users'),
        _foreign('consumers', 'consumer_type_id', 'consumer_types'))
    _index('consumers', 'user_id')
    _index('consumers', 'consumer_type_id')
    _index('consumers', 'project_id', 'user_id', name='ix_consumers_project_user')


def upgrade() -> None:
    _names()
    _providers()
    _amounts()
    _consumers()
