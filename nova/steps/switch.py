"""When the record of a server that moves begins to speak of the other host: ports, attachments and all."""

import logging

from nova import errors
from nova.objects import Move
from nova.objects import move as moves
from nova.steps import moved_volumes, ports
from nova.task.handles import Conductor

LOG = logging.getLogger(__name__)


def to_dest(h: Conductor, state: Move) -> None:
    """Bind the ports to the destination, and write its host, node and flavor into the record.

    Raises:
        Refused: nothing on the host can bind a port.
    """
    if not state.same_host:
        try:
            awaited = ports.move_ports(h, state.dest, state.serving)
        except errors.network.PortBindingFailed as error:
            raise errors.task.Refused(error.message) from error
        state.unplugged = awaited if state.runs and h.conf.vif_plugging_timeout > 0 else []
    elif state.serving != state.served:
        ports.move_ports(h, state.dest, state.serving)
    name_dest(h, state)


def name_dest(h: Conductor, state: Move) -> None:
    """`to_dest` of the record alone."""
    instance = h.instance
    if not state.same_host:
        moved_volumes.use_there(instance, state)
    instance.host, instance.node, instance.compute_id = state.dest, state.dest_node, state.dest_id
    instance.launched_on = state.dest
    instance.availability_zone = state.zone or instance.availability_zone
    instance.take_flavor(state.new_flavor)


def to_source(h: Conductor, state: Move) -> None:
    """Undo of `to_dest`: bind the ports to the source, and write it back; also when nothing was done."""
    instance = h.instance
    if not state.same_host:
        _bind_back(h, state)
        moved_volumes.use_source(instance, state)
    elif state.serving != state.served:
        ports.move_ports(h, state.source, state.served)
    instance.host, instance.node, instance.compute_id = state.source, state.source_node, state.source_id
    instance.launched_on = state.source
    instance.availability_zone = state.source_zone
    instance.take_flavor(state.old_flavor)
    state.unplugged = []


def _bind_back(h: Conductor, state: Move) -> None:
    """A host that a server is evacuated from is down, and may be unable to bind anything."""
    try:
        ports.move_ports(h, state.source, state.served)
    except errors.network.PortBindingFailed as error:
        if state.kind != moves.EVACUATION:
            raise
        LOG.warning('Server %s is back on a host that is down, and its ports are not: %s', h.instance.uuid,
                    error.message)
