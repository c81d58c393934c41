"""One interface of a server that is there already, and what its record says of all of them."""

import sqlalchemy as sa

from nova import errors, objects
from nova.objects import network_model
from nova.states import VM
from nova.task.handles import Conductor

STATES = (VM.ACTIVE, VM.PAUSED, VM.STOPPED)
"""In which a server gets and loses interfaces."""

_TRIES = 5


def of(instance: objects.Instance) -> list[objects.VIF]:
    """The interfaces that the record knows."""
    return list(instance.network_info.vifs) if instance.network_info is not None else []


def find(instance: objects.Instance, port_id: str | None) -> objects.VIF | None:
    """The interface that is this port."""
    return next((vif for vif in of(instance) if vif.id == port_id), None)


def get(instance: objects.Instance, port_id: str | None) -> objects.VIF:
    """`find` of one that is there.

    Raises:
        PortNotFound: it is not.
    """
    found = find(instance, port_id)
    if found is None:
        raise errors.network.PortNotFound(port=port_id)
    return found


def put(instance: objects.Instance, vif: objects.VIF) -> None:
    """The record knows the interface, after the others."""
    others = [one for one in of(instance) if one.id != vif.id]
    instance.network_info = objects.NetworkInfo(vifs=[*others, vif])


def drop(instance: objects.Instance, port_id: str | None) -> None:
    """The record knows no such interface."""
    instance.network_info = objects.NetworkInfo(vifs=[one for one in of(instance) if one.id != port_id])


def refresh_network(h: Conductor, state: objects.State) -> None:
    """Bring what the record says of the server's interfaces up to date.

    An operation that changes them at the same moment has the last word: this writes only where nothing was
    written since it looked. A server without a network, as yet, gets it from the operation that makes it.

    Raises:
        StepFailed: others wrote every time.
    """
    uuid = h.task.instance_uuid
    for _ in range(_TRIES):
        if uuid is None or h.instance is None or h.instance.deleted:
            return
        with h.db.read() as conn:
            old = network_model.stored(conn, uuid)
        if old is None:
            return
        server = h.instance.copy()
        server.network_info = objects.NetworkInfo.from_wire(old)
        new = h.clients.network.info(server)

        def write(conn: sa.Connection, uuid: str = uuid, old: object = old,
                  new: objects.NetworkInfo = new) -> bool:
            return network_model.swap(conn, uuid, old, new)
        if h.db.write(write):
            return
    raise errors.task.StepFailed(step='refresh_network', reason='the server changed again and again')
