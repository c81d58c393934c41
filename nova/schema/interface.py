"""Interfaces of a server, as os-interface shows and takes them: ports of the network service."""


from nova.common.jsonutil import JsonObject
from nova.rest import types
from nova.rest.field import Document, Faces, Field

_SHOWN: Faces = {'list': '2.1', 'show': '2.1'}
_ADDRESS = {'type': 'object', 'additionalProperties': False, 'required': ['ip_address'],
            'properties': {'ip_address': types.text(format='ip')}}
_SHOWN_ADDRESS = {'type': 'object', 'additionalProperties': False, 'required': ['ip_address', 'subnet_id'],
                  'properties': {'ip_address': types.text(format='ip'), 'subnet_id': types.UUID}}


class Wanted(Document):
    """Face ``create``: a port, or a network with perhaps an address; neither is the only network there is."""

    net_id = Field(types.UUID, 'The network.', create='2.1')
    port_id = Field(types.UUID, 'A port that is there.', create='2.1')
    fixed_ips = Field(types.array(_ADDRESS, 1, 1), 'The address to have on the network.', create='2.1')
    tag = Field(types.TAG, 'Label by which the guest knows the interface.', create='2.49')


class AttachInterfaceRequest(Document):
    """The whole body."""

    interfaceAttachment = Field(Wanted, create='2.1')


class Interface(Document):
    """Faces ``list`` and ``show``, of `Shown`."""

    port_id = Field(types.UUID, 'The port.', get=lambda shown, look: shown.port['id'], **_SHOWN)
    net_id = Field(types.UUID, 'Its network.', get=lambda shown, look: shown.port['network_id'], **_SHOWN)
    mac_addr = Field(types.TEXT, 'Its MAC address.', get=lambda shown, look: shown.port['mac_address'],
                     **_SHOWN)
    port_state = Field(types.TEXT, 'What the network service says of it: ACTIVE, DOWN ...',
                       get=lambda shown, look: shown.port['status'], **_SHOWN)
    fixed_ips = Field(types.array(_SHOWN_ADDRESS), 'Its addresses.', **_SHOWN, get=lambda shown, look: [
        {'ip_address': one['ip_address'], 'subnet_id': one['subnet_id']} for one in shown.port['fixed_ips']])
    tag = Field(types.nullable(types.TEXT), 'Label by which the guest knows it.', list='2.70', show='2.70')


class Shown:
    """A port of a server, and the tag of its interface.

    Attributes:
        port: as Neutron's v2.0 API shows it.
    """

    def __init__(self, port: JsonObject, tag: str | None) -> None:
        self.port, self.tag = port, tag
