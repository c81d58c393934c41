"""Each requirement is shown by a test that names it, or is struck with a reason."""

import pathlib
import re

import yaml

HERE = pathlib.Path(__file__).parent
NAME = re.compile(r'\b([A-Z]{3})-([A-Z]\d+)((?:(?:, | and |…| to )[A-Z]\d+\b)*)')
"""``VOL-S3``, and ``VOL-S3, S4 and F2``."""


def names(text: str) -> set[str]:
    found = set()
    for area, first, more in NAME.findall(text):
        found |= {f'{area}-{number}' for number in [first, *re.findall(r'[A-Z]\d+', more)]}
    return found


def test_how_a_test_names_them() -> None:
    assert names('VOL-S3, S4 and F2: it goes (MIG-F1), not VOLS-S9') == {'VOL-S3', 'VOL-S4', 'VOL-F2', 'MIG-F1'}


KNOWN = yaml.safe_load((HERE / 'acceptance.yaml').read_text())


def texts() -> list[str]:
    """What tests say; not this list and its test."""
    files = [file for kind in ('*.py', '*.yaml') for file in HERE.rglob(kind)
             if file.stem not in (pathlib.Path(__file__).stem, 'acceptance')]
    return [file.read_text() for file in files]


def test_every_requirement_is_named_by_a_test() -> None:
    wanted = {f'{area}-{number}' for area, numbers in KNOWN['named'].items() for number in numbers}
    there = set[str]().union(*map(names, texts()))
    assert not wanted - there
    assert all(KNOWN['struck'].values()) and not wanted & set(KNOWN['struck'])


def test_every_regression_is_named_by_a_test() -> None:
    there = set[str]().union(*(re.findall(r'\bB (\d{7})\b', text) for text in texts()))
    assert not {str(number) for numbers in KNOWN['regressions'].values() for number in numbers} - there
