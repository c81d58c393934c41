"""The contributors' table of what holds in Placement names tests and conversations that exist."""

import pathlib
import re

ROOT = pathlib.Path(__file__).parents[3]
TESTS = ROOT / 'nova/tests'
PAGE = ROOT / 'doc/source/contributor/placement.rst'


def _table() -> str:
    return PAGE.read_text().partition('What holds, and what shows it\n====')[2].partition('.. list-table::')[2]


def test_every_test_that_is_named_is_there() -> None:
    named = set(re.findall(r'``(test_\w+)``', _table()))
    folders = ('placement', 'placement_candidates', 'real')
    there = {name for folder in folders for path in (TESTS / folder).glob('test_*.py')
             for name in re.findall(r'def (test_\w+)\(', path.read_text())}
    assert len(named) > 40 and not named - there


def test_every_conversation_that_is_named_is_there() -> None:
    parts = re.findall(r'"([^"]+)"', ' '.join(_table().split()))
    said = (TESTS / 'api/placement/strictness.yaml').read_text()
    missing = [part for part in parts if f'- name: {part}\n' not in said]
    assert len(parts) > 15 and not missing
