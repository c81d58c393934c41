"""kill -9 of a compute host while volumes are attached, detached, swapped, grown, snapshotted, booted from,
written anew and deleted, all at once: one case of each operation (VOL-S1, VOL-S2, VOL-S7, VOL-F1, 1.13).

``test_volume_matrix.py`` has every case.
"""

import pytest

from nova.tests.real import volume_crash as crash
from nova.tests.real.test_move_crash import audit

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(400, func_only=True)]


def test_a_host_dies(world, admin, capsys):
    crash.run(crash.sample('compute'), world, admin, lambda: audit(world.cluster, capsys))
