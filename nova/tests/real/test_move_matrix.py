"""Every case of ``move_crash``, many at once: a server for each, and all of them rest at their steps when the
victim is taken from under them (TSK-S2, MIG-F2, MIG-S3, EVA-S1).

A case by itself takes a minute, of which the operation has a second. Here a process dies once for all cases in
which it dies, so that the matrix takes minutes on each database: ``-m "cluster or slow"``.
"""

import collections

import pytest

from nova.tests.fixtures.waiting import until
from nova.tests.functional.conftest import User
from nova.tests.real import matrix, process_crash
from nova.tests.real import move_crash as crash
from nova.tests.real.conftest import QUICK
from nova.tests.real.matrix import DEST, OTHER_DEST, OTHER_SOURCE, SOURCE
from nova.tests.real.test_move_crash import RESTS, audit, body_of, large, say_down, trouble, whole

__all__ = ['large', 'whole']

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900, func_only=True)]

PROCESSES = {
    'source': [SOURCE, OTHER_SOURCE], 'dest': [DEST, OTHER_DEST], 'super-conductor': ['super-conductor'],
    'conductors': [f'{cell}-conductor{number}' for cell in ('cell1', 'cell2') for number in (1, 2)]}


@pytest.fixture(scope='module', params=['mariadb', 'postgresql'])
def cluster(request, run_cluster):
    yield from run_cluster(request.param, QUICK | matrix.UNLIMITED)


@pytest.fixture(scope='module')
def admin(cluster):
    return User(cluster, 'admin')


@pytest.fixture(autouse=True)
def none_left(whole, admin):
    """The servers of a batch are gone after it, whatever became of it."""
    yield
    left = [server['id'] for server in admin.get('/servers?all_tenants=1')['servers']]
    for uuid in left:
        admin.call('DELETE', f'/servers/{uuid}')
    for uuid in left:
        until(lambda uuid=uuid: admin.call('GET', f'/servers/{uuid}').status_code == 404)


def batches():
    """(victim, how) to the cases in which the same processes die while a host holds the operation."""
    found = collections.defaultdict(list)
    for case in crash.cases():
        if case.means[0] is process_crash.AtHost:
            victim = 'source' if case.victims == ('compute',) else case.victims[0]
            found[victim, case.how].append(case)
    return found


def choices():
    """(victim, silent, how) to the operations whose host is chosen meanwhile."""
    found = collections.defaultdict(list)
    for case in crash.cases():
        if case.means[0] is process_crash.AtRest:
            found[case.victims[0], case.means[1], case.how].append(case)
    return found


def made(admin, large, cases):
    """A server on the source for each case, resized where that is to be confirmed or taken back.

    Those that are to be evacuated are in the second cell, where the source counts as dead from then on.
    """
    servers = {}
    for case in cases:
        host = OTHER_SOURCE if case.operation == 'evacuate' else SOURCE
        answer = admin.boot(case.id, availability_zone=f'nova:{host}')
        assert answer.status_code == 202, answer.text
        servers[answer.json()['server']['id']] = case
    for uuid, case in servers.items():
        admin.wait(uuid, 'ACTIVE')
        if case.operation in ('confirm', 'revert'):
            admin.act(uuid, 'resize', {'flavorRef': large})
    for uuid, case in servers.items():
        if case.operation in ('confirm', 'revert'):
            admin.wait(uuid, 'VERIFY_RESIZE')
    assert say_down(admin, OTHER_SOURCE, True)
    return servers


def asked(admin, large, servers):
    for uuid, case in servers.items():
        answer = admin.call('POST', f'/servers/{uuid}/action', body_of(case, admin, large))
        assert answer.status_code in (200, 202, 204), (case.id, answer.text)


def end_well(world, admin, servers, capsys):
    """All rest where they may, and nothing is left over."""
    cases = {case.id: case for case in servers.values()}

    def seen(late):
        return {server['name']: (server['status'], server['OS-EXT-STS:task_state'])
                for server in admin.get('/servers/detail?all_tenants=1')['servers'] if server['name'] in late}

    def ended(late):
        return [name for name, (status, task_state) in seen(late).items()
                if task_state is None and status in RESTS[cases[name].operation]]
    matrix.all_end(cases, ended, seen)
    # What the source of evacuations owes it does once it counts as alive.
    until(lambda: say_down(admin, OTHER_SOURCE, False))
    until(lambda: not audit(world.cluster, capsys), told=lambda: audit(world.cluster, capsys))


@pytest.mark.parametrize('batch', batches(), ids='-'.join)
def test_moves_are_interrupted(batch, world, admin, large, capsys):
    victim, _ = batch
    cases = batches()[batch]
    servers = made(admin, large, cases)
    back = None
    try:
        with matrix.Holds(world.cluster) as holds:
            holds.at_hosts({uuid: case.means[1:3] for uuid, case in servers.items()})
            asked(admin, large, servers)
            until(lambda: holds.held() == set(servers), told=lambda: [
                case.id for uuid, case in servers.items() if uuid not in holds.held()])
            back = trouble(cases[0], world, PROCESSES[victim])
    finally:
        if back is not None:
            back()
    end_well(world, admin, servers, capsys)


@pytest.mark.parametrize('choice', choices(), ids='-'.join)
def test_choices_are_interrupted(choice, world, admin, large, capsys):
    victim, silent, how = choice
    cases = choices()[choice]
    servers = made(admin, large, cases)
    held = process_crash.AtRest(world, 'scheduler')
    back = None
    try:
        asked(admin, large, servers)
        for uuid, case in servers.items():
            world.wait_step(uuid, case.step)
        if silent == 'placement':
            # Steps before the choice need Placement, too: it is silent from here on, and the scheduler asks it.
            scheduler, held = held, process_crash.AtRest(world, silent)
            scheduler.release()
        back = trouble(cases[0], world, [victim])
    finally:
        held.release()
        if back is not None:
            back()
    end_well(world, admin, servers, capsys)
