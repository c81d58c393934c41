"""An interface to a port that is made, and one that is taken away; addresses of a port."""

from nova.objects.network import NetworkRequest
from nova.ops import attach_interface, detach_interface, fixed_ips
from nova.tests.simulation import users


def _attach(world):
    uuid = world.running()
    world.begin(uuid, attach_interface.AttachInterface, attach_interface.InterfaceState(
        request=NetworkRequest(network_id=world.network), trust=users.entrusted()))
    return uuid


def _detach(world):
    uuid = world.running()
    port = world.server(uuid).network_info.vifs[0].id
    world.begin(uuid, detach_interface.DetachInterface, detach_interface.PortState(port=port))
    return uuid


def _addresses(world):
    uuid = world.running()
    port, = world.clients.network.ports(uuid)
    more = [*port['fixed_ips'], {'subnet_id': port['fixed_ips'][0]['subnet_id']}]
    world.begin(uuid, fixed_ips.ChangeAddresses, fixed_ips.AddressesState(port=port['id'], addresses=more))
    return uuid


CASES = {'attach_interface': _attach, 'detach_interface': _detach, 'change_addresses': _addresses}
STATES = {
    'attach_interface': lambda: attach_interface.InterfaceState(
        request=NetworkRequest(network_id='none such'), trust=users.entrusted()),
    'detach_interface': lambda: detach_interface.PortState(port='none such'),
    'change_addresses': lambda: fixed_ips.AddressesState(port='none such')}


def _to_attach(world, server):
    if server.host is None:
        return None
    return attach_interface.InterfaceState(
        request=NetworkRequest(network_id=world.network), trust=users.entrusted())


def _to_detach(world, server):
    """The last of its ports, as the server knows them."""
    known = server.network_info.vifs if server.network_info is not None else ()
    return detach_interface.PortState(port=known[-1].id) if server.host is not None and known else None


ON = {'attach_interface': _to_attach, 'detach_interface': _to_detach}
