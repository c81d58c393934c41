"""POST /servers/{id}/action: resize and migrate."""


import sqlalchemy as sa

from nova import errors, objects, states
from nova.common import uuids
from nova.common.jsonutil import JsonObject
from nova.domain import quota as counting
from nova.domain import tpm
from nova.objects import Move, quota
from nova.objects import move as kinds
from nova.objects.instance import WORK
from nova.ops.resize import flow
from nova.policies import migrate_server
from nova.policies import servers as rules
from nova.rest import types
from nova.rest.field import Field
from nova.rest.resource import Body
from nova.steps import moves, shares
from nova.task.guard import From
from nova.task.handles import Request

_START = From(states.VM.ACTIVE, states.VM.STOPPED, host_up=True)


class ResizeAction(shares.WithoutShares):
    """Another flavor, if the project's quota has room for the larger of the two."""

    key = 'resize'
    rule = rules.RESIZE
    rules = (rules.CROSS_CELL,)
    body = Body(flavorRef=Field(types.FLAVOR_REF, required=True),
                auto_disk_config=Field(types.DISK_CONFIG, key='OS-DCF:diskConfig'))
    start = _START
    flow = flow.Resize

    def prepare(self, req: Request, instance: objects.Instance, body: JsonObject) -> Move:
        flavor = _find_flavor(req, types.last_part(str(body['flavorRef'])))
        _check_flavor(instance, flavor)
        _check_disk_config(instance, body.get('OS-DCF:diskConfig'))
        stays = req.conf.allow_resize_to_same_host
        return moves.started(
            instance, kinds.RESIZE, Move, migration=uuids.generate(), new_flavor=flavor,
            runs=instance.vm_state == states.VM.ACTIVE, ignored=[] if stays else [instance.host])

    def answer(self, req: Request, instance: objects.Instance, body: JsonObject) -> None:
        state = self.prepare(req, instance, body)
        allowed = req.quota(instance.project_id, instance.user_id)
        wanted = counting.demand(instance, state.new_flavor)
        req.dbs.api.write(lambda conn: quota.resize(conn, allowed, instance.uuid, wanted))
        try:
            req.submit(self.flow, instance, state, guard=self.guard(), also=self.also)
        except errors.NovaError:
            req.dbs.api.write(lambda conn: _count_as_it_is(conn, req, instance.uuid))
            raise
        config = body.get('OS-DCF:diskConfig')
        if config is not None:
            req.change(instance, lambda fresh: setattr(fresh, 'auto_disk_config', config == 'AUTO'))


def _find_flavor(req: Request, ref: str) -> objects.Flavor:
    with req.dbs.api.read() as conn:
        return objects.Flavor.get_for(conn, ref, req.context)


def _check_flavor(instance: objects.Instance, flavor: objects.Flavor) -> None:
    """It is another one, and has room for the disks.

    Raises:
        errors.Invalid: it is not, or has not.
    """
    now = instance.flavor
    if flavor.flavorid == now.flavorid:
        raise errors.Invalid('When resizing, instances must change flavor!')
    if not instance.is_volume_backed and flavor.root_gb < now.root_gb:
        raise errors.Invalid('Resize to zero disk flavor is not allowed.' if flavor.root_gb == 0 else
                             'Server disk was unable to be resized because: the disk of the flavor is smaller.')
    if flavor.ephemeral_gb < now.ephemeral_gb:
        raise errors.Invalid('Server disk was unable to be resized because: the ephemeral disk of the flavor '
                             'is smaller.')
    tpm.check_same(instance, flavor, instance.image_meta)


def _check_disk_config(instance: objects.Instance, wanted: str | None) -> None:
    image = instance.image_meta
    if wanted == 'AUTO' and image is not None and image.properties.auto_disk_config is False:
        raise errors.Invalid(f'Requested image {image.id} has automatic disk resize disabled.')


def _count_as_it_is(conn: sa.Connection, req: Request, uuid: str) -> None:
    """A server that is not resized after all counts for what it is; one that somebody else resizes is left.

    Whoever counts it next waits for this transaction.
    """
    objects.hold(conn, objects.InstanceMapping, instance_uuid=uuid)
    with req.place.db.read() as cell:
        server = objects.Instance.find(cell, WORK, uuid=uuid)
    if server is not None and server.task_state is None and server.vm_state != states.VM.RESIZED:
        quota.count_exactly(conn, uuid, counting.demand(server))


class MigrateAction(shares.WithoutShares):
    """Another host; from 2.56 on the one that is named."""

    key = 'migrate'
    rule = migrate_server.MIGRATE
    rules = (migrate_server.MIGRATE_HOST,)
    body = Body(since='2.56', null=True, host=Field(types.nullable(types.HOST), body='2.56'))
    start = _START
    flow = flow.Migrate

    def prepare(self, req: Request, instance: objects.Instance, body: JsonObject) -> Move:
        host = body.get('host') if req.at('2.56') and body else None
        if host is not None:
            req.authorize(migrate_server.MIGRATE_HOST)
            if host == instance.host:
                raise errors.Invalid('Destination host is the same as the current one, must be different.')
            if not req.cells.has_node(host, None):
                raise errors.Invalid(f'Compute host {host} could not be found.')
        return moves.started(
            instance, kinds.MIGRATION, Move, migration=uuids.generate(), wanted_host=host,
            runs=instance.vm_state == states.VM.ACTIVE, ignored=[instance.host])
