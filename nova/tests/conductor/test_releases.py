"""Conductors among services of the release before."""

import datetime

import pytest

from nova import conf as nova_conf
from nova import context, objects, ops, release, version
from nova.cells import Liveness, reading
from nova.conductor import reach, reports
from nova.objects.service import Alive, Sign
from nova.task import flow as flows
from nova.tests.compute import cell
from nova.tests.conductor import test_reports

NOW = datetime.datetime(2030, 1, 1)
CONTEXT = context.admin()
OLD, NEW = release.PREVIOUS.service, release.CURRENT.service


def sign(binary, service, seen=0, host='h', forced=False):
    when = NOW - datetime.timedelta(seconds=seen)
    return Sign(host, binary, when, when, forced, service)


@pytest.mark.parametrize(('signs', 'current'), [
    ([], True),
    ([sign('nova-conductor', NEW)], True),
    ([sign('nova-conductor', NEW), sign('nova-conductor', OLD, host='i')], False),
    ([sign('nova-conductor', NEW), sign('nova-conductor', OLD, 61, 'i')], True),            # it is gone
    ([sign('nova-conductor', OLD, 3600)], False),                                           # nobody is heard
    ([sign('nova-conductor', NEW), sign('nova-conductor', OLD, host='i', forced=True)], True),
    ([sign('nova-conductor', NEW), sign('nova-compute', OLD, host='i')], True),
])
def test_the_oldest_of_the_living(signs, current):
    assert Alive(signs, 60, NOW).oldest('nova-conductor').is_current is current


def test_a_host_is_of_the_release_that_it_said_last():
    alive = Alive([sign('nova-compute', OLD, 3600), sign('nova-compute', NEW, host='i')], 60, NOW)
    assert alive.release_of('h') is release.PREVIOUS
    assert alive.release_of('i') is alive.release_of('unheard') is release.CURRENT


class Looks(test_reports.Nothing):
    release = release.PREVIOUS


def before(service):
    return objects.HostReport(host='h', binary='nova-compute', version=service)


@pytest.mark.parametrize('service', [OLD, NEW])
def test_a_beat_in_the_form_of_the_release_before_is_a_sign_of_life(db, service):
    """UPG-S4; one of this release joins anew when no conductor needs that form any more."""
    told, looks = test_reports.Reach(), Looks()
    verbs = reports.Reports(db, test_reports.Engine(db), looks, told)
    verbs.beat_before(CONTEXT, before(service))
    with db.read() as conn:
        found = objects.Service.get(conn, host='h')
    assert found.is_up(60) and found.version == service
    assert told.told == []
    looks.release = release.CURRENT
    verbs.beat_before(CONTEXT, before(service))
    assert told.told == ([] if service == OLD else [('h', 'rejoin', None)])


class Bus:
    """Keeps what is sent."""

    name = 'kept'

    def __init__(self):
        self.conf, self.sent = nova_conf.new(config_files=[]), []

    def cast(self, target, context, method, args, keep=0.0):
        self.sent.append((target.server, method, args['speaks'], args['record']['nova_object.version']))


def test_each_host_is_spoken_to_in_the_form_of_its_release(db):
    """The message, and what is in it; what a host does not know at all it is not told."""
    def say(conn):
        for name, service in (('old', OLD), ('new', NEW)):
            objects.Service.beat(conn, name, 'nova-compute', service)
    db.write(say)
    bus = Bus()
    reached = reach.Reach(bus, Liveness(reading(lambda: db), 60))
    for name in ('old', 'new'):
        call = cell.call_of(cell.server_of())
        call.host = name
        reached.run_step(CONTEXT, call)
        reached.rejoin(CONTEXT, name, objects.HostEpoch(epoch=1))
    assert bus.sent == [('old', 'run_step', '1.0', '1.0'), ('new', 'run_step', '1.2', '1.1'),
                        ('new', 'rejoin', '1.2', '1.0')]


def test_what_is_begun_for_a_server_is_what_its_host_and_the_conductors_know(db):
    def say(conn):
        objects.Service.beat(conn, 'c', 'nova-conductor', version.SERVICE_VERSION)
        for name, service in (('old', OLD), ('new', NEW)):
            objects.Service.beat(conn, name, 'nova-compute', service)
    db.write(say)
    looks = Liveness(reading(lambda: db), 60, keep=0)
    ops.load()
    newest = flows.find('delete')
    assert flows.at(newest, looks.oldest('new')) is newest
    assert flows.at(newest, looks.oldest('old')).version == flows.at(newest, looks.oldest()).version == '1.0'
    db.write(lambda conn: objects.Service.beat(conn, 'd', 'nova-conductor', OLD))
    assert looks.oldest('new') is looks.conductors() is release.PREVIOUS
