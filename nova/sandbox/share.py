"""Manila v2 with microversions to 2.98, as far as a compute service and its users' clients need it.

Shares, the rules that let somebody use them, and locks. Nothing is exported.
"""

import re
from collections.abc import Callable

import falcon

from nova.common import problem, uuids, web
from nova.common.microversion import V
from nova.sandbox import service, store
from nova.sandbox.store import Document, Kind, Rows

LOW, HIGH = V('2.0'), V('2.98')
HEADER = 'X-OpenStack-Manila-API-Version'

SHARE = Kind('share', owner='project_id')
RULE = Kind('share_access', parent='share_id', unique=('share_id', 'access_type', 'access_to'))
LOCK = Kind('resource_lock', owner='project_id', parent='resource_id')

PROTOCOLS = ('NFS', 'CEPHFS')
_KINDS = {'NFS': 'ip', 'CEPHFS': 'cephx'}
_OPEN = re.compile(r'/|/v2|/healthcheck')
_PROJECT = re.compile(r'/v2/[0-9a-f]{32}(/.*)')
_ENVELOPES = {400: 'badRequest', 401: 'unauthorized', 403: 'forbidden', 404: 'itemNotFound',
              405: 'badMethod', 406: 'notAcceptable', 409: 'conflictingRequest'}
_SHAPE = service.shape(text='name description share_proto share_type access_type access_to access_level '
                            'lock_reason resource_id resource_type resource_action access_id',
                       flags='lock_visibility lock_deletion unrestrict', mappings='metadata')


def _render(req: falcon.Request, resp: falcon.Response, error: problem.Problem) -> None:
    resp.set_headers(error.headers)
    name = _ENVELOPES.get(error.status, 'computeFault')
    web.send(resp, {name: {'code': error.status, 'message': error.message}}, error.status)


class _Versions:
    """Falcon middleware: negotiates the microversion in Manila's own header."""

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        asked = req.get_header(HEADER) or str(LOW)
        if not re.fullmatch(r'\d+\.\d+', asked):
            raise problem.BadRequest(f'API Version String {asked} is of invalid format.')
        req.context.version = V(asked)
        if not LOW <= req.context.version <= HIGH:
            raise problem.NotAcceptable(f'Version {asked} is not supported by the API. Minimum is {LOW} and '
                                        f'maximum is {HIGH}.')
        if found := _PROJECT.fullmatch(req.path):
            req.path = '/v2' + found[1]

    def process_response(self, req: falcon.Request, resp: falcon.Response, resource: object, ok: bool) -> None:
        resp.set_header('Vary', HEADER)
        if hasattr(req.context, 'version'):
            resp.set_header(HEADER, str(req.context.version))


def _since(req: falcon.Request, version: str) -> None:
    if req.context.version < V(version):
        raise problem.NotFound('The resource could not be found.')


def _body(req: falcon.Request, key: str) -> Document:
    return service.checked(_SHAPE, service.enveloped(req, key))


def _share(rows: Rows, caller: service.Caller, ident: object) -> Document:
    found = rows.get(SHARE, str(ident))
    if found is None or not caller.owns(found):
        raise problem.NotFound(f'Share {ident} could not be found.')
    return found


class Share:
    """The stand-in for Manila; `app` is its WSGI application."""

    def __init__(self, keep: store.Store, authority: service.Authority, identity_url: Callable[[], str]
                 ) -> None:
        self._store = keep
        self.app = service.application(_render, service.Gate(authority, _OPEN, identity_url),
                                       'x-openstack-request-id', 'x-compute-request-id', extra=[_Versions()])

        def add(template: str, **methods: web.Responder) -> None:
            web.route(self.app, template, methods)
        add('/', GET=lambda req, resp: web.send(resp, {'versions': [_version(req)]}, 300))
        add('/v2', GET=lambda req, resp: web.send(resp, {'versions': [_version(req)]}))
        add('/v2/shares', GET=self._list, POST=self._create)
        add('/v2/shares/detail', GET=self._list)
        add('/v2/shares/{ident}', GET=self._show, DELETE=self._delete)
        add('/v2/shares/{ident}/export_locations', GET=self._places)
        add('/v2/shares/{ident}/action', POST=self._act)
        add('/v2/share-access-rules', GET=self._rules)
        Locks(keep).route(add)

    # Shares

    def _list(self, req: falcon.Request, resp: falcon.Response) -> None:
        who = service.who(req)
        everybody = who.is_admin and service.truth(service.value(req, 'all_tenants'))
        found = self._store.list(SHARE, owner=None if everybody else who.project_id)
        cut, _ = service.page(req, found)
        web.send(resp, {'shares': cut})

    def _create(self, req: falcon.Request, resp: falcon.Response) -> None:
        body, who = _body(req, 'share'), service.who(req)
        protocol, size = str(body.get('share_proto')).upper(), body.get('size')
        if protocol not in PROTOCOLS:
            raise problem.BadRequest(f'Invalid share protocol provided: {protocol}. It is either disabled or '
                                     f'unsupported. Available protocols: {list(PROTOCOLS)}')
        if not str(size).isdecimal() or int(str(size)) < 1:
            raise problem.BadRequest(f"Share size '{size}' must be an integer and greater than 0")
        made = self._store.write(lambda rows: rows.insert(SHARE, {
            'id': uuids.generate(), 'name': body.get('name'), 'description': body.get('description'),
            'size': int(str(size)), 'share_proto': protocol, 'status': 'available', 'is_public': False,
            'project_id': who.project_id, 'user_id': who.user_id, 'availability_zone': 'nova',
            'share_type': 'default', 'share_type_name': 'default', 'created_at': service.now(),
            'metadata': body.get('metadata') or {}, 'access_rules_status': 'active'}))
        web.send(resp, {'share': {**made, 'status': 'creating'}})

    def _show(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        with self._store.read() as rows:
            web.send(resp, {'share': _share(rows, service.who(req), ident)})

    def _delete(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        """A share that is locked stays, and one whose rules are."""
        def write(rows: Rows) -> None:
            _share(rows, service.who(req), ident)
            locks = [lock['id'] for lock in rows.list(LOCK, parent=ident)]
            if locks or any(rule['_locked'] for rule in rows.list(RULE, parent=ident)):
                raise problem.Forbidden(f'Resource lock/s [{", ".join(locks)}] prevent delete action.')
            rows.delete_children(RULE, ident)
            rows.delete(SHARE, ident)
        self._store.write(write)
        resp.status = falcon.HTTP_202

    def _places(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        _since(req, '2.9')
        with self._store.read() as rows:
            share = _share(rows, service.who(req), ident)
        path = f'/shares/{ident}' if share['share_proto'] == 'NFS' else f'6789:/volumes/{ident}'
        web.send(resp, {'export_locations': [{'id': ident, 'path': f'127.0.0.1:{path}', 'preferred': True}]})

    # Rules

    def _act(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        body = web.body(req)
        name = next(iter(body), '') if isinstance(body, dict) and len(body) == 1 else ''
        actions = {'allow_access': self._allow, 'deny_access': self._deny}
        if name not in actions or not isinstance(body[name], dict):
            raise problem.BadRequest(f'There is no such action: {name}')
        actions[name](req, resp, ident, service.checked(_SHAPE, body[name]))

    def _allow(self, req: falcon.Request, resp: falcon.Response, ident: str, body: Document) -> None:
        kind, to, who = body.get('access_type'), str(body.get('access_to') or ''), service.who(req)
        locked = bool(body.get('lock_visibility') or body.get('lock_deletion'))
        if locked:
            _since(req, '2.82')
        if body.get('lock_reason') and not locked:
            raise problem.BadRequest('Lock reason can only be specified when locking the visibility or the '
                                     'deletion of an access rule.')

        def write(rows: Rows) -> Document:
            share = _share(rows, who, ident)
            if kind != _KINDS[share['share_proto']] or not to or '.' in to and kind == 'cephx':
                raise problem.BadRequest(f'Invalid share access: {kind} to {to!r} for {share["share_proto"]}.')
            if share['status'] != 'available':
                raise problem.BadRequest('Invalid share: share status must be available.')
            try:
                return rows.insert(RULE, {
                    'id': uuids.generate(), 'share_id': ident, 'access_type': kind, 'access_to': to,
                    'access_level': body.get('access_level') or 'rw', 'state': 'active', '_locked': locked,
                    'access_key': uuids.generate() if kind == 'cephx' else None, 'metadata': {},
                    'created_at': service.now(), '_project': who.project_id})
            except store.Duplicate:
                raise problem.BadRequest(f'Share access {kind}:{to} exists.') from None
        web.send(resp, {'access': {**_shown(who, self._store.write(write)), 'state': 'queued_to_apply'}})

    def _deny(self, req: falcon.Request, resp: falcon.Response, ident: str, body: Document) -> None:
        who = service.who(req)

        def write(rows: Rows) -> None:
            _share(rows, who, ident)
            rule = rows.get(RULE, str(body.get('access_id')))
            if rule is None or rule['share_id'] != ident:
                raise problem.NotFound(f'Access rule {body.get("access_id")} could not be found.')
            if rule['_locked'] and not (body.get('unrestrict') and _made(who, rule)):
                raise problem.Forbidden('Unable to drop access rule: it has a lock.')
            rows.delete(RULE, rule['id'])
        self._store.write(write)
        resp.status = falcon.HTTP_202

    def _rules(self, req: falcon.Request, resp: falcon.Response) -> None:
        _since(req, '2.45')
        ident, who = service.value(req, 'share_id'), service.who(req)
        if not ident:
            raise problem.BadRequest('The field share_id has to be specified')
        with self._store.read() as rows:
            _share(rows, who, ident)
            found = rows.list(RULE, parent=ident)
        web.send(resp, {'access_list': [_shown(who, rule) for rule in found]})


def _made(who: service.Caller, rule: Document) -> bool:
    """Whether a locked rule is the caller's own, or he is above projects."""
    return who.privileged or rule['_project'] == who.project_id


def _shown(who: service.Caller, rule: Document) -> Document:
    """A rule; others do not see whom a locked one lets in."""
    hidden = {'access_to': '******', 'access_key': '******'} if rule['_locked'] and not _made(who, rule) else {}
    return {name: value for name, value in {**rule, **hidden}.items() if not name.startswith('_')}


class Locks:
    """``/resource-locks``."""

    def __init__(self, keep: store.Store) -> None:
        self._store = keep

    def route(self, add: service.Add) -> None:
        add('/v2/resource-locks', GET=self._list, POST=self._create)
        add('/v2/resource-locks/{ident}', DELETE=self._delete)

    def _list(self, req: falcon.Request, resp: falcon.Response) -> None:
        _since(req, '2.81')
        who = service.who(req)
        everybody = who.privileged and service.truth(service.value(req, 'all_projects'))
        found = self._store.list(LOCK, owner=None if everybody else who.project_id)
        wanted = {name: service.value(req, name) for name in ('resource_id', 'resource_type', 'lock_reason')}
        web.send(resp, {'resource_locks': [lock for lock in found if all(
            value is None or lock[name] == value for name, value in wanted.items())]})

    def _create(self, req: falcon.Request, resp: falcon.Response) -> None:
        _since(req, '2.81')
        body, who = _body(req, 'resource_lock'), service.who(req)
        if body.get('resource_type', 'share') != 'share' or body.get('resource_action') not in (None, 'delete'):
            raise problem.BadRequest('Only the deletion of shares can be locked.')

        def write(rows: Rows) -> Document:
            try:
                share = _share(rows, who, body.get('resource_id'))
            except problem.NotFound as error:
                raise problem.BadRequest(error.message) from None
            return rows.insert(LOCK, {
                'id': uuids.generate(), 'resource_id': share['id'], 'resource_type': 'share',
                'resource_action': 'delete', 'lock_reason': body.get('lock_reason'),
                'lock_context': 'service' if 'service' in who.roles else 'admin' if who.is_admin else 'user',
                'project_id': who.project_id, 'user_id': who.user_id, 'created_at': service.now()})
        web.send(resp, {'resource_lock': self._store.write(write)})

    def _delete(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        _since(req, '2.81')
        who = service.who(req)

        def write(rows: Rows) -> None:
            lock = rows.get(LOCK, ident)
            if lock is None or not who.owns(lock):
                raise problem.NotFound(f'Resource lock {ident} could not be found.')
            rows.delete(LOCK, ident)
        self._store.write(write)
        resp.status = falcon.HTTP_204


def _version(req: falcon.Request) -> Document:
    return {'id': 'v2.0', 'status': 'CURRENT', 'version': str(HIGH), 'min_version': str(LOW),
            'updated': '2015-08-27T11:33:21Z', 'media-types': [],
            'links': [{'rel': 'self', 'href': f'{service.here(req)}/v2/'}]}
