"""Errors: ``errors.server.ServerNotFound(server=uuid)``; the families and the journal form are here."""

from nova.errors import (
    block,
    bus,
    hardware,
    host,
    identity,
    image,
    network,
    placement,
    server,
    share,
    task,
    virt,
)
from nova.errors.base import (
    Conflict,
    Forbidden,
    Internal,
    Invalid,
    NotFound,
    NovaError,
    Unavailable,
    from_dict,
    kinds,
    to_dict,
)

__all__ = [
    'Conflict', 'Forbidden', 'Internal', 'Invalid', 'NotFound', 'NovaError', 'Unavailable',
    'block', 'bus', 'from_dict', 'hardware', 'host', 'identity', 'image', 'kinds', 'network', 'placement',
    'server', 'share', 'task', 'to_dict', 'virt',
]
