"""Clusters of real processes for tests; see tools/lib/cluster.py. The long run is asked for by ``-m slow``.

``NOVA_TEST_CLUSTER`` may name the directory of a cluster that is up: then it is used, and left alone.
"""

import os
import pathlib
import sys

import pytest

from nova.tests.functional.conftest import User

sys.path.insert(0, str(pathlib.Path(__file__).parents[3] / 'tools' / 'lib'))

import cluster as clusters


def run_cluster(directory, database, **options):
    """A cluster for as long as it is asked for; in the end SIGTERM ends each of its processes."""
    directory.chmod(0o755)
    cluster = clusters.Cluster.up(directory / 'cluster', database, options=options, say=lambda text: None)
    try:
        yield cluster
    finally:
        late = cluster.down()
    assert not late, f'killed, since SIGTERM did not end them: {late}'


@pytest.fixture(scope='session')
def cluster(tmp_path_factory):
    """On MariaDB, with the quicker leases of a small deployment."""
    if os.environ.get('NOVA_TEST_CLUSTER'):
        yield clusters.Cluster.at(pathlib.Path(os.environ['NOVA_TEST_CLUSTER']))
        return
    yield from run_cluster(tmp_path_factory.mktemp('cluster'), 'mariadb', **{
        'task.beat_seconds': 0.5, 'task.lease_seconds': 2, 'task.recast_seconds': 2, 'debug': 'true'})


@pytest.fixture(scope='session')
def demo(cluster):
    return User(cluster, 'demo')


@pytest.fixture(scope='session')
def admin(cluster):
    return User(cluster, 'admin')
