"""DELETE os-interface/{id}: taken from the guest, then given back or deleted.

The guest comes first. One that does not let go keeps its interface, and the server is as it was.
"""


from nova import errors, objects
from nova.objects import base
from nova.policies import attach_interfaces as rules
from nova.steps import interfaces
from nova.task.action import Action
from nova.task.flow import QUEUED, Flow, Step
from nova.task.guard import From
from nova.task.handles import Conductor, Host, Request


class PortState(base.State):
    """`port` is the interface's; `there` says that the server has it when its turn comes."""

    port: str
    there: bool = False


def find_interface(h: Conductor, state: PortState) -> None:
    """Look whether the server still has the interface: an earlier request may have detached it."""
    state.there = interfaces.find(h.instance, state.port) is not None


def is_there(state: PortState) -> bool:
    return bool(state.there)


def detach_interface(h: Host, state: PortState) -> None:
    h.driver.detach_interface(h, interfaces.get(h.instance, state.port))


def attach_again(h: Host, state: PortState) -> None:
    """Undo of `detach_interface`: attach the interface again if the guest has let it go after all."""
    h.driver.attach_interface(h, interfaces.get(h.instance, state.port))


def release_port(h: Conductor, state: PortState) -> None:
    """Delete a port that we made, give another one back to its owner, and drop the interface from the
    record."""
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
