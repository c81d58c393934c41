"""Processes that stand still, servers that accept and say nothing, neighbours that hang: amid operations.

SIGSTOP is what no kill shows: connections stay, answers do not come, and who stood still goes on as if nothing
had been. (A database or a broker that works on while nobody reaches it is ``test_black_hole.py``'s.) Afterwards
every operation ends, nothing is left over, and no host was taken for dead that lived.

``-m cluster`` takes a sample with short silences; ``-m "cluster or slow"`` takes all, amid fifty operations.
Hosts count as dead after six seconds here, so every silence is longer than that. How long it took until all had
ended is logged (``--log-cli-level=INFO``).
"""

import contextlib
import logging
import os
import signal
import time

import cluster_processes
import httpx
import pytest
import servers
import sqlalchemy as sa

from nova.db.cell.models import host as tables
from nova.objects.service import Alive
from nova.tests.fixtures.waiting import until
from nova.tests.functional import leaks
from nova.tests.functional.conftest import User
from nova.tests.real.conftest import QUICK

LOG = logging.getLogger(__name__)

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(420)]

DOWN_AFTER = 6
OPTIONS = QUICK | {'report_interval': 1, 'service_down_time': DOWN_AFTER, 'quota.instances': -1,
                   'quota.cores': -1, 'quota.ram': -1}
ENDS = 90.0
"""Seconds in which everything has ended, once everybody answers again."""
NEIGHBOURS = ('identity', 'image', 'network', 'volume')
MAY_FAIL = {'database', 'placement', 'scheduler', 'api', 'compute1', *NEIGHBOURS}
"""Without whom a build may end as ERROR."""


@pytest.fixture(scope='module')
def cluster(run_cluster):
    yield from run_cluster('mariadb', OPTIONS)


@pytest.fixture(autouse=True)
def nothing_left(world, demo):
    """Whatever became of a test, the next one begins without its servers."""
    yield
    world.cluster.start_missing()
    servers = [one['id'] for one in demo.get('/servers')['servers']]
    for uuid in servers:
        demo.call('DELETE', f'/servers/{uuid}')
    for uuid in servers:
        demo.gone(uuid, 60)


# Falling silent ----------------------------------------------------------------------------------

def _processes(world, victim):
    if victim in ('database', 'broker'):
        directory = world.deployment.directory / 'servers'
        return servers.processes(directory, world.cluster.server_name(victim))
    names = {'conductors': ['cell1-conductor1', 'cell1-conductor2']}.get(victim, [victim])
    return [pid for name in names for pid in [world.processes.pid(name), *world.processes.workers(name)]]


@contextlib.contextmanager
def silent(world, victim):
    """Meanwhile the victim stands still, or the neighbour hangs in whatever it is asked."""
    if victim in NEIGHBOURS:
        url = f'http://127.0.0.1:{world.deployment.ports["sandbox"]}/sandbox/faults'
        httpx.post(url, json={'service': victim, 'count': 0, 'delay': 60.0}).raise_for_status()
        try:
            yield
        finally:
            httpx.delete(url).raise_for_status()
        return
    lives = {pid: cluster_processes.start_time(pid) for pid in _processes(world, victim)}
    for pid in lives:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid, began in lives.items():
            if cluster_processes.start_time(pid) == began:
                os.kill(pid, signal.SIGCONT)


# Operations --------------------------------------------------------------------------------------

class Operations:
    """Servers being booted, stopped and deleted, as many as that."""

    def __init__(self, cluster, demo, prefix, count):
        self._demo, self._prefix = demo, prefix
        demo.image, demo.network, demo.token  # noqa: B018  asked for beforehand
        self._quick = User(cluster, 'demo')
        self._quick.token, self._quick.image, self._quick.network = demo.token, demo.image, demo.network
        self._quick.http.timeout = 5
        self._builds = count * 3 // 5
        stopped = [self._boot(demo, f'stop-{n}') for n in range(count // 5)]
        deleted = [self._boot(demo, f'delete-{n}') for n in range(count - self._builds - len(stopped))]
        self.stopped = [demo.wait(uuid, 'ACTIVE', 120)['id'] for uuid in stopped]
        self.deleted = [demo.wait(uuid, 'ACTIVE', 120)['id'] for uuid in deleted]

    def _boot(self, user, name):
        answer = user.boot(f'{self._prefix}-{name}')
        assert answer.status_code == 202 or user is self._quick, answer.text
        return answer.json()['server']['id'] if answer.status_code == 202 else None

    def begin(self):
        """Half of the builds, and everything else."""
        for number in range(self._builds // 2):
            self._boot(self._demo, f'before-{number}')
        for uuid in self.stopped:
            assert self._demo.call('POST', f'/servers/{uuid}/action', {'os-stop': None}).status_code == 202
        for uuid in self.deleted:
            assert self._demo.call('DELETE', f'/servers/{uuid}').status_code == 204

    def go_on(self, until):
        """The other builds, as far as anybody answers, in the time that is left."""
        for number in range(self._builds - self._builds // 2):
            if time.monotonic() < until:
                with contextlib.suppress(httpx.TransportError):
                    self._boot(self._quick, f'meanwhile-{number}')

    def _shown(self):
        answer = self._demo.call('GET', f'/servers/detail?name={self._prefix}')
        return answer.json()['servers'] if answer.status_code == 200 else None

    def left(self):
        """What has not ended, or not as it should."""
        try:
            shown = self._shown()
        except httpx.TransportError:
            return ['the API does not answer']
        if shown is None:
            return ['the API cannot say']
        left = [f'{one["name"]}: {one["status"]} {one["OS-EXT-STS:task_state"]}' for one in shown
                if one['OS-EXT-STS:task_state'] is not None
                or one['status'] not in ('ACTIVE', 'SHUTOFF', 'ERROR')]
        states = {one['id']: one['status'] for one in shown}
        left += [f'{uuid} is not deleted' for uuid in self.deleted if uuid in states]
        return left + [f'{uuid} is not stopped' for uuid in self.stopped if states.get(uuid) != 'SHUTOFF']

    def failed(self):
        return [(one['name'], one.get('fault', {}).get('message')) for one in self._shown()
                if one['status'] == 'ERROR']



def lives(world):
    """Of each host: whether its cell takes it for alive, and how often something of it was given up."""
    found = {}
    for cell in world.deployment.cells:
        with world.db(cell).read() as conn:
            alive = Alive.look(conn, DOWN_AFTER)
            for row in conn.execute(sa.select(tables.services.c.host, tables.services.c.epoch).where(
                    tables.services.c.binary == 'nova-compute')):
                found[row.host] = (alive.is_up(row.host), row.epoch)
    return found


def run(world, demo, admin, victim, seconds, count, silence=silent):
    operations = Operations(world.cluster, demo, f'{victim}-{seconds}', count)
    before = lives(world)
    assert all(up for up, _ in before.values()), before
    operations.begin()
    end = time.monotonic() + seconds
    with silence(world, victim):
        operations.go_on(end)
        time.sleep(max(0.0, end - time.monotonic()))
    began = time.monotonic()
    until(lambda: not operations.left(), ENDS, 0.2, lambda: '\n'.join(operations.left()))
    took = time.monotonic() - began
    LOG.info('%s silent for %d s amid %d operations: all ended %.1f s after; %d failed', victim, seconds, count,
             took, len(operations.failed()))
    if victim != 'compute1':
        assert lives(world) == before, 'no host was taken for dead'
    assert victim in MAY_FAIL or not operations.failed(), operations.failed()
    leaks.check(world.cluster, admin, 60)


@pytest.mark.parametrize('victim', ['database', 'broker', 'cell1-conductor1', 'network'])
def test_a_short_silence(victim, world, demo, admin):
    run(world, demo, admin, victim, 8, 10)


@pytest.mark.slow
@pytest.mark.parametrize('victim', ['super-conductor', 'scheduler', 'cell1-conductor1', 'conductors',
                                    'compute1', 'api', 'placement', *NEIGHBOURS])
def test_a_process_stands_still(victim, world, demo, admin):
    run(world, demo, admin, victim, 30, 50)


@pytest.mark.slow
@pytest.mark.parametrize('victim', ['database', 'broker'])
def test_a_server_stands_still(victim, world, demo, admin):
    run(world, demo, admin, victim, 60, 50)
