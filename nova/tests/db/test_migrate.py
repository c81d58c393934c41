"""The migrated schema is the declared one, on every database that is there."""

import time

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from nova.common import dbkit
from nova.db import migrate
from nova.db.api.models import api_metadata
from nova.db.cell.models import cell_metadata
from nova.tests.fixtures import databases

METADATA = {'api': api_metadata, 'cell': cell_metadata}


@pytest.fixture
def db(kind, tmp_path_factory):
    with databases.database_url(kind, tmp_path_factory) as url:
        opened = dbkit.Database(url)
        yield opened
        opened.dispose()


@pytest.mark.parametrize('which', ['api', 'cell'])
def test_migrated_schema_is_the_declared_one(db, which):
    """UPG-S1: revisions and models say the same, and a second run finds nothing to do."""
    assert migrate.version(db, which) == []
    migrate.sync(db, which)
    assert migrate.version(db, which) == migrate.newest(which)
    migrate.sync(db, which)
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, METADATA[which]) == []


@pytest.mark.parametrize('which', ['api', 'cell'])
def test_indexes_and_constraints_are_the_declared_ones(tmp_path, which):
    """Autogenerate looks past some of them; SQLite's own account of the two schemas does not."""
    migrated, declared = (dbkit.Database(f'sqlite:///{tmp_path}/{name}') for name in 'ab')
    migrate.sync(migrated, which)
    METADATA[which].create_all(declared.engine)

    def tables(db):
        inspector = sa.inspect(db.engine)
        return {name: (
            sorted((i['name'], tuple(i['column_names'])) for i in inspector.get_indexes(name)),
            sorted((u['name'], tuple(u['column_names'])) for u in inspector.get_unique_constraints(name)),
            sorted((f['name'], f['referred_table'], f['options'].get('ondelete'))
                   for f in inspector.get_foreign_keys(name)),
            {c['name']: (str(c['type']), c['nullable']) for c in inspector.get_columns(name)},
        ) for name in inspector.get_table_names() if name != 'alembic_version'}
    assert tables(migrated) == tables(declared)
    for db in (migrated, declared):
        db.dispose()


def test_branches_run_by_themselves(tmp_path):
    """UPG-S1: expand can run while older code works on, contract later."""
    db = dbkit.Database(f'sqlite:///{tmp_path}/x')
    migrate.sync(db, 'cell', branch='expand')
    assert [name[1] for name in migrate.version(db, 'cell')] == ['e']
    migrate.sync(db, 'cell', branch='contract')
    assert migrate.version(db, 'cell') == migrate.newest('cell')
    db.dispose()


def test_a_new_database_is_quick(tmp_path):
    db = dbkit.Database(f'sqlite:///{tmp_path}/warm')
    migrate.sync(db, 'cell')
    db.dispose()
    start = time.process_time()
    db = dbkit.Database(f'sqlite:///{tmp_path}/x')
    migrate.sync(db, 'api')
    db.dispose()
    assert time.process_time() - start < 0.5
