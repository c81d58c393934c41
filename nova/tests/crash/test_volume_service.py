"""The volume service misbehaves in the middle of everything that is done with volumes.

Each call of it that an operation makes fails, is answered as by somebody who knows nothing of it, is refused,
is answered too late, is done twice, or is done when its caller has died and others have gone on. Afterwards its
attachments are the rows, no volume is in between, and none is without an owner.
"""

import contextlib
import logging
import random
import types
import zlib

import pytest

from nova import errors
from nova.clients.fake.volume import FakeVolume
from nova.ops import remove_late
from nova.tests.crash import world as worlds
from nova.tests.crash.script import Killed
from nova.tests.simulation import cases, invariants
from nova.virt.driver import kept

FLOWS = ('attach_volume', 'detach_volume', 'swap_volume', 'extend_volume', 'refresh_volume_attachment',
         'snapshot_volume', 'delete_volume_snapshot', 'build', 'rebuild', 'delete')
"""A build has a volume and makes one; a rebuild has the root volume written anew."""
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
SAMPLE = 3
"""Ways of one flow in the default run."""
LOG = logging.getLogger(__name__)


class Cinder:
    """What is done to the volume service of a world; notes what it is asked."""

    def __init__(self, world):
        self._world, self._fake = world, world.clients.volume
        self.called = []
        self._late = []
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

    def does_late(self, method, calls):
        """Who makes a request is killed, and it is carried out after so many more calls, of whomever, or when
        nothing but what looks for such things is left to be done."""
        left = [1]

        def die(name, args):
            if name == method and left[0]:
                left[0] = 0
                self._late.append([len(self.called) + calls, method, args])
                raise Killed
            self._catch_up()
        self._fake.before(die)

    def _catch_up(self, at_last=False):
        for due in [one for one in self._late if at_last or one[0] <= len(self.called)]:
            self._late.remove(due)
            _, method, args = due
            with contextlib.suppress(errors.NovaError):  # nobody hears that it was refused
                getattr(self._fake, method)(*args)

    def look(self):
        """Called after each thing that is done."""
        if self._late and all(task.flow.startswith('remove_late') for task in self._world.open_tasks()):
            self._catch_up(at_last=True)


@pytest.fixture
def new_world(kept):
    """Worlds in which somebody looks for what comes late."""
    return lambda: worlds.World(kept, after_doubt=remove_late.RemoveLate)


def run(new_world, flow, arrange=lambda cinder: None):
    """Begin it, misbehave, wait for quiet, look; the calls that were made."""
    world = new_world()
    uuid = cases.starts()[flow](world)
    cinder = Cinder(world)
    arrange(cinder)
    world.settle(between=cinder.look)
    calls = list(cinder.called)
    world.clients.volume.clear()
    world.settle()
    check(world, uuid)
    return calls


def check(world, uuid):
    invariants.check(world)
    server = world.server(uuid)
    volumes = world.clients.volume
    devices = server.block_devices if server is not None else ()
    held = {one.id for one in volumes.held.values() if one.server == uuid}
    if server is None or server.vm_state != 'error':
        assert {device.attachment_id for device in devices if device.volume_id} == held
        assert {one['status'] for one in volumes.volumes.values()} <= {'available', 'in-use'}
    assert not any(one['migration_status'].startswith('target:') for one in volumes.volumes.values()
                   if one.get('migration_status')), 'a volume without an owner'


_plain = {}


def calls_of(new_world, flow):
    """The calls of the volume service that the undisturbed flow makes."""
    if flow not in _plain:
        _plain[flow] = sorted(set(run(new_world, flow)))
    return _plain[flow]


def effects_of(new_world, flow):
    """Those of them that change something."""
    return [method for method in calls_of(new_world, flow) if getattr(FakeVolume, method).changes]


OF_BACKEND = {'multiattach': True, 'shared_targets': True, 'service_uuid': 'backend', 'encrypted': True}


@pytest.mark.parametrize('flow', [flow for flow in FLOWS if flow not in ('detach_volume', 'delete')])
def test_a_host_knows_of_each_volume_what_it_has_to(new_world, flow, monkeypatch):
    """MAT-S2, MAT-S3: whoever has it connected: who else uses the volume, its backend, and its key."""
    add = FakeVolume.add
    monkeypatch.setattr(FakeVolume, 'add', lambda self, *arguments, **fields: add(
        self, *arguments, **OF_BACKEND, encryption_key_id='key', **fields))
    world = new_world()
    uuid = cases.starts()[flow](world)
    world.settle()
    server = world.server(uuid)
    volumes = [device.volume_id for device in server.block_devices if device.volume_id]
    connections = kept.connections(types.SimpleNamespace(journal=world.journals[server.host].of(uuid)))
    assert volumes and sorted(connections) == sorted(volumes)
    for connection in connections.values():
        assert {name: connection[name] for name in OF_BACKEND} == OF_BACKEND
        assert connection['encryption'] == {'provider': 'luks', 'encryption_key_id': 'key'}


MOVES = ('live_migrate', 'evacuate', 'resize', 'confirm_resize', 'revert_resize', 'shelve', 'shelve_offload',
         'unshelve', 'rebuild', 'rescue')


@pytest.mark.parametrize('flow', MOVES)
def test_a_volume_is_never_free_while_its_server_moves(new_world, flow):
    """VOL-S3, S4, S5 and S6: whoever is killed, nobody else could have taken it."""
    def moved(killed_at=None):
        world = new_world()
        cases.starts()[flow](world)
        mine, seen = {one.volume for one in world.clients.volume.held.values()}, set()
        world.clients.volume.after(lambda name, args: seen.update(
            world.clients.volume.volumes[volume]['status'] for volume in mine))
        if killed_at is not None:
            world.script.kill(killed_at, 'after')
        world.settle()
        assert mine and 'available' not in seen, killed_at
        return world.script.count
    effects = range(1, moved() + 1)
    for number in random.Random(zlib.crc32(flow.encode())).sample(effects, min(SAMPLE, len(effects))):
        moved(number)


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
    for method in effects_of(new_world, flow):
        run(new_world, flow, lambda cinder: cinder.does_twice(method))  # noqa: B023


def die(new_world, flow, calls):
    for method in effects_of(new_world, flow):
        try:
            run(new_world, flow, lambda cinder: cinder.does_late(method, calls))  # noqa: B023
        except AssertionError as error:
            raise AssertionError(f'{method} is done after {calls} further calls: {error}') from error


@pytest.mark.parametrize('flow', FLOWS)
def test_each_call_is_done_when_its_caller_has_died_and_all_has_ended(new_world, flow):
    """VOL-S1, VOL-S7: the request was on its way when the process that sent it was killed."""
    die(new_world, flow, 1000)


@pytest.mark.slow
@pytest.mark.parametrize('calls', [1, 2, 3])
@pytest.mark.parametrize('flow', FLOWS)
def test_each_call_is_done_when_its_caller_has_died(new_world, flow, calls):
    """While others go on, between two of their calls."""
    die(new_world, flow, calls)
