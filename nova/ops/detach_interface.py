"""DELETE os-interface/{id}: taken from the guest, then given back or deleted.

The guest comes first. One that does not let go keeps its interface, and the server is as it was.
"""

import logging

from nova import errors, objects
from nova.domain import port_requests
from nova.objects import base, fields
from nova.policies import attach_interfaces as rules
from nova.steps import interfaces
from nova.task.action import Action
from nova.task.flow import QUEUED, Flow, Step
from nova.task.guard import From
from nova.task.handles import Conductor, Host, Request

LOG = logging.getLogger(__name__)


class PortState(base.State):
    """
    Attributes:
        port: the interface's.
        there: the server has it when its turn comes.
        rest: what the server holds in Placement without what the port asks for; empty where that is nothing.
    """

    port: str
    there: bool = False
    rest: fields.Json = fields.since('1.1', {})


def find_interface(h: Conductor, state: PortState) -> None:
    """Look whether the server still has the interface: an earlier request may have detached it.

    And what it holds besides. Of a port that its owner has deleted nobody knows any more what it asked for.
    """
    vif = interfaces.find(h.instance, state.port)
    state.there = vif is not None
    if vif is not None and port_requests.ALLOCATION in (vif.profile or {}):
        held = h.clients.placement.allocations(h.instance.uuid).allocations
        asked = [claim for port in h.clients.network.ports(h.instance.uuid) if port['id'] == state.port
                 for claim in port_requests.claims(port)]
        state.rest = port_requests.without(held, asked, port_requests.served(h.instance.network_info))


def is_there(state: PortState) -> bool:
    return bool(state.there)


def detach_interface(h: Host, state: PortState) -> None:
    h.driver.detach_interface(h, interfaces.get(h.instance, state.port))


def attach_again(h: Host, state: PortState) -> None:
    """Undo of `detach_interface`: attach the interface again if the guest has let it go after all."""
    h.driver.attach_interface(h, interfaces.get(h.instance, state.port))


def release_port(h: Conductor, state: PortState) -> None:
    """Delete a port that we made, or give it back to its owner, and what it asked for; drop the interface from
    the record."""
    server = h.instance
    if state.rest and not h.clients.placement.hold(
            {server.uuid: (state.rest, 'INSTANCE')}, server.project_id, server.user_id):
        LOG.warning('Server %s holds what port %s asked for until it moves: where more is in use than there '
                    'is, Placement lets nothing be given back', server.uuid, state.port)
    h.clients.network.release_port(h.instance, state.port)
    interfaces.drop(h.instance, state.port)


class DetachInterface(Flow[PortState]):
    name = 'detach_interface'
    action = 'detach_interface'
    exclusion = QUEUED
    steps = (
        Step(find_interface),
        Step(detach_interface, undo=attach_again, at='host', when=is_there, pivot=True),
        Step(release_port, when=is_there),
    )


def _comes(req: Request, instance: objects.Instance, port: str) -> bool:
    """Whether a request that was answered attaches it: that has its turn before this one has."""
    return port in {one['id'] for one in req.clients.network.ports(instance.uuid)}


class DetachInterfaceAction(Action):
    method, path = 'DELETE', '/servers/{server_id}/os-interface/{port_id}'
    name = 'detach_interface'
    rule = rules.DELETE
    start = From(*interfaces.STATES, host=True)

    def answer(self, req: Request, instance: objects.Instance, body: object, port_id: str = '') -> None:
        if interfaces.find(instance, port_id) is None and not _comes(req, instance, port_id):
            raise errors.network.PortNotFound(port=port_id)
        req.submit(DetachInterface, instance, PortState(port=port_id), guard=self.guard())
