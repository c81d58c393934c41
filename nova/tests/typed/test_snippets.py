"""mypy catches what is misspelt or misplaced: on handles, records, clients and bus interfaces, and in flows."""

import pathlib
import re
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
MARK = '  # wrong'


@pytest.mark.timeout(900)
def test_mypy_refuses_each_wrong_line_and_no_other(tmp_path):
    text = (HERE / 'snippets.txt').read_text()
    (tmp_path / 'snippets.py').write_text(text)
    run = subprocess.run(
        [sys.executable, '-m', 'mypy', '--config-file', str(ROOT / 'pyproject.toml'), '--no-error-summary',
         str(tmp_path / 'snippets.py')], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 1, run.stdout + run.stderr
    refused = {int(line) for line in re.findall(r'snippets\.py:(\d+): error', run.stdout)}
    wrong = {number for number, line in enumerate(text.splitlines(), 1) if line.endswith(MARK)}
    lines = dict(enumerate(text.splitlines(), 1))
    assert len(wrong) > 35
    assert [lines[number] for number in sorted(wrong - refused)] == []
    assert [lines[number] for number in sorted(refused - wrong)] == []
