"""A whole cluster of real processes on loopback: a database server, RabbitMQ, Placement and API under gunicorn,
scheduler, super-conductor, and cells with their own databases, vhosts, conductors and compute hosts.

    tools/cluster up [--database mariadb|postgresql] [--dir DIR] [--cells N] [--computes N]
    tools/cluster up --driver libvirt     two simulated hosts with libvirt and guests of QEMU; needs root
    tools/cluster status [--dir DIR]      who runs, and who is well
    tools/cluster start [--dir DIR]       starts again what does not run
    tools/cluster down [--dir DIR]

Identity, image, network and volume are the sandbox's, in a process of their own.
"""

import argparse
import json
import pathlib
import shutil
import signal
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any, Self

import cluster_config
import cluster_processes
import cluster_schema
import guest_hosts
import servers

DEFAULT = pathlib.Path(tempfile.gettempdir()) / 'nova-cluster'
NO_LIMITS = {f'quota.{name}': -1 for name in ('instances', 'cores', 'ram')}
"""Options with which a project may have as many servers as it likes."""


class Cluster:
    """A cluster in a directory.

    Attributes:
        deployment: see `cluster_config.Deployment`; the same questions as of a standalone one.
        processes: those of nova and its neighbours; what is below them are the `SERVERS`.
    """

    SERVERS: tuple[str, ...] = ('database', 'broker')
    DEPLOYMENT = cluster_config.Deployment

    def __init__(self, deployment: cluster_config.Deployment, say: Callable[[str], object] = print) -> None:
        self.deployment, self._say = deployment, say
        self.processes = self._make_processes()
        self._servers = deployment.directory / 'servers'

    def _make_processes(self) -> cluster_processes.Processes:
        return cluster_processes.Processes(self.deployment)

    @classmethod
    def up(cls, directory: pathlib.Path, database: str = 'mariadb', computes: int = 4, workers: int = 2,
           options: dict[str, Any] | None = None, ports: dict[str, int] | None = None,
           say: Callable[[str], object] = print, driver: str = 'fake',
           mariadb_driver: str = 'pymysql', cells: int = 2, together: int = 1,
           schedulers: int = 1) -> Self:
        """Make a cluster and return when servers can be booted; what fails leaves nothing running.

        Args:
            driver: of the compute hosts: fake or libvirt.
            mariadb_driver: as of the deployment.
            cells, schedulers: how many.
            together: as of the deployment.
        """
        directory.mkdir(parents=True, mode=0o755)
        found = cls(cls.DEPLOYMENT.make(
            directory, database, computes, workers, options, ports, cells, together, schedulers), say)
        found.deployment.mariadb_driver = mariadb_driver
        found.deployment.save()
        try:
            if driver == 'libvirt':
                found._start_hosts()
            found._begin()
        except BaseException:
            found._end_all()
            raise
        return found

    @classmethod
    def at(cls, directory: pathlib.Path) -> Self:
        """The cluster that lives in `directory`."""
        return cls(cls.DEPLOYMENT.load(directory))

    def _begin(self) -> None:
        began = time.monotonic()
        self._start_servers()
        self._say('Making the schema and the cells')
        self._fill()
        self._say(f'Starting {len(self.deployment.services)} processes')
        self.start(self.deployment.services)
        self._populate()
        self._wait_hosts(180)
        self.deployment.made = True
        self.deployment.save()
        self._say(f'The cluster is up after {time.monotonic() - began:.0f} s')

    def _start_hosts(self) -> None:
        """Hosts for guests of QEMU, and a guest that boots in seconds."""
        self._say('Making a guest, and hosts with libvirt')
        guest_hosts.build()
        hosts = guest_hosts.Hosts.up(list(self.deployment.hosts))
        self.deployment.guests = str(hosts.directory)
        self.deployment.save()

    def _start_servers(self) -> None:
        """Databases, broker, and the configuration files that name them."""
        deployment = self.deployment
        self._servers.mkdir(exist_ok=True)
        self._say(f'Starting {deployment.database_kind} and RabbitMQ')
        line = servers.rabbitmq(self._servers, cluster_config.broker_definitions(deployment))
        deployment.broker = self.way_to('broker', line.partition('@')[2].rstrip('/'))
        url = {'mariadb': servers.mariadb, 'postgresql': servers.postgresql}[deployment.database_kind](
            self._servers).partition('=')[2]
        cluster_schema.make_databases(deployment, url)
        deployment.server = self.way_to('database', deployment.server)
        deployment.save()
        cluster_config.write_files(deployment)

    def way_to(self, what: str, address: str) -> str:
        """Where processes reach one of the `SERVERS`: at its address; a test may put something in between."""
        return address

    def _fill(self) -> None:
        cluster_schema.fill(self.deployment)

    def _populate(self) -> None:
        for flavor in cluster_schema.FLAVORS:
            self._make_flavor(*flavor)

    def start(self, names: Sequence[str], wait: float = 300.0) -> None:
        """Start those of these processes that do not run, and wait until all are well."""
        for name in names:
            if self.processes.pid(name) is None:
                self.processes.start(name)
        self.processes.wait_healthy(list(names), wait)

    def start_missing(self) -> list[str]:
        """Start what does not run, the servers below first; returns its names."""
        servers_down = [what for what in self.SERVERS if not self._server_runs(what)]
        for what in servers_down:
            self.start_server(what)
        down = [name for name in self.deployment.services if self.processes.pid(name) is None]
        self.start(self.deployment.services)
        return [*map(self.server_name, servers_down), *down]

    # The servers below ---------------------------------------------------------------------------

    def server_name(self, what: str) -> str:
        """``rabbitmq`` for broker, the kind of database for database."""
        return {'broker': 'rabbitmq', 'database': self.deployment.database_kind}.get(what, what)

    def stop_server(self, what: str, how: int = signal.SIGTERM) -> None:
        """End one of the `SERVERS`."""
        servers.end(self._servers, self.server_name(what), how)

    def start_server(self, what: str, seconds: float = 90.0) -> None:
        """Start it again, and wait until it takes clients."""
        name, port = self.server_name(what), self._server_port(what)
        servers.start_again(self._servers, name)
        servers.wait_for(what, lambda: servers.ready(name, port), seconds, self._servers / f'{name}.log')

    def _server_runs(self, what: str) -> bool:
        name = self.server_name(what)
        return bool(servers.processes(self._servers, name)) and servers.ready(name, self._server_port(what))

    def _server_port(self, what: str) -> int:
        deployment = self.deployment
        addresses = {'broker': deployment.broker, 'database': deployment.server,
                     'memcached': deployment.memcached}
        return int(addresses[what].rpartition(':')[2])

    # What it is ready for ------------------------------------------------------------------------

    def _request(self, method: str, url: str, body: Any = None, **headers: str) -> Any:
        request = urllib.request.Request(
            url, None if body is None else json.dumps(body).encode(),
            {'Content-Type': 'application/json', **headers}, method=method)
        return urllib.request.urlopen(request, timeout=60)

    def token(self, user: str) -> str:
        """A token of `user` for the project of the same name."""
        with self._request('POST', self.deployment.url('identity') + '/v3/auth/tokens', {'auth': {
                'identity': {'methods': ['password'], 'password': {'user': {
                    'name': user, 'domain': {'id': 'default'}, 'password': self.deployment.passwords[user]}}},
                'scope': {'project': {'name': user, 'domain': {'id': 'default'}}}}}) as answer:
            return answer.headers['X-Subject-Token']

    def _make_flavor(self, flavorid: str, name: str, vcpus: int, ram: int, disk: int) -> None:
        self._request('POST', self.deployment.url('compute') + '/v2.1/flavors', {'flavor': {
            'id': flavorid, 'name': name, 'vcpus': vcpus, 'ram': ram, 'disk': disk}},
            **{'X-Auth-Token': self.token('admin')}).close()

    def _wait_hosts(self, seconds: float) -> None:
        """Return when each host is mapped to its cell and has reported what it offers."""
        headers = {'X-Auth-Token': self.token('admin'), 'OpenStack-API-Version': 'placement 1.29'}
        hypervisors = self.deployment.url('compute') + '/v2.1/os-hypervisors'
        candidates = self.deployment.url('placement') + '/allocation_candidates?resources=VCPU:1'
        end = time.monotonic() + seconds
        while True:
            with self._request('GET', hypervisors, **headers) as answer:
                shown = {one['hypervisor_hostname'] for one in json.load(answer)['hypervisors']}
            with self._request('GET', candidates, **headers) as answer:
                offered = len(json.load(answer)['provider_summaries'])
            if shown == set(self.deployment.hosts) and offered == len(shown):
                return
            if time.monotonic() > end:
                raise servers.NotStarted(f'Hosts that came up: {sorted(shown)}; '
                                         f'providers with inventory: {offered}')
            time.sleep(0.2)

    # Its end -------------------------------------------------------------------------------------

    def down(self) -> list[str]:
        """End every process and remove the directory; returns the processes that had to be killed."""
        late = self._end_all()
        shutil.rmtree(self.deployment.directory, ignore_errors=True)
        return late

    def _end_all(self) -> list[str]:
        late = self.processes.stop(list(reversed(self.deployment.services)))
        if self._servers.exists():
            servers.down(self._servers)
        self._end_hosts()
        return late

    def _end_hosts(self) -> None:
        if hosts := self.deployment.guest_hosts:
            hosts.down()

    def status(self) -> dict[str, tuple[int | None, str]]:
        """Process to pid and health."""
        found: dict[str, tuple[int | None, str]] = {}
        for what in self.SERVERS:
            name = self.server_name(what)
            file = self._servers / f'{name}.pid'
            pid = int(file.read_text()) if file.exists() else None
            found[name] = (pid, 'ok' if self._server_runs(what) else 'not running')
        for service in self.deployment.services:
            found[service] = (self.processes.pid(service), self.processes.health(service))
        return found

    def hint(self) -> str:
        """What to type next."""
        image = guest_hosts.IMAGE.stem if self.deployment.guests else 'tiny'
        console = '    openstack console log show first\n' if self.deployment.guests else ''
        return (f'\nEverything listens on loopback; configuration, logs and pids are in '
                f'{self.deployment.directory}\n\n'
                f'    export OS_CLIENT_CONFIG_FILE={self.deployment.directory / "clouds.yaml"}\n'
                '    export OS_CLOUD=demo          # or admin\n'
                f'    openstack server create --image {image} --flavor m1.tiny --network private --wait first\n'
                f'{console}'
                '    openstack --os-cloud admin compute service list\n'
                f'    tools/cluster status --dir {self.deployment.directory}\n'
                f'    tools/cluster down --dir {self.deployment.directory}\n')


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='tools/cluster', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('command', choices=['up', 'status', 'start', 'down'])
    parser.add_argument('--dir', type=pathlib.Path, default=DEFAULT, help='where it lives (%(default)s)')
    parser.add_argument('--database', choices=['mariadb', 'postgresql'], default='mariadb')
    parser.add_argument('--driver', choices=['fake', 'libvirt'], default='fake', help='(%(default)s)')
    parser.add_argument('--cells', type=int, default=2, help='beside cell0 (%(default)s)')
    parser.add_argument('--computes', type=int, help='compute hosts, over the cells (4; 2 with libvirt)')
    parser.add_argument('--workers', type=int, default=2, help='of API and Placement each (%(default)s)')
    return parser


def end(found: Cluster) -> int:
    """End it, say who had to be killed, and return the exit code."""
    for name in found.down():
        print(f'{name} did not end by SIGTERM and was killed', file=sys.stderr)
    return 0


def show(found: Cluster) -> int:
    """Print who runs and who is well; the exit code is 1 when somebody is not."""
    status = found.status()
    for name, (pid, health) in status.items():
        print(f'{name:18} {pid or "-":>8}  {health}')
    return int(any(health != 'ok' for _, health in status.values()))


def main() -> int:
    arguments = _parser().parse_args()
    directory = arguments.dir.absolute()
    there = (directory / cluster_config.FACTS).exists()
    if arguments.command == 'up':
        if directory.exists():
            print(f'{directory} exists; tools/cluster down --dir {directory} ends the cluster in it',
                  file=sys.stderr)
            return 1
        computes = arguments.computes or (2 if arguments.driver == 'libvirt' else 4)
        found = Cluster.up(directory, arguments.database, computes, arguments.workers, driver=arguments.driver,
                           cells=arguments.cells)
        print(found.hint())
        return 0
    if not there:
        print(f'There is no cluster in {directory}', file=sys.stderr)
        return 1
    found = Cluster.at(directory)
    if arguments.command == 'down':
        return end(found)
    if arguments.command == 'start':
        print('\n'.join(found.start_missing()) or 'Everything runs')
        return 0
    return show(found)


if __name__ == '__main__':
    servers.run(main)
