"""A host among conductors of the release before: it finds out, and speaks their form until they are gone."""

import json
import pathlib
import threading

import oslo_messaging
import pytest

from nova import errors, objects, release, version
from nova.objects import base, wire
from nova.tests.compute import cell
from nova.tests.fixtures.waiting import until

FORMS = json.loads((pathlib.Path(__file__).parents[1] / 'upgrade' / 'previous.json').read_text())


class Before:
    """A conductor of the release before, on the wire: it refuses what it cannot read, and answers as it did."""

    target = oslo_messaging.Target(topic='conductor', version='1.0')

    def __init__(self):
        self.beats, self.refused, self.joined = [], 0, threading.Event()

    @oslo_messaging.expose
    def host_up(self, ctxt, record, speaks):
        if record[wire.VERSION] != '1.0':
            self.refused += 1
            return {'error': errors.to_dict(errors.Invalid('Record HostReport is not known to this release.'))}
        self.joined.set()
        return {'record': FORMS['messages']['conductor.host_up']['answer']['record']}

    @oslo_messaging.expose
    def beat(self, ctxt, record, speaks):
        assert speaks == '1.0' and record[wire.VERSION] == '1.0'
        self.beats.append(base.Record.from_wire(record))


@pytest.fixture
def before(bus):
    endpoint = Before()
    listening = bus.listen(oslo_messaging.Target(topic='conductor', server='before'), endpoint)
    listening.start()
    yield endpoint
    listening.stop()
    listening.wait()


def test_a_host_lives_among_conductors_of_the_release_before(before, start, driver):
    """UPG-S4: it joins in their form, and both its signs of life and its nodes are theirs to understand."""
    agent = start(driver)
    assert agent.wait_joined(10) and before.refused == 1
    until(lambda: len(before.beats) > 2 and any(beat.nodes for beat in before.beats))
    assert {(beat.host, beat.version) for beat in before.beats} == {('host1', version.SERVICE_VERSION)}


def test_a_host_says_so_in_the_new_form_when_they_are_gone(heard, start, driver, host):
    """A conductor of this release told it of one of the release before; later one tells it to join anew."""
    heard.release = release.PREVIOUS
    assert start(driver).wait_joined(10)
    heard.wait('beats', 2)
    assert {type(beat) for beat in heard.beats} == {objects.HostReport}
    heard.release = release.CURRENT
    host.rejoin(cell.CONTEXT, objects.HostEpoch(epoch=None))
    until(lambda: isinstance(heard.beats[-1], objects.HostBeat))
