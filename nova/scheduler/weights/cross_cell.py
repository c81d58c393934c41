"""Staying in the cell."""

from nova.scheduler.host_state import HostState, Wanted
from nova.scheduler.weights import BaseHostWeigher


class CrossCellWeigher(BaseHostWeigher):
    """Prefers the cell that a moved server is in."""

    option = 'cross_cell_move'

    def applies(self, wanted: Wanted) -> bool:
        return wanted.from_cell is not None

    def _weigh_object(self, host_state: HostState, weight_properties: Wanted) -> float:
        return 1.0 if host_state.cell_uuid == weight_properties.from_cell else -1.0
