"""Unified limits with Keystone: what it is (as of the sandbox), and the whole cloud with its limits."""

import pytest

from nova.tests.clients.limit_cases import *  # noqa: F403
from nova.tests.clients.limit_cases import Keystone
from nova.tests.fixtures.waiting import until
from nova.tests.functional.limit_cases import *  # noqa: F403

pytestmark = [pytest.mark.realcloud, pytest.mark.timeout(600)]

OPTIONS = """
[quota]
driver = nova.quota.UnifiedLimitsDriver
unified_limits_cache_seconds = 0
"""


@pytest.fixture(scope='module')
def keystone(cloud, tmp_path_factory):
    passwords = cloud.deployment.passwords
    everybody = {'auth_url': cloud.deployment.url('identity') + '/v3', 'user_domain_name': 'Default'}

    def user(name, **scope):
        return {**everybody, 'username': name, 'password': passwords[name], **scope}
    return Keystone(everybody['auth_url'], tmp_path_factory.mktemp('keystone'), {
        **{name: user(name, project_name=name, project_domain_name='Default') for name in ('admin', 'demo')},
        'nova': user('nova')})


def _renew(cloud):
    cloud.processes.stop(['api'])
    cloud.start(['api'])


@pytest.fixture(scope='module')
def limited(cloud):
    """The API reads limits of Keystone."""
    directory = cloud.deployment.directory / 'etc' / 'api' / 'nova.conf.d'
    directory.mkdir()
    (directory / 'limits.conf').write_text(OPTIONS)
    _renew(cloud)
    yield
    (directory / 'limits.conf').unlink()
    directory.rmdir()
    _renew(cloud)


@pytest.fixture
def silent(cloud, demo):
    """Keystone is away; whoever is known goes on being known for a while."""
    cloud.processes.stop(['keystone'])
    yield
    cloud.start(['keystone'])
    until(lambda: demo.call('GET', '/limits').status_code == 200, 60)
