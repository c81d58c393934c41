"""Cells that cannot be used, for every reason there is, on MariaDB (CEL-F2, LST-F1; 16.1, 16.2, 16.4).

Each case takes one cell away while the services run, asks for what everybody asks all day, boots servers, and
gives the cell back: then all is as it was, without a restart.
"""

import contextlib
import socket
import time

import pytest
import sqlalchemy as sa

from nova.tests.fixtures.waiting import PATIENCE, until
from nova.tests.functional import leaks
from nova.tests.real.conftest import QUICK

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

SOON = 8.0
"""Seconds within which a request is answered whatever a cell does: ``[api] cell_timeout`` and some."""


@pytest.fixture(scope='module')
def cluster(run_cluster):
    yield from run_cluster('mariadb', QUICK)


@pytest.fixture(scope='module')
def sql(cluster):
    """``sql(STATEMENT)`` as the database's administrator."""
    socket_file = cluster.deployment.directory / 'servers' / 'm.sock'
    engine = sa.create_engine(f'mysql+pymysql://root@localhost/?unix_socket={socket_file}',
                              isolation_level='AUTOCOMMIT')

    def run(statement):
        with engine.connect() as conn:
            return conn.exec_driver_sql(statement)
    yield run
    engine.dispose()


@contextlib.contextmanager
def denied(cluster, sql, name):
    """The password was changed; who is connected is thrown out."""
    user = f"'nova_{name}'@'127.0.0.1'"
    sql(f"ALTER USER {user} IDENTIFIED BY 'changed'")
    _throw_out(sql, f'nova_{name}')
    yield
    sql(f"ALTER USER {user} IDENTIFIED BY '{cluster.deployment.passwords[f'db:nova_{name}']}'")


def _throw_out(sql, user):
    for row in sql(f"SELECT id FROM information_schema.processlist WHERE user = '{user}'").all():
        with contextlib.suppress(sa.exc.DBAPIError):  # it has left by itself
            sql(f'KILL {row[0]}')


@contextlib.contextmanager
def without_tables(cluster, sql, name):
    """Another schema than the services know."""
    for table in ('instances', 'services', 'tasks'):
        sql(f'RENAME TABLE nova_{name}.{table} TO nova_{name}.{table}_away')
    yield
    for table in ('instances', 'services', 'tasks'):
        sql(f'RENAME TABLE nova_{name}.{table}_away TO nova_{name}.{table}')


@contextlib.contextmanager
def moved_to(sql, name, port):
    """The mapping says that the cell's database is at this port."""
    was, = sql(f"SELECT database_connection FROM nova_api.cell_mappings WHERE name = '{name}'").one()
    where = sa.make_url(was).set(port=port).render_as_string(hide_password=False)
    sql(f"UPDATE nova_api.cell_mappings SET database_connection = '{where}' WHERE name = '{name}'")
    yield
    sql(f"UPDATE nova_api.cell_mappings SET database_connection = '{was}' WHERE name = '{name}'")


@contextlib.contextmanager
def refused(cluster, sql, name):
    """Nobody listens at its port."""
    with contextlib.closing(socket.socket()) as nobody:
        nobody.bind(('127.0.0.1', 0))
        with moved_to(sql, name, nobody.getsockname()[1]):
            yield


@contextlib.contextmanager
def silent(cluster, sql, name):
    """Its port takes connections, and never says a word."""
    with contextlib.closing(socket.create_server(('127.0.0.1', 0), backlog=1024)) as server:
        with moved_to(sql, name, server.getsockname()[1]):
            yield


WAYS = [pytest.param(way, marks=marks, id=way.__name__) for way, marks in (
    (denied, ()), (without_tables, pytest.mark.slow), (refused, pytest.mark.slow), (silent, ()))]


def ask_around(user, paths=('/servers', '/servers/detail', '/os-availability-zone')):
    for path in paths:
        began = time.monotonic()
        answer = user.call('GET', path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        assert time.monotonic() - began < SOON, path


def boot_some(demo, count, seconds=PATIENCE):
    """Servers that are ACTIVE in time."""
    uuids = [demo.boot(f'away-{number}').json()['server']['id'] for number in range(count)]
    for uuid in uuids:
        demo.wait(uuid, 'ACTIVE', seconds)
    return uuids


@pytest.mark.parametrize('way', WAYS)
def test_a_cell_is_away(cluster, sql, demo, admin, way):
    """Everybody is answered, and boots go into the other cell."""
    with way(cluster, sql, 'cell2'):
        ask_around(demo)
        ask_around(admin, ('/servers/detail?all_tenants=1', '/os-services', '/os-hypervisors'))
        uuids = boot_some(demo, 3)
        homes = {cluster.deployment.hosts[admin.show(uuid)['OS-EXT-SRV-ATTR:host']] for uuid in uuids}
        assert homes == {'cell1'}
    for uuid in uuids:
        demo.delete(uuid)
    settle(cluster, admin, demo)


@pytest.mark.parametrize('way', WAYS[:2])
def test_cell0_is_away(cluster, sql, demo, admin, way):
    """Lists and boots go on; a server for which there is no host ends in ERROR once cell0 is back."""
    with way(cluster, sql, 'cell0'):
        ask_around(demo)
        ask_around(admin, ('/servers/detail?all_tenants=1', '/os-services', '/os-hypervisors'))
        lives, = boot_some(demo, 1)
        too_large = demo.boot('too-large', flavorRef=_giant(admin)).json()['server']['id']
        time.sleep(3)  # it has been tried several times by then
        assert demo.show(too_large)['status'] == 'BUILD'
    shown = demo.wait(too_large, 'ERROR', 90)
    assert 'No valid host' in shown['fault']['message']
    for uuid in (lives, too_large):
        demo.delete(uuid)
    settle(cluster, admin, demo)


def _giant(admin):
    """Id of a flavor that no host has room for."""
    found = {flavor['name']: flavor['id'] for flavor in admin.get('/flavors')['flavors']}
    if 'giant' not in found:
        wanted = {'name': 'giant', 'vcpus': 1, 'ram': 64, 'disk': 99999}
        made = admin.call('POST', '/flavors', {'flavor': wanted})
        found['giant'] = made.json()['flavor']['id']
    return found['giant']


def settle(cluster, admin, demo):
    """The cell is back: its hosts are up, and given servers, without a restart; nothing is left over."""
    def down():
        return [one['host'] for one in admin.get('/os-services?binary=nova-compute')['services']
                if one.get('state') != 'up']
    until(lambda: not down(), 60, 0.5, down)
    hosts = sorted(host for host, cell in cluster.deployment.hosts.items() if cell == 'cell2')
    made = demo.boot('back').json()['server']['id']
    demo.wait(made, 'ACTIVE')
    # The scheduler asks a cell that was silent again every few seconds.
    until(lambda: _boots_on(admin, hosts[0]), told=lambda: f'{hosts[0]} is up, and given no servers')
    demo.delete(made)
    leaks.check(cluster, admin)


def _boots_on(admin, host):
    """Whether a server that has to be on this host is built there; it is deleted again."""
    uuid = admin.boot('back', availability_zone=f'nova:{host}').json()['server']['id']
    ended = admin.ended(uuid)
    admin.delete(uuid)
    return ended['status'] == 'ACTIVE' or None
