"""Every case of ``move_crash``, many at once: a server for each, and all of them rest at their steps when the
victim is taken from under them (TSK-S2, MIG-F2, MIG-S3, EVA-S1).

A case by itself takes a minute, of which the operation has a second. Here a process dies once for all cases in
which it dies, so that the matrix takes minutes on each database: ``-m "cluster or slow"``.
"""

import collections
import json
import logging
import time

import pytest

from nova.tests.fixtures.waiting import until
from nova.tests.functional.conftest import User
from nova.tests.functional.moving import host_of
from nova.tests.real import move_crash as crash
from nova.tests.real import process_crash
from nova.tests.real.conftest import QUICK
from nova.tests.real.test_move_crash import RESTS, audit, body_of, large, say_down, trouble, whole

__all__ = ['large', 'whole']

LOG = logging.getLogger(__name__)
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900, func_only=True)]

UNLIMITED = {'max_concurrent_live_migrations': 0, 'quota.instances': -1, 'quota.cores': -1, 'quota.ram': -1}
SOURCE, DEST = 'compute1', 'compute3'
"""The two hosts of the first cell."""
PROCESSES = {'source': [SOURCE], 'compute': [SOURCE], 'dest': [DEST], 'super-conductor': ['super-conductor'],
             'conductors': ['cell1-conductor1', 'cell1-conductor2']}


@pytest.fixture(scope='module', params=['mariadb', 'postgresql'])
def cluster(request, run_cluster):
    yield from run_cluster(request.param, QUICK | UNLIMITED)


@pytest.fixture(scope='module')
def admin(cluster):
    return User(cluster, 'admin')


def batches():
    """(victim, how, kind) to its cases: those in which the same processes die, evacuations apart, for which the
    source has to be down."""
    found = collections.defaultdict(list)
    for case in crash.cases():
        if case.means[0] is process_crash.AtHost:
            victim = 'source' if case.victims == ('compute',) else case.victims[0]
            kind = 'evacuations' if case.operation == 'evacuate' else 'moves'
            found[victim, case.how, kind].append(case)
    return found


def choices():
    """(victim, silent, how) to the operations whose host is chosen meanwhile."""
    found = collections.defaultdict(list)
    for case in crash.cases():
        if case.means[0] is process_crash.AtRest and case.operation != 'evacuate':
            found[case.victims[0], case.means[1], case.how].append(case)
    return found


def hold(cluster, held):
    """Hosts take their time at an effect on each of these servers; what lets them go on."""
    files = [cluster.deployment.directory / 'state' / 'compute' / host / 'faults.json'
             for host in cluster.deployment.hosts]
    faults = collections.defaultdict(list)
    for uuid, case in held.items():
        _, effect, when, _ = case.means
        faults[effect].append({'do': 'hold', 'when': when, 'seconds': 300, 'times': 1, 'server': uuid})
    for file in files:
        file.write_text(json.dumps(faults))

    def release():
        for file in files:
            file.unlink(missing_ok=True)

    def reached():
        """Servers that are held."""
        found = set()
        for file in files:
            found |= {each['server'] for every in json.loads(file.read_text()).values() for each in every
                      if not each['times']}
        return found
    return reached, release


def made(admin, large, cases):
    """A server on the source for each case, resized where that is to be confirmed or taken back."""
    uuids = {}
    for case in cases:
        answer = admin.boot(case.id, availability_zone=f'nova:{SOURCE}')
        assert answer.status_code == 202, answer.text
        uuids[answer.json()['server']['id']] = case
    for uuid, case in uuids.items():
        admin.wait(uuid, 'ACTIVE')
        assert host_of(admin, uuid) == SOURCE
        if case.operation in ('confirm', 'revert'):
            admin.act(uuid, 'resize', {'flavorRef': large})
    for uuid, case in uuids.items():
        if case.operation in ('confirm', 'revert'):
            admin.wait(uuid, 'VERIFY_RESIZE')
    return uuids


def asked(admin, large, servers):
    for uuid, case in servers.items():
        answer = admin.call('POST', f'/servers/{uuid}/action', body_of(case, admin, large))
        assert answer.status_code in (200, 202, 204), (case.id, answer.text)


def end_well(world, admin, servers, capsys):
    """All rest where they may, and nothing is left over; says how long the last one took."""
    began, late, longest = time.monotonic(), dict(servers), {}
    while late and time.monotonic() - began < process_crash.BACK:
        for uuid, case in list(late.items()):
            server = admin.show(uuid)
            if server['OS-EXT-STS:task_state'] is None and server['status'] in RESTS[case.operation]:
                longest[late.pop(uuid).id] = time.monotonic() - began
    assert not late, {case.id: (admin.show(uuid)['status'], admin.show(uuid)['OS-EXT-STS:task_state'])
                      for uuid, case in late.items()}
    slowest = max(longest, key=longest.__getitem__)
    LOG.info('%d operations ended; the last one, %s, after %.1f s', len(servers), slowest, longest[slowest])
    until(lambda: not audit(world.cluster, capsys), 60, told=lambda: audit(world.cluster, capsys))
    for uuid in servers:
        admin.call('DELETE', f'/servers/{uuid}')
    for uuid in servers:
        until(lambda uuid=uuid: admin.call('GET', f'/servers/{uuid}').status_code == 404, 60)


@pytest.mark.parametrize('batch', batches(), ids='-'.join)
def test_moves_are_interrupted(batch, world, admin, large, capsys):
    victim, how, kind = batch
    servers = made(admin, large, batches()[batch])
    if kind == 'evacuations':
        assert say_down(admin, SOURCE, True)
    reached, release = hold(world.cluster, servers)
    back = None
    try:
        asked(admin, large, servers)
        until(lambda: reached() == set(servers), told=lambda: [
            case.id for uuid, case in servers.items() if uuid not in reached()])
        back = trouble(batches()[batch][0], world, PROCESSES[victim])
    finally:
        release()
        if back is not None:
            back()
    if kind == 'evacuations':
        # What the source owes it does once it counts as alive.
        until(lambda: all(admin.show(uuid)['OS-EXT-STS:task_state'] is None for uuid in servers), 60)
        until(lambda: say_down(admin, SOURCE, False), 30)
    end_well(world, admin, servers, capsys)


@pytest.mark.parametrize('choice', choices(), ids='-'.join)
def test_choices_are_interrupted(choice, world, admin, large, capsys):
    victim, silent, how = choice
    cases = choices()[choice]
    servers = made(admin, large, cases)
    held = process_crash.AtRest(world, silent)
    back = None
    try:
        asked(admin, large, servers)
        for uuid, case in servers.items():
            world.wait_step(uuid, case.step)
        back = trouble(cases[0], world, [victim])
    finally:
        held.release()
        if back is not None:
            back()
    end_well(world, admin, servers, capsys)
