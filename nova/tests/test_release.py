"""Which release a process is of: what it says, knows, reads and serves follows from it."""

import pytest

from nova import errors, objects, ops, release
from nova.objects import base, step, wire
from nova.rpc import conductor as rpc_conductor
from nova.rpc import kernel
from nova.task import flow as flows

ops.load()


@pytest.fixture
def older():
    with release.use(lambda: release.PREVIOUS):
        yield


def test_it_is_this_one():
    assert release.own() is release.of(release.CURRENT.service) is release.CURRENT
    assert release.of(release.PREVIOUS.service) is release.PREVIOUS
    assert set(flows.keys()) == set(flows.FLOWS)


def test_the_one_before_knows_nothing_newer(older):
    assert release.of(release.CURRENT.service) is release.of(99) is release.PREVIOUS
    known = flows.keys()
    assert dict(key.split('/') for key in known) == dict(release.PREVIOUS.flows)
    assert flows.known('resize', '1.0') is None and flows.known('build', '1.0') is not None


def test_it_reads_no_newer_record(older):
    orders = step.HostOrders(conductors=2)
    with pytest.raises(errors.Invalid, match=r'HostOrders 1\.'):
        base.Record.from_wire(orders.to_wire())
    assert wire.reads(objects.Instance, objects.Instance.VERSION)


def test_it_speaks_and_serves_what_it_knows(older):
    assert release.own().speaks('conductor', rpc_conductor.Conductor.version) == '1.0'
    assert release.own().speaks('liveness', '1.0') == release.UNSERVED
    assert kernel.version_of(release.CURRENT.speaks('conductor', rpc_conductor.Conductor.version)) > (1, 0)
