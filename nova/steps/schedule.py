"""Which host: taking the chosen one, and in the cell the alternates, one by one.

Alternates are flow state, chosen once by the scheduler; nobody asks it again. The first selection has been
claimed already when a flow receives it; every other one is claimed in Placement before its host is tried.
"""

from collections.abc import Sequence
from typing import Any

from nova import errors, objects
from nova.common import clock, jsonutil


def take_next(h: Any, selections: Sequence[objects.Selection], claimed: bool) -> tuple[
        objects.Selection, list[objects.Selection]]:
    """The next selection whose resources are ours, and those left after it.

    Args:
        claimed: the first of `selections` holds its allocation already.

    Raises:
        errors.task.RetriesExceeded: none is left.
    """
    left = list(selections)
    while left:
        selection = left.pop(0)
        if claimed or _claim(h, selection):
            return selection, left
    said = h.refusals()
    raise errors.task.RetriesExceeded(reason=said[-1] if said else 'No host is left to try.')


def _claim(h: Any, selection: objects.Selection) -> bool:
    request = jsonutil.loads(selection.allocation_request)
    return h.clients.placement.claim(h.instance.uuid, request, h.instance.project_id, h.instance.user_id)


def settle(instance: objects.Instance, selection: objects.Selection) -> None:
    """Write the choice on the record: from here on the server belongs to that host."""
    instance.host = selection.service_host
    instance.node = selection.nodename
    instance.compute_id = selection.compute_node_uuid
    if selection.availability_zone:
        instance.availability_zone = selection.availability_zone
    instance.launched_on = selection.service_host


def leave_host(h: Any, state: Any) -> None:
    """Undo of a choice: nothing is held in Placement, and the record names no host."""
    h.clients.placement.drop(h.instance.uuid)
    instance = h.instance
    instance.host = instance.node = instance.compute_id = instance.launched_on = None


def mark_launched(instance: objects.Instance) -> None:
    """The guest exists: most operations are allowed from now on."""
    if instance.launched_at is None:
        instance.launched_at = clock.utcnow()
