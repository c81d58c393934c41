"""Bringing an operation of a cluster to rest at a named step, and taking processes from under it.

A `Case` says what is done, at which of its steps it rests, by what means, and who dies there.
"""

import contextlib
import dataclasses
import json
import os
import random
import signal

import cluster_processes
import httpx
import sqlalchemy as sa
from oslo_db import exception as db_exc

from nova.common import dbkit
from nova.db import tasks as tables
from nova.tests.fixtures.waiting import PATIENCE, until

BACK = 60.0
"""Seconds within which an operation has ended once everybody is back. It takes less than 10 where one cluster
has the machine for itself; in CI three clusters share two cores."""


@dataclasses.dataclass(frozen=True)
class Case:
    """`means` is a kind of `Hold` and its arguments; `victims` are words that `World.resolve` knows."""

    operation: str
    step: str
    means: tuple
    victims: tuple

    @property
    def id(self):
        kind, *arguments = self.means
        words = arguments if kind is AtRest else [word for word in arguments if word in BEFORE_AFTER]
        return '-'.join([self.operation, self.step, *words, *self.victims])


class World:
    """A cluster as the crash tests see it: databases, processes, and how to hold operations up."""

    def __init__(self, cluster):
        self.cluster, self.processes = cluster, cluster.processes
        self.deployment = cluster.deployment
        self._dbs = {}

    def db(self, name):
        if name not in self._dbs:
            self._dbs[name] = dbkit.Database(self.deployment.database(name))
        return self._dbs[name]

    def close(self):
        for db in self._dbs.values():
            db.dispose()

    # Looking -------------------------------------------------------------------------------------

    def cell_of(self, uuid):
        """The cell whose journal has a task of the server; None before that."""
        for name in self.deployment.cells:
            with self.db(name).read() as conn:
                if conn.execute(sa.select(tables.tasks.c.id).where(
                        tables.tasks.c.instance_uuid == uuid)).first():
                    return name
        return None

    def open_task(self, uuid):
        """(database, row) of the open task that concerns a server, the one that chooses its host included.

        One that rests, to see what comes late, is none.
        """
        open_ones = sa.select(tables.tasks).where(tables.tasks.c.finished_at.is_(None),
                                                  ~tables.tasks.c.flow.startswith('remove_late'))
        for name in self.deployment.cells:
            with self.db(name).read() as conn:
                row = conn.execute(open_ones.where(tables.tasks.c.instance_uuid == uuid,
                                                   tables.tasks.c.status != 'inert')).first()
            if row:
                return name, row
        with self.db('api').read() as conn:
            for row in conn.execute(open_ones):
                if uuid in json.dumps(row.state):
                    return 'api', row
        return None

    def wait_step(self, uuid, step, parked=False, seconds=PATIENCE):
        """Return (database, row) when the server's operation is at `step`, and given to a host if `parked`."""
        def reached():
            found = self.open_task(uuid)
            return found and found[1].step == step and (found[1].status == 'parked' or not parked) and found

        def told():
            found = self.open_task(uuid)
            return f'the operation never came to {step}; it is at {found and found[1].step}'
        return until(reached, seconds, 0.02, told)

    def owner(self, where, row):
        """Name of the process that owns a task."""
        with self.db(where).read() as conn:
            return conn.execute(sa.select(tables.workers.c.host).where(
                tables.workers.c.uuid == row.owner)).scalar_one()

    # Taking and giving back ----------------------------------------------------------------------

    def resolve(self, word, where, row):
        """Processes that a victim's word means."""
        cell = where if where in self.deployment.cells else None
        match word:
            case 'owner':
                return [self.owner(where, row)]
            case 'compute':
                return [row.host]
            case 'conductors':
                return [f'{cell}-conductor1', f'{cell}-conductor2']
            case 'conductor':
                return [f'{cell}-conductor1']
        return [word]

    def kill(self, name):
        """kill -9."""
        if name in ('broker', 'database'):
            self.cluster.stop_server(name, signal.SIGKILL)
        else:
            self.processes.kill(name)

    def revive(self, names):
        """Start what was killed, and return when it is well."""
        for name in names:
            if name in ('broker', 'database'):
                self.cluster.start_server(name)
        ours = [name for name in names if name not in ('broker', 'database')]
        if ours:
            self.cluster.start(ours)


class Hold:
    """Keeps the operations of a cluster from going past a step.

    `prepare` is told of the server before the request, where there is one; `begun` after it; `release` lets go.
    """

    def __init__(self, world):
        self.world = world
        self._undo = contextlib.ExitStack()

    def prepare(self, uuid):
        pass

    def begun(self, uuid):
        pass

    def release(self):
        self._undo.close()

    # Ways of holding

    def lock_row(self, database, table, uuid):
        """Another client of a database has a row of the server for itself; reading is free."""
        key = 'uuid' if table == 'instances' else 'instance_uuid'
        conn = self.world.db(database).engine.connect()
        conn.exec_driver_sql(f"SELECT 1 FROM {table} WHERE {key} = '{uuid}' FOR UPDATE")

        def unlock():
            # The database may have been taken from under us.
            with contextlib.suppress(sa.exc.SQLAlchemyError, db_exc.DBError):
                conn.rollback()
            conn.invalidate()
            conn.close()
        return unlock

    def delay(self, service, method, path, when):
        """A neighbour takes its time before or after its work, until it is released."""
        url = f'http://127.0.0.1:{self.world.deployment.ports["sandbox"]}/sandbox/faults'
        httpx.post(url, json={'service': service, 'method': method, 'path': path, 'delay': 60.0,
                              'after': when == 'after'}).raise_for_status()
        return lambda: httpx.delete(url).raise_for_status()

    def stop(self, service):
        """A process stands still."""
        processes = self.world.processes
        pids = [processes.pid(service), *processes.workers(service)]
        lives = {pid: cluster_processes.start_time(pid) for pid in pids}
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)

        def go_on():
            for pid, began in lives.items():
                if cluster_processes.start_time(pid) == began:
                    os.kill(pid, signal.SIGCONT)
        return go_on


class AtHost(Hold):
    """Each host takes its time before or after an effect on a guest, once, until it is released, or so many
    seconds are over; a host's next life does not."""

    def __init__(self, world, operation, when, seconds=60):
        super().__init__(world)
        for host in world.deployment.hosts:
            file = world.deployment.directory / 'state' / 'compute' / host / 'faults.json'
            file.write_text(json.dumps({operation: {
                'do': 'hold', 'when': when, 'seconds': seconds, 'times': 1}}))
            self._undo.callback(file.unlink, missing_ok=True)


class AtNeighbour(Hold):
    """A neighbour takes its time before or after its work."""

    def __init__(self, world, service, method, path, when):
        super().__init__(world)
        self._undo.callback(self.delay(service, method, path, when))


class AtRest(Hold):
    """A process stands still."""

    def __init__(self, world, service):
        super().__init__(world)
        self._undo.callback(self.stop(service))


class AtTable(Hold):
    """Another client of the databases has a table of every cell for itself."""

    def __init__(self, world, table):
        super().__init__(world)
        for cell in world.deployment.cells:
            conn = world.db(cell).engine.connect()
            mysql = world.db(cell).dialect == 'mysql'
            conn.exec_driver_sql(f'LOCK TABLES {table} WRITE' if mysql else f'LOCK TABLE {table}')
            self._undo.callback(conn.close)
            self._undo.callback(conn.invalidate)


class AtRow(Hold):
    """A row of the server is locked from before the request."""

    def __init__(self, world, database, table):
        super().__init__(world)
        self._place = database, table

    def prepare(self, uuid):
        self._undo.callback(self.lock_row(*self._place, uuid))


class AtHandOver(Hold):
    """The scheduler stands still until the build request is locked."""

    def __init__(self, world):
        super().__init__(world)
        self._go_on = self.stop('scheduler')
        self._undo.callback(self._go_on)

    def begun(self, uuid):
        self._undo.callback(self.lock_row('api', 'build_requests', uuid))
        self._go_on()


class AtActivation(AtHandOver):
    """And the hand-over until the cell's task is locked."""

    def begun(self, uuid):
        unlock = self.lock_row('api', 'build_requests', uuid)
        self._go_on()
        try:
            self.world.wait_step(uuid, 'hand_over')
            self._undo.callback(self.lock_row(self.world.cell_of(uuid), 'tasks', uuid))
        finally:
            unlock()


class AtPurge(Hold):
    """The network service takes its time until the server's row is locked."""

    def __init__(self, world):
        super().__init__(world)
        self._go_on = self.delay('network', 'DELETE', '/v2.0/ports/', 'after')
        self._undo.callback(self._go_on)

    def begun(self, uuid):
        where, _ = self.world.wait_step(uuid, 'purge')
        self._undo.callback(self.lock_row(where, 'instances', uuid))
        self._go_on()


# What there is to try ----------------------------------------------------------------------------

POWER = {
    # operation: (step, effect, request, status before, status after)
    'stop': ('power_off', 'power_off', {'os-stop': None}, 'ACTIVE', 'SHUTOFF'),
    'start': ('power_on', 'power_on', {'os-start': None}, 'SHUTOFF', 'ACTIVE'),
    'pause': ('pause_guest', 'pause', {'pause': None}, 'ACTIVE', 'PAUSED'),
    'unpause': ('unpause_guest', 'unpause', {'unpause': None}, 'PAUSED', 'ACTIVE'),
    'suspend': ('suspend_guest', 'suspend', {'suspend': None}, 'ACTIVE', 'SUSPENDED'),
    'resume': ('resume_guest', 'resume', {'resume': None}, 'SUSPENDED', 'ACTIVE'),
    'reboot': ('reboot_soft', 'reboot', {'reboot': {'type': 'SOFT'}}, 'ACTIVE', 'ACTIVE'),
    'hard-reboot': ('reboot_hard', 'reboot', {'reboot': {'type': 'HARD'}}, 'ACTIVE', 'ACTIVE'),
}
BEFORE_AFTER = ('before', 'after')
SERVERS = ('broker', 'database')


def cases():
    """Every case, the same on every run."""
    for victims in (('super-conductor',), ('scheduler',), ('super-conductor', 'scheduler'), ('api',),
                    ('placement',), ('broker',), ('database',)):
        yield Case('build', 'choose_hosts', (AtRest, 'scheduler'), victims)
    for victims in (('super-conductor',), ('scheduler',), ('super-conductor', 'scheduler')):
        yield Case('build', 'choose_hosts', (AtRest, 'placement'), victims)
    for means, step in ((AtTable, 'write_cells'), (AtHandOver, 'hand_over'), (AtActivation, 'activate')):
        for victims in (('super-conductor',), ('database',), ('broker',)):
            yield Case('build', step, (means, 'instances') if means is AtTable else (means,), victims)
    for when in BEFORE_AFTER:
        for victims in (('owner',), ('super-conductor', 'conductors'), ('broker',), ('database',)):
            yield Case('build', 'make_ports', (AtNeighbour, 'network', 'POST', '/v2.0/ports', when),
                       victims)
        for victims in (('compute',), ('conductor',), ('conductors',), ('super-conductor',),
                        ('compute', 'conductors'), ('broker',), ('database',)):
            yield Case('build', 'spawn', (AtHost, 'spawn', when), victims)
        for victims in (('compute',), ('conductor',), ('conductors',), ('compute', 'conductors'), ('broker',),
                        ('database',)):
            yield Case('delete', 'destroy_guest', (AtHost, 'destroy', when), victims)
            for operation, (step, effect, *_) in POWER.items():
                yield Case(operation, step, (AtHost, effect, when), victims)
        for victims in (('owner',), ('conductors',), ('broker',), ('database',)):
            yield Case('delete', 'purge', (AtNeighbour, 'network', 'DELETE', '/v2.0/ports/', when),
                       victims)
    for victims in (('super-conductor',), ('conductors',), ('database',)):
        yield Case('delete', 'forget', (AtRow, 'api', 'instance_mappings'), victims)
        yield Case('delete', 'purge', (AtPurge,), victims)


def sample(count, seed=2):
    """Some of every operation; servers, which take long to come back, in few."""
    chosen = []
    every = list(cases())
    random.Random(seed).shuffle(every)
    quick = [case for case in every if not set(case.victims) & set(SERVERS)]
    slow = [case for case in every if case not in quick]
    seen = set()
    for case in quick:
        if (case.operation, case.step) not in seen:
            seen.add((case.operation, case.step))
            chosen.append(case)
    for server in SERVERS:
        for operation in ('build', 'delete', 'stop'):
            chosen.append(next(case for case in slow
                               if case.operation == operation and case.victims == (server,)))
    chosen += [case for case in quick if case not in chosen][:max(0, count - len(chosen))]
    return [case for case in cases() if case in chosen]
