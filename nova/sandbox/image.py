"""Glance v2 over a directory of files: images, their data, members and tags."""

import dataclasses
import hashlib
import html
import os
import pathlib
import re
import urllib.parse
from collections.abc import Callable
from typing import Protocol

import falcon

from nova.common import jsonschema, jsonutil, problem, units, uuids, web
from nova.common.jsonutil import JsonObject
from nova.sandbox import service, store
from nova.sandbox.store import Document, Kind, Rows

IMAGE = Kind('image', owner='owner')
DELETED = Kind('deleted_image')
"""Ids of images that were deleted: none of them is ever given again."""
MEMBER = Kind('image_member', owner='member_id', parent='image_id')

_OPEN = re.compile(r'/|/versions|/healthcheck')
_VERSIONS = tuple(f'v2.{minor}' for minor in range(16, -1, -1))
_PATCH = re.compile(r'application/openstack-images-v2\.(0|1)-json-patch')
_CHUNK = 64 * units.Ki
_BODY_LIMIT = units.Mi

_FIXED = ('id', 'status', 'created_at', 'updated_at', 'checksum', 'os_hash_algo', 'os_hash_value', 'size',
          'virtual_size', 'file', 'self', 'schema')
"""What a client never writes."""

_PROPERTIES: JsonObject = {
    'id': {'type': 'string'},
    'name': {'type': ['string', 'null'], 'maxLength': 255},
    'status': {'type': 'string', 'enum': ['queued', 'saving', 'active', 'killed', 'deleted', 'uploading',
                                          'importing', 'pending_delete', 'deactivated']},
    'visibility': {'type': 'string', 'enum': ['public', 'private', 'shared', 'community']},
    'protected': {'type': 'boolean'},
    'os_hidden': {'type': 'boolean'},
    'owner': {'type': ['string', 'null'], 'maxLength': 255},
    'container_format': {'type': ['string', 'null'], 'enum': [None, 'ami', 'ari', 'aki', 'bare', 'ovf', 'ova',
                                                             'docker', 'compressed']},
    'disk_format': {'type': ['string', 'null'], 'enum': [None, 'ami', 'ari', 'aki', 'vhd', 'vhdx', 'vmdk',
                                                        'raw', 'qcow2', 'vdi', 'iso', 'ploop']},
    'min_disk': {'type': 'integer', 'minimum': 0, 'maximum': units.MAX_INT},
    'min_ram': {'type': 'integer', 'minimum': 0, 'maximum': units.MAX_INT},
    'tags': {'type': 'array', 'items': {'type': 'string', 'maxLength': 255}},
    'checksum': {'type': ['string', 'null']}, 'os_hash_algo': {'type': ['string', 'null']},
    'os_hash_value': {'type': ['string', 'null']},
    'size': {'type': ['integer', 'null']}, 'virtual_size': {'type': ['integer', 'null']},
    'created_at': {'type': 'string'}, 'updated_at': {'type': 'string'},
    'file': {'type': 'string'}, 'self': {'type': 'string'}, 'schema': {'type': 'string'},
}
_SCHEMA: JsonObject = {'name': 'image', 'properties': _PROPERTIES,
                           'additionalProperties': {'type': ['string', 'null']}}
_MEMBER_SCHEMA: JsonObject = {'name': 'member', 'properties': {
    name: {'type': 'string'} for name in (
        'image_id', 'member_id', 'status', 'created_at', 'updated_at', 'schema')}}
_VALID = jsonschema.Validator({'type': 'object', **{
    key: value for key, value in _SCHEMA.items() if key != 'name'}})


class Readable(Protocol):
    """Where the data of an image is read from."""

    def read(self, size: int, /) -> bytes:
        """At most that many bytes; none at the end."""
        ...


@dataclasses.dataclass(frozen=True)
class _Digest:
    """What is learned about data while it is kept."""

    size: int
    checksum: str
    sha512: str


def _render(req: falcon.Request, resp: falcon.Response, error: problem.Problem) -> None:
    """Errors are a small HTML page, unless the client asks for JSON by name."""
    line = falcon.code_to_http_status(error.status)
    resp.status = line
    resp.set_headers(error.headers)
    if 'application/json' in (req.accept or ''):
        web.send(resp, {'code': line, 'title': line.split(' ', 1)[1], 'message': error.message}, error.status)
        return
    resp.content_type = 'text/html; charset=UTF-8'
    resp.data = (f'<html>\n <head>\n  <title>{line}</title>\n </head>\n <body>\n  <h1>{line}</h1>\n  '
                 f'{html.escape(error.message)}<br /><br />\n\n\n </body>\n</html>').encode()


def _no_image(ident: str) -> problem.NotFound:
    return problem.NotFound(f'No image found with ID {ident}')


class Images:
    """Images over a store and a directory; what the volume stand-in uses in-process."""

    def __init__(self, keep: store.Store, data_dir: str | os.PathLike[str]) -> None:
        self.store = keep
        self.directory = pathlib.Path(data_dir)
        self.directory.mkdir(parents=True, exist_ok=True)

    def path(self, ident: str) -> pathlib.Path:
        """Where the data of an image is."""
        return self.directory / ident

    def visible(self, caller: service.Caller, image: Document) -> bool:
        """Whether the caller may see the image."""
        if caller.owns(image) or image['visibility'] in ('public', 'community'):
            return True
        return image['visibility'] == 'shared' and caller.project_id is not None and self.store.get(
            MEMBER, f'{image["id"]}:{caller.project_id}') is not None

    def get(self, caller: service.Caller, ident: str) -> Document:
        """
        Raises:
            NotFound: there is none that the caller may see.
        """
        found = self.store.get(IMAGE, ident)
        if found is None or not self.visible(caller, found):
            raise _no_image(ident)
        return found

    def create(self, owner: str | None, fields: Document) -> Document:
        """Record an image without data.

        Raises:
            Conflict: the id is taken.
        """
        when = service.now()
        image = {
            'id': uuids.generate(), 'name': None, 'status': 'queued', 'visibility': 'shared',
            'protected': False, 'os_hidden': False, 'owner': owner, 'container_format': None,
            'disk_format': None, 'min_disk': 0, 'min_ram': 0, 'tags': [], 'checksum': None,
            'os_hash_algo': None, 'os_hash_value': None, 'size': None, 'virtual_size': None,
            'created_at': when, 'updated_at': when, **fields}

        def write(rows: Rows) -> Document:
            if rows.get(DELETED, image['id']) is not None:
                raise store.Duplicate(IMAGE.name)
            return rows.insert(IMAGE, image)
        try:
            return self.store.write(write)
        except store.Duplicate:
            raise problem.Conflict(f'Image ID {image["id"]} already exists!') from None

    def change(self, ident: str, fn: Callable[[Document], Document]) -> Document:
        """Replace an image by `fn(image)`, in one transaction."""
        def write(rows: Rows) -> Document:
            found = rows.get(IMAGE, ident)
            if found is None:
                raise _no_image(ident)
            return rows.update(IMAGE, {**fn(found), 'updated_at': service.now()})
        return self.store.write(write)

    def upload(self, ident: str, data: Readable) -> Document:
        """Keep the data of a queued image; it is ``saving`` meanwhile and ``active`` after.

        Raises:
            Conflict: it is not queued.
        """
        def begin(image: Document) -> Document:
            if image['status'] != 'queued':
                raise problem.Conflict(
                    f'Image status transition from {image["status"]} to saving is not allowed')
            if not image['container_format'] or not image['disk_format']:
                raise problem.BadRequest("Properties disk_format, container_format must be set prior to saving "
                                         'data.')
            return {**image, 'status': 'saving'}
        self.change(ident, begin)
        partial = self.directory / f'{ident}.part'
        try:
            learned = _keep(data, partial)
        except OSError:
            self.change(ident, lambda image: {**image, 'status': 'queued'})
            raise
        os.replace(partial, self.path(ident))
        return self.change(ident, lambda image: {
            **image, 'status': 'active', 'size': learned.size, 'checksum': learned.checksum,
            'virtual_size': learned.size if image['disk_format'] in ('raw', 'iso') else None,
            'os_hash_algo': 'sha512', 'os_hash_value': learned.sha512})

    def delete(self, ident: str) -> None:
        """
        Raises:
            Forbidden: it is protected.
        """
        def write(rows: Rows) -> None:
            found = rows.get(IMAGE, ident)
            if found is None:
                raise _no_image(ident)
            if found['protected']:
                raise problem.Forbidden(f'Image {ident} is protected and cannot be deleted.')
            rows.delete(IMAGE, ident)
            rows.insert(DELETED, {'id': ident})
            rows.delete_children(MEMBER, ident)
        self.store.write(write)
        self.path(ident).unlink(missing_ok=True)


def _keep(data: Readable, path: pathlib.Path) -> _Digest:
    md5, sha512, size = hashlib.md5(usedforsecurity=False), hashlib.sha512(), 0
    with path.open('wb') as file:
        while chunk := data.read(_CHUNK):
            file.write(chunk)
            md5.update(chunk)
            sha512.update(chunk)
            size += len(chunk)
    return _Digest(size, md5.hexdigest(), sha512.hexdigest())


class Image:
    """The stand-in for Glance; `app` is its WSGI application."""

    def __init__(self, images: Images, authority: service.Authority, identity_url: Callable[[], str]) -> None:
        self.images = images
        self._store = images.store
        self.app = service.application(_render, service.Gate(authority, _OPEN, identity_url),
                                       'x-openstack-request-id')
        self._route()

    def _route(self) -> None:
        def add(template: str, **methods: web.Responder) -> None:
            web.route(self.app, template, methods)

        add('/', GET=lambda req, resp: web.send(resp, _versions(req), 300))
        add('/versions', GET=lambda req, resp: web.send(resp, _versions(req)))
        add('/v2/schemas/{name}', GET=_schema)
        add('/v2/info/import', GET=lambda req, resp: web.send(resp, {'import-methods': {
            'description': 'Import methods available.', 'type': 'array', 'value': []}}))
        add('/v2/info/stores', GET=lambda req, resp: web.send(resp, {'stores': [
            {'id': 'file', 'default': 'true', 'description': 'Files of the sandbox.'}]}))
        add('/v2/images', GET=self._list, POST=self._create)
        add('/v2/images/{ident}', GET=self._show, PATCH=self._patch, DELETE=self._delete)
        add('/v2/images/{ident}/file', GET=self._download, PUT=self._upload)
        add('/v2/images/{ident}/tags/{tag}', PUT=self._tag, DELETE=self._untag)
        add('/v2/images/{ident}/actions/{action}', POST=self._act)
        add('/v2/images/{ident}/members', GET=self._members, POST=self._add_member)
        add('/v2/images/{ident}/members/{member}', GET=self._member, PUT=self._set_member,
            DELETE=self._remove_member)

    def _own(self, req: falcon.Request, ident: str) -> Document:
        """An image that the caller may change."""
        image = self.images.get(service.who(req), ident)
        if not service.who(req).owns(image):
            raise problem.Forbidden('You are not authorized to complete this action.')
        return image

    def _list(self, req: falcon.Request, resp: falcon.Response) -> None:
        caller = service.who(req)
        found = [image for image in self._store.list(IMAGE, name=service.value(req, 'name'))
                 if self._listed(req, caller, image)]
        keys = [(part.partition(':')[0], part.partition(':')[2] != 'asc')
                for part in (service.value(req, 'sort') or '').split(',') if part]
        directions = service.values(req, 'sort_dir') or ['desc']
        for number, key in enumerate(service.values(req, 'sort_key')):
            keys.append((key, directions[min(number, len(directions) - 1)] != 'asc'))
        found = service.sort_by(found, [*keys, ('created_at', True), ('id', True)])
        images, marker = service.page(req, found, default=25)
        document: Document = {'images': [_shown(image) for image in images], 'schema': '/v2/schemas/images',
                              'first': _link(req, None)}
        if marker:
            document['next'] = _link(req, marker)
        web.send(resp, document)

    def _listed(self, req: falcon.Request, caller: service.Caller, image: Document) -> bool:
        asked = service.value(req, 'visibility')
        if asked not in (None, 'all', image['visibility']) or not self.images.visible(caller, image):
            return False
        own = caller.project_id is not None and image['owner'] == caller.project_id
        if image['visibility'] == 'community' and not own and asked not in ('community', 'all'):
            return False
        if image['visibility'] == 'shared' and not own and not caller.is_admin:
            member = self._store.get(MEMBER, f'{image["id"]}:{caller.project_id}') or {}
            if (service.value(req, 'member_status') or 'accepted') not in ('all', member.get('status')):
                return False
        if image['os_hidden'] is not service.truth(service.value(req, 'os_hidden')):
            return False
        return all(_matches(image, name, service.values(req, name)) for name in req.params)

    def _create(self, req: falcon.Request, resp: falcon.Response) -> None:
        body = web.body(req, _BODY_LIMIT)
        _VALID.check(body)
        for name in set(body) & set(_FIXED) - {'id'}:
            raise problem.Forbidden(f"Attribute '{name}' is read-only.")
        if 'id' in body and not uuids.is_uuid(body['id']):
            raise problem.BadRequest('Invalid image id format')
        caller = service.who(req)
        _check_visibility(caller, body)
        if body.get('owner', caller.project_id) != caller.project_id and not caller.is_admin:
            raise problem.Forbidden(f"You are not permitted to create images owned by '{body['owner']}'.")
        image = self.images.create(caller.project_id, body)
        resp.location = f'{service.here(req)}/v2/images/{image["id"]}'
        web.send(resp, _shown(image), 201)

    def _show(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        web.send(resp, _shown(self.images.get(service.who(req), ident)))

    def _patch(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        if not _PATCH.fullmatch((req.content_type or '').partition(';')[0]):
            raise problem.UnsupportedMedia(media=req.content_type, headers={
                'Accept-Patch': 'application/openstack-images-v2.1-json-patch'})
        self._own(req, ident)
        try:
            changes = jsonutil.loads(req.bounded_stream.read(_BODY_LIMIT))
        except ValueError:
            raise problem.BadRequest('Malformed JSON in request body.') from None
        if not isinstance(changes, list):
            raise problem.BadRequest('Request body must be a JSON array of operation objects.')
        image = self.images.change(ident, lambda found: _patched(service.who(req), found, changes))
        web.send(resp, _shown(image))

    def _delete(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        self._own(req, ident)
        self.images.delete(ident)
        resp.status = falcon.HTTP_204

    def _upload(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        self._own(req, ident)
        if (req.content_type or '') != 'application/octet-stream':
            raise problem.UnsupportedMedia(media=req.content_type)
        self.images.upload(ident, req.bounded_stream)
        resp.status = falcon.HTTP_204

    def _download(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        image = self.images.get(service.who(req), ident)
        if image['status'] == 'deactivated' and not service.who(req).is_admin:
            raise problem.Forbidden('The requested image has been deactivated. '
                                    'Image data download is forbidden.')
        path = self.images.path(ident)
        if image['status'] not in ('active', 'deactivated') or not path.exists():
            resp.status = falcon.HTTP_204
            return
        resp.content_type = 'application/octet-stream'
        resp.set_header('Content-MD5', image['checksum'])
        resp.set_stream(path.open('rb'), image['size'])

    def _tag(self, req: falcon.Request, resp: falcon.Response, ident: str, tag: str) -> None:
        self._own(req, ident)
        self.images.change(ident, lambda image: {
            **image, 'tags': [*image['tags'], *([] if tag in image['tags'] else [tag])]})
        resp.status = falcon.HTTP_204

    def _untag(self, req: falcon.Request, resp: falcon.Response, ident: str, tag: str) -> None:
        if tag not in self._own(req, ident)['tags']:
            raise problem.NotFound(f'The tag {tag} is not there.')
        self.images.change(ident, lambda image: {**image, 'tags': [one for one in image['tags'] if one != tag]})
        resp.status = falcon.HTTP_204

    def _act(self, req: falcon.Request, resp: falcon.Response, ident: str, action: str) -> None:
        service.need_admin(req)
        target = {'deactivate': 'deactivated', 'reactivate': 'active'}.get(action)
        if target is None:
            raise problem.NotFound()

        def change(image: Document) -> Document:
            if image['status'] not in ('active', 'deactivated'):
                raise problem.Forbidden(f'Not allowed to {action} image in status \'{image["status"]}\'')
            return {**image, 'status': target}
        self.images.change(ident, change)
        resp.status = falcon.HTTP_204

    # Members

    def _members(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        image = self.images.get(service.who(req), ident)
        found = [member for member in self._store.list(MEMBER, parent=ident)
                 if service.who(req).owns(image) or member['member_id'] == service.who(req).project_id]
        web.send(resp, {'members': [_member_shown(member) for member in found],
                        'schema': '/v2/schemas/members'})

    def _add_member(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        image = self._own(req, ident)
        body = web.body(req)
        member = body.get('member') if isinstance(body, dict) else None
        if not isinstance(member, str) or not member:
            raise problem.BadRequest("'member' is needed.")
        if image['visibility'] != 'shared':
            raise problem.Forbidden(f'Only shared images have members. Image {ident} is {image["visibility"]}.')
        when = service.now()
        document = {'id': f'{ident}:{member}', 'image_id': ident, 'member_id': member, 'status': 'pending',
                    'created_at': when, 'updated_at': when}
        try:
            self._store.write(lambda rows: rows.insert(MEMBER, document))
        except store.Duplicate:
            raise problem.Conflict(f'The target member {member} is already associated with image {ident}.'
                                   ) from None
        web.send(resp, _member_shown(document))

    def _known_member(self, req: falcon.Request, ident: str, member: str) -> Document:
        image = self.images.get(service.who(req), ident)
        found = self._store.get(MEMBER, f'{ident}:{member}')
        if found is None or not (service.who(req).owns(image) or member == service.who(req).project_id):
            raise problem.NotFound(f'{member} not found in the member list of the image {ident}.')
        return found

    def _member(self, req: falcon.Request, resp: falcon.Response, ident: str, member: str) -> None:
        web.send(resp, _member_shown(self._known_member(req, ident, member)))

    def _set_member(self, req: falcon.Request, resp: falcon.Response, ident: str, member: str) -> None:
        found, body = self._known_member(req, ident, member), web.body(req)
        status = body.get('status') if isinstance(body, dict) else None
        if status not in ('pending', 'accepted', 'rejected'):
            raise problem.BadRequest(f'Invalid status: {status}')
        if not service.who(req).is_admin and member != service.who(req).project_id:
            raise problem.Forbidden('Only the member decides on its membership.')
        changed = {**found, 'status': status, 'updated_at': service.now()}
        self._store.write(lambda rows: rows.update(MEMBER, changed))
        web.send(resp, _member_shown(changed))

    def _remove_member(self, req: falcon.Request, resp: falcon.Response, ident: str, member: str) -> None:
        self._own(req, ident)
        found = self._known_member(req, ident, member)
        self._store.write(lambda rows: rows.delete(MEMBER, found['id']))
        resp.status = falcon.HTTP_204


def _versions(req: falcon.Request) -> Document:
    return {'versions': [{'id': name, 'status': 'SUPPORTED' if number else 'CURRENT',
                          'links': [{'rel': 'self', 'href': f'{service.here(req)}/v2/'}]}
                         for number, name in enumerate(_VERSIONS)]}


def _schema(req: falcon.Request, resp: falcon.Response, name: str) -> None:
    single = {'image': _SCHEMA, 'member': _MEMBER_SCHEMA}
    if name in single:
        web.send(resp, single[name])
    elif name in ('images', 'members'):
        web.send(resp, {'name': name, 'properties': {
            name: {'type': 'array', 'items': single[name[:-1]]}, 'schema': {'type': 'string'},
            'first': {'type': 'string'}, 'next': {'type': 'string'}}})
    else:
        raise problem.NotFound()


def _shown(image: Document) -> Document:
    ident = image['id']
    return {**image, 'self': f'/v2/images/{ident}', 'file': f'/v2/images/{ident}/file',
            'schema': '/v2/schemas/image'}


def _member_shown(member: Document) -> Document:
    return {**{key: value for key, value in member.items() if key != 'id'}, 'schema': '/v2/schemas/member'}


def _link(req: falcon.Request, marker: str | None) -> str:
    query = [(name, one) for name in req.params if name != 'marker' for one in service.values(req, name)]
    if marker:
        query.append(('marker', marker))
    return '/v2/images' + ('?' + urllib.parse.urlencode(query) if query else '')


_NOT_FILTERS = frozenset({'limit', 'marker', 'sort', 'sort_key', 'sort_dir', 'visibility', 'member_status',
                          'os_hidden'})


def _matches(image: Document, name: str, wanted: list[str]) -> bool:
    if name in _NOT_FILTERS:
        return True
    if name == 'tag':
        return set(wanted) <= set(image['tags'])
    if name in ('size_min', 'size_max'):
        size, limit = image['size'] or 0, int(wanted[-1]) if wanted[-1].isdecimal() else 0
        return size >= limit if name == 'size_min' else size <= limit
    found = image.get(name)
    if isinstance(found, bool):
        return service.truth(wanted[-1]) is found
    if wanted[-1].startswith('in:'):
        return str(found) in [part.strip('"') for part in wanted[-1][3:].split(',')]
    return found is not None and str(found) == wanted[-1]


def _check_visibility(caller: service.Caller, image: Document) -> None:
    if image.get('visibility') == 'public' and not caller.is_admin:
        raise problem.Forbidden('You are not authorized to complete publicize_image action.')


def _patched(caller: service.Caller, image: Document, changes: list) -> Document:
    result = dict(image)
    for change in changes:
        op, path = (change.get('op'), str(change.get('path', ''))) if isinstance(change, dict) else (None, '')
        name = path.removeprefix('/').replace('~1', '/').replace('~0', '~')
        if op not in ('add', 'replace', 'remove') or not path.startswith('/') or not name:
            raise problem.BadRequest("Operations must be objects with 'op' add, replace or remove, and a "
                                     "'path'.")
        if name in _FIXED:
            raise problem.Forbidden(f"Attribute '{name}' is read-only.")
        if name == 'owner' and not caller.is_admin:
            raise problem.Forbidden("Attribute 'owner' is read-only.")
        if op == 'remove' and name in _PROPERTIES:
            raise problem.Forbidden(f"Property {name} may not be removed.")
        if op != 'add' and name not in result:
            raise problem.Conflict(f'Property {name} does not exist.')
        if op == 'remove':
            del result[name]
        else:
            result[name] = change.get('value')
    _VALID.check(result)
    if result['visibility'] != image['visibility']:
        _check_visibility(caller, result)
    return result
