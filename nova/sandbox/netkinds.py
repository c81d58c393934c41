"""What the network stand-in keeps, the errors it answers by Neutron's names, and who may see what."""


from nova.common import problem, uuids
from nova.sandbox import service
from nova.sandbox.store import Document, Kind, Rows

CARD = 'hostdev_physical'
DEVICES = {'direct': 'hw_veb', 'macvtap': 'hw_veb', 'direct-physical': CARD}
"""The ``vnic_type`` of ports that are devices of hosts, to how these are plugged."""

NETWORK = Kind('network', owner='project_id')
SUBNET = Kind('subnet', owner='project_id', parent='network_id')
PORT = Kind('port', owner='project_id', parent='device_id', unique=('network_id', 'mac_address'))
BINDING = Kind('port_binding', parent='port_id')
GROUP = Kind('security_group', owner='project_id')
RULE = Kind('security_group_rule', owner='project_id', parent='security_group_id')
ROUTER = Kind('router', owner='project_id')
FLOATING = Kind('floatingip', owner='project_id', parent='port_id')
ALLOCATION = Kind('ip_allocation', owner='network_id', parent='port_id')
CURSOR = Kind('ip_cursor')
QUOTA = Kind('network_quota')
POLICY = Kind('policy', owner='project_id')
MINIMUM = Kind('qos_minimum', parent='qos_policy_id', unique=('qos_policy_id', 'type', 'direction'))
"""A rule of a QoS policy."""


def error(status: int, name: str, template: str) -> type[problem.Problem]:
    """A class of errors with the type name that clients match on."""
    return type(name, (problem.Problem,), {'status': status, 'code': name, 'template': template})


NetworkNotFound = error(404, 'NetworkNotFound', 'Network {id} could not be found.')
SubnetNotFound = error(404, 'SubnetNotFound', 'Subnet {id} could not be found.')
PortNotFound = error(404, 'PortNotFound', 'Port {id} could not be found.')
SecurityGroupNotFound = error(404, 'SecurityGroupNotFound', 'Security group {id} does not exist')
SecurityGroupRuleNotFound = error(404, 'SecurityGroupRuleNotFound', 'Security group rule {id} does not exist')
RouterNotFound = error(404, 'RouterNotFound', 'Router {id} could not be found')
FloatingIPNotFound = error(404, 'FloatingIPNotFound', 'Floating IP {id} could not be found')
QosPolicyNotFound = error(404, 'QosPolicyNotFound', 'QoS policy {id} could not be found.')
QosRuleNotFound = error(404, 'QosRuleNotFound', 'QoS rule {id} for policy {policy} could not be found.')
PortBindingNotFound = error(404, 'PortBindingNotFound',
                            'Binding for port {port_id} for host {host} could not be found.')
HTTPNotFound = error(404, 'HTTPNotFound', 'The resource could not be found.')
InvalidInput = error(400, 'InvalidInput', 'Invalid input for operation: {why}.')
HTTPBadRequest = error(400, 'HTTPBadRequest', '{why}')
InvalidIpForSubnet = error(400, 'InvalidIpForSubnet',
                           'IP address {ip} is not a valid IP for the specified subnet.')
InvalidIpForNetwork = error(400, 'InvalidIpForNetwork', 'IP address {ip} is not a valid IP for any of the '
                                                        'subnets on the specified network.')
ExternalIpAddressExhausted = error(400, 'ExternalIpAddressExhausted',
                                   'Unable to find any IP address on external network {id}.')
PolicyNotAuthorized = error(403, 'PolicyNotAuthorized', 'rule:{rule} is disallowed by policy')
IpAddressInUse = error(409, 'IpAddressInUse',
                       'Unable to complete operation for network {network}. The IP address {ip} is in use.')
IpAddressAlreadyAllocated = error(409, 'IpAddressAlreadyAllocated',
                                  'IP address {ip} already allocated in subnet {subnet}.')
IpAddressGenerationFailure = error(409, 'IpAddressGenerationFailure',
                                   'No more IP addresses available on network {id}.')
MacAddressInUse = error(409, 'MacAddressInUse', 'Unable to complete operation for network {network}. '
                                                'The mac address {mac} is in use.')
NetworkInUse = error(409, 'NetworkInUse', 'Unable to complete operation on network {id}. '
                                          'There are one or more ports still in use on the network.')
SubnetInUse = error(409, 'SubnetInUse', 'Unable to complete operation on subnet {id}: '
                                        'One or more ports have an IP allocation from this subnet.')
PortInUse = error(409, 'PortInUse', 'Unable to complete operation on port {id} for network {network}. '
                                    'Port already has an attached device {device}.')
ServicePortInUse = error(409, 'ServicePortInUse',
                         'Port {id} cannot be deleted directly via the port API: {why}.')
PortBindingAlreadyExists = error(409, 'PortBindingAlreadyExists',
                                 'Binding for port {port_id} on host {host} already exists.')
PortBindingAlreadyActive = error(409, 'PortBindingAlreadyActive',
                                 'Binding for port {port_id} on host {host} is already active.')
QosPolicyInUse = error(409, 'QosPolicyInUse', 'QoS Policy {id} is used by a port or network.')
SecurityGroupInUse = error(409, 'SecurityGroupInUse', 'Security Group {id} in use.')
SecurityGroupCannotRemoveDefault = error(409, 'SecurityGroupCannotRemoveDefault',
                                         'Insufficient rights for removing default security group.')
SecurityGroupDefaultAlreadyExists = error(409, 'SecurityGroupDefaultAlreadyExists',
                                          'Default security group already exists.')
SecurityGroupRuleExists = error(409, 'SecurityGroupRuleExists',
                                'Security group rule already exists. Rule id is {id}.')
FloatingIPPortAlreadyAssociated = error(
    409, 'FloatingIPPortAlreadyAssociated', 'Cannot associate floating IP {ip} with port {port}: '
    'the port has one already.')
OverQuota = error(409, 'OverQuota', "Quota exceeded for resources: ['{resource}'].")


def stamp(document: Document) -> Document:
    """A new document of a project, with what every Neutron resource carries."""
    when = service.now()
    return {'id': uuids.generate(), 'name': '', 'description': '', 'tags': [], 'revision_number': 1,
            'created_at': when, 'updated_at': when, **document}


def touch(document: Document) -> Document:
    """A changed document, its revision moved."""
    return {**document, 'revision_number': document['revision_number'] + 1, 'updated_at': service.now()}


def sees_network(caller: service.Caller, network: Document) -> bool:
    return caller.owns(network) or network['shared'] or network['router:external']


def network_for(rows: Rows, caller: service.Caller, ident: object) -> Document:
    """A network that the caller may see.

    Raises:
        NetworkNotFound: there is none.
    """
    found = rows.get(NETWORK, str(ident))
    if found is None or not sees_network(caller, found):
        raise NetworkNotFound(id=ident)
    return found


def port_for(rows: Rows, caller: service.Caller, ident: object) -> Document:
    """A port of the caller's.

    Raises:
        PortNotFound: there is none.
    """
    found = rows.get(PORT, str(ident))
    if found is None or not caller.owns(found):
        raise PortNotFound(id=ident)
    return found
