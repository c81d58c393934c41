"""Volumes and their snapshots up to 2.35."""


from nova.api import passing
from nova.api.request import Request
from nova.common import problem
from nova.common.jsonutil import JsonObject
from nova.policies import volumes as rules
from nova.rest import types
from nova.rest.field import Document, Field, Get
from nova.rest.resource import Body, Many, One, Page, Resource, delete, get, post

_UNTIL = '2.35'


def _of(name: str) -> Get:
    return lambda found, look: found.get(name)


class VolumeQuery(Document):
    limit = Field(types.LIMIT, query='2.1')
    offset = Field(types.NON_NEGATIVE, query='2.1')


def _attachments(volume: JsonObject, look: object) -> list[JsonObject]:
    return [{'id': volume['id'], 'volumeId': volume['id'], 'serverId': one['server_id'],
             **({'device': one['device']} if one.get('device') else {})}
            for one in volume['attachments']]


class VolumeView(Document):
    id = Field(types.UUID, get=_of('id'), show='2.1')
    status = Field(types.TEXT, get=_of('status'), show='2.1')
    size = Field(types.INTEGER, 'Gibibytes.', get=_of('size'), show='2.1')
    availabilityZone = Field(types.nullable(types.TEXT), get=_of('availability_zone'), show='2.1')
    createdAt = Field(types.TEXT, get=_of('created_at'), show='2.1')
    displayName = Field(types.nullable(types.TEXT), get=_of('name'), show='2.1')
    displayDescription = Field(types.nullable(types.TEXT), get=_of('description'), show='2.1')
    volumeType = Field(types.nullable(types.TEXT), get=_of('volume_type'), show='2.1')
    snapshotId = Field(types.nullable(types.UUID), get=_of('snapshot_id'), show='2.1')
    metadata = Field(types.OBJECT, get=_of('metadata'), show='2.1')
    attachments = Field(types.array(types.OBJECT), get=_attachments, show='2.1')


class VolumeBody(Document):
    size = Field(types.integer(1), 'Gibibytes.', required=True, body='2.1')
    volume_type = Field(types.TEXT, body='2.1')
    metadata = Field(types.OBJECT, body='2.1')
    snapshot_id = Field(types.TEXT, body='2.1')
    availability_zone = Field(types.TEXT, body='2.1')
    display_name = Field(types.TEXT, body='2.1')
    display_description = Field(types.TEXT, body='2.1')


class SnapshotView(Document):
    id = Field(types.UUID, get=_of('id'), show='2.1')
    status = Field(types.TEXT, get=_of('status'), show='2.1')
    size = Field(types.INTEGER, 'Gibibytes.', get=_of('size'), show='2.1')
    createdAt = Field(types.TEXT, get=_of('created_at'), show='2.1')
    displayName = Field(types.nullable(types.TEXT), get=_of('name'), show='2.1')
    displayDescription = Field(types.nullable(types.TEXT), get=_of('description'), show='2.1')
    volumeId = Field(types.UUID, get=_of('volume_id'), show='2.1')


class SnapshotBody(Document):
    volume_id = Field(types.TEXT, required=True, body='2.1')
    force = Field(types.BOOLISH, 'Although the volume is in use.', body='2.1')
    display_name = Field(types.TEXT, body='2.1')
    display_description = Field(types.TEXT, body='2.1')


_NAMES = {'display_name': 'name', 'display_description': 'description'}


def _page(req: Request, kind: str) -> Page:
    """A part of the list: the volume service does the cutting where it can do so by offset."""
    limit, start = req.paging()[0], int(req.query.get('offset', 0))
    return Page(passing.volume(req, 'GET', f'/{kind}/detail')[kind][start:start + limit])


def _words(wanted: JsonObject) -> JsonObject:
    """A body in the volume service's words."""
    return {_NAMES.get(name, name): value for name, value in wanted.items()}


def _found(req: Request, kind: str, ident: str) -> JsonObject:
    found: JsonObject = passing.volume(req, 'GET', f'/{kind}s/{ident}')[kind]
    return found


class Volumes(Resource):

    @get('/os-volumes', until=_UNTIL, rule=rules.LIST, query=VolumeQuery,
         returns=Many('volumes', VolumeView, 'show'))
    def index(self, req: Request) -> Page:
        """List volumes."""
        return _page(req, 'volumes')

    @get('/os-volumes/detail', until=_UNTIL, rule=rules.DETAIL, query=VolumeQuery,
         returns=Many('volumes', VolumeView, 'show'))
    def detail(self, req: Request) -> Page:
        """List volumes with details."""
        return _page(req, 'volumes')

    @get('/os-volumes/{ident}', until=_UNTIL, rule=rules.SHOW, returns=One('volume', VolumeView))
    def show(self, req: Request, ident: str) -> JsonObject:
        """Show a volume."""
        return _found(req, 'volume', ident)

    @post('/os-volumes', until=_UNTIL, ok=200, rule=rules.CREATE, body=Body(VolumeBody, under='volume'),
          returns=One('volume', VolumeView))
    def create(self, req: Request) -> JsonObject:
        """Make a volume."""
        wanted = _words(req.body['volume'])
        made: JsonObject = passing.volume(req, 'POST', '/volumes',
                           {'volume': {**wanted, 'size': int(wanted['size'])}})['volume']
        return made

    @delete('/os-volumes/{ident}', until=_UNTIL, ok=202, rule=rules.DELETE)
    def remove(self, req: Request, ident: str) -> None:
        """Delete a volume."""
        passing.volume(req, 'DELETE', f'/volumes/{_found(req, "volume", ident)["id"]}')


class Snapshots(Resource):

    @get('/os-snapshots', until=_UNTIL, rule=rules.SNAPSHOTS_LIST, query=VolumeQuery,
         returns=Many('snapshots', SnapshotView, 'show'))
    def index(self, req: Request) -> Page:
        """List snapshots of volumes."""
        return _page(req, 'snapshots')

    @get('/os-snapshots/detail', until=_UNTIL, rule=rules.SNAPSHOTS_DETAIL, query=VolumeQuery,
         returns=Many('snapshots', SnapshotView, 'show'))
    def detail(self, req: Request) -> Page:
        """List snapshots of volumes with details."""
        return _page(req, 'snapshots')

    @get('/os-snapshots/{ident}', until=_UNTIL, rule=rules.SNAPSHOTS_SHOW,
         returns=One('snapshot', SnapshotView))
    def show(self, req: Request, ident: str) -> JsonObject:
        """Show a snapshot of a volume."""
        return _found(req, 'snapshot', ident)

    @post('/os-snapshots', until=_UNTIL, ok=200, rule=rules.SNAPSHOTS_CREATE,
          body=Body(SnapshotBody, under='snapshot'), returns=One('snapshot', SnapshotView))
    def create(self, req: Request) -> JsonObject:
        """Make a snapshot of a volume."""
        wanted = _words(req.body['snapshot'])
        if not wanted['volume_id']:
            raise problem.BadRequest('A snapshot needs a volume.')
        force = types.is_true(wanted.get('force', False))
        made: JsonObject = passing.volume(
            req, 'POST', '/snapshots', {'snapshot': {**wanted, 'force': force}})['snapshot']
        return made

    @delete('/os-snapshots/{ident}', until=_UNTIL, ok=202, rule=rules.SNAPSHOTS_DELETE)
    def remove(self, req: Request, ident: str) -> None:
        """Delete a snapshot of a volume."""
        passing.volume(req, 'DELETE', f'/snapshots/{_found(req, "snapshot", ident)["id"]}')
