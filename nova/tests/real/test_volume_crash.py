"""kill -9 of the processes of a cluster while a volume is attached, detached, swapped or grown.

Afterwards the attachments at the volume service are the rows, no volume is reserved, attaching or detaching
that is nobody's, and host and guest have what the rows say (VOL-S1, VOL-S2, VOL-S7, VOL-F1, 1.13). ``-m
cluster`` takes a sample, on MariaDB; ``-m "cluster or slow"`` takes all, on each database. How long each took
from the moment at which everybody was back is logged (``--log-cli-level=INFO``).
"""

import logging
import os
import random
import signal
import threading
import time

import httpx
import pytest

from nova.steps import attachments
from nova.tests.fixtures.waiting import until
from nova.tests.functional import leaks
from nova.tests.functional.volumes import Volumes
from nova.tests.real import process_crash as crash
from nova.tests.real.process_crash import AtHost, AtNeighbour, Case

LOG = logging.getLogger(__name__)
LIMIT = 120.0
"""Seconds after which something that is waited for does not come."""

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(400, func_only=True)]

ATTACHMENT = '/v3/attachments/'
PLACES = (
    # operation, step, how it is held
    ('attach', 'attach_to_guest', AtHost, 'connect_volume'),
    ('attach', 'attach_to_guest', AtHost, 'attach_volume'),
    ('attach', 'attach_to_guest', AtNeighbour, 'volume', 'PUT', ATTACHMENT),
    ('attach', 'attach_to_guest', AtNeighbour, 'volume', 'POST', ATTACHMENT),
    ('detach', 'detach_from_guest', AtHost, 'detach_volume'),
    ('detach', 'let_go', AtHost, 'disconnect_volume'),
    ('detach', 'give_up_volume', AtNeighbour, 'volume', 'DELETE', ATTACHMENT),
    ('swap', 'swap_volumes', AtHost, 'connect_volume'),
    ('swap', 'swap_volumes', AtHost, 'swap_volume'),
    ('swap', 'let_go_of_old', AtHost, 'disconnect_volume'),
    ('swap', 'take_new', AtNeighbour, 'volume', 'DELETE', ATTACHMENT),
    ('swap', 'take_new', AtNeighbour, 'volume', 'POST', '/v3/volumes/'),
    ('swap', 'rename_on_host', AtHost, 'rename_volume'),
    ('grow', 'extend_on_host', AtHost, 'extend_volume'),
)
ON_HOST = (('compute',), ('conductor',), ('conductors',), ('compute', 'conductors'), ('broker',), ('database',))
ON_CONDUCTOR = (('owner',), ('conductors',), ('broker',), ('database',))


def cases():
    """Every case, the same on every run."""
    for operation, step, kind, *arguments in PLACES:
        at_host = step not in ('give_up_volume', 'take_new')
        for when in crash.BEFORE_AFTER:
            for victims in ON_HOST if at_host else ON_CONDUCTOR:
                yield Case(operation, step, (kind, *arguments, when), victims)


def sample(seed=3):
    """One of every operation, by whom it takes not long to come back."""
    every = [case for case in cases() if not set(case.victims) & set(crash.SERVERS)]
    random.Random(seed).shuffle(every)
    chosen = {}
    for case in every:
        chosen.setdefault(case.operation, case)
    return [case for case in cases() if case in chosen.values()]


SAMPLE = sample()


@pytest.fixture(scope='module')
def volumes(demo):
    return Volumes(demo)


@pytest.fixture(scope='module')
def server(demo):
    made = demo.wait(demo.boot('with-volumes').json()['server']['id'], 'ACTIVE', LIMIT)['id']
    yield made
    demo.delete(made)


@pytest.fixture(autouse=True)
def whole(world, admin, volumes, server):
    """After each case all processes are there, nothing has leaked, and no volume is left."""
    yield
    world.cluster.start_missing()
    leaks.check(world.cluster, admin, LIMIT)
    for one in volumes.of(server):
        assert volumes.detach(server, one['volumeId']).status_code == 202
    until(lambda: not volumes.of(server), LIMIT)
    for one in volumes.call('GET', '/volumes')['volumes']:
        volumes.wait(one['id'], 'available', LIMIT)
        volumes.call('DELETE', f'/volumes/{one["id"]}')
    leaks.check(world.cluster, admin, LIMIT)


class Try:
    """One operation of a case: what is there before it, how it is asked for, how it may have ended."""

    def __init__(self, operation, demo, admin, volumes, server):
        self.operation, self.demo, self.admin = operation, demo, admin
        self.volumes, self.server = volumes, server
        self.volume, self.new = volumes.make(), None
        if operation != 'attach':
            assert volumes.attach(server, self.volume).status_code == 202
            volumes.wait(self.volume, 'in-use', LIMIT)
            volumes.settled(server, LIMIT)

    def ask(self):
        answer = getattr(self, self.operation)()
        assert answer.status_code in (200, 202), answer.text

    def attach(self):
        return self.volumes.attach(self.server, self.volume)

    def detach(self):
        return self.volumes.detach(self.server, self.volume)

    def swap(self):
        assert self.admin.call('POST', f'/v3/volumes/{self.volume}/action', service='volume', body={
            'os-migrate_volume': {'host': 'elsewhere'}}).status_code == 202
        every = self.admin.get('/v3/volumes/detail?all_tenants=1', service='volume',
                               headers={'OpenStack-API-Version': 'volume 3.59'})['volumes']
        self.new = next(one['id'] for one in every if one['migration_status'] == f'target:{self.volume}')
        return self.admin.call('PUT', f'/servers/{self.server}/os-volume_attachments/{self.volume}',
                               {'volumeAttachment': {'volumeId': self.new}}, version='2.1')

    def grow(self):
        assert self.volumes.send('POST', f'/volumes/{self.volume}/action',
                                 {'os-extend': {'new_size': 3}}).status_code == 202
        return self.admin.call('POST', '/os-server-external-events', {'events': [
            {'name': 'volume-extended', 'server_uuid': self.server, 'tag': self.volume}]})

    def check(self):
        """It is done, or as if nobody had asked; the server rests and is well."""
        shown = self.demo.show(self.server)
        assert (shown['status'], shown['OS-EXT-STS:task_state']) == ('ACTIVE', None), shown
        mine = [one['volumeId'] for one in self.volumes.of(self.server)]
        status = self.volumes.show(self.volume)['status']
        assert (mine, status) in (([self.volume], 'in-use'), ([], 'available')), (mine, status)
        if self.operation in ('swap', 'grow'):
            assert mine == [self.volume], 'it is attached all the while'
        if self.operation == 'swap':
            assert self.volumes.send('GET', f'/volumes/{self.new}').status_code == 404


def run(case, world, tried):
    kind, *arguments = case.means
    hold = kind(world, *arguments)
    try:
        tried.ask()
        where, row = world.wait_step(tried.server, case.step, seconds=LIMIT)
        until(lambda: _reached(world, case, tried), LIMIT)
        victims = [name for word in case.victims for name in world.resolve(word, where, row)]
        for name in victims:
            world.kill(name)
    finally:
        hold.release()
    # Of two conductors of a cell the other one takes over; nobody waits for the dead one.
    dead = [name for name in victims if 'conductor' in name and len(victims) == 1]
    world.revive([name for name in victims if name not in dead])
    began = time.monotonic()
    until(lambda: world.open_task(tried.server) is None, LIMIT, told=lambda: world.open_task(tried.server))
    LOG.info('%s: over %.1f s after everybody was back', case.id, time.monotonic() - began)
    world.revive(dead)
    tried.check()


def _reached(world, case, tried):
    """Whether the step was given to whoever carries it out; one that was quick is over."""
    found = world.open_task(tried.server)
    return found is None or found[1].step != case.step or found[1].status == 'parked' or (
        case.step in ('give_up_volume', 'take_new'))


@pytest.mark.parametrize('case', SAMPLE, ids=lambda case: case.id)
def test_killed_at_a_step(case, world, demo, admin, volumes, server):
    run(case, world, Try(case.operation, demo, admin, volumes, server))


@pytest.mark.slow
@pytest.mark.parametrize('case', [case for case in cases() if case not in SAMPLE], ids=lambda case: case.id)
def test_killed_at_any_step(case, world, demo, admin, volumes, server):
    run(case, world, Try(case.operation, demo, admin, volumes, server))


@pytest.mark.slow
@pytest.mark.timeout(attachments.PATIENCE + 120, func_only=True)
@pytest.mark.parametrize('when', crash.BEFORE_AFTER)
@pytest.mark.parametrize('operation', ['attach', 'swap'])
def test_the_api_dies_while_a_volume_is_reserved(when, operation, world, demo, admin, volumes, server):
    """VOL-S1: the task that was there before begins by itself, finds the reservation or makes it, and ends."""
    tried = Try(operation, demo, admin, volumes, server)
    hold = AtNeighbour(world, 'volume', 'POST', '/v3/attachments', when)
    answers = []

    def ask():
        try:
            tried.ask()
        except (httpx.TransportError, AssertionError) as error:
            answers.append(error)
    asking = threading.Thread(target=ask)
    asking.start()
    try:
        until(lambda: world.open_task(server), LIMIT)
        for pid in world.processes.workers('api'):
            os.kill(pid, signal.SIGKILL)
    finally:
        hold.release()
    asking.join(60)
    assert answers, 'nobody could have answered'
    world.processes.wait_healthy(['api'])
    began = time.monotonic()
    until(lambda: world.open_task(server) is None, attachments.PATIENCE + 60, 1.0)
    assert time.monotonic() - began > 1
    tried.check()
