"""Clusters of real processes for tests; see tools/lib/cluster.py. ``-m cluster`` asks for them,
``-m "cluster or slow"`` for everything that is tried on them, on each kind of database.

A test that fails shows what the processes of its cluster logged meanwhile.
"""

import pathlib
import sys

import pytest

from nova.tests.functional.conftest import User
from nova.tests.real import process_crash

sys.path.insert(0, str(pathlib.Path(__file__).parents[3] / 'tools' / 'lib'))

import cluster as clusters

QUICK = {'task.beat_seconds': 0.5, 'task.lease_seconds': 2, 'task.recast_seconds': 2, 'debug': 'true',
         'oslo_messaging_rabbit.rabbit_interval_max': 2}
"""The quicker leases of a small deployment, whose broker need not fear that all come back at once."""
LINES = 30
"""Of each log, at most, below a test that failed."""


@pytest.fixture(scope='session')
def run_cluster(tmp_path_factory):
    """``run_cluster(database, OPTIONS)``: a generator for a fixture; in the end SIGTERM ends each process."""
    def run(database, options, kind=clusters.Cluster):
        directory = tmp_path_factory.mktemp('cluster')
        directory.chmod(0o755)
        cluster = kind.up(directory / 'cluster', database, options=options, say=lambda text: None)
        try:
            yield cluster
        finally:
            late = cluster.down()
        assert not late, f'killed, since SIGTERM did not end them: {late}'
    return run


@pytest.fixture(scope='session', params=['mariadb', pytest.param('postgresql', marks=pytest.mark.slow)])
def cluster(request, run_cluster):
    yield from run_cluster(request.param, QUICK)


# Of a module, since some modules have a cluster of their own.
@pytest.fixture(scope='module')
def demo(cluster):
    return User(cluster, 'demo')


@pytest.fixture(scope='module')
def admin(cluster):
    return User(cluster, 'admin')


# What was logged ---------------------------------------------------------------------------------

_SIZES = pytest.StashKey()


def _logs(cluster):
    directory = cluster.deployment.directory
    return sorted([*directory.glob('log/*'), *directory.glob('servers/*.log')])


@pytest.fixture(autouse=True)
def logs(request):
    """Notes where each log ends before the test."""
    if 'cluster' in request.fixturenames:
        cluster = request.getfixturevalue('cluster')
        request.node.stash[_SIZES] = (cluster, {file: file.stat().st_size for file in _logs(cluster)})


def _tail(file, size):
    """The last lines since then but those of DEBUG and of requests."""
    with file.open('rb') as stream:
        stream.seek(size)
        text = stream.read().decode(errors='replace')
    told = [line for line in text.splitlines()
            if ' DEBUG ' not in line and 'nova.common.middleware' not in line]
    return '\n'.join(told[-LINES:])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed and _SIZES in item.stash:
        cluster, sizes = item.stash[_SIZES]
        for file in _logs(cluster):
            if text := _tail(file, sizes.get(file, 0)):
                report.sections.append((f'{file.name} meanwhile', text))
    return report


@pytest.fixture(scope='module')
def world(cluster):
    """The cluster, whose processes can be held, killed and stopped."""
    found = process_crash.World(cluster)
    yield found
    found.close()
