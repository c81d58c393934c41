"""A cluster under load: requests of many clients, and what its databases and processes say of them."""

import argparse
import collections
import concurrent.futures
import contextlib
import os
import pathlib
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'tools' / 'lib'))

import cluster as clusters  # noqa: E402
import httpx  # noqa: E402
import processes  # noqa: E402
import servers  # noqa: E402
import sqlalchemy as sa  # noqa: E402

T = TypeVar('T')
R = TypeVar('R')

CELLS = ('cell1', 'cell2')
NO_PAGE = ('sandbox', 'placement', 'api')
"""Processes that show no metrics."""
LATE = 'remove_late%'
"""Flows that rest for a minute, to see what comes late."""
GONE = 180.0
"""Seconds in which what is left of servers must be gone: who looks for what comes late rests for a minute."""
OPEN = "('ready', 'running', 'parked', 'waiting', 'queued')"


def add_arguments(parser: argparse.ArgumentParser, computes: int = 4) -> None:
    """Which cluster, and how many clients."""
    parser.add_argument('--clients', type=int, default=16, help='requests at the same time (%(default)s)')
    parser.add_argument('--database', choices=['mariadb', 'postgresql'], default='mariadb')
    parser.add_argument('--mariadb-driver', choices=['pymysql', 'mysqldb'], default='pymysql')
    parser.add_argument('--computes', type=int, default=computes, help='hosts (%(default)s)')
    parser.add_argument('--dir', type=pathlib.Path, help='where the cluster is to be, or is since --keep')
    parser.add_argument('--keep', action='store_true', help='leave the cluster running')
    parser.add_argument('--least', type=float, default=0.0, help='boots a second that are wanted')
    parser.add_argument('--json', type=pathlib.Path, help='write the figures there')


@contextlib.contextmanager
def made(directory: pathlib.Path | None = None, keep: bool = False, **how: Any) -> Iterator[clusters.Cluster]:
    """The cluster that is in a directory, or one that is made for the purpose and is ended then, too, when this
    process is told to end.

    Args:
        keep: leave it running.
        how: it is made; see `clusters.Cluster.up`.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: sys.exit(f'Ended by {signal.Signals(number).name}'))
    if directory and (directory / 'cluster.json').exists():
        yield clusters.Cluster.at(directory)
        return
    directory = directory or pathlib.Path(tempfile.mkdtemp(prefix='nova-bench-')) / 'cluster'
    directory.parent.chmod(0o755)
    cluster = clusters.Cluster.up(directory, **how)
    try:
        yield cluster
    finally:
        if not keep:
            cluster.down()


@contextlib.contextmanager
def loaded(arguments: argparse.Namespace, options: dict[str, Any]) -> Iterator['Load']:
    """A cluster as the arguments say, and its load."""
    with made(arguments.dir, arguments.keep, database=arguments.database, computes=arguments.computes,
              options=options, mariadb_driver=arguments.mariadb_driver) as cluster:
        yield Load(cluster, arguments.clients)


class Load:
    """Requests to one cluster, and what its databases say of them.

    Attributes:
        refused: how often the API told a client to come again, by status.
    """

    def __init__(self, cluster: clusters.Cluster, clients: int) -> None:
        self.cluster, self.clients = cluster, clients
        deployment = cluster.deployment
        self._url = deployment.url('compute') + '/v2.1'
        self._http = httpx.Client(
            timeout=600,
            limits=httpx.Limits(max_connections=clients + 4, max_keepalive_connections=clients + 4),
            headers={'X-Auth-Token': cluster.token('demo'), 'OpenStack-API-Version': 'compute 2.96'})
        self.refused: collections.Counter[int] = collections.Counter()
        self.image = self._get(deployment.url('image') + '/v2/images?visibility=public')['images'][0]['id']
        networks = self._get(deployment.url('network') + '/v2.0/networks')['networks']
        self._network = next(found for found in networks if found['name'] == 'private')
        self.engines = {name: sa.create_engine(deployment.database(name))
                        for name in ('api', 'cell0', *CELLS, 'placement')}

    def _get(self, url: str, **headers: str) -> Any:
        answer = self._http.get(url, headers=headers)
        answer.raise_for_status()
        return answer.json()

    def each(self, work: Callable[[T], R], things: list[T]) -> tuple[list[R], list[float]]:
        """Do `work` to each thing, `clients` at a time; results and seconds of each."""
        def timed(thing: T) -> tuple[R, float]:
            began = time.monotonic()
            return work(thing), time.monotonic() - began
        with concurrent.futures.ThreadPoolExecutor(self.clients) as pool:
            done = list(pool.map(timed, things))
        return [result for result, _ in done], [seconds for _, seconds in done]

    def boot(self, number: int) -> str:
        return self._ask(202, 'POST', 'servers', json={'server': {
            'name': f'bench-{number}', 'imageRef': self.image, 'flavorRef': '1',
            'networks': [{'uuid': self._network['id']}]}}).json()['server']['id']

    def delete(self, uuid: str) -> None:
        self._ask(204, 'DELETE', f'servers/{uuid}')

    def _ask(self, wanted: int, method: str, path: str, **body: Any) -> httpx.Response:
        """Send a request, again as often as the API tells the client to come again.

        Raises:
            SystemExit: refused in another way.
        """
        while True:
            answer = self._http.request(method, f'{self._url}/{path}', **body)
            if answer.status_code == wanted:
                return answer
            if answer.status_code not in (429, 503) or 'Retry-After' not in answer.headers:
                raise SystemExit(f'{method} {path}: {answer.status_code} {answer.text[:500]}')
            self.refused[answer.status_code] += 1
            time.sleep(float(answer.headers['Retry-After']))

    def lift_port_limit(self) -> None:
        """Let the project have as many ports as it likes."""
        deployment = self.cluster.deployment
        self._http.put(
            f'{deployment.url("network")}/v2.0/quotas/{self._project()}', json={'quota': {'port': -1}},
            headers={'X-Auth-Token': self.cluster.token('admin')}).raise_for_status()

    def _project(self) -> str:
        token = self._get(self.cluster.deployment.url('identity') + '/v3/auth/tokens',
                          **{'X-Subject-Token': self._http.headers['X-Auth-Token']})
        return str(token['token']['project']['id'])

    def ports(self) -> int:
        """How many there are."""
        return len(self._get(f'{self.cluster.deployment.url("network")}/v2.0/ports?fields=id',
                             **{'X-Auth-Token': self.cluster.token('admin')})['ports'])

    # What has become of it

    def rows(self, name: str, statement: str, **values: object) -> list[Any]:
        with self.engines[name].connect() as conn:
            return list(conn.execute(sa.text(statement), values))

    def number(self, name: str, statement: str, **values: object) -> int:
        """What a statement counts."""
        return int(self.rows(name, statement, **values)[0][0])

    def mark(self) -> dict[str, int]:
        """The newest task of each cell."""
        return {cell: self.number(cell, 'SELECT coalesce(max(id), 0) FROM tasks') for cell in CELLS}

    def open_tasks(self) -> int:
        """How many tasks are open, those left out that only rest. The API database's are counted first: from
        there they come into the cells."""
        return sum(self.number(
            name, f'SELECT count(*) FROM tasks WHERE status IN {OPEN} AND flow NOT LIKE :late', late=LATE)
            for name in ('api', 'cell0', *CELLS))

    def wait_tasks(self, flow: str, count: int, mark: dict[str, int], seconds: float = 600) -> float:
        """Wait until no task is open; the time when that was seen.

        Raises:
            SystemExit: not in time, or not `count` tasks of this flow, newer than `mark`, have ended well.
        """
        end = time.monotonic() + seconds
        while number := self.open_tasks():
            if time.monotonic() > end:
                raise SystemExit(f'{flow}: {number} tasks are open after {seconds:.0f} s{self._failures()}')
            time.sleep(0.1 if number < 1000 else 0.5)
        ended = time.monotonic()
        done = sum(self.number(cell, "SELECT count(*) FROM tasks WHERE id > :id AND flow = :flow AND "
                               "status = 'done'", id=mark[cell], flow=flow) for cell in CELLS)
        if done != count:
            raise SystemExit(f'{flow}: {done} of {count} ended well{self._failures()}')
        return ended

    def _failures(self) -> str:
        """What tasks that did not end well have to say, the newest of each database."""
        found = [f'\n    {name}: {flow} of {server} is {status} at {step}: {error}'
                 for name in ('api', 'cell0', *CELLS) for flow, server, status, step, error in self.rows(
                     name, "SELECT flow, instance_uuid, status, step, error FROM tasks WHERE status IN "
                     "('undone', 'stuck') ORDER BY id DESC LIMIT 5")]
        return ''.join(found)

    def left(self) -> dict[str, int]:
        """How much there is of what must be gone with the servers. What is kept of them until they are archived
        (rows, request specs, ended tasks) is not counted."""
        deployment = self.cluster.deployment
        broker = deployment.directory / 'servers'
        queues = [int(line) for vhost in deployment.vhosts for line in servers.rabbitmqctl(
            broker, '-q', 'list_queues', '-p', vhost, '--no-table-headers', 'messages')]
        return {
            'servers': sum(self.number(name, 'SELECT count(*) FROM instances WHERE deleted = 0')
                           for name in ('cell0', *CELLS)),
            'mappings': self.number('api', 'SELECT count(*) FROM instance_mappings '
                                           'WHERE NOT queued_for_delete'),
            'build requests': self.number('api', 'SELECT count(*) FROM build_requests'),
            'allocations': self.number('placement', 'SELECT count(*) FROM allocations'),
            'ports': self.ports(),
            'open tasks': sum(self.number(name, f'SELECT count(*) FROM tasks WHERE status IN {OPEN}')
                              for name in ('api', 'cell0', *CELLS)),
            'queues': len(queues), 'messages in queues': sum(queues)}

    # What it cost

    def statements(self) -> int:
        """Statements that the database server has answered."""
        if self.cluster.deployment.database_kind == 'mariadb':
            return int(self.rows('api', "SHOW GLOBAL STATUS LIKE 'Questions'")[0][1])
        return 0

    def messages(self) -> collections.Counter[str]:
        """Messages sent so far by method, as the processes count them; those of the API have no such page."""
        found: collections.Counter[str] = collections.Counter()
        deployment = self.cluster.deployment
        for service in deployment.services:
            if service not in NO_PAGE:
                found += processes.counted(deployment.ports[service], 'nova_rpc_sent_total')
        return found

    def step_times(self) -> dict[tuple[str, str], list[float]]:
        """(flow, step) to the seconds that each took, waiting for its turn included."""
        found: dict[tuple[str, str], list[float]] = collections.defaultdict(list)
        for name in ('api', *CELLS):
            for flow, step, began, ended in self.rows(
                    name, 'SELECT t.flow, s.name, s.started_at, s.finished_at FROM task_steps s '
                    'JOIN tasks t ON t.uuid = s.task_uuid ORDER BY s.id'):
                if began is not None:
                    found[flow, step].append((ended - began).total_seconds())
        return found

    def waits(self) -> dict[str, list[float]]:
        """Seconds from the creation of each task to its end, by flow."""
        found: dict[str, list[float]] = collections.defaultdict(list)
        for name in ('api', *CELLS):
            for flow, began, ended in self.rows(
                    name, 'SELECT flow, created_at, finished_at FROM tasks WHERE finished_at IS NOT NULL'):
                found[flow].append((ended - began).total_seconds())
        return found


def pids(cluster: clusters.Cluster) -> dict[str, list[int]]:
    """The processes of a cluster by name, each with those that it has begun: the workers of gunicorn, and the
    broker behind its script."""
    return {name: processes.with_children(pid)
            for name, (pid, _) in cluster.status().items() if pid is not None}


def kind(name: str) -> str:
    """What a process is, whichever of its kind."""
    word = name.rstrip('0123456789')
    return 'cell conductors' if word.endswith('-conductor') and word != 'super-conductor' else {
        'compute': 'computes'}.get(word, word)


def by_kind(found: dict[str, float]) -> str:
    """Numbers of processes, those of a kind together."""
    together: collections.Counter[str] = collections.Counter()
    for name, number in found.items():
        together[kind(name)] += number
    return ', '.join(f'{name} {number:.0f}' for name, number in together.items())


def left_over(look: Callable[[], dict[str, int]], before: dict[str, int]) -> dict[str, int]:
    """What there is more of than before, by what `look` counts, once it had time to go."""
    end = time.monotonic() + GONE
    while more := {name: number - before[name] for name, number in look().items() if number > before[name]}:
        if time.monotonic() > end:
            break
        time.sleep(5)
    return more


class Cpu:
    """Processor seconds of the processes of a cluster, and of this one, by what they are."""

    def __init__(self, cluster: clusters.Cluster) -> None:
        self._cluster = cluster
        self._before = self._now()

    def _now(self) -> collections.Counter[str]:
        found: collections.Counter[str] = collections.Counter(client=processes.processor(os.getpid()))
        for name, mine in pids(self._cluster).items():
            found[kind(name)] += sum(map(processes.processor, mine))
        return found

    def during(self, seconds: float) -> dict[str, float]:
        """Milliseconds of each kind in each of the next seconds."""
        time.sleep(seconds)
        return self.spent(seconds)

    def spent(self, count: float) -> dict[str, float]:
        """Milliseconds of each kind for one of `count`, the dearest first."""
        return {name: seconds / count * 1000 for name, seconds in (self._now() - self._before).most_common()}


def memory(cluster: clusters.Cluster) -> dict[str, float]:
    """Megabytes that each process of a cluster has resident, with those that it has begun; what several share
    counts once."""
    return {name: sum(map(processes.memory, mine)) for name, mine in pids(cluster).items()}


def quantiles(seconds: list[float]) -> str:
    ordered = [one * 1000 for one in sorted(seconds)]
    return (f'median {statistics.median(ordered):.0f} ms, 99 % {ordered[int(len(ordered) * .99)]:.0f} ms, '
            f'worst {ordered[-1]:.0f} ms')
