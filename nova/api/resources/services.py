"""Services: which processes there are, whether they live, and keeping them out of use."""


import sqlalchemy as sa

from nova import errors, objects
from nova.api.request import Request
from nova.common import clock, dbkit, problem, units, uuids
from nova.common.jsonutil import JsonObject
from nova.objects import Service, aggregate, owed
from nova.policies import services as rules
from nova.rest import types
from nova.rest.field import Document, Faces, Field, Span
from nova.rest.resource import Body, Many, One, Page, Reply, Resource, delete, get, put
from nova.task import notify

COMPUTE = 'nova-compute'
_TEXT = types.nullable(types.TEXT)
_IDS: Faces = dict(list=[Span('2.1', '2.52', get=lambda s, look: s.id), Span('2.53', type=types.UUID)],
                   updated=Span('2.53', type=types.UUID))
_VIEWS: Faces = dict(list='2.1', updated='2.53')
_ALWAYS: Faces = dict(list='2.1', updated='2.1')


def _state(service: Service, look: 'Look') -> str:
    return 'up' if service.is_up(look.down_time) else 'down'


class ServiceView(Document):
    """Faces: ``list``; ``updated``, what a change answers: until 2.52 only what was changed."""

    id = Field(types.INTEGER, attribute='uuid', **_IDS)
    binary = Field(types.TEXT, 'Name of the program.', **_ALWAYS)
    host = Field(types.TEXT, 'Where it runs.', **_ALWAYS)
    zone = Field(types.TEXT, 'Availability zone.', get=lambda s, look: look.zone(s), **_VIEWS)
    status = Field(types.enum('enabled', 'disabled'), 'Whether it may be used.',
                   get=lambda s, look: 'disabled' if s.disabled else 'enabled', **_ALWAYS)
    state = Field(types.enum('up', 'down'), 'Whether it was heard of lately.', get=_state, **_VIEWS)
    updated_at = Field(_TEXT, 'When it was heard of last.', get=lambda s, look: clock.strtime(s.last_seen_up),
                       **_VIEWS)
    disabled_reason = Field(_TEXT, 'Why it may not be used.', **_ALWAYS)
    forced_down = Field(types.BOOLEAN, 'Whether an operator says that it is dead.', list='2.11', updated='2.1')


class ServiceQuery(Document):
    host = Field(types.TEXT, query='2.1')
    binary = Field(types.TEXT, query='2.1')


class Change(Document):
    """What may be changed; until 2.52 the path says what, and the body of which service."""

    host = Field(types.HOST, body=Span('2.1', '2.52'), required=True)
    binary = Field(types.KEY, body=Span('2.1', '2.52'), required=True)
    status = Field(types.enum('enabled', 'disabled'), body='2.53')
    disabled_reason = Field(types.KEY, body='2.1')
    forced_down = Field(types.BOOLISH, body='2.11')


class Look:
    """Zones of hosts, for views of services."""

    def __init__(self, req: Request) -> None:
        self.down_time = req.conf.service_down_time
        self._default = req.conf.default_availability_zone
        self._internal = req.conf.internal_service_availability_zone
        with req.dbs.api.read() as conn:
            self._zones = aggregate.zones(conn)

    def zone(self, service: Service) -> str:
        if service.binary != COMPUTE:
            return self._internal
        return self._zones.get(service.host, self._default)


class NothingToUpdate(errors.Invalid):
    template = "No updates were requested. Fields 'status' or 'forced_down' should be specified."


def _find(req: Request, text: str) -> tuple[Service, objects.CellMapping]:
    """A service by uuid from 2.53 on, by number before, and the mapping of the cell it is in.

    Raises:
        BadRequest, ServiceNotFound: 400, 404.
    """
    if req.at('2.53'):
        if not uuids.is_uuid(text):
            raise problem.BadRequest(f'Invalid uuid {text}')
        by: JsonObject = {'uuid': text}
    else:
        try:
            by = {'id': units.number(text)}
        except ValueError:
            raise problem.BadRequest(f'{text} is not a number') from None
    answers = req.cells.ask(lambda conn: Service.all(conn, **by), req.cells.every())
    found = [(cell, service) for cell, services in answers for service in services or ()]
    if len(found) > 1:
        raise problem.BadRequest(f'Service id {text} is in several cells; use 2.53 and a UUID.')
    if not found:
        raise errors.host.ServiceNotFound(service=text)
    cell, service = found[0]
    return service, cell


def change(req: Request, cell: objects.CellMapping, service: Service, **values: object) -> Service:
    """Change a compute service, and tell its host whether it is disabled.

    A host that cannot be told now is told after its next heartbeat.
    """
    def write(conn: sa.Connection) -> Service:
        fresh = Service.get(conn, uuid=service.uuid)
        for name, value in values.items():
            setattr(fresh, name, value)
        fresh.save(conn)
        notify.of_service(conn, 'update', fresh)
        return fresh
    changed: Service = req.cells.db(cell).write(write)
    if 'disabled' in values:
        req.tell_host(cell, changed.host, objects.HostStatus(disabled=changed.disabled))
    return changed


def _refuse_early_return(db: dbkit.Database, service: Service) -> None:
    """A host whose servers were evacuated may come back only when it knows; else guests would run twice."""
    with db.read() as conn:
        if objects.Migration.all(conn, migration_type='evacuation', source_compute=service.host,
                                 status=['accepted', 'pre-migrating', 'done'], limit=1):
            raise problem.BadRequest(
                'Service is in progress of evacuating; restart its host before it is forced up again.')


class Services(Resource):

    @get('/os-services', rule=rules.LIST, query=ServiceQuery, strict='2.75',
         returns=Many('services', ServiceView))
    def index(self, req: Request) -> Page:
        """List services."""
        by = {name: req.query[name] for name in ('host', 'binary') if name in req.query}
        found: list[Service] = []
        stubs: list[JsonObject] = []
        for cell, services in req.cells.ask(lambda conn: Service.all(conn, *Service.where(**by)),
                                            req.cells.every()):
            # Numbers of different cells say nothing about one another: a cell's services stay together.
            found += sorted(services or (), key=lambda service: service.id)
            if services is None and req.at('2.69'):
                stubs += _stubs(req, cell, by)
        return Page(found, look=Look(req), stubs=stubs)

    @put('/os-services/{service_id}', rule=rules.UPDATE, body=Body(Change),
         returns=One('service', ServiceView, 'updated'))
    def update(self, req: Request, service_id: str) -> Reply:
        """Enable, disable or force down a service."""
        return _update(req, service_id) if req.at('2.53') else _update_by_name(req, service_id)

    @delete('/os-services/{service_id}', rule=rules.DELETE, ok=204)
    def remove(self, req: Request, service_id: str) -> None:
        """Delete a service that is not used any more, with what is kept about its host."""
        service, cell = _find(req, service_id)
        db = req.cells.db(cell)
        if service.binary == COMPUTE:
            _remove_host(req, service, db)

        def write(conn: sa.Connection) -> None:
            kept = Service.get(conn, uuid=service.uuid)
            notify.of_service(conn, 'delete', kept)
            kept.destroy(conn)
        db.write(write)


def _stubs(req: Request, cell: objects.CellMapping, by: dict[str, str]) -> list[JsonObject]:
    """What is known of the computes of a cell that cannot be asked."""
    if by.get('binary', COMPUTE) != COMPUTE:
        return []
    wanted: JsonObject = {'host': by['host']} if 'host' in by else {}
    with req.dbs.api.read() as conn:
        hosts = objects.HostMapping.all(conn, cell_id=cell.id, **wanted)
    return [{'binary': COMPUTE, 'host': host.host, 'status': 'UNKNOWN'} for host in hosts]


def _update(req: Request, service_id: str) -> Reply:
    body = req.body
    if not body:
        raise NothingToUpdate()
    if 'disabled_reason' in body and body.get('status') != 'disabled':
        raise problem.BadRequest("Specifying 'disabled_reason' when status is not 'disabled' is invalid.")
    service, cell = _find(req, service_id)
    if service.binary != COMPUTE:
        raise problem.BadRequest(f'Updating a {service.binary} service is not supported.')
    values: JsonObject = {}
    if 'status' in body:
        values = {'disabled': body['status'] == 'disabled', 'disabled_reason': body.get('disabled_reason')}
    if 'forced_down' in body:
        values['forced_down'] = types.is_true(body['forced_down'])
        if not values['forced_down'] and service.forced_down:
            _refuse_early_return(req.cells.db(cell), service)
    if not values:
        raise NothingToUpdate()
    return Reply(subject=change(req, cell, service, **values), look=Look(req))


def _update_by_name(req: Request, verb: str) -> Reply:
    body = req.body
    host, binary = body['host'], body['binary']
    values, shown = _verb(req, verb, body)
    if binary != COMPUTE:
        raise problem.BadRequest(f'Updating a {binary} service is not supported.')
    try:
        cell = req.cells.of_host(host)
        db = req.cells.db(cell)
        with db.read() as conn:
            service = Service.get(conn, host=host, binary=binary)
    except errors.NotFound:
        raise errors.host.ServiceNotFound(service=f'{binary} on {host}') from None
    if values.get('forced_down') is False:
        _refuse_early_return(db, service)
    change(req, cell, service, **values)
    return Reply(body={'service': {'host': host, 'binary': binary, **shown}})


def _verb(req: Request, verb: str, body: JsonObject) -> tuple[JsonObject, JsonObject]:
    """What a verb of the path changes, and what it answers."""
    if verb == 'enable':
        return {'disabled': False, 'disabled_reason': None}, {'status': 'enabled'}
    if verb == 'disable':
        return {'disabled': True, 'disabled_reason': None}, {'status': 'disabled'}
    if verb == 'disable-log-reason':
        if 'disabled_reason' not in body:
            raise problem.BadRequest('Missing disabled reason field')
        reason = body['disabled_reason']
        return {'disabled': True, 'disabled_reason': reason}, {'status': 'disabled', 'disabled_reason': reason}
    if verb == 'force-down' and req.at('2.11'):
        if 'forced_down' not in body:
            raise problem.BadRequest('Missing forced_down field')
        forced = types.is_true(body['forced_down'])
        return {'forced_down': forced}, {'forced_down': forced}
    raise problem.NotFound('Unknown action')


def _remove_host(req: Request, service: Service, db: dbkit.Database) -> None:
    """Forget a compute host: nodes, mapping, aggregates, providers; not while it has servers or moves."""
    host = service.host
    with db.read() as conn:
        if objects.Instance.all(conn, host=host, limit=1):
            raise errors.Conflict('Unable to delete compute service that is hosting instances. Migrate or '
                                  'delete the instances first.')
        if objects.Migration.all(conn, objects.Migration.open(), source_compute=host, limit=1) or (
                objects.Migration.all(conn, objects.Migration.open(), dest_compute=host, limit=1)):
            raise errors.Conflict('Unable to delete compute service that has in-progress migrations. Complete '
                                  'the migrations or delete the instances first.')
        nodes = objects.ComputeNode.all(conn, host=host)
    for node in nodes:
        req.clients.placement.delete_provider(node.uuid)

    def in_api(conn: sa.Connection) -> None:
        for found in objects.Aggregate.of_host(conn, host):
            found.remove_host(conn, host)
        mapping = objects.HostMapping.find(conn, host=host)
        if mapping is not None:
            mapping.destroy(conn)
    req.dbs.api.write(in_api)

    def in_cell(conn: sa.Connection) -> None:
        for node in objects.ComputeNode.all(conn, host=host):
            node.destroy(conn)
        owed.forget(conn, host)
    db.write(in_cell)
