"""rebuild: what a user may say, and what he hears: the server as it will be."""


from nova import errors, objects
from nova.common.jsonutil import JsonObject
from nova.domain import files, tpm, userdata
from nova.ops.rebuild import flow, wire
from nova.policies import servers as rules
from nova.rest import types
from nova.rest.resource import Body, One, Reply
from nova.schema.server import Server
from nova.states import VM
from nova.steps import image_checks, injection, volumes
from nova.task.action import Action
from nova.task.guard import From
from nova.task.handles import Request

OF_VOLUMES = '2.93'
"""From here on a server that boots from a volume is rebuilt of another image."""


class RebuildServer(Action):
    key = 'rebuild'
    rule = rules.REBUILD
    rules = (rules.REBUILD_TRUSTED_CERTS, rules.SHOW_HOST_STATUS, rules.EXTENDED_ATTRIBUTES,
             rules.SHOW_FLAVOR_EXTRA_SPECS, rules.SHOW_HOST_STATUS_UNKNOWN_ONLY)
    body = Body(Server, face='rebuild')
    start = From(VM.ACTIVE, VM.STOPPED, VM.ERROR, host=True)
    returns = One('server', Server, 'rebuilt')
    flow = flow.Rebuild

    def answer(self, req: Request, instance: objects.Instance, body: JsonObject) -> Reply:
        image = image_checks.named(req, body['imageRef'])
        assert image is not None  # the schema wants one
        _check(req, instance, body, image)
        reimages = instance.is_volume_backed and _is_other(req, instance, image)
        password = body.get('adminPass') or req.make_password()
        state = wire.RebuildState(
            new=_new(req, instance, body, image, reimages), image_id=body['imageRef'], reimages=reimages,
            files=injection.asked(body.get('personality')), password=req.clients.trust.hide(password),
            trust=req.clients.trust.entrust(req.context) if reimages else None)
        req.submit(flow.Rebuild, instance, state, guard=self.guard())
        shown = req.server(instance.uuid)
        flow.put(shown, state.new)
        look = req.server_look(shown, password if req.conf.api.enable_instance_password else None)
        return Reply(subject=shown, look=look, headers={'Location': req.links.self('servers', instance.uuid)})


def _check(req: Request, server: objects.Instance, body: JsonObject, image: objects.ImageMeta) -> None:
    """What makes no sense is refused before anything is touched."""
    image_checks.check(image, server.flavor, server.block_devices)
    image_checks.check_disk_config(body, image)
    if types.is_true(body.get('preserve_ephemeral')) and server.ephemeral_gb:
        raise errors.Invalid(f'Instance {server.uuid} has ephemeral disks, and its hypervisor cannot preserve '
                             'them.')
    if 0 <= req.limit('metadata_items') < len(body.get('metadata') or {}):
        raise errors.server.LimitExceeded(resource='metadata_items')
    if body.get('user_data'):
        userdata.check(body['user_data'])
    if body.get('personality'):
        files.check(body['personality'], req.limits)
    if body.get('trusted_image_certificates'):
        req.authorize(rules.REBUILD_TRUSTED_CERTS, {'project_id': server.project_id, 'user_id': server.user_id})
    tpm.check_same(server, server.flavor, image)
    lacking = set(image.properties.traits_required) - _traits(req, server, image)
    if lacking:
        raise errors.Invalid(f'Image {image.id} requires traits that the host of instance {server.uuid} does '
                             f'not have: {", ".join(sorted(lacking))}.')


def _traits(req: Request, server: objects.Instance, image: objects.ImageMeta) -> set[str]:
    """Of the server's host; asked where the image wants any."""
    if not image.properties.traits_required or not server.compute_id:
        return set()
    found: set[str] = req.clients.placement.traits(server.compute_id)
    return found


def _is_other(req: Request, server: objects.Instance, image: objects.ImageMeta) -> bool:
    """Whether the root volume was made of another image.

    Raises:
        errors.Invalid: and this version does not rebuild those.
        VolumeInvalid: the volume is in no state for it.
    """
    root = volumes.root_volume(server)
    volume = req.clients.volume.show(req.context, root.volume_id)
    if (volume.get('volume_image_metadata') or {}).get('image_id') == image.id:
        return False
    if not req.at(OF_VOLUMES):
        raise errors.Invalid('Unable to rebuild with a different image for a volume-backed server.')
    if volume['status'] not in ('in-use', 'reserved', 'available'):
        raise errors.block.VolumeInvalid(reason=f"volume '{root.volume_id}' is in status '{volume['status']}'")
    return True


def _new(req: Request, server: objects.Instance, body: JsonObject, image: objects.ImageMeta,
         reimages: bool) -> objects.Instance:
    """What the record is to say, as far as it changes."""
    values = Server.set_by('rebuild', body)
    if 'key_name' in body:
        keypair = _keypair(req, body['key_name'])
        values |= {'keypair': keypair, 'key_name': keypair.name if keypair is not None else None}
    if not server.is_volume_backed:
        values['image_ref'] = image.id
    if reimages or not server.is_volume_backed:
        values |= {'image_meta': image, 'kernel_id': image.properties.kernel_id,
                   'ramdisk_id': image.properties.ramdisk_id}
    return objects.Instance.part(**values)


def _keypair(req: Request, name: str | None) -> objects.KeyPair | None:
    """The caller's; keys are of users, servers of projects."""
    if name is None:
        return None
    with req.dbs.api.read() as conn:
        found: objects.KeyPair | None = objects.KeyPair.find(conn, user_id=req.context.user_id, name=name)
    if found is None:
        raise errors.Invalid('Invalid key_name provided.')
    return found
