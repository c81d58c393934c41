"""Nova 34 and Placement 16 from PyPI on this machine, with the neighbours that our clusters have.

    tools/bench/upstream up [--cells N] [--computes N] [--schedulers N]    makes it; with 0 computes Placement,
                                    schedulers and the API alone, otherwise conductors and hosts as well
    tools/bench/upstream status     who runs, and who is well
    tools/bench/upstream down       ends it, and removes its directory

Each takes --dir DIR, where configuration, logs, pids and data are. It has a MariaDB and a RabbitMQ of its own,
and the sandbox for identity, image, network and volume. Its APIs have the server, workers and threads of ours.
"""

import argparse
import concurrent.futures
import dataclasses
import json
import pathlib
import shutil
import sys
import tempfile
import time

import cluster
import cluster_config
import cluster_processes
import cluster_schema
import servers

DEFAULT = pathlib.Path(tempfile.gettempdir()) / 'nova-upstream'
VENV = pathlib.Path(__file__).parents[2] / '.venv-upstream'
SCRIPTS = VENV / 'bin'
APPLICATIONS = {'api': 'nova.wsgi.osapi_compute:application', 'placement': 'placement.wsgi.api:application'}
PROGRAMS = {'scheduler': 'nova-scheduler', 'conductor': 'nova-conductor', 'compute': 'nova-compute'}
LONG = 10 ** 6
"""Seconds for which hosts that do not live stay up."""
CLIENTS = 64
"""Requests that a scheduler deals with at the same time, by default."""
CONNECTIONS = 50
"""Connections of Placement to its database beyond those that it keeps, as Nova has by default."""
GUNICORN = """\
wsgi_app = {application!r}
bind = '127.0.0.1:{port}'
workers, threads, worker_class, keepalive = {workers}, 16, 'gthread', 30
control_socket_disable = True
chdir = {home!r}
"""
"""The applications read ``sys.argv``, which therefore names nothing but the program."""


@dataclasses.dataclass
class Deployment(cluster_config.Deployment):
    """Its facts; hosts, databases, vhosts and processes have the names that ours have."""

    @property
    def services(self) -> list[str]:
        few = [*self.neighbours, 'placement', *self.schedulers, 'api']
        return super().services if self.computes else few

    def character_set(self, database: str) -> str:
        # Its indexes are as long as its authors had this in mind.
        return 'utf8mb3'

    def health_path(self, service: str) -> str | None:
        return super().health_path(service) if service in ('sandbox', *APPLICATIONS) else None


class Processes(cluster_processes.Processes):
    """The sandbox is ours, and what else there is runs in an environment of its own."""

    def __init__(self, deployment: cluster_config.Deployment) -> None:
        super().__init__(deployment)
        self.home = deployment.directory / 'state'

    def command(self, service: str) -> tuple[list[str], dict[str, str]]:
        if service == 'sandbox':
            return super().command(service)
        etc, env = self.deployment.directory / 'etc' / service, {'PYTHONPATH': ''}
        if service in APPLICATIONS:
            variable = {'api': 'OS_NOVA_CONFIG_DIR', 'placement': 'OS_PLACEMENT_CONFIG_DIR'}[service]
            return [str(SCRIPTS / 'gunicorn')], {
                **env, variable: str(etc), 'GUNICORN_CMD_ARGS': f'--config {etc / "gunicorn.conf.py"}'}
        program = PROGRAMS[service.rstrip('0123456789').rpartition('-')[2]]
        return [str(SCRIPTS / program), '--config-file', str(etc / 'nova.conf')], env


class Upstream(cluster.Cluster):
    """A cluster of upstream's processes; see tools/lib/cluster.py for what it can be asked."""

    DEPLOYMENT = Deployment

    def _make_processes(self) -> Processes:
        return Processes(self.deployment)

    def _start_servers(self) -> None:
        super()._start_servers()
        write_files(self.deployment)

    def _fill(self) -> None:
        deployment = self.deployment

        def manage(*words: str, service: str = 'api') -> None:
            cluster_schema.manage(deployment, *words, service=service, scripts=SCRIPTS)
        cluster_schema.run_script(['placement-manage', '--config-file', str(
            deployment.directory / 'etc' / 'placement' / 'placement.conf'), 'db', 'sync'], {}, SCRIPTS)
        manage('api_db', 'sync')
        manage('cell_v2', 'map_cell0', '--database_connection', deployment.database('cell0'))
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda cell: manage('db', 'sync', '--local_cell', service=cell),
                          ['cell0', *deployment.cells]))
        for cell in deployment.cells:
            manage('cell_v2', 'create_cell', '--name', cell, '--transport-url', deployment.bus(cell),
                   '--database_connection', deployment.database(cell))

    def _wait_hosts(self, seconds: float) -> None:
        """Hosts are mapped once they have told what they offer, and when somebody says so."""
        if not self.deployment.computes:
            return
        headers = {'X-Auth-Token': self.token('admin')}
        providers = self.deployment.url('placement') + '/resource_providers'
        end = time.monotonic() + seconds
        while True:
            with self._request('GET', providers, **headers) as answer:
                there = {one['name'] for one in json.load(answer)['resource_providers']}
            if there == set(self.deployment.hosts):
                break
            if time.monotonic() > end:
                raise servers.NotStarted(f'Hosts that came up: {sorted(there)}')
            time.sleep(0.5)
        cluster_schema.manage(self.deployment, 'cell_v2', 'discover_hosts', service='api', scripts=SCRIPTS)
        super()._wait_hosts(seconds)


def sections_of(deployment: cluster_config.Deployment, service: str) -> cluster_config.Sections:
    """nova.conf of a process: what ours has, one worker in a process as we have, and what it is to be told."""
    sections = cluster_config.sections_of(deployment, service)
    state = deployment.directory / 'state' / service
    state.mkdir(parents=True, exist_ok=True)
    cluster_config.merge(sections, {
        'state_path': state, 'cell_worker_thread_pool_size': deployment.cell_count + 1,
        'conductor.workers': 1, 'scheduler.workers': 1, 'vnc.enabled': 'false',
        'cinder.os_region_name': 'RegionOne', 'oslo_messaging_notifications.driver': 'noop'})
    if service in deployment.schedulers and not deployment.computes:
        # Hosts that are rows alone stay up, and do not say what they were given: otherwise the first of those
        # that are alike would be chosen until it is full. It has as many threads as would be asked at once.
        cluster_config.merge(sections, {
            'service_down_time': LONG, 'filter_scheduler.shuffle_best_same_weighed_hosts': 'true',
            'cell_worker_thread_pool_size': CLIENTS * deployment.cell_count})
    if service in deployment.hosts:
        # The other one makes a new node each time it starts.
        sections['DEFAULT']['compute_driver'] = 'fake.FakeDriverWithoutFakeNodes'
    return sections


def write_files(deployment: cluster_config.Deployment) -> None:
    """Its configuration in place of ours; a cell's is for its schema alone."""
    etc, home = deployment.directory / 'etc', deployment.directory / 'state'
    for service in deployment.services:
        if service not in (*deployment.neighbours, 'placement'):
            sections = sections_of(deployment, service)
            cluster_config.write(etc / service / 'nova.conf', cluster_config.ini(sections))
    for cell in ('cell0', *deployment.cells):
        cluster_config.write(etc / cell / 'nova.conf', cluster_config.ini(
            {'database': {'connection': deployment.database(cell)}}))
    # A request may need a second connection: of as many as there are by default sixteen threads take one each,
    # and wait for another one until they give up.
    sections = cluster_config.placement_sections(deployment)
    cluster_config.merge(sections, {'placement_database.max_overflow': CONNECTIONS})
    cluster_config.write(etc / 'placement' / 'placement.conf', cluster_config.ini(sections))
    for service, application in APPLICATIONS.items():
        cluster_config.write(etc / service / 'gunicorn.conf.py', GUNICORN.format(
            application=application, port=deployment.ports[service], workers=deployment.workers,
            home=str(home)))
    shutil.copy(VENV / 'etc' / 'nova' / 'api-paste.ini', etc / 'api')


def main() -> int:
    parser = argparse.ArgumentParser(prog='tools/bench/upstream', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('command', choices=['up', 'status', 'down'])
    parser.add_argument('--dir', type=pathlib.Path, default=DEFAULT, help='where it lives (%(default)s)')
    parser.add_argument('--cells', type=int, default=2, help='beside cell0 (%(default)s)')
    parser.add_argument('--computes', type=int, default=4, help='simulated hosts over the cells (%(default)s)')
    parser.add_argument('--schedulers', type=int, default=1, help='processes (%(default)s)')
    parser.add_argument('--workers', type=int, default=2, help='of API and Placement each (%(default)s)')
    arguments = parser.parse_args()
    directory = arguments.dir.absolute()
    if arguments.command == 'up':
        if directory.exists():
            print(f'{directory} exists; tools/bench/upstream down --dir {directory} ends what is in it',
                  file=sys.stderr)
            return 1
        Upstream.up(directory, computes=arguments.computes, workers=arguments.workers, cells=arguments.cells,
                    options=cluster.NO_LIMITS, schedulers=arguments.schedulers)
        return 0
    if not (directory / cluster_config.FACTS).exists():
        print(f'There is nothing in {directory}', file=sys.stderr)
        return 1
    found = Upstream.at(directory)
    return cluster.end(found) if arguments.command == 'down' else cluster.show(found)


if __name__ == '__main__':
    servers.run(main)
