"""What came late: effects at the neighbours that nobody waited for any more.

A request may be carried out after the task that sent it has ended: its sender died, or gave up. Everything we
make says for which server it is: ports by ``device_id`` and a tag with the task and the place, volumes by
metadata that stay on them only until the build has written down which are its own, snapshots of volumes
likewise until the image that names them is whole, attachments and allocations by the server's uuid. So what a
server has and should not have can be told, once nothing is done to it any more.
"""

import logging
from typing import TYPE_CHECKING

from nova import errors, objects
from nova.states import VM
from nova.steps import volumes

if TYPE_CHECKING:
    from nova.clients import Clients

LOG = logging.getLogger(__name__)

_UP = frozenset({VM.ACTIVE, VM.PAUSED, VM.STOPPED, VM.SUSPENDED})
"""States of servers whose guests have every volume that is theirs."""


def sweep(clients: 'Clients', uuid: str, project_id: str | None,
          instance: objects.Instance | None = None) -> list[str]:
    """Remove what is there for a server and should not be. Repeatable.

    To be called while no operation on the server is open: once after the end of a task, and now and then later.

    Args:
        clients: `nova.clients.Clients`.
        instance: the server's record with its devices and network info; None, or a deleted one, where it is
            gone.

    Returns:
        What was removed, in words for the log.

    Raises:
        errors.task.LeftOver: something cannot be removed now, such as a volume that is still being made; what
            can be is removed.
    """
    gone = instance is None or bool(instance.deleted)
    removed: list[str] = []
    left: list[str] = []
    for look in (_ports, _attachments, _volumes, _snapshots, _allocations):
        try:
            removed += look(clients, uuid, project_id, None if gone else instance)
        except (errors.Unavailable, errors.Conflict) as error:
            LOG.info('What is left over of server %s cannot be removed now: %s', uuid, error)
            left.append(error.message)
    for each in removed:
        LOG.warning('Server %s had something that came late, or was left behind: %s is removed', uuid, each)
    if left:
        raise errors.task.LeftOver(server=uuid, reason='; '.join(left))
    return removed


def never_attached(clients: 'Clients', instance: objects.Instance | None) -> list[objects.BlockDeviceMapping]:
    """Volumes that a server was to get, and never got: its guest is there, and Cinder only reserves them.

    Such a device is left of an attachment whose turn did not come in time.
    """
    if instance is None or instance.deleted or instance.host is None or instance.vm_state not in _UP:
        return []
    waiting = {one['id'] for one in clients.volume.attachments(instance.uuid) if one['status'] == 'reserved'}
    return [device for device in instance.block_devices if device.source_type == 'volume' and device.volume_id
            and (device.attachment_id is None or device.attachment_id in waiting)]


def _ports(clients: 'Clients', uuid: str, project_id: str | None,
           instance: objects.Instance | None) -> list[str]:
    info = instance.network_info if instance is not None else None
    kept = [vif.id for vif in info.vifs] if info is not None else []
    return [f'port {port}' for port in clients.network.drop_late(uuid, kept, gone=instance is None)]


def _attachments(clients: 'Clients', uuid: str, project_id: str | None,
                 instance: objects.Instance | None) -> list[str]:
    known = {device.attachment_id for device in instance.block_devices} if instance is not None else set()
    if instance is not None and instance.migration_context is not None:  # a resize that may be taken back
        known |= set(objects.Move.from_wire(instance.migration_context).sources.values())
    late = [one['id'] for one in clients.volume.attachments(uuid) if one['id'] not in known]
    for ident in late:
        clients.volume.detach(ident)
    return [f'volume attachment {ident}' for ident in late]


def _volumes(clients: 'Clients', uuid: str, project_id: str | None,
             instance: objects.Instance | None) -> list[str]:
    known = {device.volume_id for device in instance.block_devices} if instance is not None else set()
    late = [one['id'] for one in volumes.made_for(clients, uuid, project_id) if one['id'] not in known]
    for ident in late:
        clients.volume.delete(ident)
    return [f'volume {ident}' for ident in late]


def _snapshots(clients: 'Clients', uuid: str, project_id: str | None,
               instance: objects.Instance | None) -> list[str]:
    """Those that an image names carry no tag any more."""
    late = [one['id'] for one in clients.volume.find_snapshots({volumes.SERVER: uuid})
            if one.get('os-extended-snapshot-attributes:project_id', project_id) == project_id]
    for ident in late:
        clients.volume.delete_snapshot(ident)
    return [f'snapshot {ident}' for ident in late]


def _allocations(clients: 'Clients', uuid: str, project_id: str | None,
                 instance: objects.Instance | None) -> list[str]:
    """A server that is on a host keeps what it holds; nobody else needs anything."""
    if (instance is not None and instance.host) or not clients.placement.allocations(uuid).allocations:
        return []
    clients.placement.drop(uuid)
    return ['allocation']
