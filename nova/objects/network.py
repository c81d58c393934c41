"""What a user asked for in the way of networks."""

from nova.objects import base
from nova.objects.base import fields


class NetworkRequest(base.Record):
    """One requested interface: a port, or a network with perhaps an address.

    Attributes:
        network_id: uuid; or the words ``auto`` and ``none`` until the network service was asked.
        tag: device tag.
        pci_request_id: ties the port to the PCI request it causes.
        arq_uuid, device_profile: accelerator of the port.
    """

    fields = {
        'network_id': fields.maybe(fields.StringField),
        'port_id': fields.maybe(fields.StringField),
        'address': fields.maybe(fields.StringField),
        'tag': fields.maybe(fields.StringField),
        'pci_request_id': fields.maybe(fields.StringField),
        'device_profile': fields.maybe(fields.StringField),
        'arq_uuid': fields.maybe(fields.StringField),
    }
