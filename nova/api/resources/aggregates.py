"""Host aggregates: hosts with something in common, availability zones among them."""

import logging
from collections.abc import Callable

import sqlalchemy as sa
from oslo_db import exception as db_exc

from nova import errors, objects
from nova.api.request import Request
from nova.common import clock, problem, units, uuids
from nova.objects import Aggregate
from nova.policies import aggregates as rules
from nova.rest import types
from nova.rest.field import Document, Faces, Field
from nova.rest.resource import Body, Many, One, Resource, delete, get, post, put
from nova.task import notify

LOG = logging.getLogger(__name__)

_VIEWS: Faces = dict(list='2.1', show='2.1')
_EVERY: Faces = dict(created='2.1', **_VIEWS)
_ZONE = 'availability_zone'
_HOST = Body(host=Field(types.HOST, 'Name of a compute host.', required=True))
_ID = '/os-aggregates/{aggregate_id}'


class AggregateView(Document):
    """Faces: ``create``, ``update`` (bodies); ``list``, ``show``, and ``created``, which lacks hosts."""

    limits = {'minProperties': 1}
    id = Field(types.INTEGER, **_EVERY)
    uuid = Field(types.UUID, created='2.41', list='2.41', show='2.41')
    name = Field(types.NAME, 'Name.', create='2.1', update='2.1', required=('create',), **_EVERY)
    availability_zone = Field(types.nullable(types.AZ_NAME), 'Zone that its hosts are in.', create='2.1',
                              update='2.1', **_EVERY)
    hosts = Field(types.array(types.TEXT), **_VIEWS)
    metadata = Field(types.OBJECT, **_VIEWS)
    created_at = Field(types.TEXT, get=lambda a, look: clock.strtime(a.created_at), **_EVERY)
    updated_at = Field(types.nullable(types.TEXT), get=lambda a, look: clock.strtime(a.updated_at), **_EVERY)
    deleted = Field(types.BOOLEAN, get=lambda a, look: False, **_EVERY)
    deleted_at = Field(types.NULL, get=lambda a, look: None, **_EVERY)


class _Image(Document):
    id = Field(types.UUID, 'Of an image.', required=True, body='2.81')


_ONE = One('aggregate', AggregateView)


def _id(text: str) -> int:
    try:
        return units.number(text)
    except ValueError:
        raise problem.BadRequest(f"'{text}' is not an aggregate id") from None


def _write(req: Request, aggregate_id: str, change: Callable[[sa.Connection, Aggregate], None], told: str
           ) -> Aggregate:
    """Run ``change(conn, aggregate)`` in a transaction, which listeners know by the name `told`.

    One comes after the other, of whichever aggregates: a host is in one zone over all of them.
    """
    number = _id(aggregate_id)

    def write(conn: sa.Connection) -> Aggregate:
        objects.hold(conn, Aggregate)
        aggregate = Aggregate.get(conn, id=number)
        notify.of_aggregate(conn, told, 'start', aggregate)
        change(conn, aggregate)
        aggregate.updated_at = clock.utcnow()
        aggregate.save(conn)
        notify.of_aggregate(conn, told, 'end', aggregate)
        return aggregate
    return req.dbs.api.write(write)


def _check_zone(conn: sa.Connection, aggregate: Aggregate, zone: str | None, hosts: list[str]) -> None:
    """A host is in one zone only.

    Raises:
        Conflict: one of `hosts` is in another one already.
    """
    if not zone:
        return
    for other in Aggregate.all(conn):
        if other.id != aggregate.id and other.availability_zone not in (None, zone):
            shared = set(other.hosts) & set(hosts)
            if shared:
                raise errors.Conflict(
                    f'Cannot perform the action on aggregate {aggregate.id}. Reason: One or more hosts already '
                    f'in availability zone(s) {other.availability_zone}.')


def _refuse_zone_change(req: Request, aggregate: Aggregate, zone: str | None) -> None:
    """Servers do not follow when their host's zone changes, so hosts with servers stay where they are."""
    if zone == aggregate.availability_zone:
        return
    for host in aggregate.hosts:
        if _has_servers(req, host):
            raise problem.BadRequest(f'Cannot update aggregate {aggregate.id}. Reason: One or more hosts '
                                     'contain instances in this zone.')


def _has_servers(req: Request, host: str) -> bool:
    with req.cells.db(req.cells.of_host(host)).read() as conn:
        return bool(objects.Instance.all(conn, host=host, limit=1))


def _refuse_move(req: Request, conn: sa.Connection, aggregate: Aggregate, host: str, verb: str) -> None:
    """A host with servers stays in the zone it is in.

    Raises:
        Conflict: it would come into the aggregate's zone, or leave it.
    """
    others = [other.availability_zone for other in Aggregate.of_host(conn, host)
              if other.id != aggregate.id and other.availability_zone]
    outside = others[0] if others else req.conf.default_availability_zone
    if (aggregate.availability_zone or outside) != outside:
        raise errors.Conflict(f'Cannot {verb} host in aggregate {aggregate.id}. Reason: One or more hosts '
                              'contain instances in this zone.')


def _tell_placement(req: Request, aggregate: Aggregate, host: str, tell: Callable[[str, str], None]) -> None:
    """Keep Placement's aggregate of the same uuid in step; where that fails, ``nova-manage placement
    sync_aggregates`` repairs it later."""
    with req.cells.db(req.cells.of_host(host)).read() as conn:
        nodes = objects.ComputeNode.all(conn, host=host)
    for node in nodes:
        try:
            tell(node.uuid, aggregate.uuid)
        except (errors.Unavailable, errors.NotFound) as error:
            LOG.warning('Placement was not told that aggregate %s changed: %s', aggregate.uuid, error.message)


def _cache_on(req: Request, host: str, images: list[str]) -> None:
    """Tell a host that is up; another one will fetch them when a server needs them."""
    cell = req.cells.of_host(host)
    if req.cells.host_is_up(req.cells.db(cell), host):
        req.cache_images(cell, host, images)
    else:
        LOG.info('Host %s is down, so it caches no images', host)


class Aggregates(Resource):

    @get('/os-aggregates', rule=rules.INDEX, returns=Many('aggregates', AggregateView))
    def index(self, req: Request) -> list[Aggregate]:
        """List aggregates."""
        with req.dbs.api.read() as conn:
            return Aggregate.all(conn)

    @post('/os-aggregates', rule=rules.CREATE, returns=One('aggregate', AggregateView, 'created'),
          body=Body(AggregateView, face='create', under='aggregate'))
    def create(self, req: Request) -> Aggregate:
        """Create an aggregate."""
        wanted = req.body['aggregate']
        zone = wanted.get(_ZONE)
        made = Aggregate(uuid=uuids.generate(), name=wanted['name'],
                         metadata={_ZONE: zone} if zone else {})

        def write(conn: sa.Connection) -> Aggregate:
            record = made.copy()
            notify.of_aggregate(conn, 'create', 'start', record)
            record.create(conn)
            notify.of_aggregate(conn, 'create', 'end', record)
            return record
        try:
            return req.dbs.api.write(write)
        except db_exc.DBDuplicateEntry:
            raise errors.host.AggregateExists(name=made.name) from None

    @get(_ID, rule=rules.SHOW, returns=_ONE)
    def show(self, req: Request, aggregate_id: str) -> Aggregate:
        """Show an aggregate."""
        with req.dbs.api.read() as conn:
            return Aggregate.get(conn, id=_id(aggregate_id))

    @put(_ID, rule=rules.UPDATE, returns=_ONE, body=Body(AggregateView, face='update', under='aggregate'))
    def update(self, req: Request, aggregate_id: str) -> Aggregate:
        """Rename an aggregate, or change its zone."""
        wanted = req.body['aggregate']

        def change(conn: sa.Connection, aggregate: Aggregate) -> None:
            if 'name' in wanted:
                aggregate.name = wanted['name']
            if _ZONE in wanted:
                _refuse_zone_change(req, aggregate, wanted[_ZONE])
                _check_zone(conn, aggregate, wanted[_ZONE], aggregate.hosts)
                aggregate.set_metadata(conn, {_ZONE: wanted[_ZONE]})
        try:
            return _write(req, aggregate_id, change, 'update_prop')
        except db_exc.DBDuplicateEntry:
            raise errors.host.AggregateExists(name=wanted['name']) from None

    @delete(_ID, rule=rules.DELETE)
    def remove(self, req: Request, aggregate_id: str) -> None:
        """Delete an aggregate that has no hosts."""
        number = _id(aggregate_id)

        def write(conn: sa.Connection) -> None:
            objects.hold(conn, Aggregate, id=number)
            aggregate = Aggregate.get(conn, id=number)
            if aggregate.hosts:
                raise problem.BadRequest(
                    f'Cannot remove aggregate {number}. Reason: Host aggregate is not empty.')
            notify.of_aggregate(conn, 'delete', 'start', aggregate)
            aggregate.destroy(conn)
            notify.of_aggregate(conn, 'delete', 'end', aggregate)
        req.dbs.api.write(write)

    @post(_ID + '/action', action='add_host', rule=rules.ADD_HOST, body=_HOST, returns=_ONE)
    def add_host(self, req: Request, aggregate_id: str) -> Aggregate:
        """Add a host."""
        host = req.body['host']
        occupied = _has_servers(req, host)

        def change(conn: sa.Connection, aggregate: Aggregate) -> None:
            if occupied and host not in aggregate.hosts:
                _refuse_move(req, conn, aggregate, host, 'add')
            _check_zone(conn, aggregate, aggregate.availability_zone, [host])
            aggregate.add_host(conn, host)
        aggregate = _write(req, aggregate_id, change, 'add_host')
        _tell_placement(req, aggregate, host, req.clients.placement.add_to_aggregate)
        return aggregate

    @post(_ID + '/action', action='remove_host', rule=rules.REMOVE_HOST, body=_HOST, returns=_ONE)
    def remove_host(self, req: Request, aggregate_id: str) -> Aggregate:
        """Remove a host."""
        host = req.body['host']
        occupied = _has_servers(req, host)

        def change(conn: sa.Connection, aggregate: Aggregate) -> None:
            if occupied and host in aggregate.hosts:
                _refuse_move(req, conn, aggregate, host, 'remove')
            aggregate.remove_host(conn, host)
        aggregate = _write(req, aggregate_id, change, 'remove_host')
        _tell_placement(req, aggregate, host, req.clients.placement.remove_from_aggregate)
        return aggregate

    @post(_ID + '/images', since='2.81', rule=rules.IMAGES, ok=202, body=Body(
        cache=Field(types.array(_Image, 1), 'Images to have at hand.', required=True)))
    def cache(self, req: Request, aggregate_id: str) -> None:
        """Have the hosts fetch images, so that they are there when a server needs one."""
        wanted = [image['id'] for image in req.body['cache']]
        if len(wanted) != len(set(wanted)):
            raise problem.BadRequest('Duplicate images in request')
        number = _id(aggregate_id)

        def tell(conn: sa.Connection, phase: str) -> Aggregate:
            found = Aggregate.get(conn, id=number)
            notify.of_aggregate(conn, 'cache_images', phase, found)
            return found
        for host in req.dbs.api.write(lambda conn: tell(conn, 'start')).hosts:
            _cache_on(req, host, wanted)
        req.dbs.api.write(lambda conn: tell(conn, 'end'))

    @post(_ID + '/action', action='set_metadata', rule=rules.SET_METADATA, returns=_ONE,
          body=Body(metadata=Field(types.mapping(types.nullable(types.text(high=255))), required=True)))
    def set_metadata(self, req: Request, aggregate_id: str) -> Aggregate:
        """Add, change and (with null) remove metadata."""
        wanted = req.body['metadata']

        def change(conn: sa.Connection, aggregate: Aggregate) -> None:
            if _ZONE in wanted:
                _refuse_zone_change(req, aggregate, wanted[_ZONE])
                _check_zone(conn, aggregate, wanted[_ZONE], aggregate.hosts)
            aggregate.set_metadata(conn, wanted)
        return _write(req, aggregate_id, change, 'update_metadata')
