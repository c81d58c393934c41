"""A database and a broker that work on while no packet reaches them, for a minute, amid fifty operations.

What `test_silence` does with SIGSTOP, done to the way: who is connected hears nothing, who connects waits, and
the server keeps the transactions that were open, and what they have locked. Everything ends all the same.
"""

import pytest
from cluster import Cluster

from nova.tests.fixtures import tcp
from nova.tests.real import test_silence as silence

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(420)]

nothing_left = silence.nothing_left


class Reached(Cluster):
    """Its processes reach what is below them through relays."""

    def way_to(self, what, address):
        host, port = address.rsplit(':', 1)
        self.relays = {**getattr(self, 'relays', {}), what: tcp.Relay((host, int(port)))}
        return f'127.0.0.1:{self.relays[what].port}'


@pytest.fixture(scope='module')
def cluster(run_cluster):
    yield from run_cluster('mariadb', silence.OPTIONS, Reached)


@pytest.mark.parametrize('victim', ['database', 'broker'])
def test_nobody_reaches_a_server(victim, world, demo, admin):
    def unreachable(world, victim):
        return world.cluster.relays[victim].black_hole()
    silence.run(world, demo, admin, victim, 60, 50, unreachable)
