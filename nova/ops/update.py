"""PUT /servers/{id}: what a server is called and how it is reached. Its guest is not touched."""


import sqlalchemy as sa

from nova import errors, objects
from nova.common.jsonutil import JsonObject
from nova.policies import servers as rules
from nova.rest.resource import Body, One, Reply, Resource, put
from nova.schema.server import Server
from nova.task.handles import Request

_SEEN = (rules.SHOW_HOST_STATUS, rules.EXTENDED_ATTRIBUTES, rules.SHOW_FLAVOR_EXTRA_SPECS,
         rules.SHOW_HOST_STATUS_UNKNOWN_ONLY)


class UpdateServer(Resource):

    @put('/servers/{server_id}', rule=rules.UPDATE, rules=_SEEN,
         body=Body(Server, face='update', under='server'), returns=One('server', Server, 'updated'))
    def update(self, req: Request, instance: objects.Instance) -> Reply:
        """Change a server's names and addresses."""
        asked = req.body['server']
        changes = Server.set_by('update', asked)
        if 'pinned_availability_zone' in asked:
            _pin(req, instance, asked['pinned_availability_zone'])
        if changes:
            req.change(instance, lambda fresh: _set(fresh, changes))
        fresh = req.server(instance.uuid)
        return Reply(subject=fresh, look=req.server_look(fresh))


def _set(record: objects.Instance, changes: JsonObject) -> None:
    for name, value in changes.items():
        setattr(record, name, value)


def _pin(req: Request, instance: objects.Instance, zone: str | None) -> None:
    """Tie the server to the zone it is in, or untie it (2.104).

    Raises:
        Conflict: another zone than it is in, or than it is tied to.
    """
    def write(conn: sa.Connection) -> None:
        objects.hold(conn, objects.InstanceMapping, instance_uuid=instance.uuid)
        spec = objects.RequestSpec.get(conn, instance_uuid=instance.uuid)
        if zone is not None and spec.availability_zone not in (None, zone):
            raise errors.Conflict(f'Instance {instance.uuid} is pinned to another availability zone; '
                                  'unpin it first.')
        if zone is not None and zone != instance.availability_zone:
            raise errors.Conflict(f'Instance {instance.uuid} is not in availability zone {zone}.')
        spec.availability_zone = zone
        spec.save(conn)
    req.dbs.api.write(write)
