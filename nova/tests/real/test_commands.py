"""Commands of `openstack` that move servers, or have another effect on guests, in a cluster; on demand."""

import pytest

from nova.tests.functional import typed_commands

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(1800)]


def test_every_command_ends_well(cluster):
    typed_commands.check(cluster, typed_commands.MOVES)
