"""Tests that pages for contributors name are there."""

import pathlib
import re

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
PAGES = sorted((ROOT / 'doc' / 'source' / 'contributor').glob('*.rst'))
NAME = re.compile(r'``(?:[\w/]*/)?(test_\w+)(\.py)?``')
PLACE = re.compile(r'``(nova/tests/[\w/]+\.py)(?:::(\w+))?``')


def test_every_test_that_a_page_names_exists() -> None:
    files = list(HERE.rglob('test_*.py'))
    there = {name for file in files for name in re.findall(r'def (test_\w+)', file.read_text())}
    modules = {file.stem for file in files}
    named = [(page.name, name) for page in PAGES for name, module in NAME.findall(page.read_text())
             if name not in (modules if module else there)]
    assert not named, named


def test_every_test_is_where_a_page_says() -> None:
    gone = [(page.name, file, test) for page in PAGES for file, test in PLACE.findall(page.read_text())
            if not (ROOT / file).is_file()
            or (test and not re.search(rf'^\s*def {test}\(', (ROOT / file).read_text(), re.MULTILINE))]
    assert not gone, gone


def test_each_point_of_the_ground_names_what_shows_it() -> None:
    text = next(page for page in PAGES if page.name == 'ground.rst').read_text()
    assert len(PLACE.findall(text)) > 100
