"""Making a server's guest anew, on the host where it is.

What its disk held is gone from the moment the old guest is; before that everything is taken back, after it a
failure leaves a server in error, which can be rebuilt once more.
"""

import sqlalchemy as sa

from nova import errors, objects, states
from nova.ops.rebuild import host
from nova.ops.rebuild.wire import RebuildState
from nova.steps import volumes
from nova.task.flow import Flow, Step, Wait
from nova.task.handles import Conductor, SuperConductor

CHANGED = (
    'image_ref', 'image_meta', 'kernel_id', 'ramdisk_id', 'display_name', 'display_description', 'hostname',
    'access_ip_v4', 'access_ip_v6', 'auto_disk_config', 'keypair', 'key_name', 'user_data', 'trusted_certs',
    'metadata')
"""What a rebuild may change of a server's record."""


def take_order(h: Conductor, state: RebuildState) -> None:
    """Write into the server's record what its guest is to be made of."""
    names = [name for name in CHANGED if state.new.known(name)]
    state.old = objects.Instance.part(**{name: getattr(h.instance, name) for name in names})
    state.stopped = h.instance.vm_state == states.VM.STOPPED
    put(h.instance, state.new)


def put(server: objects.Instance, values: objects.Instance) -> None:
    """Copy the fields that one record has into the record of a server."""
    for name in CHANGED:
        if values.known(name):
            setattr(server, name, getattr(values, name))
    root = server.root_device
    if root is not None and root.source_type == 'image' and not root.is_volume:
        root.image_id = server.image_ref


def give_back(h: Conductor, state: RebuildState) -> None:
    """Undo of `take_order`, where the guest is still the old one: write the old values back."""
    if state.old is not None and not state.lost:
        put(h.instance, state.old)


def reimages(state: RebuildState) -> bool:
    return bool(state.reimages)


def reimage_root(h: Conductor, state: RebuildState) -> None:
    """Have the volume service write the image into the root volume, in the user's name; begun once.

    The volume is ``downloading`` from the moment the service says yes.
    """
    volume_id = volumes.root_volume(h.instance).volume_id or ''
    if _status(h, volume_id) != 'downloading':
        user = h.clients.trust.trusted(h.context, state.trust)
        h.clients.volume.reimage(user, volume_id, state.image_id)
    state.trust = None


def _status(h: Conductor, volume_id: str) -> str:
    return str(h.clients.volume.show(None, volume_id)['status'])


def root_reimaged(h: Conductor, state: RebuildState) -> bool:
    """Whether the volume has its new data. The service's event ``volume-reimaged`` has this asked at once.

    Raises:
        VolumeNotCreated: the volume service could not write it.
    """
    volume_id = volumes.root_volume(h.instance).volume_id or ''
    status = _status(h, volume_id)
    if status not in ('downloading', 'reserved'):
        raise errors.block.VolumeNotCreated(volume=volume_id, status=status)
    return status == 'reserved'


def remember_image(h: SuperConductor, state: RebuildState) -> None:
    """Write the new image into the request spec: later choices of a host go by it."""
    def write(conn: sa.Connection) -> None:
        spec = objects.RequestSpec.find(conn, instance_uuid=h.instance.uuid)
        if spec is not None:
            spec.image = h.instance.image_meta
            spec.save(conn)
    h.api_db.write(write)


def has_new_image(state: RebuildState) -> bool:
    return bool(state.new.known('image_meta'))


class Rebuild(Flow[RebuildState]):
    action = 'rebuild'
    deadline = 7200.0
    steps = (
        Step(take_order, undo=give_back, shows=states.Task.REBUILDING),
        Step(host.clear_guest, undo=host.accept_as_is, at='host', timeout=1800.0, shows=states.Task.REBUILDING),
        Step(host.release_root, at='host', when=reimages, shows=states.Task.REBUILD_BLOCK_DEVICE_MAPPING),
        Step(reimage_root, when=reimages),
        Wait(root_reimaged, when=reimages, timeout=deadline),
        Step(host.connect_root, at='host', when=reimages),
        Step(host.respawn, undo=host.unspawn, at='host', pivot=True, timeout=deadline,
             limit='max_concurrent_builds', shows=states.Task.REBUILD_SPAWNING),
        Step(remember_image, at='super', when=has_new_image),
    )
