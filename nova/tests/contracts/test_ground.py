"""Every test that doc/source/contributor/ground.rst names is there."""

import pathlib
import re

ROOT = pathlib.Path(__file__).parents[3]
NAMED = re.compile(r'``(nova/tests/[\w/]+\.py)(?:::(\w+))?``')


def test_every_named_test_is_there():
    page = (ROOT / 'doc' / 'source' / 'contributor' / 'ground.rst').read_text()
    named = NAMED.findall(page)
    gone = [f'{file}::{test}' for file, test in named if not (ROOT / file).is_file()
            or (test and not re.search(rf'^\s*def {test}\(', (ROOT / file).read_text(), re.MULTILINE))]
    assert len(named) > 100 and gone == []
