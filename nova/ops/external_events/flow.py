"""What the network service says has changed is asked of it anew, beside whatever else is done to the server."""

import functools

from nova import errors, objects
from nova.objects import network_model
from nova.task.flow import SHARING, Flow, Step
from nova.task.handles import Conductor

_TRIES = 5


def refresh_network(h: Conductor, state: objects.State) -> None:
    """Bring what the record says of the server's interfaces up to date.

    An operation that changes them at the same moment has the last word: this writes only where nothing was
    written since it looked. A server without a network, as yet, gets it from the operation that makes it.

    Raises:
        StepFailed: others wrote every time.
    """
    uuid = h.task.instance_uuid or ''
    for _ in range(_TRIES):
        if h.instance is None or h.instance.deleted:
            return
        with h.db.read() as conn:
            old = network_model.stored(conn, uuid)
        if old is None:
            return
        server = h.instance.copy()
        server.network_info = objects.NetworkInfo.from_wire(old)
        new = h.clients.network.info(server)
        if h.db.write(functools.partial(network_model.swap, uuid=uuid, old=old, new=new)):
            return
    raise errors.task.StepFailed(step='refresh_network', reason='the server changed again and again')


class RefreshNetwork(Flow[objects.State]):
    """Not seen among a server's actions: nobody asked for it."""

    name = 'refresh_network'
    exclusion = SHARING
    steps = (Step(refresh_network),)
    deadline = 600.0
