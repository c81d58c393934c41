"""The page about what grows names every table, what bounds it, and what shows it."""

import pathlib
import re

import pytest
import sqlalchemy as sa

from nova import conf as nova_conf
from nova.db.api.models import api_metadata
from nova.db.cell.models import cell_metadata
from nova.placement.db import models as placement_models

TEXT = (pathlib.Path(__file__).parents[3] / 'doc' / 'source' / 'contributor' / 'growth.rst').read_text()
SCHEMAS = {'The API database': api_metadata, 'Databases of cells': cell_metadata,
           "Placement's database": placement_models.metadata}


def cells(title: str) -> list[list[str]]:
    """The rows of the table in a section, without its header."""
    section = re.split(r'\n[^\n]+\n-{5,}\n', TEXT.partition(f'\n{title}\n')[2])[0]
    table = section.partition('.. list-table::')[2].partition('\n   * - ')[2]
    rows = [re.split(r'\n     - ', row) for row in table.split('\n   * - ')]
    assert all(len(row) == 3 for row in rows), rows
    return rows[1:]


@pytest.mark.parametrize('title', SCHEMAS)
def test_somebody_bounds_every_table(title: str) -> None:
    named = [name for tables, _, _ in cells(title) for name in re.findall(r'``(\w+)``', tables)]
    assert sorted(named) == sorted(SCHEMAS[title].tables)


@pytest.mark.parametrize('title', SCHEMAS)
def test_every_bound_is_shown(title: str) -> None:
    """That the tests are there another test says."""
    for tables, bound, shown in cells(title):
        assert bound.strip() and re.search(r'``(test_\w+|nova/tests/[\w/]+\.py)``|^As there', shown), tables


def test_options_are_there() -> None:
    conf = nova_conf.new(config_files=[])
    named = re.findall(r'``\[(\w+)\] (\w+)``', TEXT)
    assert ('task', 'retention_days') in named
    assert all(option in conf[group] for group, option in named)


def test_a_table_that_is_not_named_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    known = sa.MetaData()
    for table in cell_metadata.sorted_tables:
        table.to_metadata(known)
    sa.Table('grows_unseen', known, sa.Column('id', sa.Integer, primary_key=True))
    monkeypatch.setitem(SCHEMAS, 'Databases of cells', known)
    with pytest.raises(AssertionError):
        test_somebody_bounds_every_table('Databases of cells')
