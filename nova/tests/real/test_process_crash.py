"""kill -9 of the processes of a cluster while an operation rests at a step (TSK-S2, TSK-S3, invariants 1.13).

Once everybody is back, the operation ends within `process_crash.BACK` seconds: done, or cleanly undone; nothing
is left over, nothing stays in an -ing state. ``-m cluster`` takes a sample, on MariaDB;
``-m "cluster or slow"`` takes all, on each database.
"""

import os
import signal
import threading
import time

import httpx
import pytest

from nova.tests.fixtures.waiting import until
from nova.tests.functional import leaks
from nova.tests.real import process_crash as crash

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]

SAMPLE = crash.sample(60)


@pytest.fixture(autouse=True)
def whole(world, demo, admin):
    """After each case all processes are there and nothing has leaked."""
    yield
    world.cluster.start_missing()
    leaks.check(world.cluster, admin)


TO = {'SHUTOFF': 'os-stop', 'PAUSED': 'pause', 'SUSPENDED': 'suspend'}
FROM = {'SHUTOFF': 'os-start', 'PAUSED': 'unpause', 'SUSPENDED': 'resume'}


class Subject:
    """A server to try things on, made anew when a case has spoilt it."""

    def __init__(self, demo):
        self._demo, self._uuid = demo, None

    def in_status(self, status):
        """Its uuid, once it is in `status`."""
        demo, now = self._demo, None
        if self._uuid is not None:
            now = demo.show(self._uuid)['status']
            if now == 'ERROR':
                self.remove()
        if self._uuid is None:
            self._uuid, now = demo.booted('subject')['id'], 'ACTIVE'
        if now != status and now in FROM:
            demo.act(self._uuid, FROM[now], None, 'ACTIVE')
        if now != status and status in TO:
            demo.act(self._uuid, TO[status], None, status)
        return self._uuid

    def remove(self):
        if self._uuid is not None:
            self._demo.delete(self._uuid)
            self._uuid = None


@pytest.fixture(scope='module')
def subject(demo):
    subject = Subject(demo)
    yield subject
    subject.remove()


def request(case, demo, uuid):
    """Send what the case is about; returns the server's uuid."""
    if case.operation == 'build':
        answer = demo.boot('crash')
        assert answer.status_code == 202, answer.text
        return answer.json()['server']['id']
    if case.operation == 'delete':
        assert demo.call('DELETE', f'/servers/{uuid}').status_code == 204
    else:
        answer = demo.call('POST', f'/servers/{uuid}/action', crash.POWER[case.operation][2])
        assert answer.status_code == 202, answer.text
    return uuid


def wait_end(case, demo, uuid, seconds):
    """The operation ends as it should have, or as if it had never been asked for.

    A build may fail, with nothing left of it but the reason, when those were away that choose and claim hosts.
    """
    wanted = {'build': ('ACTIVE',), 'delete': (None,)}.get(case.operation) or crash.POWER[case.operation][3:]
    if case.operation == 'build' and {'placement', 'database', 'scheduler'} & set(case.victims):
        wanted = ('ACTIVE', 'ERROR')
    def ask():
        return demo.call('GET', f'/servers/{uuid}')

    def reached():
        answer = ask()
        server = answer.json()['server'] if answer.status_code == 200 else None
        if answer.status_code == 404 and None in wanted:
            return True
        return server and server['status'] in wanted and server['OS-EXT-STS:task_state'] is None
    until(reached, seconds, told=lambda: (f'after {seconds:.0f} s', ask().text))


def run(case, world, demo, subject):
    uuid = None
    if case.operation == 'delete':
        uuid = demo.booted('crash')['id']
    elif case.operation != 'build':
        uuid = subject.in_status(crash.POWER[case.operation][3])
    kind, *arguments = case.means
    hold = kind(world, *arguments)
    try:
        if uuid is not None:
            hold.prepare(uuid)
        uuid = request(case, demo, uuid)
        hold.begun(uuid)
        where, row = world.wait_step(uuid, case.step, parked=kind is crash.AtHost)
        victims = [name for word in case.victims for name in world.resolve(word, where, row)]
        for name in victims:
            world.kill(name)
    finally:
        hold.release()
    # Of two conductors of a cell the other one takes over; nobody waits for the dead one.
    dead = [name for name in victims if 'conductor' in name and name != 'super-conductor' and len(victims) == 1]
    world.revive([name for name in victims if name not in dead])
    wait_end(case, demo, uuid, crash.BACK)
    world.revive(dead)
    if case.operation == 'build':
        demo.delete(uuid)


@pytest.mark.parametrize('case', SAMPLE, ids=lambda case: case.id)
def test_killed_at_a_step(case, world, demo, subject):
    run(case, world, demo, subject)


@pytest.mark.slow
@pytest.mark.parametrize(
    'case', [case for case in crash.cases() if case not in SAMPLE], ids=lambda case: case.id)
def test_killed_at_any_step(case, world, demo, subject):
    run(case, world, demo, subject)


@pytest.mark.parametrize('pause', [0.0, 0.02, 0.05, 0.1])
def test_api_workers_die_while_they_answer(pause, world, demo):
    """The client has no answer, and either no server or a whole one."""
    name = f'unanswered-{pause}'
    answers = []

    def post():
        try:
            answers.append(demo.boot(name).status_code)
        except httpx.TransportError as error:
            answers.append(error)
    demo.image, demo.network, demo.token  # noqa: B018  asked for beforehand
    poster = threading.Thread(target=post)
    poster.start()
    time.sleep(pause)
    for pid in world.processes.workers('api'):
        os.kill(pid, signal.SIGKILL)
    poster.join(30)
    assert answers
    world.processes.wait_healthy(['api'])
    for server in demo.get(f'/servers?name={name}')['servers']:
        demo.wait(server['id'], 'ACTIVE', crash.BACK)
        demo.delete(server['id'])


def test_post_while_the_broker_is_down(world, demo):
    """The answer is as quick as ever, and the server is built when the broker is back."""
    world.kill('broker')
    began = time.monotonic()
    answer = demo.boot('patient')
    took = time.monotonic() - began
    assert answer.status_code == 202 and took < 3, took
    world.revive(['broker'])
    uuid = answer.json()['server']['id']
    demo.wait(uuid, 'ACTIVE', crash.BACK)
    demo.delete(uuid)


@pytest.mark.parametrize('what', crash.SERVERS)
def test_a_server_is_restarted_under_load(what, world, demo, subject):
    """In good order, as in an upgrade: whatever was accepted before or meanwhile is done in the end."""
    waiting = subject.in_status('ACTIVE')
    uuids = [demo.boot(f'begun-{number}').json()['server']['id'] for number in range(4)]
    doomed = demo.booted('doomed')['id']
    assert demo.call('POST', f'/servers/{waiting}/action', {'os-stop': None}).status_code == 202
    assert demo.call('DELETE', f'/servers/{doomed}').status_code == 204
    world.cluster.stop_server(what)
    meanwhile = demo.boot('meanwhile')
    assert meanwhile.status_code == 202 or (what == 'database' and meanwhile.status_code >= 500), meanwhile.text
    world.revive([what])
    if meanwhile.status_code == 202:
        uuids.append(meanwhile.json()['server']['id'])
    demo.wait(waiting, 'SHUTOFF', crash.BACK)
    demo.gone(doomed, crash.BACK)
    for uuid in uuids:
        wait_end(crash.Case('build', '', (), (what,)), demo, uuid, crash.BACK)
        demo.delete(uuid)
