"""A cloud with the real services beside ours (tools/realcloud): that which NOVA_REALCLOUD names, or a new one.

``-m realcloud`` asks for it; ``-m "realcloud or slow"`` also for what takes neighbours and processes away.
"""

import os
import pathlib
import sys

import pytest

from nova.tests.functional.conftest import user

sys.path.insert(0, str(pathlib.Path(__file__).parents[3] / 'tools' / 'lib'))

from realcloud import cloud as clouds

from nova.tests.realcloud.trouble import Trouble


@pytest.fixture(scope='session')
def cloud(tmp_path_factory):
    if there := os.environ.get('NOVA_REALCLOUD'):
        yield clouds.Cloud.at(pathlib.Path(there))
        return
    directory = tmp_path_factory.mktemp('realcloud')
    directory.chmod(0o755)
    found = clouds.Cloud.up(directory / 'cloud', options=clouds.OPTIONS, say=lambda text: None)
    try:
        yield found
    finally:
        found.down()


demo, admin = user('demo', 'session'), user('admin', 'session')


@pytest.fixture
def trouble(cloud):
    """Ways to make the neighbours misbehave; afterwards all of them are well."""
    found = Trouble(cloud)
    yield found
    found.end()
