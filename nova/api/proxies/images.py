"""Images as clients up to 2.35 ask for them, and their metadata up to 2.38.

Old clients send no microversion, and ask here which images there are. They are passed on to Glance as the user.
"""

import urllib.parse
from collections.abc import Collection, Mapping

from nova.api.request import Request
from nova.common import problem
from nova.common.jsonutil import JsonObject
from nova.rest import types
from nova.rest.field import ABSENT, Absent, Document, Field
from nova.rest.request import Query
from nova.rest.resource import Body, Many, One, Page, Resource, delete, get, post, put

_UNTIL, _METADATA_UNTIL = '2.35', '2.38'
_OWN = frozenset({
    'id', 'name', 'status', 'visibility', 'protected', 'checksum', 'owner', 'size', 'virtual_size',
    'container_format', 'disk_format', 'min_disk', 'min_ram', 'created_at', 'updated_at', 'tags', 'self',
    'file', 'schema', 'os_hidden', 'os_hash_algo', 'os_hash_value', 'direct_url', 'locations', 'stores'})
"""What Glance says of every image; all else is metadata."""
_STATUS = {'active': 'ACTIVE', 'queued': 'SAVING', 'saving': 'SAVING', 'importing': 'SAVING',
           'uploading': 'SAVING', 'deleted': 'DELETED', 'pending_delete': 'DELETED', 'killed': 'ERROR'}
_PROGRESS = {'queued': 25, 'saving': 50, 'importing': 50, 'uploading': 50, 'active': 100}
_FILTERS = {'name': 'name', 'minRam': 'min_ram', 'minDisk': 'min_disk', 'type': 'image_type'}
_BELONGS = 'instance_uuid'
"""Property of a snapshot: its server."""


def _links(image: JsonObject, look: Request) -> list[dict[str, str]]:
    return [*look.links.of('images', image['id']),
            {'rel': 'alternate', 'type': 'application/vnd.openstack.image',
             'href': look.links.bookmark('images', image['id'])}]


def _metadata(image: JsonObject) -> JsonObject:
    return {name: value for name, value in image.items() if name not in _OWN}


def _server(image: JsonObject, look: Request) -> JsonObject | Absent:
    uuid = image.get(_BELONGS)
    return {'id': uuid, 'links': look.links.of('servers', uuid)} if uuid else ABSENT


def _disk_config(image: JsonObject, look: object) -> str | Absent:
    value = image.get('auto_disk_config')
    return ABSENT if value is None else 'AUTO' if types.is_true(value) else 'MANUAL'


class Brief(Document):
    id = Field(types.UUID, get=lambda image, look: image['id'], list='2.1')
    name = Field(types.nullable(types.TEXT), get=lambda image, look: image.get('name'), list='2.1')
    links = Field(types.array(types.OBJECT), get=_links, list='2.1')


class Detail(Brief):
    status = Field(types.enum('ACTIVE', 'DELETED', 'ERROR', 'SAVING', 'UNKNOWN'),
                   get=lambda image, look: _STATUS.get(image['status'], 'UNKNOWN'), list='2.1')
    progress = Field(types.INTEGER, 'Percent.', get=lambda image, look: _PROGRESS.get(image['status'], 0),
                     list='2.1')
    created = Field(types.TIME, get=lambda image, look: image['created_at'], list='2.1')
    updated = Field(types.nullable(types.TIME), get=lambda image, look: image['updated_at'], list='2.1')
    minDisk = Field(types.INTEGER, 'Gibibytes.', get=lambda image, look: image.get('min_disk') or 0, list='2.1')
    minRam = Field(types.INTEGER, 'Mebibytes.', get=lambda image, look: image.get('min_ram') or 0, list='2.1')
    size = Field(types.INTEGER, 'Bytes.', key='OS-EXT-IMG-SIZE:size',
                 get=lambda image, look: image.get('size') or 0, list='2.1')
    metadata = Field(types.OBJECT, 'Its other properties.', get=lambda image, look: _metadata(image),
                     list='2.1')
    server = Field(types.OBJECT, 'The server that it is a snapshot of.', maybe=True, get=_server, list='2.1')
    disk_config = Field(types.enum('AUTO', 'MANUAL'), key='OS-DCF:diskConfig', maybe=True, get=_disk_config,
                        list='2.1')


class ImageQuery(Document):
    """``property-KEY`` asks for images with a property."""

    others = True
    name = Field(types.TEXT, query='2.1')
    status = Field(types.TEXT, query='2.1')
    changes_since = Field(types.TEXT, key='changes-since', query='2.1')
    server = Field(types.TEXT, 'uuid or address of the server that it is a snapshot of.', query='2.1')
    type = Field(types.TEXT, query='2.1')
    minRam = Field(types.TEXT, query='2.1')
    minDisk = Field(types.TEXT, query='2.1')
    limit = Field(types.LIMIT, query='2.1')
    page_size = Field(types.LIMIT, 'Of no effect.', query='2.1')
    marker = Field(types.TEXT, query='2.1')
    offset = Field(types.LIMIT, 'Of no effect.', query='2.1')


class Metadata(Document):
    metadata = Field(types.METADATA, required=True, body='2.1')


class Meta(Document):
    meta = Field(types.METADATA, required=True, body='2.1')


class Images(Resource):

    @get('/images', until=_UNTIL, query=ImageQuery, returns=Many('images', Brief))
    def index(self, req: Request) -> Page:
        """List images."""
        return _page(req)

    @get('/images/detail', until=_UNTIL, query=ImageQuery, returns=Many('images', Detail))
    def detail(self, req: Request) -> Page:
        """List images with details."""
        return _page(req)

    @get('/images/{image_id}', until=_UNTIL, returns=One('image', Detail, 'list'))
    def show(self, req: Request, image_id: str) -> JsonObject:
        """Show an image."""
        found: JsonObject = req.clients.image.document(req.context, image_id)
        return found

    @delete('/images/{image_id}', until=_UNTIL, ok=204)
    def remove(self, req: Request, image_id: str) -> None:
        """Delete an image."""
        req.clients.image.discard(req.context, image_id)


class ImageMetadata(Resource):

    @get('/images/{image_id}/metadata', until=_METADATA_UNTIL, returns=types.OBJECT)
    def index(self, req: Request, image_id: str) -> JsonObject:
        """Show an image's metadata."""
        return {'metadata': _metadata(req.clients.image.document(req.context, image_id))}

    @get('/images/{image_id}/metadata/{key}', until=_METADATA_UNTIL, returns=types.OBJECT)
    def show(self, req: Request, image_id: str, key: str) -> JsonObject:
        """Show one item."""
        return {'meta': {key: _item(req, image_id, key)}}

    @post('/images/{image_id}/metadata', until=_METADATA_UNTIL, ok=200, body=Body(Metadata),
          returns=types.OBJECT)
    def create(self, req: Request, image_id: str) -> JsonObject:
        """Add items, or change them."""
        return {'metadata': _alter(req, image_id, req.body['metadata'])}

    @put('/images/{image_id}/metadata', until=_METADATA_UNTIL, body=Body(Metadata), returns=types.OBJECT)
    def replace(self, req: Request, image_id: str) -> JsonObject:
        """Have these items and no others."""
        had = _metadata(req.clients.image.document(req.context, image_id))
        wanted = req.body['metadata']
        return {'metadata': _alter(req, image_id, wanted, [name for name in had if name not in wanted])}

    @put('/images/{image_id}/metadata/{key}', until=_METADATA_UNTIL, body=Body(Meta), returns=types.OBJECT)
    def update(self, req: Request, image_id: str, key: str) -> JsonObject:
        """Set one item."""
        meta = req.body['meta']
        if list(meta) != [key]:
            raise problem.BadRequest('Request body and URI mismatch')
        _alter(req, image_id, meta)
        return {'meta': meta}

    @delete('/images/{image_id}/metadata/{key}', until=_METADATA_UNTIL, ok=204)
    def remove(self, req: Request, image_id: str, key: str) -> None:
        """Take one item away."""
        _item(req, image_id, key)
        _alter(req, image_id, {}, [key])


def _page(req: Request) -> Page:
    limit, marker = req.paging()
    if not limit:
        return Page([])
    found = req.clients.image.documents(req.context, _filters(req.query), limit + 1, marker)
    return Page.of(found, limit, lambda image: str(image['id']))


def _filters(query: Query) -> dict[str, str]:
    """What was asked for, in Glance's words."""
    found = {ours: str(query[theirs]) for theirs, ours in _FILTERS.items() if theirs in query}
    if 'status' in query:
        wanted = str(query['status']).upper()
        found['status'] = next((ours for ours, theirs in _STATUS.items() if theirs == wanted), wanted.lower())
    if 'changes-since' in query:
        found['updated_at'] = f'gte:{query["changes-since"]}'
    if 'server' in query:
        found[_BELONGS] = urllib.parse.urlsplit(query['server']).path.rpartition('/')[2]
    found.update((name.removeprefix('property-'), values[-1]) for name, values in query.values_of.items()
                 if name.startswith('property-'))
    return found


def _item(req: Request, image_id: str, key: str) -> str:
    had = _metadata(req.clients.image.document(req.context, image_id))
    if key not in had:
        raise problem.NotFound('Metadata item was not found')
    return had[key]


def _alter(req: Request, image_id: str, wanted: Mapping[str, str], drop: Collection[str] = ()) -> JsonObject:
    own = sorted(set(wanted) & _OWN)
    if own:
        raise problem.BadRequest(f'{", ".join(own)}: not to be set as metadata of an image.')
    return _metadata(req.clients.image.alter(req.context, image_id, wanted, drop))
