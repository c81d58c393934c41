"""Unified limits over the whole cloud with the sandbox; nova/tests/realcloud has these tests with Keystone."""

import pytest

from nova.tests.fixtures import databases
from nova.tests.functional.conftest import standalone, user
from nova.tests.functional.limit_cases import *  # noqa: F403

OPTIONS = """
[quota]
driver = nova.quota.UnifiedLimitsDriver
unified_limits_cache_seconds = 0
[oslo_limit]
endpoint_region_name = RegionOne
"""


@pytest.fixture(scope='module', params=databases.KINDS)
def cloud(request, tmp_path_factory, supply):
    with standalone(request.param, tmp_path_factory, supply, OPTIONS) as found:
        yield found


demo, admin = user('demo', 'module'), user('admin', 'module')


@pytest.fixture(scope='module')
def limited(cloud):
    """It is made so."""


@pytest.fixture
def silent(cloud, demo):
    script = cloud.deployment.url('sandbox') + '/faults'
    fault = {'service': 'identity', 'path': 'limits', 'status': 503, 'count': 0}
    assert demo.http.post(script, json=fault).status_code == 201
    yield
    demo.http.delete(script)
