"""A cluster of processes with real guests on two hosts (``tools/cluster --driver libvirt``); on demand."""

import sys

import pytest

from nova.tests.fixtures.waiting import until
from nova.tests.functional.conftest import User
from nova.tests.real.conftest import QUICK, clusters
from nova.tests.virt import through_rest
from nova.tests.virt.labs.base import PATIENCE

pytestmark = [pytest.mark.libvirt, pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope='module')
def guests(tmp_path_factory):
    directory = tmp_path_factory.mktemp('guests')
    directory.chmod(0o755)
    cluster = clusters.Cluster.up(directory / 'cluster', 'mariadb', computes=2, options=QUICK,
                                  say=sys.stderr.write, driver='libvirt')
    yield cluster
    assert not cluster.down()


def test_guests_on_two_hosts_reach_each_other(guests):
    """LM: then one of them is moved to the other's host while it runs, and back while it is off."""
    admin = User(guests, 'admin')
    first, second = through_rest.reach_each_other(admin, zones=('nova:compute1', 'nova:compute2'))
    where = [admin.show(server)['OS-EXT-SRV-ATTR:host'] for server in (first, second)]
    assert where == ['compute1', 'compute2']
    admin.act(second, 'os-migrateLive', {'host': 'compute1', 'block_migration': 'auto'})
    until(lambda: admin.show(second)['OS-EXT-SRV-ATTR:host'] == 'compute1', PATIENCE)
    admin.wait(second, 'ACTIVE', PATIENCE)
    admin.call('POST', f'/servers/{second}/action', {'migrate': None})
    admin.wait(second, 'VERIFY_RESIZE', PATIENCE)
    admin.act(second, 'confirmResize', None, 'ACTIVE')
    assert admin.show(second)['OS-EXT-SRV-ATTR:host'] == 'compute2'
    through_rest.says(admin, second, 'GUEST user-data: reached')
    for server in (first, second):
        admin.delete(server, PATIENCE)
