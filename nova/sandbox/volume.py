"""Cinder v3 with microversions to 3.71, as far as a compute service and its users' clients need it.

Volumes, snapshots and types are in `blockstore`, attachments in `attachments`; here are the routes and the
shapes.
"""

import pathlib
import re
from collections.abc import Callable

import falcon

from nova.common import microversion, problem, uuids, web
from nova.common.microversion import V
from nova.sandbox import blockstore as b
from nova.sandbox import image as images
from nova.sandbox import service, store
from nova.sandbox.attachments import Attachments
from nova.sandbox.store import Document, Rows

LOW, HIGH = V('3.0'), V('3.71')

_OPEN = re.compile(r'/|/v3|/healthcheck')
_PROJECT = re.compile(r'/v3/([0-9a-f]{32})(/.*)?')
_ENVELOPES = {400: 'badRequest', 401: 'unauthorized', 403: 'forbidden', 404: 'itemNotFound',
              405: 'badMethod', 406: 'notAcceptable', 409: 'conflictingRequest', 413: 'overLimit',
              415: 'badMediaType', 501: 'notImplemented', 503: 'serviceUnavailable'}

_SHAPE = service.shape(
    text='name description imageRef image_id snapshot_id source_volid volume_type availability_zone volume_id '
         'volume_uuid instance_uuid mode display_name display_description',
    mappings='metadata connector extra_specs')

default_types = b.default_types


def _render(req: falcon.Request, resp: falcon.Response, error: problem.Problem) -> None:
    resp.set_headers(error.headers)
    if error.status == 401:
        web.send(resp, {'error': {'code': 401, 'title': 'Unauthorized', 'message': error.message}}, 401)
        return
    name = _ENVELOPES.get(error.status, 'computeFault')
    web.send(resp, {name: {'code': error.status, 'message': error.message}}, error.status)


class _Versions:
    """Falcon middleware: negotiates the microversion, and takes the project out of the path."""

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        req.context.version = microversion.negotiate(req.get_header, 'volume', LOW, HIGH)
        req.context.microversion = str(req.context.version)
        req.context.path_project = None
        if found := _PROJECT.fullmatch(req.path):
            req.context.path_project = found[1]
            req.path = '/v3' + (found[2] or '')

    def process_resource(self, req: falcon.Request, resp: falcon.Response, resource: object,
                         params: object) -> None:
        given, caller = req.context.path_project, getattr(req.context, 'caller', None)
        if given and caller and given != caller.project_id:
            raise problem.BadRequest('Malformed request url')

    def process_response(self, req: falcon.Request, resp: falcon.Response, resource: object, ok: bool) -> None:
        resp.set_header('Vary', microversion.HEADER)
        if hasattr(req.context, 'microversion'):
            resp.set_header(microversion.HEADER, f'volume {req.context.microversion}')


def _at(req: falcon.Request, version: str) -> bool:
    return req.context.version >= V(version)


def _since(req: falcon.Request, version: str) -> None:
    if not _at(req, version):
        raise problem.NotFound('The resource could not be found.')


class Volume:
    """The stand-in for Cinder; `app` is its WSGI application."""

    def __init__(self, keep: store.Store, authority: service.Authority, identity_url: Callable[[], str],
                 pictures: images.Images, data_dir: pathlib.Path) -> None:
        self._store = keep
        self.volumes = b.Volumes(keep, data_dir, pictures)
        self.app = service.application(_render, service.Gate(authority, _OPEN, identity_url),
                                       'x-openstack-request-id', 'x-compute-request-id', extra=[_Versions()])

        def add(template: str, **methods: web.Responder) -> None:
            web.route(self.app, template, methods)

        add('/', GET=lambda req, resp: web.send(resp, {'versions': [_version(req)]}, 300))
        add('/v3', GET=lambda req, resp: web.send(resp, {'versions': [_version(req)]}))
        add('/v3/volumes', GET=lambda req, resp: self._list(req, resp, False), POST=self._create)
        add('/v3/volumes/detail', GET=lambda req, resp: self._list(req, resp, True))
        add('/v3/volumes/summary', GET=self._summary)
        add('/v3/volumes/{ident}', GET=self._show, PUT=self._update, DELETE=self._delete)
        add('/v3/volumes/{ident}/encryption', GET=self._encryption)
        add('/v3/volumes/{ident}/metadata', GET=self._metadata, POST=self._merge_metadata,
            PUT=self._replace_metadata)
        add('/v3/volumes/{ident}/metadata/{key}', GET=self._metadata_item, PUT=self._set_metadata_item,
            DELETE=self._drop_metadata_item)
        Actions(self._store, self.volumes).route(add)
        AttachmentRoutes(self._store, Attachments(self.volumes)).route(add)
        Snapshots(self._store, self.volumes).route(add)
        Administration(self._store).route(add)

    def _view(self, req: falcon.Request, rows: Rows, volume: Document) -> Document:
        return _volume_view(req, volume, rows.list(b.ATTACHMENT, parent=volume['id']))

    def _list(self, req: falcon.Request, resp: falcon.Response, detail: bool) -> None:
        with self._store.read() as rows:
            found = [volume for volume in rows.list(
                b.VOLUME, owner=_owner(req), name=service.value(req, 'name')) if _fits(req, volume)]
            cut, marker = _page(req, found)
            shown = [self._view(req, rows, volume) if detail else _brief(req, 'volumes', volume)
                     for volume in cut]
        document: Document = {'volumes': shown}
        _add_next(req, document, 'volumes', marker)
        if service.truth(service.value(req, 'with_count')) and _at(req, '3.45'):
            document['count'] = len(found)
        web.send(resp, document)

    def _summary(self, req: falcon.Request, resp: falcon.Response) -> None:
        found = self._store.list(b.VOLUME, owner=_owner(req))
        web.send(resp, {'volume-summary': {'total_count': len(found), 'metadata': {},
                                           'total_size': sum(volume['size'] for volume in found)}})

    def _create(self, req: falcon.Request, resp: falcon.Response) -> None:
        volume = self.volumes.create(service.who(req), _body(req, 'volume'))
        web.send(resp, {'volume': _volume_view(req, volume, [])}, 202)

    def _show(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        with self._store.read() as rows:
            shown = self._view(req, rows, b.volume_for(rows, service.who(req), ident))
        web.send(resp, {'volume': shown})

    def _change(self, req: falcon.Request, ident: str, fn: Callable[[Document], Document]) -> Document:
        return self._store.write(lambda rows: _with_attachments(
            rows, b.save(rows, b.VOLUME, fn(b.volume_for(rows, service.who(req), ident)))))

    def _update(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        body = _body(req, 'volume')
        aliases = {'display_name': 'name', 'display_description': 'description'}
        change = {aliases.get(name, name): value for name, value in body.items()
                  if aliases.get(name, name) in ('name', 'description', 'metadata')}
        if not change:
            raise problem.BadRequest('Nothing to update.')
        found = self._change(req, ident, lambda volume: {**volume, **change})
        web.send(resp, {'volume': _volume_view(req, found, found.pop('_attachments'))})

    def _delete(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        force = service.truth(service.value(req, 'force')) and service.who(req).is_admin
        if service.truth(service.value(req, 'cascade')):
            for snapshot in self._store.list(b.SNAPSHOT, parent=ident):
                self.volumes.delete_snapshot(service.who(req), snapshot['id'])
        self.volumes.delete(service.who(req), ident, force)
        resp.status = falcon.HTTP_202

    def _encryption(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        """No type of this stand-in is encrypted."""
        with self._store.read() as rows:
            b.volume_for(rows, service.who(req), ident)
        web.send(resp, {'encryption_key_id': None})

    # Metadata

    def _metadata(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        with self._store.read() as rows:
            web.send(resp, {'metadata': b.volume_for(rows, service.who(req), ident)['metadata']})

    def _merge_metadata(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        body = service.enveloped(req, 'metadata')
        found = self._change(req, ident, lambda volume: {**volume, 'metadata': {**volume['metadata'], **body}})
        web.send(resp, {'metadata': found['metadata']})

    def _replace_metadata(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        body = service.enveloped(req, 'metadata')
        web.send(resp, {'metadata': self._change(
            req, ident, lambda volume: {**volume, 'metadata': body})['metadata']})

    def _metadata_item(self, req: falcon.Request, resp: falcon.Response, ident: str, key: str) -> None:
        with self._store.read() as rows:
            found = b.volume_for(rows, service.who(req), ident)['metadata']
        if key not in found:
            raise problem.NotFound(f'Metadata item was not found: {key}')
        web.send(resp, {'meta': {key: found[key]}})

    def _set_metadata_item(self, req: falcon.Request, resp: falcon.Response, ident: str, key: str) -> None:
        body = service.enveloped(req, 'meta')
        if set(body) != {key}:
            raise problem.BadRequest('Request body and URI mismatch')
        self._change(req, ident, lambda volume: {**volume, 'metadata': {**volume['metadata'], **body}})
        web.send(resp, {'meta': body})

    def _drop_metadata_item(self, req: falcon.Request, resp: falcon.Response, ident: str, key: str) -> None:
        self._change(req, ident, lambda volume: {**volume, 'metadata': {
            name: value for name, value in volume['metadata'].items() if name != key}})


class Actions:
    """``POST /volumes/{id}/action``: one method an action, found by its name."""

    def __init__(self, keep: store.Store, volumes: b.Volumes) -> None:
        self._store, self._volumes = keep, volumes
        self._actions: dict[str, Callable[[falcon.Request, str, object], Document | None]] = {
            'os-reserve': self._move(('available',), 'attaching'),
            'os-unreserve': self._move(('attaching', 'reserved'), _rest),
            'os-begin_detaching': self._move(('in-use',), 'detaching'),
            'os-roll_detaching': self._move(('detaching',), 'in-use'),
            'os-extend': self._extend, 'os-extend_volume_completion': self._extended,
            'os-reset_status': self._reset, 'os-force_delete': self._force_delete,
            'os-set_bootable': self._set_bootable, 'os-update_readonly_flag': self._set_readonly,
            'os-set_image_metadata': self._set_image_metadata,
            'os-unset_image_metadata': self._unset_image_metadata,
            'os-show_image_metadata': self._show_image_metadata,
            'os-retype': self._retype, 'os-migrate_volume_completion': self._migrated,
            'os-migrate_volume': self._migrate, 'os-reimage': self._reimage,
        }

    def route(self, add: service.Add) -> None:
        add('/v3/volumes/{ident}/action', POST=self._act)

    def _act(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        body = web.body(req)
        name = next(iter(body), '') if isinstance(body, dict) and len(body) == 1 else ''
        if name not in self._actions:
            raise problem.BadRequest(f'There is no such action: {name}')
        answer = self._actions[name](req, ident, body[name])
        if answer is None:
            resp.status = falcon.HTTP_202
        else:
            web.send(resp, answer)

    def _move(self, wanted: tuple[str, ...], target: str | Callable[[Rows, Document], str]
              ) -> Callable[[falcon.Request, str, object], None]:
        return lambda req, ident, body: self._volumes.move(service.who(req), ident, wanted, target)

    def _save(self, req: falcon.Request, ident: str, **change: object) -> Document:
        return self._store.write(lambda rows: b.save(
            rows, b.VOLUME, b.volume_for(rows, service.who(req), ident), **change))

    def _extend(self, req: falcon.Request, ident: str, body: object) -> None:
        self._volumes.extend(service.who(req), ident, _member(body, 'new_size'), _at(req, '3.42'))

    def _extended(self, req: falcon.Request, ident: str, body: object) -> None:
        """Compute says how the extension went on its side; here it was done at once."""
        _since(req, '3.71')
        with self._store.read() as rows:
            b.volume_for(rows, service.who(req), ident)
        if service.truth(_member(body, 'error')):
            self._save(req, ident, status='error_extending')

    def _reimage(self, req: falcon.Request, ident: str, body: object) -> None:
        _since(req, '3.68')
        image_id, reserved = str(_member(body, 'image_id')), service.truth(_maybe(body, 'reimage_reserved'))
        self._volumes.reimage(service.who(req), ident, image_id, reserved)

    def _reset(self, req: falcon.Request, ident: str, body: object) -> None:
        service.need_admin(req)
        status = _member(body, 'status')
        if status is not None and not (isinstance(status, str) and status in b.STATUSES):
            raise b.InvalidInput(why=f'Must specify a valid status, not {status!r}')
        if _maybe(body, 'attach_status') == 'detached':
            self._store.write(lambda rows: rows.delete_children(b.ATTACHMENT, ident))
        if status is not None:
            self._save(req, ident, status=status)

    def _force_delete(self, req: falcon.Request, ident: str, body: object) -> None:
        service.need_admin(req)
        self._volumes.delete(service.who(req), ident, force=True)

    def _set_bootable(self, req: falcon.Request, ident: str, body: object) -> Document:
        self._save(req, ident, bootable=service.truth(_member(body, 'bootable')))
        return {}

    def _set_readonly(self, req: falcon.Request, ident: str, body: object) -> None:
        self._save(req, ident, readonly=service.truth(_member(body, 'readonly')))

    def _image_metadata(self, req: falcon.Request, ident: str) -> Document:
        with self._store.read() as rows:
            return b.volume_for(rows, service.who(req), ident)['image_metadata']

    def _set_image_metadata(self, req: falcon.Request, ident: str, body: object) -> Document:
        merged = {**self._image_metadata(req, ident), **service.mapping(_member(body, 'metadata'))}
        self._save(req, ident, image_metadata=merged)
        return {'metadata': merged}

    def _unset_image_metadata(self, req: falcon.Request, ident: str, body: object) -> Document:
        found = self._image_metadata(req, ident)
        if found.pop(str(_member(body, 'key')), None) is None:
            raise problem.NotFound('Metadata item was not found')
        self._save(req, ident, image_metadata=found)
        return {}

    def _show_image_metadata(self, req: falcon.Request, ident: str, body: object) -> Document:
        return {'metadata': self._image_metadata(req, ident)}

    def _retype(self, req: falcon.Request, ident: str, body: object) -> None:
        with self._store.read() as rows:
            kind = b.type_for(rows, _member(body, 'new_type'))
            volume = b.volume_for(rows, service.who(req), ident)
        if volume['status'] != 'available':
            raise b.InvalidVolume(why='an attached volume is not retyped by this stand-in')
        self._save(req, ident, volume_type=kind['name'], volume_type_id=kind['id'],
                   multiattach=b.is_shared(kind))

    def _migrated(self, req: falcon.Request, ident: str, body: object) -> Document:
        """Compute has gone from one volume to the other, or has not: one is left, under the old id."""
        service.need_admin(req)
        self._volumes.end_migration(service.who(req), ident, str(_member(body, 'new_volume')),
                                    service.truth(_member(body, 'error')))
        return {'save_volume_id': ident}

    def _migrate(self, req: falcon.Request, ident: str, body: object) -> None:
        """Begin to migrate an attached volume: the stand-in makes the other one; who tests asks Compute."""
        service.need_admin(req)
        self._volumes.begin_migration(service.who(req), ident)


class AttachmentRoutes:
    """``/attachments``, from 3.27."""

    def __init__(self, keep: store.Store, attachments: Attachments) -> None:
        self._store, self._attachments = keep, attachments

    def route(self, add: service.Add) -> None:
        add('/v3/attachments', GET=lambda req, resp: self._list(req, resp, False), POST=self._create)
        add('/v3/attachments/detail', GET=lambda req, resp: self._list(req, resp, True))
        add('/v3/attachments/{ident}', GET=self._show, PUT=self._update, DELETE=self._delete)
        add('/v3/attachments/{ident}/action', POST=self._complete)

    def _list(self, req: falcon.Request, resp: falcon.Response, detail: bool) -> None:
        _since(req, '3.27')
        filters = (('volume_id', 'volume_id'), ('instance_id', 'instance'), ('status', 'status'))
        found = [item for item in self._store.list(b.ATTACHMENT, owner=_owner(req))
                 if all(service.value(req, name) in (None, item[field]) for name, field in filters)]
        cut, marker = _page(req, found)
        document: Document = {'attachments': [_attachment_view(item) if detail else _attachment_brief(item)
                                              for item in cut]}
        _add_next(req, document, 'attachments', marker)
        web.send(resp, document)

    def _create(self, req: falcon.Request, resp: falcon.Response) -> None:
        _since(req, '3.27')
        body = _body(req, 'attachment')
        if 'mode' in body and not _at(req, '3.54'):
            raise problem.BadRequest("Additional properties are not allowed ('mode' was unexpected)")
        made = self._attachments.create(service.who(req), body)
        web.send(resp, {'attachment': _attachment_view(made)})

    def _show(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        _since(req, '3.27')
        with self._store.read() as rows:
            found = self._attachments.get(rows, service.who(req), ident)
        web.send(resp, {'attachment': _attachment_view(found)})

    def _update(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        _since(req, '3.27')
        found = self._attachments.update(service.who(req), ident, _body(req, 'attachment'))
        web.send(resp, {'attachment': _attachment_view(found)})

    def _complete(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        _since(req, '3.44')
        body = web.body(req)
        if not isinstance(body, dict) or set(body) != {'os-complete'}:
            raise problem.BadRequest("The only action is 'os-complete'.")
        self._attachments.complete(service.who(req), ident)
        resp.status = falcon.HTTP_204

    def _delete(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        _since(req, '3.27')
        left = self._attachments.delete(service.who(req), ident)
        web.send(resp, {'attachments': [_attachment_brief(item) for item in left]})


class Snapshots:
    """``/snapshots``."""

    def __init__(self, keep: store.Store, volumes: b.Volumes) -> None:
        self._store, self._volumes = keep, volumes

    def route(self, add: service.Add) -> None:
        add('/v3/snapshots', GET=self._list, POST=self._create)
        add('/v3/snapshots/detail', GET=self._list)
        add('/v3/snapshots/{ident}', GET=self._show, PUT=self._update, DELETE=self._delete)
        add('/v3/snapshots/{ident}/action', POST=self._act)
        add('/v3/snapshots/{ident}/metadata/{key}', DELETE=self._drop_metadata_item)

    def _list(self, req: falcon.Request, resp: falcon.Response) -> None:
        found = [item for item in self._store.list(
            b.SNAPSHOT, owner=_owner(req), parent=service.value(req, 'volume_id'),
            name=service.value(req, 'name')) if _fits(req, item)]
        cut, marker = _page(req, found)
        document: Document = {'snapshots': [_snapshot_view(item) for item in cut]}
        _add_next(req, document, 'snapshots', marker)
        web.send(resp, document)

    def _create(self, req: falcon.Request, resp: falcon.Response) -> None:
        body = _body(req, 'snapshot')
        made = self._volumes.snapshot(service.who(req), body, force_allowed=_at(req, '3.66'))
        web.send(resp, {'snapshot': _snapshot_view(made)}, 202)

    def _act(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        """Compute says how its part of a snapshot went; an administrator says what it is."""
        service.need_admin(req)
        resp.status = falcon.HTTP_202
        body = web.body(req)
        if (reset := _maybe(body, 'os-reset_status')) is not None:
            self._reset(req, ident, _member(reset, 'status'))
            return
        said = service.mapping(_member(body, 'os-update_snapshot_status'))
        follows = {'creating': ('creating', 'available', 'error'), 'deleting': ('deleting', 'error_deleting')}

        def write(rows: Rows) -> None:
            found = b.snapshot_for(rows, service.who(req), ident)
            if said.get('status') not in follows.get(found['status'], ()):
                raise problem.BadRequest(f'Provided snapshot status {said.get("status")} not allowed for '
                                         f'snapshot with status {found["status"]}.')
            b.save(rows, b.SNAPSHOT, found, status=said['status'])
        self._store.write(write)

    def _reset(self, req: falcon.Request, ident: str, status: object) -> None:
        if status not in b.SNAPSHOT_STATUSES:
            raise problem.BadRequest(f'Must specify a valid status, not {status!r}')
        self._store.write(lambda rows: b.save(
            rows, b.SNAPSHOT, b.snapshot_for(rows, service.who(req), ident), status=status))

    def _show(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        with self._store.read() as rows:
            web.send(resp, {'snapshot': _snapshot_view(b.snapshot_for(rows, service.who(req), ident))})

    def _update(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        body, caller = _body(req, 'snapshot'), service.who(req)
        change = {name: body[name] for name in ('name', 'description') if name in body}
        found = self._store.write(lambda rows: b.save(
            rows, b.SNAPSHOT, b.snapshot_for(rows, caller, ident), **change))
        web.send(resp, {'snapshot': _snapshot_view(found)})

    def _delete(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        self._volumes.delete_snapshot(service.who(req), ident)
        resp.status = falcon.HTTP_202

    def _drop_metadata_item(self, req: falcon.Request, resp: falcon.Response, ident: str, key: str) -> None:
        def write(rows: Rows) -> None:
            found = b.snapshot_for(rows, service.who(req), ident)
            if key not in found['metadata']:
                raise problem.NotFound('Metadata item was not found')
            b.save(rows, b.SNAPSHOT, found, metadata={
                name: value for name, value in found['metadata'].items() if name != key})
        self._store.write(write)


class Administration:
    """Types, quotas, limits, zones and services."""

    def __init__(self, keep: store.Store) -> None:
        self._store = keep

    def route(self, add: service.Add) -> None:
        add('/v3/types', GET=self._types, POST=self._create_type)
        add('/v3/types/{ident}', GET=self._type, PUT=self._update_type, DELETE=self._delete_type)
        add('/v3/types/{ident}/extra_specs', GET=self._specs, POST=self._set_specs)
        add('/v3/types/{ident}/extra_specs/{key}', DELETE=self._drop_spec)
        add('/v3/limits', GET=self._limits)
        add('/v3/os-quota-sets/{project}', GET=self._quota, PUT=self._set_quota, DELETE=self._reset_quota)
        add('/v3/os-quota-sets/{project}/defaults', GET=lambda req, resp, project: web.send(
            resp, {'quota_set': {'id': project, **b.QUOTAS}}))
        add('/v3/os-availability-zone', GET=lambda req, resp: web.send(resp, {'availabilityZoneInfo': [
            {'zoneName': 'nova', 'zoneState': {'available': True}}]}))
        add('/v3/os-services', GET=self._services)
        add('/v3/extensions', GET=lambda req, resp: web.send(resp, {'extensions': []}))

    def _types(self, req: falcon.Request, resp: falcon.Response) -> None:
        web.send(resp, {'volume_types': [_type_view(kind) for kind in self._store.list(b.TYPE)]})

    def _find_type(self, rows: Rows, ident: str) -> Document:
        return b.type_for(rows, b.DEFAULT_TYPE if ident == 'default' else ident)

    def _type(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        with self._store.read() as rows:
            web.send(resp, {'volume_type': _type_view(self._find_type(rows, ident))})

    def _create_type(self, req: falcon.Request, resp: falcon.Response) -> None:
        service.need_admin(req)
        body = _body(req, 'volume_type')
        name = body.get('name')
        if not isinstance(name, str) or not name.strip():
            raise b.InvalidInput(why='name has 0 characters, more than 0 are needed')
        document = {'id': uuids.generate(), 'name': name, 'description': body.get('description'),
                    'is_public': service.truth(body.get('os-volume-type-access:is_public', True)),
                    'extra_specs': body.get('extra_specs') or {}}
        try:
            self._store.write(lambda rows: rows.insert(b.TYPE, document))
        except store.Duplicate:
            raise problem.Conflict(f'Volume Type {name} already exists.') from None
        web.send(resp, {'volume_type': _type_view(document)})

    def _change_type(self, req: falcon.Request, ident: str, **change: object) -> Document:
        service.need_admin(req)
        return self._store.write(lambda rows: rows.update(b.TYPE, {**self._find_type(rows, ident), **change}))

    def _update_type(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        body = _body(req, 'volume_type')
        found = self._change_type(req, ident, **{
            name: body[name] for name in ('name', 'description', 'is_public') if name in body})
        web.send(resp, {'volume_type': _type_view(found)})

    def _delete_type(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        service.need_admin(req)

        def write(rows: Rows) -> None:
            kind = self._find_type(rows, ident)
            if any(volume['volume_type_id'] == kind['id'] for volume in rows.list(b.VOLUME)):
                raise problem.BadRequest('Target volume type is still in use.')
            rows.delete(b.TYPE, kind['id'])
        self._store.write(write)
        resp.status = falcon.HTTP_202

    def _specs(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        with self._store.read() as rows:
            web.send(resp, {'extra_specs': self._find_type(rows, ident)['extra_specs']})

    def _set_specs(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        body = service.enveloped(req, 'extra_specs')
        with self._store.read() as rows:
            known = self._find_type(rows, ident)['extra_specs']
        self._change_type(req, ident, extra_specs={**known, **body})
        web.send(resp, {'extra_specs': body})

    def _drop_spec(self, req: falcon.Request, resp: falcon.Response, ident: str, key: str) -> None:
        with self._store.read() as rows:
            known = self._find_type(rows, ident)['extra_specs']
        if key not in known:
            raise problem.NotFound(f'Volume Type {ident} has no extra specs with key {key}.')
        self._change_type(req, ident, extra_specs={name: value for name, value in known.items() if name != key})
        resp.status = falcon.HTTP_202

    def _limits(self, req: falcon.Request, resp: falcon.Response) -> None:
        project = service.who(req).project_id or ''
        with self._store.read() as rows:
            allowed, used = b.limits(rows, project), b.usage(rows, project)
        web.send(resp, {'limits': {'rate': [], 'absolute': {
            'maxTotalVolumes': allowed['volumes'], 'maxTotalSnapshots': allowed['snapshots'],
            'maxTotalVolumeGigabytes': allowed['gigabytes'], 'maxTotalBackups': allowed['backups'],
            'maxTotalBackupGigabytes': allowed['backup_gigabytes'], 'totalVolumesUsed': used['volumes'],
            'totalSnapshotsUsed': used['snapshots'], 'totalGigabytesUsed': used['gigabytes'],
            'totalBackupsUsed': 0, 'totalBackupGigabytesUsed': 0}}})

    def _quota(self, req: falcon.Request, resp: falcon.Response, project: str) -> None:
        if not service.who(req).privileged and service.who(req).project_id != project:
            raise problem.Forbidden("Policy doesn't allow volume_extension:quotas:show to be performed.")
        with self._store.read() as rows:
            allowed, used = b.limits(rows, project), b.usage(rows, project)
        quota: Document = dict(allowed)
        if service.truth(service.value(req, 'usage')):
            quota = {name: {'limit': limit, 'in_use': used.get(name, 0), 'reserved': 0}
                     for name, limit in allowed.items()}
        web.send(resp, {'quota_set': {'id': project, **quota}})

    def _set_quota(self, req: falcon.Request, resp: falcon.Response, project: str) -> None:
        service.need_admin(req)
        body = service.enveloped(req, 'quota_set')
        change = {name: limit for name, limit in body.items() if name in b.QUOTAS}
        if not all(isinstance(limit, int) and limit >= -1 for limit in change.values()):
            raise b.InvalidInput(why='quota limits are integers from -1')

        def write(rows: Rows) -> dict[str, int]:
            known = rows.get(b.QUOTA, project)
            (rows.update if known else rows.insert)(b.QUOTA, {'id': project, **(known or {}), **change})
            return b.limits(rows, project)
        web.send(resp, {'quota_set': self._store.write(write)})

    def _reset_quota(self, req: falcon.Request, resp: falcon.Response, project: str) -> None:
        service.need_admin(req)
        self._store.write(lambda rows: rows.delete(b.QUOTA, project))

    def _services(self, req: falcon.Request, resp: falcon.Response) -> None:
        service.need_admin(req)
        web.send(resp, {'services': [
            {'binary': binary, 'host': host, 'zone': 'nova', 'status': 'enabled', 'state': 'up',
             'updated_at': b.now(), 'disabled_reason': None}
            for binary, host in (('cinder-scheduler', 'sandbox'), ('cinder-volume', 'sandbox@file'))]})


def _body(req: falcon.Request, key: str) -> Document:
    return service.checked(_SHAPE, service.enveloped(req, key))


def _version(req: falcon.Request) -> Document:
    return {'id': 'v3.0', 'status': 'CURRENT', 'version': str(HIGH), 'min_version': str(LOW),
            'updated': '2023-08-31T00:00:00Z',
            'links': [{'rel': 'self', 'href': f'{service.here(req)}/v3/'}],
            'media-types': [{'base': 'application/json',
                             'type': 'application/vnd.openstack.volume+json;version=3'}]}


def _owner(req: falcon.Request) -> str | None:
    """Project whose documents a list shows: the caller's, or for ``all_tenants`` of an administrator any."""
    if service.who(req).privileged and service.truth(service.value(req, 'all_tenants')):
        return service.value(req, 'project_id')
    return service.who(req).project_id or ''


def _fits(req: falcon.Request, document: Document) -> bool:
    for name in ('status', 'availability_zone', 'bootable', 'multiattach', 'volume_type', 'id'):
        wanted, found = service.value(req, name), document.get(name)
        if wanted is not None and name in document \
                and (service.truth(wanted) is not found if isinstance(found, bool) else wanted != found):
            return False
    return True


def _page(req: falcon.Request, found: list[Document]) -> tuple[list[Document], str | None]:
    keys = []
    for part in (service.value(req, 'sort') or 'created_at:desc').split(','):
        key, _, direction = part.partition(':')
        keys.append((key, direction != 'asc'))
    if service.value(req, 'sort_key'):
        keys = [(service.value(req, 'sort_key') or '', service.value(req, 'sort_dir') != 'asc')]
    offset = service.value(req, 'offset') or '0'
    if not offset.isdecimal():
        raise b.InvalidInput(why='offset param must be an integer')
    ordered = service.sort_by(found, [*keys, ('id', True)])
    return service.page(req, ordered[int(offset):])


def _add_next(req: falcon.Request, document: Document, plural: str, marker: str | None) -> None:
    if marker:
        query = '&'.join(f'{name}={service.value(req, name)}' for name in req.params if name != 'marker')
        href = f'{_link(req)}{req.path[3:]}?{query}&marker={marker}'
        document[f'{plural}_links'] = [{'rel': 'next', 'href': href}]


def _link(req: falcon.Request) -> str:
    project = req.context.path_project
    return f'{service.here(req)}/v3' + (f'/{project}' if project else '')


def _brief(req: falcon.Request, plural: str, document: Document) -> Document:
    href = f'{_link(req)}/{plural}/{document["id"]}'
    return {'id': document['id'], 'name': document['name'],
            'links': [{'rel': 'self', 'href': href}, {'rel': 'bookmark', 'href': href.replace('/v3', '', 1)}]}


def _with_attachments(rows: Rows, volume: Document) -> Document:
    return {**volume, '_attachments': rows.list(b.ATTACHMENT, parent=volume['id'])}


def _volume_view(req: falcon.Request, volume: Document, attachments: list[Document]) -> Document:
    """A volume as the request's version and caller see it."""
    shown = {**_brief(req, 'volumes', volume), **{name: volume[name] for name in (
        'description', 'size', 'status', 'user_id', 'availability_zone', 'created_at', 'updated_at',
        'volume_type', 'snapshot_id', 'source_volid', 'metadata', 'multiattach')}}
    shown.update({
        'bootable': str(volume['bootable']).lower(), 'encrypted': False, 'replication_status': None,
        'consistencygroup_id': None, 'os-vol-tenant-attr:tenant_id': volume['project_id'],
        'attachments': [_attached(item) for item in attachments if item['status'] == 'attached']})
    if volume['readonly']:
        shown['metadata'] = {**volume['metadata'], 'readonly': 'True'}
    if volume['image_metadata']:
        shown['volume_image_metadata'] = volume['image_metadata']
    if service.who(req).privileged:
        moving = volume['migration_status']
        shown.update({'os-vol-host-attr:host': b.HOST, 'os-vol-mig-status-attr:migstat': moving,
                      'os-vol-mig-status-attr:name_id': None, 'migration_status': moving})
    since = (('3.13', 'group_id', volume['group_id']), ('3.21', 'provider_id', None),
             ('3.48', 'service_uuid', None), ('3.48', 'shared_targets', None if _at(req, '3.69') else True),
             ('3.61', 'cluster_name', None), ('3.63', 'volume_type_id', volume['volume_type_id']),
             ('3.65', 'consumes_quota', True))
    shown.update({name: value for version, name, value in since if _at(req, version)})
    return shown


def _attached(attachment: Document) -> Document:
    connector = attachment['connector'] or {}
    return {'id': attachment['volume_id'], 'volume_id': attachment['volume_id'],
            'attachment_id': attachment['id'], 'server_id': attachment['instance'],
            'host_name': connector.get('host'), 'device': connector.get('mountpoint', 'na'),
            'attached_at': attachment['attached_at']}


def _attachment_brief(attachment: Document) -> Document:
    return {name: attachment[name] for name in ('id', 'status', 'instance', 'volume_id')}


def _attachment_view(attachment: Document) -> Document:
    return {**_attachment_brief(attachment), **{name: attachment[name] for name in (
        'attached_at', 'detached_at', 'attach_mode', 'connection_info')}}


def _snapshot_view(snapshot: Document) -> Document:
    return {**snapshot, 'os-extended-snapshot-attributes:progress': '100%',
            'os-extended-snapshot-attributes:project_id': snapshot['project_id'], 'group_snapshot_id': None,
            'consumes_quota': True}


def _type_view(kind: Document) -> Document:
    return {**kind, 'qos_specs_id': None, 'os-volume-type-access:is_public': kind['is_public']}



def _rest(rows: Rows, volume: Document) -> str:
    """Status of a volume that is reserved no more."""
    return 'in-use' if any(item['status'] == 'attached' for item in rows.list(
        b.ATTACHMENT, parent=volume['id'])) else 'available'


def _maybe(body: object, name: str) -> object:
    return body.get(name) if isinstance(body, dict) else None


def _member(body: object, name: str) -> object:
    if not isinstance(body, dict) or name not in body:
        raise problem.BadRequest(f"'{name}' is a required property")
    return body[name]
