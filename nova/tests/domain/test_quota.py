"""How many servers fit."""

import pytest

from nova.domain import quota

LIMITS = {'instances': 10, 'cores': 20, 'ram': -1}
EACH = quota.deltas(vcpus=4, memory_mb=512)


@pytest.mark.parametrize(('used', 'most', 'fit'), [
    ({'instances': 0, 'cores': 0, 'ram': 0}, 3, 3),
    ({'instances': 0, 'cores': 0, 'ram': 0}, 9, 5),
    ({'instances': 9, 'cores': 0, 'ram': 10**9}, 9, 1),
    ({'instances': 0, 'cores': 18, 'ram': 0}, 1, 0),
    ({'instances': 12, 'cores': 0, 'ram': 0}, 1, 0),
])
def test_fitting(used, most, fit):
    """The scarcest resource decides; one without a limit never does; an overdrawn one leaves no room."""
    assert quota.fitting(LIMITS, used, EACH, most) == fit


def test_deltas_of_several():
    assert quota.deltas(2, 100, 3) == {'instances': 3, 'cores': 6, 'ram': 300}
