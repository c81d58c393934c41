"""What users type and script about volumes, into a cluster: the tests of ``functional/test_clients.py``."""

import types

import pytest

from nova.tests.functional import leaks
from nova.tests.functional import test_clients as clients

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

cli = clients.cli
test_servers_with_volumes_of_their_own = clients.test_servers_with_volumes_of_their_own
test_volumes_of_a_server = clients.test_volumes_of_a_server
test_volumes_by_novaclient = clients.test_volumes_by_novaclient
test_openstacksdk = clients.test_openstacksdk


@pytest.fixture(scope='module')
def cloud(cluster):
    return types.SimpleNamespace(clouds_file=cluster.deployment.directory / 'clouds.yaml')


@pytest.fixture(autouse=True)
def nothing_leaks(cluster, admin):
    yield
    leaks.check(cluster, admin)
