"""The volume service misbehaves in the middle of everything that is done with one volume.

Each call of it that an operation makes fails, is answered as by somebody who knows nothing of it, is refused,
is answered too late, or is done twice. Afterwards its attachments are the rows, no volume is in between, and
none is without an owner.
"""

import logging
import random
import zlib

import pytest

from nova import errors
from nova.tests.simulation import cases, invariants

FLOWS = ('attach_volume', 'detach_volume', 'swap_volume', 'extend_volume', 'refresh_volume_attachment')
ANSWERS = {
    'away': (errors.block.VolumeServiceAway, {}),
    '500': (errors.block.VolumeServiceFailed, {}),
    '404-volume': (errors.block.VolumeNotFound, {'volume': 'v'}),
    '404-attachment': (errors.block.AttachmentNotFound, {'attachment': 'a'}),
    '409': (errors.block.VolumeBusy, {'volume': 'v', 'reason': 'it is busy'}),
}
NEVER = {'404-volume': {'attachments', 'find', 'detach', 'connect', 'complete', 'attachment'},
         '404-attachment': {'show', 'attachments', 'find', 'reserve', 'migrated', 'detach'},
         '409': {'show', 'attachments', 'attachment', 'find'}}
"""What the client promises never to raise from which call: a list has no 404, a deletion has succeeded then."""
SAMPLE = 5
"""Ways of one flow in the default run."""
LOG = logging.getLogger(__name__)


class Cinder:
    """What is done to the volume service of a world; notes what it is asked."""

    def __init__(self, world):
        self._fake = world.clients.volume
        self.called = []
        enter = self._fake.hooks.enter

        def note(method, args, effect):
            self.called.append(method)
            enter(method, args, effect)
        self._fake.hooks.enter = note

    def answers(self, method, word, times, late):
        kind, fields = ANSWERS[word]
        self._fake.fail(method, kind(**fields), times, late=late)

    def does_twice(self, method):
        """A request is carried out again, as when somebody on the way repeats it."""
        left = [1]

        def again(name, args):
            if name == method and left[0]:
                left[0] = 0
                try:
                    getattr(self._fake, method)(*args)
                except errors.NovaError:
                    return  # the second one may be refused
        self._fake.after(again)


def run(new_world, flow, arrange=lambda cinder: None):
    """Begin it, misbehave, wait for quiet, look; the calls that were made."""
    world = new_world()
    uuid = cases.starts()[flow](world)
    cinder = Cinder(world)
    arrange(cinder)
    world.settle()
    calls = list(cinder.called)
    world.clients.volume.clear()
    world.settle()
    check(world, uuid)
    return calls


def check(world, uuid):
    invariants.check(world)
    server = world.server(uuid)
    volumes = world.clients.volume
    rows = {device.attachment_id for device in server.block_devices if device.volume_id}
    held = {one.id for one in volumes.held.values() if one.server == uuid}
    if server.vm_state != 'error':
        assert rows == held
        assert {one['status'] for one in volumes.volumes.values()} <= {'available', 'in-use'}
    assert not any(one['migration_status'].startswith('target:') for one in volumes.volumes.values()
                   if one.get('migration_status')), 'a volume without an owner'


_plain = {}


def calls_of(new_world, flow):
    """The calls of the volume service that the undisturbed flow makes."""
    if flow not in _plain:
        _plain[flow] = sorted(set(run(new_world, flow)))
    return _plain[flow]


def misbehaviours(calls):
    for method in calls:
        for word in ANSWERS:
            if method not in NEVER.get(word, ()):
                for times in (1, 3):
                    for late in (False, True):
                        yield method, word, times, late


def try_all(new_world, flow, chosen):
    for method, word, times, late in chosen:
        try:
            run(new_world, flow, lambda cinder: cinder.answers(method, word, times, late))  # noqa: B023
        except AssertionError as error:
            raise AssertionError(f'{method} answers {word} {times} times, late: {late}: {error}') from error


@pytest.mark.parametrize('flow', FLOWS)
def test_calls_are_answered_in_many_ways(new_world, flow):
    """VOL-S1, VOL-S2, VOL-S7, VOL-F1: some of what there is, the same in each run."""
    every = list(misbehaviours(calls_of(new_world, flow)))
    try_all(new_world, flow, random.Random(zlib.crc32(flow.encode())).sample(every, SAMPLE))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize('flow', FLOWS)
def test_each_call_is_answered_in_every_way(new_world, flow):
    every = list(misbehaviours(calls_of(new_world, flow)))
    try_all(new_world, flow, every)
    LOG.info('%s: %d ways in which the volume service can misbehave', flow, len(every))


@pytest.mark.parametrize('flow', FLOWS)
def test_each_call_is_done_twice(new_world, flow):
    for method in calls_of(new_world, flow):
        run(new_world, flow, lambda cinder: cinder.does_twice(method))  # noqa: B023
