"""A cell's database."""

import pytest

from nova.common import dbkit
from nova.db.cell.models import cell_metadata


@pytest.fixture
def db(tmp_path):
    found = dbkit.Database(f'sqlite:///{tmp_path}/cell.sqlite')
    cell_metadata.create_all(found.engine)
    yield found
    found.dispose()
