"""Every case of ``volume_crash``: all operations on volumes rest at their steps when processes die (VOL-S1,
VOL-S2, VOL-S7, VOL-F1, 1.13). ``-m "cluster or slow"``; how long the operations took once everybody was back
is logged (``--log-cli-level=INFO``).
"""

import pytest

from nova.steps import attachments
from nova.tests.real import matrix
from nova.tests.real import volume_crash as crash
from nova.tests.real.conftest import QUICK
from nova.tests.real.test_move_crash import audit

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900, func_only=True)]

PATIENT = {'cinder.timeout': 140}
"""Seconds: who asks the volume service waits while it is held."""


@pytest.fixture(scope='module', params=['mariadb', 'postgresql'])
def cluster(request, run_cluster):
    yield from run_cluster(request.param, QUICK | matrix.UNLIMITED | PATIENT)


@pytest.fixture(autouse=True)
def whole(world):
    """All processes are there after each test."""
    yield
    world.cluster.start_missing()


@pytest.mark.parametrize('victim', crash.VICTIMS)
def test_processes_die(victim, world, admin, capsys):
    crash.run(crash.cases(victim), world, admin, lambda: audit(world.cluster, capsys))


@pytest.mark.timeout(attachments.PATIENCE + 600, func_only=True)
def test_the_api_dies_while_volumes_are_reserved(world, admin, capsys):
    """VOL-S1: tasks that were there before begin by themselves, find the reservations or make them, and end."""
    crash.run(crash.reservations(), world, admin, lambda: audit(world.cluster, capsys), crash.unanswered,
              attachments.PATIENCE + crash.CLEAN)
