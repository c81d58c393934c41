"""File shares, and the service that has them."""

from nova.errors import base


class ShareNotFound(base.NotFound):
    everywhere = True
    template = 'Share {share} could not be found.'


class ShareNotAttached(base.NotFound):
    template = 'Share {share} is not attached to server {server}.'


class SharesUnsupported(base.Forbidden):
    template = 'The compute host of server {server} cannot attach shares.'


class MemoryUnsuitable(base.Conflict):
    template = ('The compute host of server {server} cannot back its memory as shares need it. Use a flavor '
                'with hw:mem_page_size, or a host with the trait COMPUTE_MEM_BACKING_FILE.')


class ShareNotAvailable(base.Conflict):
    template = 'Share {share} is {status}; it has to be available.'


class ShareNotExported(base.Conflict):
    template = 'Share {share} has no export location.'


class ShareProtocolUnsupported(base.Conflict):
    template = 'Share {share} speaks {protocol}; servers get shares of NFS and CephFS.'


class ShareAttached(base.Conflict):
    template = 'Share {share} is attached to server {server} already.'


class ShareTagTaken(base.Conflict):
    template = 'Server {server} knows another share by the tag {tag}.'


class ShareChanging(base.Conflict):
    template = 'Share {share} of server {server} is {status}.'


class ServerHasShares(base.Conflict):
    template = 'Server {server} has shares, and cannot {action} with them. Detach them first.'


class ShareRefused(base.Internal):
    """The service does not let the host use a share, or not in time."""

    template = 'The share service does not let {who} use share {share}: {reason}'


class ShareServiceFailed(base.Unavailable):
    template = 'The share service cannot be used at this time.'


class ShareServiceAway(ShareServiceFailed):
    """It does not answer now, or asks for patience."""

    again = True
