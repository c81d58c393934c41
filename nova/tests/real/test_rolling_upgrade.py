"""A cluster of the release before is upgraded, service by service and in several orders, while users work.

Nobody's server fails by it, and nobody waits for longer than a service takes to start (UPG-S1).
"""

import threading
import time

import cluster_schema
import httpx
import pytest
import sqlalchemy as sa

from nova import ops
from nova.common import dbkit
from nova.db import tasks as tables
from nova.task import flow as flows
from nova.tests.fixtures.waiting import until
from nova.tests.functional import leaks
from nova.tests.functional.conftest import User
from nova.tests.real import conftest, previous

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600, func_only=True)]

USERS = 3
MORE = 2
"""Servers that are begun and gone between two services that are upgraded."""
LIMIT = 300.0
"""Seconds after which something that is waited for does not come."""
SERVICES = ('placement', 'scheduler', 'super-conductor', 'conductor', 'compute', 'api')
ORDERS = [SERVICES[turn:] + SERVICES[:turn] for turn in range(len(SERVICES))] + [SERVICES[::-1]]
"""Each service in each place."""
OPTIONS = {**conftest.QUICK, 'report_interval': 2}


@pytest.fixture(scope='module')
def code(tmp_path_factory):
    return previous.checkout(tmp_path_factory.mktemp('previous'))


@pytest.fixture(scope='module')
def cluster(code, tmp_path_factory):
    """Of the release before, on the schema of this one."""
    directory = tmp_path_factory.mktemp('cluster')
    directory.chmod(0o755)
    made = previous.cluster_of(code).up(directory / 'cluster', options=OPTIONS, say=lambda text: None)
    try:
        cluster_schema.upgrade(made.deployment)
        yield made
    finally:
        made.down()


class Load(threading.Thread):
    """A user who makes servers, does something with each, and deletes it, until he is told to stop."""

    def __init__(self, cluster, number):
        super().__init__(name=f'user-{number}', daemon=True)
        self.user, self.number = User(cluster, 'demo'), number
        self.enough, self.done, self.error = threading.Event(), 0, None

    def run(self):
        try:
            while not self.enough.is_set():
                self.live(f'{self.name}-{self.done}')
                self.done += 1
        except Exception as error:  # noqa: BLE001  whoever waits for us tells of it
            self.error = error

    def call(self, method, path, body=None):
        """The answer, once the API is there and has got it: its restart may cut a request off, or its answer.

        Asked again, what was done already is 409 or 404.
        """
        end, again = time.monotonic() + LIMIT, False
        while True:
            try:
                answer = self.user.call(method, path, body)
                if answer.status_code not in (502, 503):
                    refused = answer.status_code >= 400 and not again and method != 'GET'
                    assert answer.status_code < 500 and not refused, (
                        method, path, answer.status_code, answer.text)
                    return answer
            except httpx.TransportError:
                again = True
            assert time.monotonic() < end, (method, path)
            time.sleep(0.2)

    def wait(self, uuid, status):
        def reached():
            server = self.call('GET', f'/servers/{uuid}').json()['server']
            assert server['status'] != 'ERROR', (server['id'], server.get('fault'))
            return server['status'] == status and server['OS-EXT-STS:task_state'] is None
        until(reached, LIMIT, 0.2, lambda: (status, self.call('GET', f'/servers/{uuid}').json()))

    def live(self, name):
        body = {'server': {'name': name, 'imageRef': self.user.image, 'flavorRef': '1',
                           'networks': [{'uuid': self.user.network}]}}
        self.call('POST', '/servers', body)
        for server in self.call('GET', f'/servers?name=^{name}$').json()['servers']:
            self.wait(server['id'], 'ACTIVE')
            first = ('pause', 'PAUSED', 'unpause') if self.done % 2 else ('os-stop', 'SHUTOFF', 'os-start')
            for action, status in ((first[0], first[1]), (first[2], 'ACTIVE')):
                self.call('POST', f'/servers/{server["id"]}/action', {action: None})
                self.wait(server['id'], status)
            self.call('DELETE', f'/servers/{server["id"]}')
            until(lambda uuid=server['id']: self.call('GET', f'/servers/{uuid}').status_code == 404, LIMIT, 0.2)


class Users:
    def __init__(self, cluster):
        self.all = [Load(cluster, number) for number in range(USERS)]
        for one in self.all:
            one.start()

    def go_on(self):
        """Return when more servers have come and gone."""
        before = sum(one.done for one in self.all)

        def more():
            for one in self.all:
                if one.error is not None:
                    raise one.error
            return sum(one.done for one in self.all) >= before + MORE
        until(more, LIMIT, 0.2, lambda: [one.done for one in self.all])

    def end(self):
        for one in self.all:
            one.enough.set()
        for one in self.all:
            one.join(LIMIT)
            assert not one.is_alive() and one.error is None, one.error


def processes_of(cluster, service):
    return [name for name in cluster.deployment.services
            if name == service or (service in ('conductor', 'compute') and name != 'super-conductor'
                                   and service in name)]


def newest_build(cluster):
    """Version of the newest build in the cells."""
    found = []
    for cell in cluster.deployment.cells:
        db = dbkit.Database(cluster.deployment.database(cell))
        with db.read() as conn:
            found += conn.execute(sa.select(tables.tasks.c.created_at, tables.tasks.c.flow_version).where(
                tables.tasks.c.flow == 'build')).all()
        db.dispose()
    return max(found)[1]


@pytest.mark.parametrize('order', ORDERS, ids=['-'.join(order) for order in ORDERS])
def test_services_are_upgraded_while_users_work(cluster, code, order):
    ops.load()
    newest = flows.find('build').version
    names = [name for name in cluster.deployment.services if name not in cluster.deployment.neighbours]
    for name in names:
        if name not in cluster.processes.checkouts:
            cluster.processes.replace(name, code)
    users = Users(cluster)
    users.go_on()
    assert newest_build(cluster) == '1.0' != newest
    for service in order:
        for name in processes_of(cluster, service):
            cluster.processes.replace(name)
        users.go_on()
    # When the last sign of the release before is old enough, operations begin in the form of this one.
    until(lambda: users.go_on() or newest_build(cluster) == newest, LIMIT, 0.2)
    users.go_on()
    users.end()
    leaks.check(cluster, User(cluster, 'admin'))
