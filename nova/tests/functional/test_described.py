"""Every answer is as the API's own description says, and none is a server error: what schemathesis thinks of.

A sample of paths in every run; ``-m slow`` sends 20,000 requests to all of them, in versions old and new.
"""

import os

import pytest

from nova.tests.api import sweep
from nova.tests.functional import described
from nova.tests.functional.conftest import User, standalone

SAMPLE = ('^/os-capabilities', '^/flavors/', '^/os-simple-tenant-usage', '^/os-server-external-events',
          '^/os-snapshots/')
VERSIONS = tuple(os.environ.get('NOVA_TEST_VERSIONS', '2.1 2.53 2.96 2.104').split())
REQUESTS = sweep.REQUESTS or 20000
PATIENT = '[api]\ncell_timeout = 60\n'
"""A busy machine takes no cell for a silent one, which would be a 503."""
EXAMPLES = int(os.environ.get('NOVA_TEST_EXAMPLES', '42'))
"""For each operation of a version, until there were `REQUESTS`: 150 operations make about 5000."""


@pytest.fixture
def own_admin(tmp_path_factory, supply):
    """Of nobody else's cloud: what schemathesis changes stays changed."""
    with standalone('sqlite', tmp_path_factory, supply, PATIENT) as found:
        yield User(found, 'admin')


def test_a_sample(own_admin, tmp_path):
    assert described.judge(own_admin, '2.1', 3, tmp_path, only=SAMPLE) > 20


@pytest.mark.slow
@pytest.mark.timeout(4 * 3600)
def test_many(own_admin, tmp_path):
    sent, seed = 0, sweep.SEED or 1
    while sent < REQUESTS:
        for version in VERSIONS:
            sent += described.judge(own_admin, version, EXAMPLES, tmp_path, seed)
        seed += 1
