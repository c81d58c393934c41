"""kill -9 and SIGSTOP of processes amid moves, shelving and rebuilding (TSK-S2, MIG-F2, MIG-S3, EVA-S1).

Once everybody is back, or goes on, the operation ends within `process_crash.BACK` seconds: done, or as if it
had never been asked for. Then ``nova-manage audit`` finds nothing, and a server that is deleted leaves nothing.
``-m cluster`` takes a sample; ``test_move_matrix.py`` has every case.
"""

import json
import os
import signal

import pytest

from nova import conf as nova_conf
from nova.cmd import manage
from nova.cmd.manage import command
from nova.common import threads
from nova.tests.fixtures.waiting import until
from nova.tests.functional import leaks
from nova.tests.functional.moving import host_of
from nova.tests.real import move_crash as crash
from nova.tests.real import process_crash

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

SAMPLE = crash.sample()
STANDSTILL = 4.0
"""Seconds for which a process is stopped: twice the time after which its lease is another's."""
REQUESTS = {
    'live-migrate': {'os-migrateLive': {'host': None, 'block_migration': 'auto'}}, 'evacuate': {'evacuate': {}},
    'shelve': {'shelve': None}, 'confirm': {'confirmResize': None}, 'revert': {'revertResize': None}}
RESTS = {'resize': ('VERIFY_RESIZE', 'ACTIVE'), 'confirm': ('ACTIVE',), 'revert': ('ACTIVE',),
         'live-migrate': ('ACTIVE',), 'evacuate': ('SHUTOFF', 'ACTIVE'), 'rebuild': ('ACTIVE',),
         'shelve': ('SHELVED_OFFLOADED', 'ACTIVE')}


@pytest.fixture(scope='module')
def large(admin):
    """A flavor to resize to."""
    made = admin.call('POST', '/flavors', {'flavor': {
        'name': 'crash.large', 'ram': 1024, 'vcpus': 2, 'disk': 2}})
    assert made.status_code == 200, made.text
    flavor = made.json()['flavor']['id']
    yield flavor
    admin.call('DELETE', f'/flavors/{flavor}')


@pytest.fixture(autouse=True)
def whole(world, admin):
    """After each case all processes are there, hosts count as living, and nothing has leaked."""
    yield
    world.cluster.start_missing()
    for service in admin.get('/os-services?binary=nova-compute')['services']:
        if service['forced_down']:
            until(lambda service=service: say_down(admin, service['host'], False), 30)
    leaks.check(world.cluster, admin, 20)


def say_down(admin, host, down):
    """An operator says whether a host is dead; whether that is accepted."""
    service, = admin.get(f'/os-services?host={host}&binary=nova-compute')['services']
    return admin.call('PUT', f'/os-services/{service["id"]}', {'forced_down': down}).status_code == 200


def body_of(case, demo, large):
    if case.operation == 'resize':
        return {'resize': {'flavorRef': large}}
    if case.operation == 'rebuild':
        return {'rebuild': {'imageRef': demo.image}}
    return REQUESTS[case.operation]


def names(case, world, where, row, source):
    """Processes that the victims' words mean."""
    state = row.state['nova_object.data']
    known = {'source': state.get('source', source), 'dest': state.get('dest')}
    return [name for word in case.victims
            for name in ([known[word]] if known.get(word) else world.resolve(word, where, row))]


def rests(demo, uuid, statuses, seconds):
    def reached():
        server = demo.show(uuid)
        return server['status'] in statuses and server['OS-EXT-STS:task_state'] is None
    until(reached, seconds, told=lambda: (f'after {seconds:.0f} s', demo.show(uuid)))


def trouble(case, world, victims):
    """Returns what brings the victims back."""
    if case.how == crash.KILL:
        for name in victims:
            world.kill(name)
        return lambda: world.revive(victims)
    pids = [pid for name in victims for pid in (world.processes.pid(name), *world.processes.workers(name))]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)

    def go_on():
        threads.sleep(STANDSTILL)
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    return go_on


def managed(cluster, capsys, *words):
    """What nova-manage says at last."""
    file = cluster.deployment.directory / 'etc' / 'super-conductor' / 'nova.conf'
    env = command.Env(nova_conf.new(args=['--config-file', str(file)]))
    capsys.readouterr()
    manage.run(list(words), env)
    return capsys.readouterr().out.splitlines()[-1]


def audit(cluster, capsys):
    """What nova-manage audit finds in the cluster."""
    return json.loads(managed(cluster, capsys, 'audit', '--json', '--between', '1', '--no-guests'))['found']


def run(case, world, demo, admin, large, capsys):
    uuid = demo.booted('crash')['id']
    source = host_of(admin, uuid)
    if case.operation in ('confirm', 'revert'):
        demo.act(uuid, 'resize', {'flavorRef': large}, 'VERIFY_RESIZE')
    if case.operation == 'evacuate':
        assert say_down(admin, source, True)
    kind, *arguments = case.means
    hold = kind(world, *arguments)
    back = None
    try:
        answer = admin.call('POST', f'/servers/{uuid}/action', body_of(case, demo, large))
        assert answer.status_code in (200, 202, 204), answer.text
        where, row = world.wait_step(uuid, case.step, parked=kind is process_crash.AtHost)
        back = trouble(case, world, names(case, world, where, row, source))
    finally:
        hold.release()
        if back is not None:
            back()
    rests(demo, uuid, RESTS[case.operation], process_crash.BACK)
    if case.operation == 'evacuate':
        until(lambda: say_down(admin, source, False), 30)
    until(lambda: not audit(world.cluster, capsys), 20, told=lambda: audit(world.cluster, capsys))
    demo.delete(uuid)


@pytest.mark.parametrize('case', SAMPLE, ids=lambda case: case.id)
def test_a_move_is_interrupted(case, world, demo, admin, large, capsys):
    run(case, world, demo, admin, large, capsys)


@pytest.mark.slow
@pytest.mark.parametrize('how', [crash.KILL, crash.STOP])
@pytest.mark.parametrize('victim', ['source', *crash.CONDUCTORS])
def test_a_drain_is_interrupted(victim, how, world, demo, admin, capsys):
    """It ends all the same, says what has become of the server, and the host returns."""
    uuid = demo.booted('crash')['id']
    source = host_of(admin, uuid)
    case = crash.Case('drain', 'migrate', (process_crash.AtHost, 'live_migrate', 'before', crash.HOLD),
                      (victim,), how)
    kind, *arguments = case.means
    hold = kind(world, *arguments)
    back = None
    try:
        managed(world.cluster, capsys, 'host', 'drain', source)
        where, row = world.wait_step(uuid, case.step, parked=True)
        back = trouble(case, world, names(case, world, where, row, source))
    finally:
        hold.release()
        if back is not None:
            back()

    def shown():
        return json.loads(managed(world.cluster, capsys, 'host', 'drain', source, '--show', '--json'))
    until(lambda: shown()['status'] in ('drained', 'partly drained'), 60, told=shown)
    rests(demo, uuid, ('ACTIVE',), process_crash.BACK)
    assert (host_of(admin, uuid) != source) == (shown()['moved'] == [uuid]) == (shown()['status'] == 'drained')
    managed(world.cluster, capsys, 'host', 'return', source)
    until(lambda: not audit(world.cluster, capsys), 20, told=lambda: audit(world.cluster, capsys))
    demo.delete(uuid)
