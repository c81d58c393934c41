"""What there is to try with volumes of a cluster: the step at which an operation rests, and who dies there.

Every step of every operation on a volume is held before and after its effect: on hosts by the driver, at the
volume service by its answer.
"""

import contextlib
import logging
import os
import random
import re
import signal
import threading
import time

import httpx

from nova.tests.fixtures.waiting import PATIENCE, until
from nova.tests.functional import leaks
from nova.tests.functional.volumes import Volumes
from nova.tests.real import matrix
from nova.tests.real import process_crash as crash
from nova.tests.real.matrix import SOURCE
from nova.tests.real.process_crash import AtHost, AtNeighbour

LOG = logging.getLogger(__name__)
CLEAN = 120.0
"""Seconds within which what came late is removed: that is looked for a minute after an operation's end."""

ATTACHMENT = '/attachments/'
ACTION = '/volumes/[^/]+/action$'
PLACES = (
    # operation, step, how it is held
    ('attach', 'attach_to_guest', AtNeighbour, 'volume', 'PUT', ATTACHMENT),
    ('attach', 'attach_to_guest', AtHost, 'connect_volume'),
    ('attach', 'attach_to_guest', AtHost, 'attach_volume'),
    ('attach', 'attach_to_guest', AtNeighbour, 'volume', 'POST', ATTACHMENT),
    ('detach', 'detach_from_guest', AtHost, 'detach_volume'),
    ('detach', 'let_go', AtHost, 'disconnect_volume'),
    ('detach', 'give_up_volume', AtNeighbour, 'volume', 'DELETE', ATTACHMENT),
    ('swap', 'swap_volumes', AtHost, 'connect_volume'),
    ('swap', 'swap_volumes', AtHost, 'swap_volume'),
    ('swap', 'let_go_of_old', AtHost, 'disconnect_volume'),
    ('swap', 'take_new', AtNeighbour, 'volume', 'DELETE', ATTACHMENT),
    ('swap', 'take_new', AtNeighbour, 'volume', 'POST', ACTION),
    ('swap', 'rename_on_host', AtHost, 'rename_volume'),
    ('grow', 'extend_on_host', AtHost, 'extend_volume'),
    ('snapshot', 'snapshot_on_host', AtHost, 'snapshot_volume'),
    ('snapshot', 'say_snapshot_made', AtNeighbour, 'volume', 'POST', '/snapshots/'),
    ('merge', 'merge_on_host', AtHost, 'delete_volume_snapshot'),
    ('merge', 'say_merged', AtNeighbour, 'volume', 'POST', '/snapshots/'),
    ('boot', 'make_volumes', AtNeighbour, 'volume', 'POST', '/volumes$'),
    ('boot', 'reserve_volumes', AtNeighbour, 'volume', 'POST', '/attachments$'),
    ('boot', 'connect_volumes', AtNeighbour, 'volume', 'PUT', ATTACHMENT),
    ('boot', 'connect_volumes', AtHost, 'connect_volume'),
    ('boot', 'spawn', AtHost, 'spawn'),
    ('reimage', 'clear_guest', AtHost, 'destroy'),
    ('reimage', 'release_root', AtHost, 'disconnect_volume'),
    ('reimage', 'reimage_root', AtNeighbour, 'volume', 'POST', ACTION),
    ('reimage', 'connect_root', AtHost, 'connect_volume'),
    ('reimage', 'respawn', AtHost, 'spawn'),
    ('delete', 'destroy_guest', AtHost, 'destroy'),
    ('delete', 'purge', AtNeighbour, 'volume', 'DELETE', ATTACHMENT),
    ('delete', 'purge', AtNeighbour, 'volume', 'DELETE', '/volumes/'),
)


class Case(crash.Case):

    @property
    def id(self):
        _, *arguments = self.means
        words = (re.sub(r'\W+', '', word) for word in arguments)
        return '-'.join([self.operation, self.step, *words, *self.victims])


CONDUCTORS = ('cell1-conductor1', 'cell1-conductor2')
VICTIMS = {
    # who dies: processes; all that is tried is in the first cell, on one host
    'compute': (SOURCE,), 'conductor': CONDUCTORS[:1], 'conductors': CONDUCTORS,
    'super-conductor': ('super-conductor',), 'host-and-conductors': (SOURCE, *CONDUCTORS),
    'broker': ('broker',), 'database': ('database',),
}


def cases(victim):
    """Every case in which these die, the same on every run."""
    return [Case(operation, step, (kind, *arguments, when), (victim,))
            for operation, step, kind, *arguments in PLACES for when in crash.BEFORE_AFTER]


def sample(victim, seed=3):
    """One of every operation."""
    chosen, every = {}, cases(victim)
    random.Random(seed).shuffle(every)
    for case in every:
        chosen.setdefault(case.operation, case)
    return list(chosen.values())


def reservations():
    """The API dies while it reserves a volume."""
    return [Case(operation, 'reserve', (AtNeighbour, 'volume', 'POST', '/attachments$', when), ('api',))
            for operation in ('attach', 'swap') for when in crash.BEFORE_AFTER]


# Operations --------------------------------------------------------------------------------------

class Try:
    """One case with a server and a volume of its own.

    Attributes:
        server, volume: their ids, as soon as they are there.
    """

    def __init__(self, case, world, admin):
        self.case, self.world, self.admin = case, world, admin
        self.volumes = Volumes(admin)
        self.server = self.volume = None

    def prepare(self):
        """Make what has to be there; what takes its time is waited for after a ``yield``."""
        raise NotImplementedError

    def ask(self):
        """Send the request; its answer."""
        raise NotImplementedError

    def check(self):
        """It is done, or as if nobody had asked; the server rests and is well."""
        raise NotImplementedError

    def end(self):
        """Leave nothing; as `prepare`."""
        self.admin.call('DELETE', f'/servers/{self.server}')
        yield
        self.admin.gone(self.server)
        if self.volume is not None:
            until(self._volume_gone, told=self._volume_gone)

    def _volume_gone(self):
        """It is deleted, where it does not go with its server."""
        answer = self.volumes.send('GET', f'/volumes/{self.volume}')
        if answer.status_code == 200 and answer.json()['volume']['status'] == 'available':
            self.volumes.send('DELETE', f'/volumes/{self.volume}')
        return answer.status_code == 404

    def boot(self, **fields):
        answer = self.admin.boot(self.case.id, availability_zone=f'nova:{SOURCE}', **fields)
        assert answer.status_code == 202, answer.text
        return answer.json()['server']['id']

    def over(self):
        return self.world.open_task(self.server) is None

    def told(self):
        return self.admin.call('GET', f'/servers/{self.server}').text, self.world.open_task(self.server)

    def is_active(self):
        shown = self.admin.show(self.server)
        assert (shown['status'], shown['OS-EXT-STS:task_state']) == ('ACTIVE', None), (self.case.id, shown)

    def is_attached(self, whether=(True,)):
        mine = [one['volumeId'] for one in self.volumes.of(self.server)]
        status = self.volumes.show(self.volume)['status']
        assert (mine, status) in [([self.volume], 'in-use') if each else ([], 'available')
                                  for each in whether], (self.case.id, mine, status)


class Attach(Try):

    def prepare(self):
        self.volume = self.volumes.call('POST', '/volumes', {'volume': {'size': 1}})['volume']['id']
        self.server = self.boot()
        yield
        self.volumes.wait(self.volume, 'available')
        self.admin.wait(self.server, 'ACTIVE')

    def ask(self):
        return self.volumes.attach(self.server, self.volume)

    def check(self):
        self.is_active()
        self.is_attached((True, False))


class Detach(Attach):

    def prepare(self):
        yield from super().prepare()
        assert self.volumes.attach(self.server, self.volume).status_code == 202
        yield
        self.volumes.wait(self.volume, 'in-use')
        until(self.over, told=self.told)

    def ask(self):
        return self.volumes.detach(self.server, self.volume)


class Swap(Detach):
    new = None

    def prepare(self):
        yield from super().prepare()
        assert self.admin.call('POST', f'/v3/volumes/{self.volume}/action', service='volume', body={
            'os-migrate_volume': {'host': 'elsewhere'}}).status_code == 202
        every = self.admin.get('/v3/volumes/detail?all_tenants=1', service='volume',
                               headers={'OpenStack-API-Version': 'volume 3.59'})['volumes']
        self.new = next(one['id'] for one in every if one['migration_status'] == f'target:{self.volume}')

    def ask(self):
        return self.admin.call('PUT', f'/servers/{self.server}/os-volume_attachments/{self.volume}',
                               {'volumeAttachment': {'volumeId': self.new}}, version='2.1')

    def check(self):
        self.is_active()
        self.is_attached()
        assert self.volumes.send('GET', f'/volumes/{self.new}').status_code == 404, self.case.id


class Grow(Detach):

    def prepare(self):
        yield from super().prepare()
        assert self.volumes.send('POST', f'/volumes/{self.volume}/action',
                                 {'os-extend': {'new_size': 3}}).status_code == 202

    def ask(self):
        return self.admin.call('POST', '/os-server-external-events', {'events': [
            {'name': 'volume-extended', 'server_uuid': self.server, 'tag': self.volume}]})

    def check(self):
        self.is_active()
        self.is_attached()


class Snapshot(Grow):
    """Block storage has us make one, and goes on once it has heard how that went."""

    status, said = 'creating', ('creating', 'error')

    def prepare(self):
        yield from Detach.prepare(self)
        self.snapshot = self.volumes.call('POST', '/snapshots', {
            'snapshot': {'volume_id': self.volume, 'force': True}})['snapshot']['id']
        self._put(self.status)

    def _put(self, status):
        assert self.admin.call('POST', f'/v3/snapshots/{self.snapshot}/action', {
            'os-reset_status': {'status': status}}, service='volume').status_code == 202

    def ask(self):
        return self.admin.call('POST', '/os-assisted-volume-snapshots', {'snapshot': {
            'volume_id': self.volume, 'create_info': {
                'snapshot_id': self.snapshot, 'type': 'qcow2', 'new_file': 'new', 'id': 'one'}}})

    def check(self):
        super().check()
        status = self.volumes.call('GET', f'/snapshots/{self.snapshot}')['snapshot']['status']
        assert status in self.said, (self.case.id, status)

    def end(self):
        self._put('error')  # one that can be deleted
        self.volumes.call('DELETE', f'/snapshots/{self.snapshot}')
        yield from super().end()


class Merge(Snapshot):
    status, said = 'deleting', ('deleting', 'error_deleting')

    def ask(self):
        info = f'{{"volume_id": "{self.volume}", "type": "qcow2", "file_to_merge": "new"}}'
        return self.admin.call('DELETE', f'/os-assisted-volume-snapshots/{self.snapshot}',
                               params={'delete_info': info})


class Boot(Try):
    """From a volume that is made for it."""

    def prepare(self):
        yield

    def ask(self):
        answer = self.admin.boot(self.case.id, availability_zone=f'nova:{SOURCE}', **self.admin.on_volume())
        self.server = answer.json()['server']['id']
        return answer

    def check(self):
        self.is_active()
        self.volume, = [one['volumeId'] for one in self.volumes.of(self.server)]
        self.is_attached()


class Reimage(Try):
    """A rebuild of another image of a server that boots from a volume."""

    def prepare(self):
        self.server = self.boot(**self.admin.on_volume())
        yield
        self.admin.wait(self.server, 'ACTIVE')
        self.volume, = [one['volumeId'] for one in self.volumes.of(self.server)]

    def ask(self):
        return self.admin.call('POST', f'/servers/{self.server}/action', {
            'rebuild': {'imageRef': other_image(self.admin)}})

    def check(self):
        self.is_active()
        self.is_attached()


class Delete(Reimage):

    def ask(self):
        return self.admin.call('DELETE', f'/servers/{self.server}')

    def over(self):
        return super().over() and self.admin.call('GET', f'/servers/{self.server}').status_code == 404

    def check(self):
        assert self.volumes.send('GET', f'/volumes/{self.volume}').status_code == 404, self.case.id


OPERATIONS = {kind.__name__.lower(): kind for kind in (
    Attach, Detach, Swap, Grow, Snapshot, Merge, Boot, Reimage, Delete)}


OTHER = 'volume-crash-other'


def other_images(admin):
    return [image['id'] for image in admin.get('/v2/images', service='image')['images']
            if image['name'] == OTHER]


def other_image(admin):
    """Another image than `User.image`, made where there is none."""
    for image in other_images(admin):
        return image
    admin.image  # noqa: B018  chosen before there is another one
    made = admin.call('POST', '/v2/images', {
        'name': OTHER, 'disk_format': 'raw', 'container_format': 'bare'}, service='image').json()['id']
    admin.call('PUT', f'/v2/images/{made}/file', service='image', content=b'other',
               headers={'Content-Type': 'application/octet-stream'})
    return made


def together(begun):
    """Run generators side by side, each to its next ``yield``, until all have ended."""
    while begun:
        begun = [one for one in begun if next(one, StopIteration) is not StopIteration]


def asked(tries, holds):
    """Every operation asked for, and held where its case says; one after the other where what is held is the
    next request, or the next server, whichever that is."""
    known = {each.server: each.case.means[1:] for each in tries if each.case.means[0] is AtHost and each.server}
    holds.at_hosts(known)
    for each in tries:
        if each.server in known:
            _send(each)
    until(lambda: holds.held() == set(known), told=lambda: [
        each.told() for each in tries if each.server in set(known) - holds.held()])
    for each in tries:
        if each.server not in known:
            kind, *arguments = each.case.means
            held = {AtHost: holds.next_at_hosts, AtNeighbour: holds.next_at_neighbour}[kind](*arguments)
            _send(each)
            until(held, PATIENCE, told=lambda each=each: (each.case.id, each.told()))


def _send(each):
    answer = each.ask()
    assert answer.status_code in (200, 202, 204), (each.case.id, answer.text)


def interrupted(world, tries, holds):
    """All of them begun, held, and the victims killed; then what was held goes on, and the victims come back.

    A conductor that dies alone has all of them; the one that takes over has just come.
    """
    victim, = tries[0].case.victims
    names, alone = VICTIMS[victim], victim == 'conductor'
    if alone:
        world.kill(CONDUCTORS[1])
    with holds:
        asked(tries, holds)
        if alone:
            world.revive(CONDUCTORS[1:])
        for name in names:
            world.kill(name)
    if not alone:
        world.revive(names)


def unanswered(world, tries, holds):
    """The API dies while it reserves volumes for all of them, and nobody hears an answer."""
    def ask(each):
        with contextlib.suppress(httpx.TransportError, AssertionError):
            _send(each)
            answered.append(each.case.id)
    answered, asking = [], []
    with holds:
        for each in tries:
            held = holds.next_at_neighbour(*each.case.means[1:])
            asking.append(threading.Thread(target=ask, args=(each,)))
            asking[-1].start()
            until(held)
        for pid in world.processes.workers('api'):
            os.kill(pid, signal.SIGKILL)
    for one in asking:
        one.join(PATIENCE)
    assert not answered, 'nobody could have answered'
    world.processes.wait_healthy(['api'])


def run(cases, world, admin, found, interrupt=interrupted, seconds=crash.BACK):
    """Everything ends, done or undone; attachments at the volume service are rows; nothing is left over.

    Args:
        cases: all with the same victim.
        found: what ``nova-manage audit`` finds.
        seconds: within which all end once everybody is back.
    """
    tries = [OPERATIONS[case.operation](case, world, admin) for case in cases]
    together([each.prepare() for each in tries])
    interrupt(world, tries, matrix.Holds(world.cluster))
    by_name = {each.case.id: each for each in tries}
    assert len(by_name) == len(tries), 'cases are told from each other by their ids'
    matrix.all_end(by_name, lambda late: [name for name in late if by_name[name].over()],
                   lambda late: {name: by_name[name].told() for name in late}, seconds)
    for each in tries:
        each.check()
    world.cluster.start_missing()
    began, left = time.monotonic(), leaks.find(world.cluster, admin)
    LOG.info('at first %d things were left over: %s; the audit found %s', len(left), left, found())
    leaks.check(world.cluster, admin, CLEAN)
    until(lambda: not found(), CLEAN, told=found)
    LOG.info('nothing was left over %.1f s later', time.monotonic() - began)
    together([each.end() for each in tries])
    for image in other_images(admin):
        admin.call('DELETE', f'/v2/images/{image}', service='image')
    leaks.check(world.cluster, admin, CLEAN)
