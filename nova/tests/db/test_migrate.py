"""The migrated schema is the declared one, on every database that is there."""

import pathlib
import re
import time

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from nova.common import dbkit
from nova.db import migrate, types
from nova.db.api.models import api_metadata
from nova.db.cell.models import cell_metadata
from nova.tests.fixtures import databases

ROOT = pathlib.Path(migrate.__file__).parent
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


@pytest.mark.parametrize('which', ['api', 'cell'])
def test_what_older_code_uses_is_not_taken_away(which):
    """UPG-S2: what expand does, which older code lives with, is to make and to add."""
    revisions = list((ROOT / which / 'migrations' / 'expand').glob('*e0*.py'))
    done = {match for file in revisions for match in re.findall(r'\bop\.(drop\w*|rename\w*)', file.read_text())}
    assert revisions and not done


def test_a_new_database_is_quick(tmp_path):
    db = dbkit.Database(f'sqlite:///{tmp_path}/warm')
    migrate.sync(db, 'cell')
    db.dispose()
    start = time.process_time()
    db = dbkit.Database(f'sqlite:///{tmp_path}/x')
    migrate.sync(db, 'api')
    db.dispose()
    assert time.process_time() - start < 0.5


@pytest.mark.parametrize('which', ['api', 'cell'])
def test_every_column_of_text_compares_exactly(which):
    """Whatever a user may write into one: no column is of a type that would compare otherwise."""
    columns = [column for table in METADATA[which].sorted_tables for column in table.columns]
    assert [str(column) for column in columns if isinstance(column.type, sa.String)] == []
    assert any(isinstance(column.type, types.Exact) for column in columns)


@pytest.mark.parametrize('which', ['api', 'cell'])
def test_databases_of_older_releases_become_exact(db, which):
    """UPG-S1: what stood in them stays, and what only seemed to be twice the same can be added."""
    migrate.sync(db, which, revision=f'{which[0]}e0001')
    migrate.sync(db, which, branch='contract')
    table = METADATA[which].tables['workers']
    _as_before(db)
    if db.dialect == 'mysql':
        assert _collations(db) == {'utf8mb4_bin'}
    db.write(lambda conn: conn.execute(table.insert(), {'uuid': 'x', 'binary': 'b', 'host': 'h'}))
    migrate.sync(db, which)
    assert _collations(db) == {'mysql': {'utf8mb4_nopad_bin'}, 'postgresql': {'C'}}.get(db.dialect, set())
    db.write(lambda conn: conn.execute(table.insert(), {'uuid': 'x ', 'binary': 'b', 'host': 'h'}))
    with db.read() as conn:
        assert sorted(conn.execute(sa.select(table.c.uuid)).scalars()) == ['x', 'x ']
        assert compare_metadata(MigrationContext.configure(conn), METADATA[which]) == []


def _as_before(db):
    """As fd5b165 made it."""
    if db.dialect != 'mysql':
        return
    with db.engine.begin() as conn:
        for name in sa.inspect(conn).get_table_names():
            conn.exec_driver_sql(f'ALTER TABLE {name} CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin')


def _collations(db):
    if db.dialect == 'sqlite':
        return set()
    schema = 'DATABASE()' if db.dialect == 'mysql' else 'CURRENT_SCHEMA()'
    with db.read() as conn:
        return set(conn.exec_driver_sql(
            f'SELECT collation_name FROM information_schema.columns WHERE table_schema = {schema} '
            "AND data_type IN ('varchar', 'text', 'mediumtext', 'longtext', 'character varying') "
            "AND table_name <> 'alembic_version'").scalars())


def test_numbers_of_older_releases_are_what_was_set(db):
    migrate.sync(db, 'api', revision='ae0003')
    table = api_metadata.tables['flavors']
    values = dict(name='n', flavorid='f', memory_mb=1, vcpus=1, rxtx_factor=1.1)
    db.write(lambda conn: conn.execute(table.insert(), values))
    migrate.sync(db, 'api')
    with db.read() as conn:
        found = conn.execute(sa.select(table.c.rxtx_factor).where(table.c.rxtx_factor == 1.1)).scalars().all()
    assert found == [1.1]
