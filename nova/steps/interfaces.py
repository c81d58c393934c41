"""One interface of a server that is there already, and what its record says of all of them."""

from typing import TYPE_CHECKING

from nova import errors, objects
from nova.common import dbkit
from nova.objects import network_model
from nova.states import VM
from nova.task import fence
from nova.task.handles import Conductor

if TYPE_CHECKING:
    from nova.clients import Clients

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
    """Add the interface to the server's record, after the others."""
    others = [one for one in of(instance) if one.id != vif.id]
    instance.network_info = objects.NetworkInfo(vifs=[*others, vif])


def drop(instance: objects.Instance, port_id: str | None) -> None:
    """Drop the interface from the server's record."""
    instance.network_info = objects.NetworkInfo(vifs=[one for one in of(instance) if one.id != port_id])


def refresh_network(h: Conductor, state: objects.State) -> None:
    """Bring what the record says of the server's interfaces up to date.

    An operation that changes them at the same moment has the last word: this writes only where nothing was
    written since it looked. A server without a network, as yet, gets it from the operation that makes it.

    Raises:
        StepFailed: others wrote every time.
    """
    for _ in range(_TRIES):
        if h.instance is None or h.instance.deleted or renew(h.db, h.clients, h.instance):
            return
    raise errors.task.StepFailed(step='refresh_network', reason='the server changed again and again')


def renew(db: dbkit.Database | fence.Database, clients: 'Clients', instance: objects.Instance) -> bool:
    """Bring what the record says up to date; False where somebody else wrote meanwhile."""
    with db.read() as conn:
        old = network_model.stored(conn, instance.uuid)
    if old is None:
        return True
    server = instance.copy()
    server.network_info = objects.NetworkInfo.from_wire(old)
    new: objects.NetworkInfo = clients.network.info(server)
    return db.write(lambda conn: network_model.swap(conn, instance.uuid, old, new))
