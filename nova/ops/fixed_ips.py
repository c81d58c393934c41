"""addFixedIp and removeFixedIp (until 2.43), and injectNetworkInfo: addresses of a server's ports.

The network service gives and takes addresses; a guest learns of it as of any other, by DHCP. No host is told.
"""


from nova import errors, objects
from nova.common.jsonutil import JsonObject
from nova.objects import base, fields
from nova.policies import admin_actions, multinic
from nova.rest import types
from nova.rest.field import Field
from nova.rest.resource import Body
from nova.steps import interfaces
from nova.task.action import Action
from nova.task.flow import SHARING, Flow, Step
from nova.task.guard import ANY, From
from nova.task.handles import Conductor, Request

_ALWAYS = From(task=ANY, launched=False)


class AddressesState(base.State):
    """`port` is to have these `addresses`: each a subnet, and the address where it is one that is there."""

    port: str
    addresses: fields.Json = []


def set_addresses(h: Conductor, state: AddressesState) -> None:
    """Give the port as many addresses as it is to have; one that has them is left alone."""
    port = next((one for one in h.clients.network.ports(h.instance.uuid) if one['id'] == state.port), None)
    if port is None:
        raise errors.network.PortNotFound(port=state.port)
    if len(port['fixed_ips']) != len(state.addresses):
        h.clients.network.set_addresses(state.port, state.addresses)


class ChangeAddresses(Flow[AddressesState]):
    """Not seen among a server's actions."""

    name = 'change_addresses'
    exclusion = SHARING
    steps = (Step(set_addresses), Step(interfaces.refresh_network))
    deadline = 600.0


class InjectNetworkInfo(Flow[objects.State]):
    """Not seen among a server's actions: what is known of its interfaces is asked anew."""

    name = 'inject_network_info'
    exclusion = SHARING
    steps = (Step(interfaces.refresh_network),)
    deadline = 600.0


class AddFixedIp(Action):
    key = 'addFixedIp'
    rule = multinic.ADD
    until = '2.43'
    body = Body(networkId=Field({'type': ['string', 'number'], 'minLength': 1, 'maxLength': 36},
                                'The network.', required=True))
    start = _ALWAYS

    def answer(self, req: Request, instance: objects.Instance, body: JsonObject) -> None:
        """
        Raises:
            errors.Invalid: the server has no port with an address there.
        """
        network = str(body['networkId'])
        for port in req.clients.network.ports(instance.uuid):
            if port['network_id'] == network and port['fixed_ips']:
                more = [*port['fixed_ips'], {'subnet_id': port['fixed_ips'][0]['subnet_id']}]
                req.submit(ChangeAddresses, instance, AddressesState(port=port['id'], addresses=more))
                return
        raise errors.Invalid(f'Instance {instance.uuid} has no port on network {network} for an address.')


class RemoveFixedIp(Action):
    key = 'removeFixedIp'
    rule = multinic.REMOVE
    until = '2.43'
    body = Body(address=Field(types.text(format='ip'), 'The address.', required=True))
    start = _ALWAYS

    def answer(self, req: Request, instance: objects.Instance, body: JsonObject) -> None:
        """
        Raises:
            errors.Invalid: it is none of the server's.
        """
        address = types.canonical_ip(body['address'])
        for port in req.clients.network.ports(instance.uuid):
            left = [one for one in port['fixed_ips'] if one['ip_address'] != address]
            if len(left) < len(port['fixed_ips']):
                req.submit(ChangeAddresses, instance, AddressesState(port=port['id'], addresses=left))
                return
        raise errors.Invalid(f'Fixed IP {address} is not one of instance {instance.uuid}.')


class InjectNetworkInfoAction(Action):
    key = 'injectNetworkInfo'
    rule = admin_actions.INJECT_NETWORK_INFO
    start = _ALWAYS
    flow = InjectNetworkInfo
