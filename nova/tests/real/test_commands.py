"""Every command of `openstack` that this API serves, typed into a cluster; on demand."""

import pytest

from nova.tests.functional.commands import Script, type_all
from nova.tests.real.conftest import QUICK

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope='module')
def cluster(run_cluster):
    """Of its own, in which what is deleted may be restored."""
    yield from run_cluster('mariadb', QUICK | {'reclaim_instance_interval': 3600})


def test_every_command_ends_well(cluster):
    type_all(cluster, Script('openstack'))
