"""The migrated schema is that of the models on MariaDB and PostgreSQL, and every conversation holds there."""

import pathlib

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

import nova.tests.api.placement as conversations
from nova.placement.db import models
from nova.tests.api import runner
from nova.tests.fixtures import databases, placement

pytestmark = pytest.mark.real

FILES = sorted(pathlib.Path(next(iter(conversations.__path__))).glob('*.yaml'))


@pytest.mark.parametrize('kind', ['mysql', 'postgresql'])
def test_schema(kind: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    with databases.database_url(kind, tmp_path_factory) as url:
        _, db = placement.make_app(url)
        with db.read() as connection:
            assert compare_metadata(MigrationContext.configure(connection), models.metadata) == []
        db.dispose()


@pytest.mark.parametrize('kind', ['mysql', 'postgresql'])
@pytest.mark.parametrize('file', FILES, ids=[file.stem for file in FILES])
def test_conversation(kind: str, file: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    with databases.database_url(kind, tmp_path_factory) as url:
        app, db = placement.make_app(url)
        runner.run(runner.load(file), placement.sender(app))
        db.dispose()
