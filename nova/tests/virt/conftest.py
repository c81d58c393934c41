"""Drivers under test: the fake one always, libvirt where the marker expression names it."""

import pytest

from nova.tests.virt.labs.fake import FakeLab

GUESTS = ('test_libvirt_crashes.py', 'test_libvirt_guests.py', 'test_libvirt_plugs.py',
          'test_libvirt_standalone.py', 'test_libvirt_tpms.py', 'test_libvirt_volumes.py')
"""Modules that import libvirt, which is there only where real guests are asked for."""


def pytest_ignore_collect(collection_path, config):
    return True if collection_path.name in GUESTS and 'libvirt' not in config.option.markexpr else None


@pytest.fixture(scope='session')
def real_lab(tmp_path_factory):
    from nova.tests.virt.labs.libvirt import LibvirtLab
    lab = LibvirtLab(tmp_path_factory.mktemp('libvirt'))
    yield lab
    lab.end()


@pytest.fixture(params=[
    'fake', pytest.param('libvirt', marks=[pytest.mark.libvirt, pytest.mark.timeout(1800)])])
def lab(request):
    made = FakeLab() if request.param == 'fake' else request.getfixturevalue('real_lab')
    yield made
    made.clean()


@pytest.fixture
def real(real_lab):
    """Real hosts, for what no other driver is asked."""
    yield real_lab
    real_lab.clean()


@pytest.fixture
def running(lab):
    """The handle of a server on h1 whose guest runs."""
    h = lab.h(lab.server())
    h.driver.spawn(h)
    return h
