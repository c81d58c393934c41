"""What a user asked for in the way of networks."""

from nova.objects import base, fields


class NetworkRequest(base.Record):
    """One requested interface: a port, or a network with perhaps an address.

    Attributes:
        network_id: uuid; or the words ``auto`` and ``none`` until the network service was asked.
        tag: device tag.
        pci_request_id: ties the port to the PCI request it causes.
        arq_uuid, device_profile: accelerator of the port.
        device: of a port that is a device of the host: ``vnic_type``, ``physical_network``, ``trusted``.
        claims: what a port asks of its host (`nova.domain.port_requests`).
    """

    network_id: str | None = None
    port_id: str | None = None
    address: str | None = None
    tag: str | None = None
    pci_request_id: str | None = None
    device_profile: str | None = None
    arq_uuid: str | None = None
    device: fields.Json | None = fields.since('1.1', None)
    claims: fields.Json = fields.since('1.2', [])
