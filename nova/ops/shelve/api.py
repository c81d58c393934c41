"""shelve, shelveOffload and unshelve: what users may say."""


from nova import errors, objects
from nova.common import uuids
from nova.common.jsonutil import JsonObject
from nova.domain import snapshots, tpm
from nova.objects import aggregate
from nova.ops.shelve import flow, wire
from nova.policies import shelve as rules
from nova.rest import types
from nova.rest.field import Document, Field, Span
from nova.rest.resource import Body
from nova.states import VM
from nova.steps import shares, shelving
from nova.task.action import Action
from nova.task.guard import From
from nova.task.handles import Request

ZONE, HOST = '2.77', '2.91'
"""From here on an unshelve may name a zone, and a host."""


class ShelveAction(shares.WithoutShares):
    key = 'shelve'
    rule = rules.SHELVE
    start = From(VM.ACTIVE, VM.STOPPED, VM.PAUSED, VM.SUSPENDED, host=True)
    flow = flow.Shelve

    def prepare(self, req: Request, instance: objects.Instance, body: JsonObject) -> wire.ShelveState:
        tpm.check_stays(instance, self.word)
        ident, of_volumes = uuids.generate(), instance.is_volume_backed
        values = {} if of_volumes else snapshots.values(
            ident, instance, f'{instance.display_name}-shelved', snapshots.SNAPSHOT, {},
            req.conf.non_inheritable_image_properties)
        return wire.ShelveState(image_id=ident, values=values, of_volumes=of_volumes,
                                trust=None if of_volumes else req.clients.trust.entrust(req.context))


class ShelveOffloadAction(Action):
    key = 'shelveOffload'
    rule = rules.SHELVE_OFFLOAD
    start = From(VM.SHELVED, host=True)
    flow = flow.ShelveOffload


class Unshelve(Document):
    """Face ``body``: where the server is to be."""

    limits = {'minProperties': 1}
    availability_zone = Field(None, 'Zone to be in and to stay in; null (2.91) unties it.', body=[
        Span(ZONE, '2.90', type=types.NAME, required=True),
        Span(HOST, type=types.nullable(types.TEXT))])
    host = Field(types.TEXT, 'Host to be on.', body=HOST)


class UnshelveAction(Action):
    key = 'unshelve'
    rule = rules.UNSHELVE
    rules = (rules.UNSHELVE_TO_HOST,)
    body = Body(Unshelve, null=True, since=ZONE)
    start = From(VM.SHELVED, VM.SHELVED_OFFLOADED)
    flow = flow.Unshelve

    def prepare(self, req: Request, instance: objects.Instance, body: JsonObject) -> wire.UnshelveState:
        asked = body if req.at(ZONE) else {}
        offloaded = instance.vm_state == VM.SHELVED_OFFLOADED
        if asked and not offloaded:
            raise errors.server.ServerInState(
                action='unshelve', server=instance.uuid, attribute='vm_state', state=instance.vm_state)
        host, pins = asked.get('host'), 'availability_zone' in asked
        if host is not None:
            req.authorize(rules.UNSHELVE_TO_HOST,
                          {'project_id': instance.project_id, 'user_id': instance.user_id})
        _check_place(req, instance, asked)
        return wire.UnshelveState(
            offloaded=offloaded, image_id=shelving.image_of(instance), wanted_host=host, pins=pins,
            pin=asked.get('availability_zone'))


def _check_place(req: Request, server: objects.Instance, asked: JsonObject) -> None:
    """The zone and the host are there, and go together.

    Raises:
        errors.Invalid: one of them does not exist.
        Conflict: the host is in another zone.
    """
    zone, host = asked.get('availability_zone'), asked.get('host')
    with req.dbs.api.read() as conn:
        zones = aggregate.zones(conn)
        spec = objects.RequestSpec.find(conn, instance_uuid=server.uuid)
    default = req.conf.default_availability_zone
    if zone is not None and zone != default and zone not in zones.values():
        raise errors.Invalid(f'The requested availability zone {zone} is not available.')
    if host is None:
        return
    try:
        req.cells.of_host(host)
    except errors.NotFound as error:
        raise errors.Invalid(f'Compute host {host} could not be found.') from error
    wanted = zone if 'availability_zone' in asked else spec.availability_zone if spec is not None else None
    if wanted is not None and zones.get(host, default) != wanted:
        raise errors.Conflict(f'Host {host} is not in availability zone {wanted}.')
