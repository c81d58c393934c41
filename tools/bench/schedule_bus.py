"""Decisions of schedulers that are processes and are asked over RPC: ours, or ours and upstream's in turns.

Hosts are rows of databases and resource providers, by turns in the cells. Of ours and of upstream's nothing
runs but schedulers, Placement and the API, each on a MariaDB, a RabbitMQ and stand-ins of its own. Clients are
a process in the environment of each (``schedule_clients.py``).
"""

import contextlib
import itertools
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time
import uuid

import cluster_load
import many_hosts
import sqlalchemy as sa
from cluster_load import Cpu

from nova import objects
from nova.common import clock, dbkit
from nova.db.api.models import api_metadata
from nova.db.cell.models import cell_metadata

sys.path.insert(0, str(cluster_load.ROOT / 'tools' / 'lib'))

import servers
import upstream

HERE = pathlib.Path(__file__).resolve().parent
BUSY, PAUSE = 100.0, 2.0
"""Milliseconds a second above which schedulers have not settled yet, and seconds between two looks."""
START = 600.0
"""Seconds in which schedulers must have started."""


class Target:
    """One of the two.

    Attributes:
        hosts: {name: uuid of its node} of those that it has been given.
    """

    name: str
    python: pathlib.Path

    def __init__(self, cluster):
        self.cluster, self.hosts = cluster, {}
        deployment = cluster.deployment
        self.conf = deployment.directory / 'etc' / 'api' / 'nova.conf'
        self._databases = {name: dbkit.Database(deployment.database(name))
                           for name in ('api', *deployment.cells)}
        self._like = self.write()
        self._clients = subprocess.Popen(
            [self.python, HERE / 'schedule_clients.py', self.name, self.conf], text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, cwd=deployment.directory, env={**os.environ, 'PYTHONPATH': ''})

    def write(self):
        """Write a host in each cell, {cell: its name}."""
        raise NotImplementedError

    def tables(self, name):
        """The tables of a database."""
        raise NotImplementedError

    def tell(self):
        """Tell schedulers that have just started what hosts tell them."""

    def add(self, names):
        """Have these hosts, too."""
        nodes, cells = {name: str(uuid.uuid4()) for name in names}, list(self._like)
        for number, cell in enumerate(cells):
            mine = dict(itertools.islice(nodes.items(), number, None, len(cells)))
            many_hosts.multiply([(self._databases[name], self.tables(name)) for name in (cell, 'api')],
                                self._like[cell], mine)
        many_hosts.offer(self.cluster.deployment.url('placement'), self.cluster.token('admin'), nodes)
        self.hosts |= nodes

    def run(self, count):
        """Have so many schedulers that have just started, and have settled."""
        names, running = self.cluster.deployment.schedulers, self.cluster.processes
        running.stop(names)
        self.cluster.start(names[:count])
        servers.wait_for('schedulers', lambda: ('scheduler', count) in [one[:2] for one in self._listened()],
                         START)
        self.tell()
        servers.wait_for('schedulers', self._settled, START)
        self._ask(4 * count, 0)  # what is done for the first time only

    def _listened(self):
        """[queue, consumers, messages] of those that schedulers listen on."""
        lines = servers.rabbitmqctl(
            self.cluster.deployment.directory / 'servers', '-q', 'list_queues', '-p', 'top',
            '--no-table-headers', 'name', 'consumers', 'messages')
        each = [(name, int(consumers), int(messages)) for name, consumers, messages in map(str.split, lines)]
        return [one for one in each if one[0].startswith('scheduler') and one[1]]

    def _settled(self):
        """Whether schedulers have nothing to do."""
        return (not sum(messages for _, _, messages in self._listened())
                and Cpu(self.cluster).during(PAUSE).get('scheduler', 0) < BUSY)

    def _ask(self, clients, seconds):
        print(clients, seconds, file=self._clients.stdin, flush=True)
        line = self._clients.stdout.readline()
        if not line:
            raise SystemExit(f'The clients of {self.name} have ended')
        return json.loads(line)

    def measure(self, clients, seconds):
        """Have so many clients ask for so long: decisions a second, and processor milliseconds of one."""
        cpu = Cpu(self.cluster)
        found = self._ask(clients, seconds)
        count = len(found['each'])
        spent = cpu.spent(count) | {'client': 1e3 * found['processor'] / count}
        rate, all_of_it = count / found['seconds'], sum(spent.values())
        median = 1e3 * statistics.median(found['each'])
        print(f'  {self.name:9} {rate:9.2f} a second, {median:.0f} ms each (median), '
              f'{found["refused"]} of {count} without a host; {all_of_it:.1f} ms of processor time: '
              + ', '.join(f'{name} {ms:.2f}' for name, ms in spent.items() if ms >= 0.01), flush=True)
        return rate, all_of_it

    def close(self):
        """End the clients."""
        self._clients.terminate()
        self._clients.wait()
        for db in self._databases.values():
            db.dispose()


class Ours(Target):
    name, python = 'ours', pathlib.Path(sys.executable)

    def write(self):
        like = {}
        with self._databases['api'].read() as conn:
            mappings = {mapping.name: mapping.id for mapping in objects.CellMapping.all(conn)}
        for cell in self.cluster.deployment.cells:
            host = like[cell] = f'like-{cell}'
            self._databases[cell].write(lambda conn, host=host: (
                objects.Service(uuid=str(uuid.uuid4()), host=host, binary='nova-compute',
                                last_seen_up=clock.utcnow()).create(conn),
                objects.ComputeNode(uuid=str(uuid.uuid4()), host=host, hypervisor_hostname=host,
                                    hypervisor_type='fake', host_ip='192.0.2.1', vcpus=32, memory_mb=131072,
                                    local_gb=2000).create(conn)))
            mapped = objects.HostMapping(cell_id=mappings[cell], host=host)
            self._databases['api'].write(mapped.create)
        return like

    def tables(self, name):
        return api_metadata if name == 'api' else cell_metadata


class Theirs(Target):
    name, python = 'upstream', upstream.SCRIPTS / 'python'

    def _there(self, what, said=None):
        """What its own objects do."""
        done = subprocess.run([self.python, HERE / 'upstream_hosts.py', self.conf, what], check=True, text=True,
                              input=said, stdout=subprocess.PIPE, cwd=self.cluster.deployment.directory,
                              env={**os.environ, 'PYTHONPATH': ''})
        return done.stdout

    def write(self):
        return json.loads(self._there('write'))

    def tables(self, name):
        found = sa.MetaData()
        found.reflect(self._databases[name].engine, only=lambda table, _: table in many_hosts.TABLES)
        return found

    def tell(self):
        self._there('tell', json.dumps(list(self.hosts)))


def compare(directory, hosts, schedulers, clients, seconds):
    """Print decisions of both, with so many hosts, schedulers and clients.

    Args:
        directory: of upstream, which is used for nothing else: hosts stay there.

    Raises:
        SystemExit: upstream cannot be asked for that.
    """
    theirs = upstream.Upstream.at(directory.absolute())
    facts = theirs.deployment
    if facts.computes or facts.scheduler_count < max(schedulers):
        raise SystemExit(f'{directory} must be made with --computes 0 --schedulers {max(schedulers)}')
    with (made(max(schedulers), facts.workers, facts.cell_count) as ours,
          contextlib.closing(Theirs(theirs)) as other):
        measure([ours, other], hosts, schedulers, clients, seconds)


def alone(hosts, schedulers, clients, seconds, mariadb_driver):
    """Print decisions of ours, with so many hosts, schedulers and clients."""
    with made(max(schedulers), mariadb_driver=mariadb_driver) as ours:
        measure([ours], hosts, schedulers, clients, seconds)


@contextlib.contextmanager
def made(schedulers, workers=2, cells=2, mariadb_driver='pymysql'):
    """A cluster of ours."""
    with cluster_load.made(
            computes=0, workers=workers, cells=cells, schedulers=schedulers, mariadb_driver=mariadb_driver,
            options={'service_down_time': upstream.LONG}) as cluster:
        cluster.processes.stop([name for name in cluster.deployment.services if 'conductor' in name])
        with contextlib.closing(Ours(cluster)) as ours:
            yield ours


def measure(targets, hosts, schedulers, clients, seconds):
    """Each of the targets in turns."""
    for count in sorted(hosts):
        for one in targets:
            began = time.monotonic()
            one.add([f'host{number}' for number in range(len(one.hosts), count)])
            print(f'{one.name} has {count} hosts after {time.monotonic() - began:.0f} s', flush=True)
        for number in schedulers:
            for one in targets:
                one.run(number)
            for many in clients:
                print(f'{count} hosts, {number} schedulers, {many} clients', flush=True)
                mine, *theirs = (one.measure(many, seconds) for one in targets)
                for rate, processor in theirs:
                    print(f'  {mine[0] / rate:.1f} times as many, {processor / mine[1]:.1f} times less '
                          'processor time', flush=True)
