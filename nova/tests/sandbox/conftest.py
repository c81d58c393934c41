"""One running sandbox for the tests of each file; tests that script faults or restart make their own."""

from collections.abc import Iterator

import openstack
import pytest

from nova.tests.fixtures.sandbox import Running, running_sandbox


@pytest.fixture(scope='module')
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running_sandbox(tmp_path_factory.mktemp('sandbox')) as found:
        yield found


@pytest.fixture(scope='module')
def admin(running: Running) -> openstack.connection.Connection:
    return openstack.connect(**running.cloud('admin'))


@pytest.fixture(scope='module')
def demo(running: Running) -> openstack.connection.Connection:
    return openstack.connect(**running.cloud('demo'))


@pytest.fixture(scope='module')
def nova(running: Running) -> openstack.connection.Connection:
    """As the compute service connects."""
    return openstack.connect(**running.cloud('nova'))
