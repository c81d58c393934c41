"""Errors: ``errors.server.ServerNotFound(server=uuid)``; the families and the journal form are here."""

from nova.errors import block, hardware, host, image, network, placement, server, task, virt
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
    'block', 'from_dict', 'hardware', 'host', 'image', 'kinds', 'network', 'placement', 'server', 'task',
    'to_dict', 'virt',
]
