"""A cloud on one machine with real guests, from the command line to the guest's console."""

import json
import pathlib
import subprocess
import tempfile
import types

import pytest

from nova.standalone import config
from nova.tests.fixtures import waiting
from nova.tests.functional.conftest import User
from nova.tests.virt import through_rest

TOOLS = pathlib.Path(__file__).parents[3] / 'tools'

pytestmark = [pytest.mark.libvirt, pytest.mark.timeout(1800)]


@pytest.fixture
def temporary(monkeypatch):
    """A directory for what the command makes; sockets lie below it, so its path is short."""
    with tempfile.TemporaryDirectory(prefix='n', dir='/tmp') as found:
        pathlib.Path(found).chmod(0o755)
        monkeypatch.setenv('TMPDIR', found)
        yield pathlib.Path(found)


def test_the_first_server_of_a_new_cloud(temporary):
    """`tools/quickstart --libvirt`: one command, whose guest shows its console; others reach each other, and
    nothing stays."""
    words = [TOOLS / 'quickstart', '--libvirt', '--state-dir', temporary / 'cloud']
    said = temporary / 'said'
    with said.open('w') as file, subprocess.Popen(words, stdout=file, stderr=file) as process:
        try:
            waiting.until(lambda: 'Ctrl-C' in said.read_text() or process.poll() is not None, 900, 0.2)
            for line in ('first is ACTIVE', 'GUEST boot', 'GUEST config-drive', 'Ctrl-C'):
                assert line in said.read_text()
            kept = json.loads((temporary / 'cloud' / 'standalone.json').read_text())
            cloud = types.SimpleNamespace(deployment=config.Deployment(temporary / 'cloud', **kept))
            through_rest.reach_each_other(User(cloud, 'demo'))
        finally:
            process.terminate()
        assert process.wait(120) == 0
    assert {file.name for file in temporary.iterdir()} == {'cloud', 'said'}
