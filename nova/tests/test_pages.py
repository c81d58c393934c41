"""Tests that pages for contributors name are there."""

import pathlib
import re

HERE = pathlib.Path(__file__).parent
PAGES = HERE.parents[1] / 'doc' / 'source' / 'contributor'
NAME = re.compile(r'``(?:[\w/]*/)?(test_\w+)(\.py)?``')


def test_every_test_that_a_page_names_exists() -> None:
    files = list(HERE.rglob('test_*.py'))
    there = {name for file in files for name in re.findall(r'def (test_\w+)', file.read_text())}
    modules = {file.stem for file in files}
    named = [(page.name, name) for page in sorted(PAGES.glob('*.rst'))
             for name, module in NAME.findall(page.read_text())
             if name not in (modules if module else there)]
    assert not named, named
