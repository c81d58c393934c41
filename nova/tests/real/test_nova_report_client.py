"""The placement client of an unmodified Nova, installed from PyPI, against ours: see nova_report_client.py.

``NOVA_TEST_REPORT_CLIENT_PYTHON`` names an interpreter that has that Nova already; without it one is made, and
that takes minutes.
"""

import json
import os
import pathlib
import subprocess
import sys

import pytest

from nova.tests.fixtures import databases, placement

pytestmark = pytest.mark.slow

RELEASE = 'nova==34.*'
SCRIPT = pathlib.Path(__file__).with_name('nova_report_client.py')
SECONDS = 10


@pytest.fixture(scope='module')
def interpreter(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A Python that imports upstream's nova."""
    given = os.environ.get('NOVA_TEST_REPORT_CLIENT_PYTHON')
    if given:
        return given
    folder = tmp_path_factory.mktemp('upstream')
    subprocess.run([sys.executable, '-m', 'venv', str(folder)], check=True)
    subprocess.run([str(folder / 'bin/pip'), 'install', '-q', RELEASE], check=True)
    return str(folder / 'bin/python')


@pytest.mark.timeout(900)
@pytest.mark.parametrize('kind', ['mysql', 'postgresql'])
def test_novas_own_client(kind: str, interpreter: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    with databases.database_url(kind, tmp_path_factory) as url:
        app, db = placement.make_app(url)
        with placement.Server(app, threads=16) as server:
            done = subprocess.run([interpreter, str(SCRIPT), server.url, str(SECONDS)], capture_output=True,
                                  text=True, check=False, cwd=tmp_path_factory.mktemp('elsewhere'))
        db.dispose()
    assert done.returncode == 0, done.stderr[-6000:]
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures['trials'] >= 20
    assert all(figures['counts'].get(what) for what in ('claim', 'move', 'remove', 'delete', 'host changed'))
    sys.stdout.write(f'{kind}: {figures}\n')
