"""Keystone v3, as far as keystoneauth, keystonemiddleware, openstacksdk and ``openstack`` need it.

The collections of the directory are declared in `COLLECTIONS`; tokens are in `nova.sandbox.tokens`.
"""

import dataclasses
import re
import secrets

import falcon

from nova.common import clock, jsonschema, problem, web
from nova.common.jsonutil import JsonObject
from nova.sandbox import entries, grants, limits, service, store, tokens
from nova.sandbox.store import Document, Kind, Rows

_VERSION = 'v3.14'
_OPEN = re.compile(r'/|/v3|/v3/auth/tokens')
_NAME = {'type': 'string', 'minLength': 1, 'maxLength': 255}
_TEXT = {'type': ['string', 'null']}
_FLAG = {'type': 'boolean'}


@dataclasses.dataclass(frozen=True)
class Collection:
    """A noun of the directory: its names, what a body may hold, and what is there when a body does not say."""

    kind: Kind
    plural: str
    fields: JsonObject
    required: tuple[str, ...]
    defaults: JsonObject = dataclasses.field(default_factory=dict)
    in_domain: bool = False
    open_to_readers: bool = False

    def validator(self, create: bool) -> jsonschema.Validator:
        return jsonschema.Validator({'type': 'object', 'properties': self.fields,
                                     'required': list(self.required) if create else []})


COLLECTIONS = (
    Collection(tokens.DOMAIN, 'domains', {'name': _NAME, 'enabled': _FLAG, 'description': _TEXT}, ('name',),
               {'enabled': True, 'description': '', 'options': {}}),
    Collection(tokens.PROJECT, 'projects', {
        'name': _NAME, 'enabled': _FLAG, 'description': _TEXT, 'domain_id': _TEXT, 'parent_id': _TEXT,
        'is_domain': _FLAG, 'tags': {'type': 'array', 'items': {'type': 'string'}}}, ('name',),
        {'enabled': True, 'description': '', 'is_domain': False, 'tags': [], 'options': {}}, in_domain=True),
    Collection(tokens.USER, 'users', {
        'name': _NAME, 'enabled': _FLAG, 'password': _TEXT, 'domain_id': _TEXT, 'default_project_id': _TEXT,
        'description': _TEXT, 'email': _TEXT}, ('name',),
        {'enabled': True, 'options': {}, 'password_expires_at': None}, in_domain=True),
    Collection(tokens.GROUP, 'groups', {'name': _NAME, 'description': _TEXT, 'domain_id': _TEXT}, ('name',),
               {'description': ''}, in_domain=True),
    Collection(tokens.ROLE, 'roles', {'name': _NAME, 'description': _TEXT}, ('name',),
               {'description': None, 'domain_id': None, 'options': {}}),
    Collection(tokens.SERVICE, 'services', {'type': _NAME, 'name': _TEXT, 'enabled': _FLAG}, ('type',),
               {'enabled': True, 'name': '', 'description': ''}),
    Collection(tokens.ENDPOINT, 'endpoints', {
        'service_id': _NAME, 'url': _NAME, 'interface': {'enum': ['public', 'internal', 'admin']},
        'region_id': _TEXT, 'enabled': _FLAG}, ('service_id', 'url', 'interface'),
        {'enabled': True, 'region_id': None}),
    Collection(tokens.REGION, 'regions', {'id': _NAME, 'description': _TEXT, 'parent_region_id': _TEXT}, (),
               {'description': '', 'parent_region_id': None}, open_to_readers=True),
)

def _render(req: falcon.Request, resp: falcon.Response, error: problem.Problem) -> None:
    title = falcon.code_to_http_status(error.status).split(' ', 1)[1]
    web.send(resp, {'error': {'code': error.status, 'message': error.message, 'title': title}}, error.status)
    resp.set_headers(error.headers)
    if error.status == 401:
        resp.set_header('WWW-Authenticate', f'Keystone uri="{service.here(req)}"')


class Identity:
    """The stand-in for Keystone; `app` is its WSGI application."""

    def __init__(self, directory: tokens.Directory) -> None:
        self.directory = directory
        self._store = directory.store
        self.app = service.application(
            _render, service.Gate(directory, _OPEN), 'x-openstack-request-id',
            extra=[_Vary()])
        self._route()

    def _route(self) -> None:
        add = self._add
        add('/', GET=self._versions)
        add('/v3', GET=self._version)
        add('/v3/auth/tokens', POST=self._issue, GET=self._validate, HEAD=self._validate, DELETE=self._revoke)
        add('/v3/auth/catalog', GET=self._catalog)
        add('/v3/auth/projects', GET=self._my_projects)
        add('/v3/auth/domains', GET=self._my_domains)
        add('/v3/auth/system', GET=self._my_system)
        for collection in COLLECTIONS:
            self._route_collection(collection)
        add('/v3/users/{ident}/password', POST=self._set_own_password)
        add('/v3/users/{ident}/projects', GET=self._projects_of_user)
        for part in (grants.Groups, grants.Assignments, grants.Credentials, limits.Limits):
            part(self.directory).route(add)

    def _add(self, template: str, **methods: web.Responder) -> None:
        web.route(self.app, template, methods)

    # Versions

    def _versions(self, req: falcon.Request, resp: falcon.Response) -> None:
        web.send(resp, {'versions': {'values': [_version_document(req)]}}, 300)

    def _version(self, req: falcon.Request, resp: falcon.Response) -> None:
        web.send(resp, {'version': _version_document(req)})

    # Tokens

    def _issue(self, req: falcon.Request, resp: falcon.Response) -> None:
        document = web.body(req)
        if not isinstance(document, dict):
            raise problem.BadRequest('The request must be an object.')
        secret, token = self.directory.issue(document.get('auth'))
        resp.set_header('X-Subject-Token', secret)
        web.send(resp, {'token': _for_client(req, token)}, 201)

    def _token_caller(self, req: falcon.Request) -> tuple[service.Caller, str]:
        secret, subject = req.get_header('X-Auth-Token'), req.get_header('X-Subject-Token')
        token = self.directory.token(secret) if secret else None
        if token is None:
            raise problem.Unauthorized()
        if not subject:
            raise problem.BadRequest('X-Subject-Token is needed.')
        return service.caller(token), subject

    def _subject(self, req: falcon.Request) -> tuple[Document, str]:
        caller, subject = self._token_caller(req)
        token = self.directory.token(subject, allow_expired=service.truth(req.params.get('allow_expired')))
        if token is None:
            raise problem.NotFound('Could not recognize the token.')
        if not caller.privileged and token['user']['id'] != caller.user_id:
            raise problem.Forbidden('You are not authorized to perform the requested action: '
                                    'identity:validate_token.')
        return token, subject

    def _validate(self, req: falcon.Request, resp: falcon.Response) -> None:
        token, subject = self._subject(req)
        resp.set_header('X-Subject-Token', subject)
        web.send(resp, {'token': _for_client(req, token)})

    def _revoke(self, req: falcon.Request, resp: falcon.Response) -> None:
        self.directory.revoke(self._subject(req)[1])
        resp.status = falcon.HTTP_204

    def _catalog(self, req: falcon.Request, resp: falcon.Response) -> None:
        web.send(resp, {'catalog': service.who(req).token.get('catalog', []), 'links': {'self': req.uri}})

    # What the caller may scope to

    def _scopes(self, user_id: str, target_type: str) -> list[Document]:
        kind = tokens.PROJECT if target_type == 'project' else tokens.DOMAIN
        with self._store.read() as rows:
            actors = [user_id, *(item['group_id'] for item in rows.list(tokens.MEMBERSHIP, owner=user_id))]
            ids = {item['target_id'] for actor in actors for item in rows.list(tokens.ASSIGNMENT, owner=actor)
                   if item['target_type'] == target_type}
            return [document for document in rows.list(kind) if document['id'] in ids]

    def _my_projects(self, req: falcon.Request, resp: falcon.Response) -> None:
        found = [item for item in self._scopes(service.who(req).user_id, 'project') if item['enabled']]
        entries.send_list(req, resp, 'projects', found)

    def _my_domains(self, req: falcon.Request, resp: falcon.Response) -> None:
        entries.send_list(req, resp, 'domains', self._scopes(service.who(req).user_id, 'domain'))

    def _my_system(self, req: falcon.Request, resp: falcon.Response) -> None:
        with self._store.read() as rows:
            roles = self.directory.effective_roles(rows, service.who(req).user_id, tokens.SYSTEM)
        web.send(resp, {'system': [{'all': True}] if roles else [], 'links': {'self': req.uri}})

    def _projects_of_user(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        entries.need_self_or_admin(req, ident)
        entries.send_list(req, resp, 'projects', self._scopes(ident, 'project'))

    # Collections

    def _route_collection(self, collection: Collection) -> None:
        on_create, on_update = collection.validator(True), collection.validator(False)
        kind, plural = collection.kind, collection.plural

        def index(req: falcon.Request, resp: falcon.Response) -> None:
            if not collection.open_to_readers:
                entries.need_reader(req)
            found = [item for item in self._store.list(kind, name=service.value(req, 'name'))
                     if _fits(req, item, collection)]
            entries.send_list(req, resp, plural, found)

        def create(req: falcon.Request, resp: falcon.Response) -> None:
            service.need_admin(req)
            body = service.checked(on_create, service.enveloped(req, kind.name))
            document = self.directory.write(lambda rows: self._insert(rows, collection, dict(body)))
            web.send(resp, {kind.name: entries.shown(req, plural, document)}, 201)

        def show(req: falcon.Request, resp: falcon.Response, ident: str) -> None:
            caller = service.who(req)
            own = ident in (caller.user_id, caller.project_id, caller.token['user']['domain']['id'])
            if not own and not collection.open_to_readers:
                entries.need_reader(req)
            with self._store.read() as rows:
                web.send(resp, {kind.name: entries.shown(req, plural, entries.must(rows, kind, ident))})

        def update(req: falcon.Request, resp: falcon.Response, ident: str) -> None:
            service.need_admin(req)
            body = service.checked(on_update, service.enveloped(req, kind.name))
            document = self.directory.write(lambda rows: _update(rows, collection, ident, dict(body)))
            web.send(resp, {kind.name: entries.shown(req, plural, document)})

        def delete(req: falcon.Request, resp: falcon.Response, ident: str) -> None:
            service.need_admin(req)
            self.directory.write(lambda rows: _delete(rows, kind, ident))
            resp.status = falcon.HTTP_204

        self._add(f'/v3/{plural}', GET=index, POST=create)
        self._add(f'/v3/{plural}/{{ident}}', GET=show, HEAD=show, PATCH=update, DELETE=delete)

    @staticmethod
    def _insert(rows: Rows, collection: Collection, body: Document) -> Document:
        if collection.in_domain:
            body['domain_id'] = entries.must(rows, tokens.DOMAIN, body.get('domain_id') or 'default')['id']
        if collection.kind is tokens.PROJECT:
            body['parent_id'] = body.get('parent_id') or body['domain_id']
        body = _public(body, collection)
        if collection.kind is tokens.ENDPOINT:
            entries.must(rows, tokens.SERVICE, body['service_id'])
        document = {'id': body.pop('id', None) or secrets.token_hex(16), **collection.defaults,
                    **_hashed(body)}
        try:
            return rows.insert(collection.kind, document)
        except store.Duplicate:
            raise _taken(collection, document) from None

    def _set_own_password(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        body = service.enveloped(req, 'user')
        old, new = body.get('original_password'), body.get('password')
        if not isinstance(old, str) or not isinstance(new, str) or not new:
            raise problem.BadRequest("'original_password' and 'password' are needed.")
        with self._store.read() as rows:
            user = entries.must(rows, tokens.USER, ident)
        if service.who(req).user_id != ident or not tokens.check_password(old, user.get('_password', '')):
            raise problem.Unauthorized()
        self.directory.write(lambda rows: rows.update(tokens.USER, {
            **entries.must(rows, tokens.USER, ident), **_hashed({'password': new})}))
        resp.status = falcon.HTTP_204


class _Vary:
    """Every answer depends on the token."""

    def process_response(self, req: falcon.Request, resp: falcon.Response, resource: object, ok: bool) -> None:
        resp.set_header('Vary', 'X-Auth-Token')


def _version_document(req: falcon.Request) -> Document:
    return {'id': _VERSION, 'status': 'stable', 'updated': '2020-04-07T00:00:00Z',
            'links': [{'rel': 'self', 'href': f'{service.here(req)}/v3/'}],
            'media-types': [{'base': 'application/json',
                             'type': 'application/vnd.openstack.identity-v3+json'}]}


def _for_client(req: falcon.Request, token: Document) -> Document:
    if 'nocatalog' in req.params:
        return {key: value for key, value in token.items() if key != 'catalog'}
    return token


def _fits(req: falcon.Request, document: Document, collection: Collection) -> bool:
    for name in req.params:
        if name not in collection.fields or name == 'password':
            continue
        wanted, found = service.value(req, name), document.get(name)
        if isinstance(found, bool):
            if service.truth(wanted) is not found:
                return False
        elif str(found) != wanted:
            return False
    return True


def _public(body: Document, collection: Collection) -> Document:
    """A body without what only we write (leading underscore), and with the older name of a region read."""
    fields = {name: value for name, value in body.items() if not name.startswith('_')}
    if collection.kind is tokens.ENDPOINT and 'region' in fields:
        fields['region_id'] = fields.pop('region') or fields.get('region_id')
    return fields


def _hashed(body: Document) -> Document:
    """Replace a password by its hash; tokens issued before it was set end."""
    if 'password' not in body:
        return body
    password = body.pop('password')
    return {**body, '_tokens_since': tokens.microtime(clock.utcnow()),
            '_password': tokens.hash_password(password) if password else None}


def _taken(collection: Collection, document: Document) -> problem.Conflict:
    where = f' in domain {document["domain_id"]}' if collection.in_domain else ''
    return problem.Conflict(f'Conflict occurred attempting to store {collection.kind.name} - Duplicate entry '
                            f'found with name {document.get("name", document["id"])}{where}.')


def _update(rows: Rows, collection: Collection, ident: str, body: Document) -> Document:
    found = entries.must(rows, collection.kind, ident)
    body = _public(body, collection)
    for fixed in ('id', 'domain_id', 'parent_id', 'is_domain'):
        body.pop(fixed, None)
    try:
        return rows.update(collection.kind, {**found, **_hashed(body)})
    except store.Duplicate:
        raise _taken(collection, {**found, **body}) from None


def _delete(rows: Rows, kind: Kind, ident: str) -> None:
    found = entries.must(rows, kind, ident)
    if kind is tokens.DOMAIN and found['enabled']:
        raise problem.Forbidden('Cannot delete a domain that is enabled, please disable it first.')
    rows.delete(kind, ident)
    for item in rows.list(tokens.ASSIGNMENT):
        if ident in (item['actor_id'], item['target_id'], item['role_id']):
            rows.delete(tokens.ASSIGNMENT, item['id'])
    for item in rows.list(tokens.IMPLIED):
        if ident in (item['prior_role_id'], item['implied_role_id']):
            rows.delete(tokens.IMPLIED, item['id'])
    for item in rows.list(tokens.MEMBERSHIP):
        if ident in (item['group_id'], item['user_id']):
            rows.delete(tokens.MEMBERSHIP, item['id'])
    for item in rows.list(tokens.CREDENTIAL):
        if ident in (item['user_id'], item['project_id']):
            rows.delete(tokens.CREDENTIAL, item['id'])
    rows.delete_children(tokens.ENDPOINT, ident)
    if kind is tokens.PROJECT:
        for item in rows.list(limits.OWN, owner=ident):
            rows.delete(limits.OWN, item['id'])
