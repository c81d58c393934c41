"""Networks, ports and security groups."""

from nova.errors import base


class NetworkNotFound(base.NotFound):
    template = 'Network {network} could not be found.'


class NetworkAmbiguous(base.Conflict):
    template = 'Multiple possible networks found, use a Network ID to be more specific.'


class NetworkDuplicated(base.Invalid):
    template = 'Network {network} is duplicated.'


class NetworkForbidden(base.Forbidden):
    template = 'Not allowed to use network {network}.'


class NetworkNeedsSubnet(base.Invalid):
    template = 'Network {network} requires a subnet in order to boot instances on.'


class PortNotFound(base.NotFound):
    template = 'Port {port} could not be found.'


class PortInUse(base.Conflict):
    template = 'Port {port} is still in use.'


class PortNotUsable(base.Invalid):
    """It belongs to another project, even if the caller may see it."""

    everywhere = True
    template = 'Port {port} is not usable for a server of project {project}.'


class PortAsksResources(base.Invalid):
    """They are not claimed."""

    everywhere = True
    template = 'Port {port} asks for resources of its host (resource_request): {reason}'


class PortLimitExceeded(base.Forbidden):
    template = 'Maximum number of ports exceeded'


class PortBindingFailed(base.Internal):
    template = 'Binding failed for port {port}; look in the network service for why.'


class FixedIpInvalid(base.Invalid):
    template = 'Invalid fixed IP address {address}.'


class FixedIpInUse(base.Conflict):
    template = 'Fixed IP address {address} is already in use.'


class SecurityGroupNotFound(base.NotFound):
    template = 'Security group {group} not found.'


class SecurityGroupNotOfServer(base.NotFound):
    template = 'Instance {server} is not in security group {group}.'


class PortWithoutSecurity(base.Invalid):
    template = ('No port of instance {server} can be in a security group: port security is off, or there is no '
                'address.')


class SecurityGroupAmbiguous(base.Conflict):
    template = "Multiple security groups match '{group}', use an ID to be more specific."


class NetworkServiceFailed(base.Unavailable):
    template = 'The network service cannot be used at this time.'


class NetworkServiceAway(NetworkServiceFailed):
    """It does not answer now, or asks for patience."""

    again = True


class VifPlugTimeout(base.Internal):
    template = 'The network service did not report the ports of instance {server} as plugged in time.'


class VifPlugFailed(base.Internal):
    template = 'The network service could not plug in ports {ports} of instance {server}.'
