"""Who may act where: groups, roles and application credentials of the identity stand-in."""

import secrets

import falcon

from nova.common import clock, problem, web
from nova.sandbox import entries, service, store, tokens
from nova.sandbox.store import Document, Kind, Rows

_ACTORS = {'users': ('user', tokens.USER), 'groups': ('group', tokens.GROUP)}
_TARGETS = {'projects': ('project', tokens.PROJECT), 'domains': ('domain', tokens.DOMAIN)}
_CREDENTIAL = service.shape(text='name description secret expires_at', flags='unrestricted', objects='roles')


class Groups:
    """Who is in which group."""

    def __init__(self, known: tokens.Directory) -> None:
        self._directory, self._store = known, known.store

    def route(self, add: service.Add) -> None:
        add('/v3/users/{ident}/groups', GET=self._groups_of_user)
        add('/v3/groups/{ident}/users', GET=self._users_of_group)
        add('/v3/groups/{ident}/users/{user_id}', PUT=self._join, GET=self._joined, HEAD=self._joined,
            DELETE=self._leave)

    def _groups_of_user(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        entries.need_self_or_admin(req, ident)
        with self._store.read() as rows:
            found = [entries.must(rows, tokens.GROUP, item['group_id'])
                     for item in rows.list(tokens.MEMBERSHIP, owner=ident)]
        entries.send_list(req, resp, 'groups', found)

    def _users_of_group(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        entries.need_reader(req)
        with self._store.read() as rows:
            entries.must(rows, tokens.GROUP, ident)
            found = [entries.must(rows, tokens.USER, item['user_id'])
                     for item in rows.list(tokens.MEMBERSHIP, parent=ident)]
        entries.send_list(req, resp, 'users', found)

    def _join(self, req: falcon.Request, resp: falcon.Response, ident: str, user_id: str) -> None:
        service.need_admin(req)

        def join(rows: Rows) -> None:
            entries.must(rows, tokens.GROUP, ident)
            entries.must(rows, tokens.USER, user_id)
            _ensure(rows, tokens.MEMBERSHIP, {
                'id': f'{ident}:{user_id}', 'group_id': ident, 'user_id': user_id})
        self._directory.write(join)
        resp.status = falcon.HTTP_204

    def _joined(self, req: falcon.Request, resp: falcon.Response, ident: str, user_id: str) -> None:
        entries.need_reader(req)
        with self._store.read() as rows:
            entries.must(rows, tokens.MEMBERSHIP, f'{ident}:{user_id}')
        resp.status = falcon.HTTP_204

    def _leave(self, req: falcon.Request, resp: falcon.Response, ident: str, user_id: str) -> None:
        service.need_admin(req)
        if not self._directory.write(lambda rows: rows.delete(tokens.MEMBERSHIP, f'{ident}:{user_id}')):
            raise entries.missing(tokens.USER, user_id)
        resp.status = falcon.HTTP_204


class Assignments:
    """Who has which role on what, and which roles imply others."""

    def __init__(self, known: tokens.Directory) -> None:
        self._directory, self._store = known, known.store

    def route(self, add: service.Add) -> None:
        for actors in _ACTORS:
            for targets in _TARGETS:
                base = f'/v3/{targets}/{{ident}}/{actors}/{{actor_id}}/roles'
                self._route_assignment(add, base, actors, targets)
            self._route_assignment(add, f'/v3/system/{actors}/{{actor_id}}/roles', actors, 'system')
        add('/v3/role_assignments', GET=self._assignments)
        add('/v3/role_inferences', GET=self._inferences)
        add('/v3/roles/{ident}/implies', GET=self._implications)
        add('/v3/roles/{ident}/implies/{implied_id}', PUT=self._imply, DELETE=self._imply_no_more)

    def _route_assignment(self, add: service.Add, base: str, actors: str, targets: str) -> None:
        actor_type, actor_kind = _ACTORS[actors]
        target_type, target_kind = _TARGETS.get(targets, ('system', None))

        def index(req: falcon.Request, resp: falcon.Response, actor_id: str,
                  ident: str = tokens.SYSTEM) -> None:
            entries.need_reader(req)
            with self._store.read() as rows:
                found = [entries.must(rows, tokens.ROLE, item['role_id'])
                         for item in rows.list(tokens.ASSIGNMENT, owner=actor_id, parent=ident)]
            entries.send_list(req, resp, 'roles', found)

        def grant(req: falcon.Request, resp: falcon.Response, actor_id: str, role_id: str,
                  ident: str = tokens.SYSTEM) -> None:
            service.need_admin(req)

            def write(rows: Rows) -> None:
                entries.must(rows, actor_kind, actor_id)
                entries.must(rows, tokens.ROLE, role_id)
                if target_kind is not None:
                    entries.must(rows, target_kind, ident)
                assign(rows, actor_type, actor_id, target_type, ident, role_id)
            self._directory.write(write)
            resp.status = falcon.HTTP_204

        def check(req: falcon.Request, resp: falcon.Response, actor_id: str, role_id: str,
                  ident: str = tokens.SYSTEM) -> None:
            entries.need_reader(req)
            if self._store.get(tokens.ASSIGNMENT, f'{actor_id}:{ident}:{role_id}') is None:
                raise entries.missing(tokens.ROLE, role_id)
            resp.status = falcon.HTTP_204

        def withdraw(req: falcon.Request, resp: falcon.Response, actor_id: str, role_id: str,
                     ident: str = tokens.SYSTEM) -> None:
            service.need_admin(req)
            if not self._directory.write(lambda rows: rows.delete(
                    tokens.ASSIGNMENT, f'{actor_id}:{ident}:{role_id}')):
                raise entries.missing(tokens.ROLE, role_id)
            resp.status = falcon.HTTP_204

        add(base, GET=index)
        add(base + '/{role_id}', PUT=grant, HEAD=check, GET=check, DELETE=withdraw)

    def _assignments(self, req: falcon.Request, resp: falcon.Response) -> None:
        entries.need_reader(req)
        with_names = 'include_names' in req.params and service.value(req, 'include_names') not in ('0', 'false')
        with self._store.read() as rows:
            found = [_assignment_view(rows, req, item, with_names)
                     for item in self._expanded(rows, 'effective' in req.params) if _wanted(req, item)]
        web.send(resp, {'role_assignments': found,
                        'links': {'self': req.uri, 'previous': None, 'next': None}})

    def _expanded(self, rows: Rows, effective: bool) -> list[Document]:
        stored = rows.list(tokens.ASSIGNMENT)
        if not effective:
            return stored
        result: dict[tuple[str, str, str], Document] = {}
        for item in stored:
            users = [item['actor_id']] if item['actor_type'] == 'user' else [
                member['user_id'] for member in rows.list(tokens.MEMBERSHIP, parent=item['actor_id'])]
            for user_id in users:
                for role in self._directory.expand(rows, [item['role_id']]):
                    result[user_id, item['target_id'], role['id']] = {
                        **item, 'actor_type': 'user', 'actor_id': user_id, 'role_id': role['id']}
        return list(result.values())

    def _inference(self, rows: Rows, prior: Document) -> Document:
        implied = [entries.must(rows, tokens.ROLE, item['implied_role_id'])
                   for item in rows.list(tokens.IMPLIED, owner=prior['id'])]
        return {'prior_role': {'id': prior['id'], 'name': prior['name']},
                'implies': [{'id': role['id'], 'name': role['name']} for role in implied]}

    def _inferences(self, req: falcon.Request, resp: falcon.Response) -> None:
        entries.need_reader(req)
        with self._store.read() as rows:
            found = [self._inference(rows, role) for role in rows.list(tokens.ROLE)]
        web.send(resp, {'role_inferences': [item for item in found if item['implies']],
                        'links': {'self': req.uri}})

    def _implications(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        entries.need_reader(req)
        with self._store.read() as rows:
            found = self._inference(rows, entries.must(rows, tokens.ROLE, ident))
        web.send(resp, {'role_inference': found, 'links': {'self': req.uri}})

    def _imply(self, req: falcon.Request, resp: falcon.Response, ident: str, implied_id: str) -> None:
        service.need_admin(req)

        def write(rows: Rows) -> Document:
            prior, implied = entries.must(rows, tokens.ROLE, ident), entries.must(rows, tokens.ROLE, implied_id)
            imply(rows, ident, implied_id)
            return {'prior_role': prior, 'implies': implied}
        web.send(resp, {'role_inference': self._directory.write(write)}, 201)

    def _imply_no_more(self, req: falcon.Request, resp: falcon.Response, ident: str, implied_id: str) -> None:
        service.need_admin(req)
        if not self._directory.write(lambda rows: rows.delete(tokens.IMPLIED, f'{ident}:{implied_id}')):
            raise entries.missing(tokens.ROLE, implied_id)
        resp.status = falcon.HTTP_204


class Credentials:
    """Application credentials of users."""

    def __init__(self, known: tokens.Directory) -> None:
        self._directory, self._store = known, known.store

    def route(self, add: service.Add) -> None:
        base = '/v3/users/{ident}/application_credentials'
        add(base, GET=self._credentials, POST=self._create_credential)
        add(base + '/{credential_id}', GET=self._credential, DELETE=self._delete_credential)

    def _credentials(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        entries.need_self_or_admin(req, ident)
        entries.send_list(req, resp, 'application_credentials', self._store.list(
            tokens.CREDENTIAL, owner=ident, name=service.value(req, 'name')))

    def _credential(self, req: falcon.Request, resp: falcon.Response, ident: str, credential_id: str) -> None:
        entries.need_self_or_admin(req, ident)
        found = self._store.get(tokens.CREDENTIAL, credential_id)
        if found is None or found['user_id'] != ident:
            raise entries.missing(tokens.CREDENTIAL, credential_id)
        shown = entries.shown(req, f'users/{ident}/application_credentials', found)
        web.send(resp, {'application_credential': shown})

    def _create_credential(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        caller = service.who(req)
        restricted = caller.token.get('application_credential', {}).get('restricted', False)
        if caller.user_id != ident or caller.project_id is None or restricted:
            raise problem.Forbidden('Application credentials are made by their user, in a project.')
        body = service.checked(_CREDENTIAL, service.enveloped(req, 'application_credential'))
        secret = body.get('secret') or secrets.token_urlsafe(32)
        held = caller.token['roles']
        names = body.get('roles') or held
        roles = [role for role in held if any(role['id'] == item.get('id') or role['name'] == item.get('name')
                                              for item in names)]
        if not isinstance(body.get('name'), str) or len(roles) < len(names):
            raise problem.BadRequest('A name, and only roles that the token carries, are allowed.')
        document = {
            'id': secrets.token_hex(16), 'name': body['name'], 'description': body.get('description'),
            'user_id': ident, 'project_id': caller.project_id, 'roles': roles,
            'expires_at': _time(body.get('expires_at')), 'system': None,
            'unrestricted': bool(body.get('unrestricted')), '_secret': tokens.hash_password(str(secret))}
        try:
            self._directory.write(lambda rows: rows.insert(tokens.CREDENTIAL, document))
        except store.Duplicate:
            raise problem.Conflict('Conflict occurred attempting to store application_credential - Duplicate '
                                   f'entry found with name {body["name"]}.') from None
        shown = entries.shown(req, f'users/{ident}/application_credentials', document)
        web.send(resp, {'application_credential': {**shown, 'secret': secret}}, 201)

    def _delete_credential(self, req: falcon.Request, resp: falcon.Response, ident: str,
                           credential_id: str) -> None:
        entries.need_self_or_admin(req, ident)
        if not self._directory.write(lambda rows: rows.delete(tokens.CREDENTIAL, credential_id)):
            raise entries.missing(tokens.CREDENTIAL, credential_id)
        resp.status = falcon.HTTP_204


def _time(text: str | None) -> str | None:
    if not text:
        return None
    try:
        return tokens.microtime(clock.parse(text))[:-1]
    except ValueError:
        raise problem.BadRequest(f'{text!r} is not a time.') from None


def _ensure(rows: Rows, kind: Kind, document: Document) -> None:
    if rows.get(kind, document['id']) is None:
        rows.insert(kind, document)


def assign(rows: Rows, actor_type: str, actor_id: str, target_type: str, target_id: str, role_id: str) -> None:
    """Give a user or group a role on a project, a domain or the system; no change when it has it."""
    _ensure(rows, tokens.ASSIGNMENT, {
        'id': f'{actor_id}:{target_id}:{role_id}', 'actor_type': actor_type, 'actor_id': actor_id,
        'target_type': target_type, 'target_id': target_id, 'role_id': role_id})


def imply(rows: Rows, prior_id: str, implied_id: str) -> None:
    """Let one role imply another."""
    _ensure(rows, tokens.IMPLIED, {
        'id': f'{prior_id}:{implied_id}', 'prior_role_id': prior_id, 'implied_role_id': implied_id})


def _wanted(req: falcon.Request, item: Document) -> bool:
    target = None if item['target_type'] == 'system' else item['target_id']
    checks = (('user.id', item['actor_id'] if item['actor_type'] == 'user' else None),
              ('group.id', item['actor_id'] if item['actor_type'] == 'group' else None),
              ('role.id', item['role_id']),
              ('scope.project.id', target if item['target_type'] == 'project' else None),
              ('scope.domain.id', target if item['target_type'] == 'domain' else None))
    if 'scope.system' in req.params and item['target_type'] != 'system':
        return False
    return all(service.value(req, name) in (None, found) for name, found in checks)


def _assignment_view(rows: Rows, req: falcon.Request, item: Document, with_names: bool) -> Document:
    def ref(kind: Kind, ident: str) -> Document:
        found = rows.get(kind, ident) if with_names else None
        if not found:
            return {'id': ident}
        brief: Document = {'id': ident, 'name': found['name']}
        if found.get('domain_id'):
            brief['domain'] = ref(tokens.DOMAIN, found['domain_id'])
        return brief

    scope: Document
    if item['target_type'] == 'system':
        scope = {'system': {'all': True}}
    else:
        kind = tokens.PROJECT if item['target_type'] == 'project' else tokens.DOMAIN
        scope = {item['target_type']: ref(kind, item['target_id'])}
    actor = tokens.USER if item['actor_type'] == 'user' else tokens.GROUP
    return {'role': ref(tokens.ROLE, item['role_id']), item['actor_type']: ref(actor, item['actor_id']),
            'scope': scope, 'links': {'assignment': f'{service.here(req)}/v3/role_assignments'}}
