"""Where a server goes that has been on a host before: to one of its own cell.

The scheduler is asked once, from above the cell; its alternates are the state's, and are taken in the cell one
by one, as those of a build are. What the scheduler removed, and why, is in the error that the task keeps.
"""

from collections.abc import Callable

from nova import objects
from nova.domain import port_requests
from nova.steps import schedule
from nova.task.handles import Conductor, SuperConductor


def choose(h: SuperConductor, state: objects.Placing) -> None:
    """At a super-conductor: ask for a host and alternates; the first of them is claimed for the server.

    Server groups, the zone that the server is pinned to, and its hints count as they did when it was made.

    Raises:
        errors.placement.NoValidHost: none will do.
    """
    uuid, cell = h.instance.uuid, cell_of(h).uuid
    with h.api_db.read() as conn:
        spec = objects.RequestSpec.get(conn, instance_uuid=uuid)
    asked = spec_of(spec, h.instance, state, cell)
    asked.requested_resources = port_requests.renewed(
        asked.requested_resources, lambda: h.clients.network.ports(uuid))
    state.selections = schedule.ask(h, asked, [uuid], cell=cell)[uuid]
    state.claimed = True


def cell_of(h: SuperConductor) -> objects.CellMapping:
    """At a super-conductor: the server's cell."""
    with h.api_db.read() as conn:
        mapping = objects.InstanceMapping.get(conn, instance_uuid=h.instance.uuid)
    found: objects.CellMapping = next(cell for cell in h.cells() if cell.id == mapping.cell_id)
    return found


def spec_of(spec: objects.RequestSpec, instance: objects.Instance, state: objects.Placing,
            cell: str) -> objects.RequestSpec:
    """The request for this time: what was forced when the server was made is not forced for ever."""
    asked = spec.copy()
    asked.flavor = state.new_flavor or instance.flavor
    if instance.image_meta is not None:
        asked.image = instance.image_meta
    asked.num_instances = 1
    forced = state.wanted_host if state.forced else None
    asked.force_hosts, asked.force_nodes = [] if forced is None else [forced], []
    asked.requested_destination = objects.Destination(
        host=state.wanted_host if forced is None else None, cell=cell)
    asked.ignore_hosts = list(state.ignored)
    return asked


def take(h: Conductor, state: objects.Placing, how: Callable[[objects.Selection], bool] | None = None
         ) -> objects.Selection:
    """In the cell: take the next of the hosts that were chosen; to be called by a step with ``choice=True``.

    Args:
        how: one is claimed; see `schedule.take_next`.

    Raises:
        errors.task.RetriesExceeded: none is left.
    """
    selection, state.selections = schedule.take_next(h, state.selections, state.claimed, how)
    state.claimed = False
    state.dest, state.dest_node = selection.service_host, selection.nodename
    state.dest_id, state.zone = selection.compute_node_uuid, selection.availability_zone
    state.serving = port_requests.serving(selection.allocation_request)
    return selection
