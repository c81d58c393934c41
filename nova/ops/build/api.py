"""POST /servers: check, count, write down, answer. Nothing is made before the task that will make it is."""

from collections.abc import Sequence

import sqlalchemy as sa

from nova import errors, objects
from nova.domain import quota as counting
from nova.objects import quota
from nova.objects import task as rows
from nova.ops.build import place, prepare, records, schedule
from nova.policies import servers as rules
from nova.rest import types
from nova.rest.resource import Body, Reply, Resource, post
from nova.schema.server import ServerCreate
from nova.task.flow import AnyFlow
from nova.task.handles import Request

CREATE_RULES = (rules.ATTACH_EXTERNAL_NETWORK, rules.CREATE_FORCED_HOST, rules.CREATE_ATTACH_VOLUME,
          rules.CREATE_TRUSTED_CERTS, rules.REQUESTED_DESTINATION, rules.CREATE_ATTACH_NETWORK,
          rules.CREATE_ZERO_DISK_FLAVOR)


class CreateServers(Resource):

    @post('/servers', rule=rules.CREATE, rules=CREATE_RULES, body=Body(ServerCreate, face='create'), ok=202,
          once=True)
    def create(self, req: Request) -> Reply:
        """Create one server, or several.

        Raises:
            errors.task.NotYet: a port is a device of its host or asks for resources of it, and super-conductors
                are of the release before, which does not know such ports; 409.
        """
        order = prepare.order(req, req.body)
        servers = records.make(req, order)
        allowed, flow = req.quota(), req.fitting(schedule.Schedule)
        if flow is not schedule.Schedule and any(each.device or each.claims for each in order.networks):
            raise errors.task.NotYet(action='create')
        made, task = req.dbs.api.write(lambda conn: _write(conn, req, allowed, order, servers, flow))
        req.wake(None, task.uuid)
        return _answer(req, order, made)


def _write(conn: sa.Connection, req: Request, allowed: quota.Quota, order: prepare.Order,
           servers: Sequence[records.Server], flow: type[AnyFlow]) -> tuple[list[objects.Instance], rows.Task]:
    """As many of the servers as quota has room for, in one transaction with the counting.

    Raises:
        OverQuota: not even the smallest number fits.
        LimitExceeded: the server group would be too large.
    """
    room, each = quota.Room(conn, allowed), counting.demand(servers[0][0])
    count = max(room.fitting(each, order.high), order.low)
    room.check(each, count)
    if order.group is not None:
        objects.hold(conn, objects.InstanceGroup, uuid=order.group.uuid)
        group = objects.InstanceGroup.get(conn, uuid=order.group.uuid)
        quota.check_count('server_group_members', allowed.limits(conn)['server_group_members'],
                          len(group.members) + count)
    made = servers[:count]
    task = place.insert(conn, req.context, made, order.group.uuid if order.group is not None else None,
                        trust=order.trust, files=order.files,
                        password=req.clients.trust.hide(order.password), flow=flow)
    instances = [instance for instance, _ in made]
    req.remember(conn, task.uuid, _answer(req, order, instances))
    return instances, task


def _answer(req: Request, order: prepare.Order, made: list[objects.Instance]) -> Reply:
    """The first server; or, where asked for, what all of them have in common."""
    if types.is_true(order.server.get('return_reservation_id')):
        return Reply(body={'reservation_id': made[0].reservation_id})
    first = made[0]
    links = req.links.of('servers', first.uuid)
    names = prepare.group_names(order.server) or ['default']
    shown = {'id': first.uuid, 'links': links,
             'OS-DCF:diskConfig': 'AUTO' if first.auto_disk_config else 'MANUAL',
             'security_groups': [{'name': name} for name in names]}
    if req.conf.api.enable_instance_password:
        shown['adminPass'] = order.password
    here = next(link['href'] for link in links if link['rel'] == 'self')
    return Reply(body={'server': shown}, headers={'Location': here})
