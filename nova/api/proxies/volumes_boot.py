"""``/os-volumes_boot``, up to 2.102 another address of ``/servers``: the same operations under it."""

import dataclasses
from collections.abc import Iterable, Iterator

from nova.common.microversion import V
from nova.rest.resource import Operation

_UNTIL = V('2.102')
_PATHS = {'/servers', '/servers/detail', '/servers/{server_id}', '/servers/{server_id}/action'}
_ACTIONS = {None, 'confirmResize', 'createImage', 'os-start', 'os-stop', 'reboot', 'rebuild', 'resize',
            'revertResize', 'trigger_crash_dump'}


def aliases(operations: Iterable[Operation]) -> Iterator[Operation]:
    """What of `operations` is served there as well."""
    for one in operations:
        if one.path in _PATHS and one.action in _ACTIONS:
            yield dataclasses.replace(one, path=one.path.replace('/servers', '/os-volumes_boot'),
                                      until=_UNTIL, name=f'{one.name} (os-volumes_boot)')
