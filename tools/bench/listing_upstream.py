"""The same servers in our databases and in upstream's, and the same pages of both over HTTP, in turns.

The API of each is gunicorn with as many workers and threads, each on a MariaDB with the same settings; both ask
the same stand-ins. A round asks for a page of ours, then for upstream's.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import httpx
import processes
import sqlalchemy as sa
from many_servers import analyse_each, begin, fill, multiply, project, spread

from nova.common import dbkit

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

import cluster_config
import cluster_processes
import servers as daemons
import upstream

SCRIPT = pathlib.Path(__file__).with_name('upstream_servers.py')
MEMBER = 3
"""The project among all that the user of the sandbox belongs to."""
WARM = 1
"""Requests for a page before it is timed."""


def processor_seconds(pid):
    """What a process and those that it has begun have had."""
    return sum(map(processes.processor, processes.with_children(pid)))


def server_pid(url):
    """The process of the MariaDB on this machine."""
    engine = sa.create_engine(url)
    with engine.connect() as conn:
        found = processes.mariadb(conn)
    engine.dispose()
    return found


@dataclasses.dataclass
class Answer:
    seconds: float
    api: float
    database: float
    names: list[str]


class Target:
    """One of the two: its servers, and how to ask for them."""

    def __init__(self, name, url, api, database, servers):
        self.name, self.servers = name, servers
        self._pids = api, database
        # One connection, and thereby one of the workers.
        self._http = httpx.Client(base_url=url, timeout=300, limits=httpx.Limits(max_connections=1))

    def ask(self, path, headers, version):
        before, began = list(map(processor_seconds, self._pids)), time.perf_counter()
        answer = self._http.get(path, headers=headers | {'OpenStack-API-Version': f'compute {version}'})
        spent = time.perf_counter() - began
        after = map(processor_seconds, self._pids)
        api, database = (now - then for now, then in zip(after, before, strict=True))
        assert answer.status_code == 200, f'{self.name}: {answer.status_code} {answer.text[:500]}'
        return Answer(spent, api, database, [server['name'] for server in answer.json()['servers']])


def fill_upstream(cluster, servers, first, owner):
    """What `many_servers.fill` does, for upstream."""
    deployment, tables = cluster.deployment, {}
    done = subprocess.run(
        [upstream.SCRIPTS / 'python', SCRIPT, deployment.directory / 'etc' / 'api' / 'nova.conf'], check=True,
        stdout=subprocess.PIPE, text=True, cwd=deployment.directory, env={**os.environ, 'PYTHONPATH': ''})
    one, databases = list(json.loads(done.stdout).values()), {}
    for name in ('api', *deployment.cells):
        databases[name] = dbkit.Database(deployment.database(name))
        # Every cell has the same ones.
        kind = 'api' if name == 'api' else 'cell'
        if kind not in tables:
            tables[kind] = sa.MetaData()
            tables[kind].reflect(databases[name].engine, only=lambda table, _: not table.startswith('shadow_'))
    places = {name: (db, tables['api' if name == 'api' else 'cell']) for name, db in databases.items()}

    def copy(cell, mine):
        multiply([places[f'cell{cell}'], places['api']], one[cell - 1], mine, first, owner)
    made = spread(servers, len(deployment.cells), copy)
    analyse_each(places.values())
    for db in databases.values():
        db.dispose()
    return made


@contextlib.contextmanager
def serving(cloud, beside):
    """Our API as a process on the databases of a cloud, with the neighbours of upstream; (its URL, its pid)."""
    with tempfile.TemporaryDirectory() as directory:
        facts = dataclasses.asdict(beside) | {
            'directory': pathlib.Path(directory), 'computes': 0,
            'ports': {**beside.ports, 'api': daemons.free_ports(1)[0]}}
        ours = cluster_config.Deployment(**facts)
        sections = cluster_config.sections_of(ours, 'api')
        cluster_config.merge(sections, {'api_database.connection': cloud.conf.api_database.connection,
                                        'database.connection': cloud.conf.database.connection})
        cluster_config.write(ours.directory / 'etc' / 'api' / 'nova.conf', cluster_config.ini(sections))
        for name in ('log', 'run', 'state'):
            (ours.directory / name).mkdir()
        running = cluster_processes.Processes(ours)
        running.start('api')
        try:
            running.wait_healthy(['api'])
            yield ours.url('compute'), running.pid('api')
        except BaseException:
            print((ours.directory / 'log' / 'api.log').read_text()[-4000:], file=sys.stderr)
            raise
        finally:
            running.stop(['api'])


def compare(cloud, directory, count, rounds, version, pages):
    """Fill both, and print what each page takes of each.

    Args:
        pages: ``pages(servers, administrator, member)`` yields (what it is, path, headers).
    """
    cluster = upstream.Upstream.at(directory)
    deployment, first = cluster.deployment, begin(count)
    headers = {user: {'X-Auth-Token': cluster.token(user)} for user in ('admin', 'demo')}
    found = httpx.get(deployment.url('identity') + '/v3/auth/tokens', headers={
        **headers['demo'], 'X-Subject-Token': headers['demo']['X-Auth-Token']}).raise_for_status()
    member = found.json()['token']['project']['id']

    def owner(number):
        return member if project(number) == project(MEMBER) else project(number)
    mine, theirs = fill(cloud, count, first, owner), fill_upstream(cluster, count, first, owner)
    with serving(cloud, deployment) as (url, pid):
        targets = [
            Target('ours', url + '/v2.1', pid, server_pid(cloud.conf.api_database.connection), mine),
            Target('upstream', deployment.url('compute') + '/v2.1', cluster.processes.pid('api'),
                   server_pid(deployment.database('api')), theirs)]
        print(f'{count} servers, {len(deployment.cells)} cells; milliseconds of ours and of upstream\n{"":29}'
              f'servers{"clock":>18}{"API":>18}{"MariaDB":>18}{"ratio":>8}{"of processor time":>18}',
              flush=True)
        for both in zip(*(pages(target.servers, headers['admin'], headers['demo']) for target in targets),
                        strict=True):
            figures(both, targets, rounds, version)


def figures(both, targets, rounds, version):
    """One page of each target, which must be the same servers."""
    answers = {target.name: [] for target in targets}
    for number in range(-WARM, rounds):
        names = []
        for target, (_, path, headers) in zip(targets, both, strict=True):
            answer = target.ask(path, headers, version)
            names.append(answer.names)
            if number >= 0:
                answers[target.name].append(answer)
        assert names[0] == names[1], (both[0][0], names[0][:3], names[1][:3])
    clock = {name: statistics.median(one.seconds for one in each) for name, each in answers.items()}
    api = {name: statistics.fmean(one.api for one in each) for name, each in answers.items()}
    database = {name: statistics.fmean(one.database for one in each) for name, each in answers.items()}
    shown = ''.join(f' {1e3 * what[target.name]:8.1f}' for what in (clock, api, database) for target in targets)
    processor = [api[target.name] + database[target.name] for target in targets]
    print(f'{both[0][0]:32} {len(names[0]):4}{shown} {clock["upstream"] / clock["ours"]:7.1f} '
          f'{processor[1] / processor[0]:9.1f}', flush=True)
