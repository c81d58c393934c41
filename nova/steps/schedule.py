"""Which host: taking the chosen one, and in the cell the alternates, one by one.

Alternates are flow state, chosen once by the scheduler; nobody asks it again. The first selection has been
claimed already when a flow receives it; every other one is claimed in Placement before its host is tried.
"""

import datetime
from collections.abc import Callable, Sequence

from nova import errors, objects
from nova.common import clock, dbkit, jsonutil
from nova.task.handles import Conductor, Handle, SuperConductor

SURELY_WAITS = datetime.timedelta(seconds=3)
"""For how long a scheduler need not ask whether its answer is waited for: less than it may be silent for."""


def ask(h: SuperConductor, spec: objects.RequestSpec, uuids: Sequence[str], *, ignore_cells: Sequence[str] = (),
        cell: str | None = None) -> dict[str, list[objects.Selection]]:
    """Ask the scheduler for hosts of servers: for each the one that was claimed, then alternates.

    Args:
        cell: uuid of the cell whose journal has the task; None is the API database's.

    Raises:
        errors.placement.NoValidHost: not all of them can have one.
    """
    with h.api_db.read() as conn:
        until = dbkit.now(conn) + SURELY_WAITS
    began = clock.monotonic()
    answer = h.scheduler.select(h.context, objects.SelectRequest(
        spec=spec, instance_uuids=list(uuids), ignore_cells=list(ignore_cells), task=h.task.uuid,
        attempt=h.task.attempt, until=until, cell=cell))
    if clock.monotonic() - began > SURELY_WAITS.total_seconds():
        h.note_doubt()  # another scheduler may have been asked meanwhile, and the first one still claim
    chosen = {choice.instance_uuid: choice.selections for choice in answer.choices}
    if not all(chosen.get(uuid) for uuid in uuids):
        raise errors.placement.NoValidHost(reason=answer.reason, why=answer.explain)
    return chosen


def take_next(h: Conductor, selections: Sequence[objects.Selection], claimed: bool,
              how: Callable[[objects.Selection], bool] | None = None) -> tuple[
        objects.Selection, list[objects.Selection]]:
    """Claim the next selection that has room; returns it, and the selections after it.

    Args:
        claimed: the first of `selections` holds its allocation already.
        how: one is claimed, where that is not done by its allocation request alone.

    Raises:
        errors.task.RetriesExceeded: none is left.
    """
    left = list(selections)
    while left:
        selection = left.pop(0)
        if claimed or (how(selection) if how else claim(h, selection)):
            return selection, left
    said = h.refusals()
    raise errors.task.RetriesExceeded(reason=said[-1] if said else 'No host is left to try.')


def claim(h: Handle, selection: objects.Selection) -> bool:
    """Claim a selection in Placement; returns whether there was room."""
    request = jsonutil.loads(selection.allocation_request)
    return h.clients.placement.claim(h.instance.uuid, request, h.instance.project_id, h.instance.user_id)


def assign(instance: objects.Instance, selection: objects.Selection) -> None:
    """Write the chosen host into the server's record."""
    instance.host = selection.service_host
    instance.node = selection.nodename
    instance.compute_id = selection.compute_node_uuid
    if selection.availability_zone:
        instance.availability_zone = selection.availability_zone
    instance.launched_on = selection.service_host


def leave_host(h: Conductor, state: objects.State) -> None:
    """Undo of a choice: give the claim up, and clear the host in the record."""
    h.clients.placement.drop(h.instance.uuid)
    instance = h.instance
    instance.host = instance.node = instance.compute_id = instance.launched_on = None


def mark_launched(instance: objects.Instance) -> None:
    """Note that the guest exists: most operations are allowed from now on."""
    if instance.launched_at is None:
        instance.launched_at = clock.utcnow()
