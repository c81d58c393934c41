"""POST os-interface: a server gets an interface more, to a port that is there or one that is made.

The task is there first, and waits; then the port is made the server's, in the user's name, so that the answer
can show it; then the task begins, binds the port to the server's host and gives it to the guest. Who dies in
between leaves a task that begins by itself after a while, and finds the port, or makes it.
"""

import logging

from nova import errors, objects
from nova.common.jsonutil import JsonObject
from nova.objects import base, fields
from nova.objects.network import NetworkRequest
from nova.policies import attach_interfaces as rules
from nova.policies import servers as server_rules
from nova.rest.resource import Body, One, Reply
from nova.schema import interface
from nova.steps import interfaces
from nova.task.action import Action
from nova.task.flow import QUEUED, Flow, Step
from nova.task.guard import From
from nova.task.handles import Conductor, Host, Request

LOG = logging.getLogger(__name__)
PATIENCE = 60.0
"""Seconds after which a task begins although nobody has let it."""

WITH_TAG = 'COMPUTE_NET_ATTACH_INTERFACE_WITH_TAG'


class InterfaceState(base.State):
    """
    Attributes:
        request: what was asked for, the network being definite.
        port: the port, once it is the server's.
        trust: to make it in the user's name.
        kept: the guest did not let the interface go again, so the server has it.
    """

    passing = ('trust',)

    request: NetworkRequest
    port: str | None = None
    trust: fields.Secret | None = None
    kept: bool = fields.since('1.1', False)


def make_port(h: Conductor, state: InterfaceState) -> None:
    """Give the server a port: the one that is named, or a new one. A repetition finds the port that it made."""
    user = h.clients.trust.trusted(h.context, state.trust)
    state.port, = h.clients.network.make(user, h.instance, [state.request], key=h.task.uuid)
    state.trust = None


def unmake_port(h: Conductor, state: InterfaceState) -> None:
    """Undo of `make_port`: delete a port that it made, and give a port of the user back to him."""
    if state.kept:
        return
    ports = [port for port in (state.port, state.request.port_id) if port is not None]
    h.clients.network.unmake(h.instance, ports, h.task.uuid)
    for port in ports:
        interfaces.drop(h.instance, port)


def place_port(h: Conductor, state: InterfaceState) -> None:
    """Bind the port to the server's host, and add the interface to the server's record.

    Raises:
        PortBindingFailed: nothing there can plug it in.
    """
    found = h.clients.network.place(h.instance, [state.port or ''], [state.request], h.instance.host or '')
    interfaces.put(h.instance, found.vifs[0])


def attach_interface(h: Host, state: InterfaceState) -> None:
    h.driver.attach_interface(h, interfaces.get(h.instance, state.port))


def detach_again(h: Host, state: InterfaceState) -> None:
    """Undo of `attach_interface`: detach the interface from the guest, and unplug it on the host.

    A guest that stands still lets nothing go, and may stand for long. Then the server has the interface, which
    its user may detach.
    """
    vif = interfaces.find(h.instance, state.port)
    if vif is None:
        return
    try:
        h.driver.detach_interface(h, vif)
    except errors.virt.DetachFailed as error:
        LOG.warning('Server %s keeps port %s: %s', h.instance.uuid, state.port, error)
        state.kept = True


class AttachInterface(Flow[InterfaceState]):
    name = 'attach_interface'
    action = 'attach_interface'
    exclusion = QUEUED
    steps = (
        Step(make_port, undo=unmake_port),
        Step(place_port),
        Step(attach_interface, undo=detach_again, at='host'),
    )


class AttachInterfaceAction(Action):
    method, path = 'POST', '/servers/{server_id}/os-interface'
    name = 'attach_interface'
    rule = rules.CREATE
    rules = (server_rules.ATTACH_EXTERNAL_NETWORK,)
    body = Body(interface.AttachInterfaceRequest, face='create')
    start = From(*interfaces.STATES, host=True)
    status = 200
    returns = One('interfaceAttachment', interface.Interface)

    def answer(self, req: Request, instance: objects.Instance, body: JsonObject) -> Reply:
        request = _checked(req, instance, body.get('interfaceAttachment') or {})
        state = InterfaceState(request=request, trust=req.clients.trust.entrust(req.context))
        task = req.submit(AttachInterface, instance, state, guard=self.guard(), wait=PATIENCE)
        network = req.clients.network
        try:
            port, = network.make(req.context, instance, [request], key=task.uuid)
        except errors.NovaError as error:
            refused = isinstance(error, (errors.Invalid, errors.NotFound, errors.Conflict, errors.Forbidden))
            req.withdraw(task, lambda conn: None, doubt=not refused)
            raise
        req.let_begin(task, lambda conn: None)
        shown = next((one for one in network.ports(instance.uuid) if one['id'] == port), None)
        if shown is None:
            raise errors.network.PortNotFound(port=port)
        return Reply(subject=interface.Shown(shown, request.tag))


def _checked(req: Request, server: objects.Instance, wanted: JsonObject) -> NetworkRequest:
    """What is asked for, made definite.

    Raises:
        errors.Invalid: it makes no sense, or cannot be had on the server's host.
        nova.errors.network: the network service does not let this user have it.
    """
    net, port, addresses = wanted.get('net_id'), wanted.get('port_id'), wanted.get('fixed_ips')
    if net and port:
        raise errors.Invalid('Must not input both network_id and port_id')
    if addresses and not net:
        raise errors.Invalid('Must input network_id when request IP address')
    tag = wanted.get('tag')
    if tag and server.compute_id and WITH_TAG not in req.clients.placement.traits(server.compute_id):
        raise errors.Invalid('Attaching tagged interfaces is not supported on the host of this server.')
    asked = [NetworkRequest(port_id=port)] if port else [] if not net else [
        NetworkRequest(network_id=net, address=addresses[0]['ip_address'] if addresses else None)]
    try:
        found = req.clients.network.check(req.context, asked, 1)
    except errors.network.NetworkAmbiguous as error:
        raise errors.Invalid(error.message) from error
    if not found:
        raise errors.Invalid('No network is there to attach an interface to.')
    if found[0].device is not None:
        raise errors.Invalid(f'Port {port} is a device of the host (its vnic_type is '
                             f'{found[0].device["vnic_type"]}): a server gets such ports when it is made.')
    if found[0].claims:
        raise errors.network.PortAsksResources(port=port, reason='a server gets such ports when it is made.')
    request: NetworkRequest = found[0].copy()
    request.tag = tag
    return request
