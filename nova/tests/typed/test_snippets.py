"""mypy catches what is misspelt or misplaced: on handles, records, clients and bus interfaces, and in flows."""

import pathlib
import re
import subprocess
import sys

import pytest

from nova.tests.typed import classes
from nova.tests.typed.classes import MARK

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]


@pytest.fixture(scope='module')
def judged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, set[int]]]:
    """By module: its text, and the numbers of the lines that mypy refuses, in one run for both."""
    directory = tmp_path_factory.mktemp('typed')
    texts = {'snippets': (HERE / 'snippets.txt').read_text(), 'each': classes.text()}
    for name, text in texts.items():
        (directory / f'{name}.py').write_text(text)
    run = subprocess.run(
        [sys.executable, '-m', 'mypy', '--config-file', str(ROOT / 'pyproject.toml'), '--no-error-summary',
         *(str(directory / f'{name}.py') for name in texts)],
        cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 1, run.stdout + run.stderr
    return {name: (text, {int(line) for line in re.findall(rf'\b{name}\.py:(\d+): error', run.stdout)})
            for name, text in texts.items()}


@pytest.mark.timeout(900, func_only=False)
@pytest.mark.parametrize('name, least', [('snippets', 35), ('each', 1500)])
def test_mypy_refuses_each_wrong_line_and_no_other(judged, name, least):
    text, refused = judged[name]
    lines = dict(enumerate(text.splitlines(), 1))
    wrong = {number for number, line in lines.items() if line.endswith(MARK)}
    assert len(wrong) > least
    assert [lines[number] for number in sorted(wrong - refused)] == []
    assert [lines[number] for number in sorted(refused - wrong)] == []


def test_classes_of_each_kind_are_found():
    """Those that the sentence of the issue names, and as many of each kind as there are at least."""
    named = {one.__qualname__ for one in classes.every_handle()}
    assert {'Request', 'Conductor', 'SuperConductor', 'Host'} <= named
    assert {one.__qualname__ for one in classes.every_interface()} >= {'ComputeHost', 'Conductor', 'Scheduler'}
    assert {one.__qualname__ for one in classes.every_client()} >= {
        'Clients', 'ImageClient', 'NetworkClient', 'VolumeClient', 'PlacementClient', 'IdentityClient'}
    assert {one.__qualname__ for one in classes.every_driver()} >= {'Driver', 'FakeDriver'}
    assert len(classes.every_record()) >= 90
