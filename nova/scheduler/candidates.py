"""Ways to serve a server: what Placement answers, and what a host's NUMA cells have besides amounts."""

from collections.abc import Sequence

from nova.clients import protocols
from nova.common.jsonutil import JsonObject
from nova.domain import numa, numa_providers
from nova.domain.placement_request import ResourceRequest
from nova.scheduler.host_state import HostState
from nova.scheduler.why_not import Why


def ask(placement: protocols.PlacementClient, request: ResourceRequest, cells: Sequence[numa.Cell]
        ) -> protocols.Candidates:
    """All ways; where there is none, the explanation begins with hosts that report no cells.

    Args:
        cells: the NUMA nodes that the server asks for.

    Raises:
        errors.Invalid: the request names a class or trait that Placement does not know.
    """
    answers = [placement.candidates(one) for one in numa_providers.questions(request, cells)]
    found = answers.pop()
    for each in answers:
        if found.allocation_requests or each.allocation_requests:
            found.explain = []
        else:
            found.explain += each.explain
        found.allocation_requests += each.allocation_requests
        found.provider_summaries = {**found.provider_summaries, **each.provider_summaries}
    return found


def on_cells(hosts: list[HostState], cells: Sequence[numa.Cell], why: Why) -> list[HostState]:
    """Hosts with those of their candidates that they can serve, the least scattered first.

    Placement knows how many CPUs and how much memory a cell has, not how many pages, and may put two NUMA nodes
    of a server on one cell.
    """
    for one in hosts:
        if cells:
            places = one.cells
            one.candidates = [each for each in one.candidates if _serves(one, each, cells, places)]
        one.candidates.sort(key=_scattered)
    left = [one for one in hosts if one.candidates]
    why.note('filter', 'NUMA cells', len(hosts), len(left))
    return left


def _serves(host: HostState, candidate: JsonObject, cells: Sequence[numa.Cell], places: dict[str, int]) -> bool:
    chosen = numa_providers.serving(candidate, cells)
    if chosen is None:
        return True
    return all(each in places for each in chosen) and numa.fits(
        host.numa_topology, cells, [places[each] for each in chosen])


def _scattered(candidate: JsonObject) -> int:
    return len(candidate['allocations'])
