"""Bringing an operation of a cluster to rest at a named step, and taking processes from under it.

A `Case` says what is done, at which of its steps it rests, by what means, and who dies there.
"""

import contextlib
import dataclasses
import json
import signal
import time

import httpx
import sqlalchemy as sa

from nova.common import dbkit
from nova.db import tasks as tables

BACK = 10.0
"""Seconds within which an operation has ended once everybody is back."""


@dataclasses.dataclass(frozen=True)
class Case:
    """`means` is a method of `Holds` and its arguments; `victims` are words that `World.resolve` knows."""

    operation: str
    step: str
    means: tuple
    victims: tuple

    @property
    def id(self):
        means = '-'.join(str(word) for word in self.means[1:] if word in ('before', 'after'))
        return '-'.join(filter(None, [self.operation, self.step, means, *self.victims]))


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
        """(database, row) of the open task that concerns a server, the one that chooses its host included."""
        open_ones = sa.select(tables.tasks).where(tables.tasks.c.finished_at.is_(None))
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

    def wait_step(self, uuid, step, seconds=10):
        """Return (database, row) when the server's operation is at `step`."""
        end = time.monotonic() + seconds
        found = None
        while time.monotonic() < end:
            found = self.open_task(uuid)
            if found and found[1].step == step:
                return found
            time.sleep(0.02)
        raise AssertionError(f'the operation never came to {step}; it is at {found and found[1].step}')

    def owner(self, where, row):
        """Name of the process that owns a task."""
        with self.db(where).read() as conn:
            return conn.execute(sa.select(tables.workers.c.host).where(
                tables.workers.c.uuid == row.owner)).scalar_one()

    # Taking and giving back ----------------------------------------------------------------------

    def resolve(self, word, where, row, uuid):
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

    def revive_all(self):
        """Whatever a test that failed left behind."""
        for number in (signal.SIGCONT,):
            for name in self.deployment.services:
                with contextlib.suppress(ProcessLookupError):
                    self.processes.signal(name, number)
        self.revive([name for name in self.deployment.services if self.processes.pid(name) is None])

    # Holding up ----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def hold(self, means, *arguments):
        with getattr(self, means)(*arguments) as release:
            yield release

    @contextlib.contextmanager
    def at_host(self, operation, when, seconds=2.0):
        """Each host takes its time before or after an effect on a guest; a host's next life does not."""
        files = [self.deployment.directory / 'state' / 'compute' / host / 'faults.json'
                 for host in self.deployment.hosts]
        for file in files:
            file.write_text(json.dumps({operation: {
                'do': 'delay', 'when': when, 'seconds': seconds, 'times': 1}}))

        def release():
            for file in files:
                file.unlink(missing_ok=True)
        try:
            yield release
        finally:
            release()

    @contextlib.contextmanager
    def at_neighbour(self, service, method, path, when):
        """A stand-in takes its time before or after its work."""
        base = self.deployment.url('sandbox-control').rpartition('/')[0] + '/sandbox/faults'
        httpx.post(base, json={'service': service, 'method': method, 'path': path, 'delay': 60.0,
                               'after': when == 'after'}).raise_for_status()

        def release():
            httpx.delete(base).raise_for_status()
        try:
            yield release
        finally:
            release()

    @contextlib.contextmanager
    def stopped(self, service):
        """A process stands still (SIGSTOP)."""
        doomed = [self.processes.pid(service), *self.processes.workers(service)]
        starts = [(pid, open(f'/proc/{pid}/stat').read().split()[21]) for pid in doomed]

        def release():
            for pid, began in starts:
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    if open(f'/proc/{pid}/stat').read().split()[21] == began:
                        self.processes_signal(pid, signal.SIGCONT)
        for pid in doomed:
            self.processes_signal(pid, signal.SIGSTOP)
        try:
            yield release
        finally:
            release()

    @staticmethod
    def processes_signal(pid, number):
        import os
        os.kill(pid, number)

    @contextlib.contextmanager
    def locked(self, *places):
        """Another client of the databases holds locks on tables: ``(database, table)`` each."""
        held = []
        for name, table in places:
            conn = self.db(name).engine.connect()
            conn.exec_driver_sql(f'LOCK TABLES {table} WRITE')
            held.append(conn)

        def release():
            while held:
                conn = held.pop()
                with contextlib.suppress(sa.exc.SQLAlchemyError):
                    conn.exec_driver_sql('UNLOCK TABLES')
                conn.invalidate()
                conn.close()
        try:
            yield release
        finally:
            release()
