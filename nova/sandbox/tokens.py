"""The directory behind the identity stand-in: who may act where, and the tokens that prove it.

A token is random text, kept by digest; what it grants is looked up when it is validated, so that a role taken
away or a user disabled counts at once. Answers are cached until anything in the directory changes.
"""

import datetime
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from typing import TypeVar

from nova.common import clock, problem, threads
from nova.sandbox import store
from nova.sandbox.store import Document, Kind, Rows

T = TypeVar('T')

DOMAIN = Kind('domain', unique=('name',))
PROJECT = Kind('project', owner='domain_id', parent='parent_id', unique=('domain_id', 'name'))
USER = Kind('user', owner='domain_id', unique=('domain_id', 'name'))
GROUP = Kind('group', owner='domain_id', unique=('domain_id', 'name'))
ROLE = Kind('role', unique=('name',))
SERVICE = Kind('service')
ENDPOINT = Kind('endpoint', parent='service_id')
REGION = Kind('region', parent='parent_region_id')
ASSIGNMENT = Kind('assignment', owner='actor_id', parent='target_id')
MEMBERSHIP = Kind('membership', owner='user_id', parent='group_id')
IMPLIED = Kind('implied_role', owner='prior_role_id')
CREDENTIAL = Kind('application_credential', owner='user_id', unique=('user_id', 'name'))

SYSTEM = 'all'
"""Target id of an assignment on the system."""

_LIFETIME = datetime.timedelta(hours=12)
EXPIRED_WINDOW = datetime.timedelta(hours=48)
"""How long an expired token may still be validated with ``allow_expired`` (long operations of services)."""

_COST = 2 ** 13
_CACHED = 10000
_PURGE_EVERY = 256
_PLACEHOLDER = re.compile(r'[$%]\((?:project|tenant)_id\)s')


def hash_password(password: str) -> str:
    salt = secrets.token_bytes(16)
    key = hashlib.scrypt(password.encode(), salt=salt, n=_COST, r=8, p=1)
    return f'scrypt${_COST}${salt.hex()}${key.hex()}'


def check_password(password: str, hashed: str) -> bool:
    _, cost, salt, key = hashed.split('$')
    found = hashlib.scrypt(password.encode(), salt=bytes.fromhex(salt), n=int(cost), r=8, p=1)
    return hmac.compare_digest(found.hex(), key)


def microtime(when: datetime.datetime) -> str:
    """Times of tokens and credentials have microseconds."""
    return when.strftime('%Y-%m-%dT%H:%M:%S.%fZ')


def _refuse() -> problem.Unauthorized:
    return problem.Unauthorized('The request you have made requires authentication.')


def _domain(rows: Rows, wanted: object) -> Document:
    if not isinstance(wanted, dict):
        raise problem.BadRequest('A domain must be named by id or name.')
    found = rows.get(DOMAIN, str(wanted['id'])) if 'id' in wanted else next(
        iter(rows.list(DOMAIN, name=str(wanted.get('name')))), None)
    if found is None or not found['enabled']:
        raise _refuse()
    return found


def _find(rows: Rows, kind: Kind, wanted: object) -> Document:
    """A user or project by id, or by name and domain.

    Raises:
        Unauthorized: there is none, or it is disabled; nothing tells which.
    """
    if not isinstance(wanted, dict):
        raise problem.BadRequest(f'A {kind.name} must be an object.')
    if 'id' in wanted:
        found = rows.get(kind, str(wanted['id']))
    else:
        domain = _domain(rows, wanted.get('domain'))
        found = next(iter(rows.list(kind, owner=domain['id'], name=str(wanted.get('name')))), None)
    if found is None or not found['enabled']:
        raise _refuse()
    return found


class Directory:
    """Users, roles and tokens over a store."""

    def __init__(self, keep: store.Store) -> None:
        self.store = keep
        self._guard = threads.lock()
        self._cache: dict[str, tuple[datetime.datetime, Document]] = {}
        self._epoch = 0
        self._issued = 0
        self._decoy = hash_password(secrets.token_hex(8))
        keep.purge_tokens(EXPIRED_WINDOW)

    def changed(self) -> None:
        """Anything that tokens depend on was written: forget cached answers."""
        with self._guard:
            self._epoch += 1
            self._cache.clear()

    def write(self, fn: Callable[[Rows], T]) -> T:
        """Change the directory in one transaction."""
        try:
            return self.store.write(fn)
        finally:
            self.changed()

    # Roles

    def effective_roles(self, rows: Rows, user_id: str, target_id: str) -> list[Document]:
        """Roles of a user on a project, a domain or the system: direct, by groups, and implied."""
        actors = [user_id, *(item['group_id'] for item in rows.list(MEMBERSHIP, owner=user_id))]
        wanted = [item['role_id'] for actor in actors
                  for item in rows.list(ASSIGNMENT, owner=actor, parent=target_id)]
        return self.expand(rows, wanted)

    @staticmethod
    def expand(rows: Rows, role_ids: list[str]) -> list[Document]:
        """The roles and all they imply, each once."""
        found: dict[str, Document] = {}
        wanted = list(role_ids)
        while wanted:
            ident = wanted.pop(0)
            role = rows.get(ROLE, ident) if ident not in found else None
            if role is not None:
                found[ident] = role
                wanted += [item['implied_role_id'] for item in rows.list(IMPLIED, owner=ident)]
        return list(found.values())

    # Catalog

    @staticmethod
    def catalog(rows: Rows, project_id: str | None) -> list[Document]:
        """Enabled services with their endpoints; those that need a project only where there is one."""
        result = []
        for service in rows.list(SERVICE):
            endpoints = [
                {'id': item['id'], 'interface': item['interface'], 'region': item['region_id'],
                 'region_id': item['region_id'], 'url': _PLACEHOLDER.sub(project_id or '', item['url'])}
                for item in rows.list(ENDPOINT, parent=service['id'])
                if item['enabled'] and (project_id or not _PLACEHOLDER.search(item['url']))]
            if service['enabled']:
                result.append({'id': service['id'], 'type': service['type'], 'name': service.get('name', ''),
                               'endpoints': endpoints})
        return result

    # Tokens

    def issue(self, auth: object) -> tuple[str, Document]:
        """Answer an ``auth`` object with a new token and its document.

        Raises:
            BadRequest: it is malformed.
            Unauthorized: the proof is wrong, or the user has no role on the scope.
        """
        asked = auth if isinstance(auth, dict) else {}
        identity = asked.get('identity')
        methods = identity.get('methods') if isinstance(identity, dict) else None
        if not isinstance(identity, dict) or not isinstance(methods, list) or not methods:
            raise problem.BadRequest("The request must carry 'auth' with 'identity' and its 'methods'.")
        when = clock.utcnow()
        grant: Document = {'methods': [], 'expires_at': when + _LIFETIME, 'audit': [], 'credential': None}
        with self.store.read() as rows:
            for method in methods:
                proof = identity.get(method)
                if method not in _METHODS or not isinstance(proof, dict):
                    raise _refuse()
                user = _METHODS[method](self, rows, proof, grant)
                if grant.setdefault('user_id', user['id']) != user['id']:
                    raise _refuse()
                grant['methods'].append(method)
            scope = self._scope(rows, asked.get('scope'), grant)
        body = {'user_id': grant['user_id'], 'methods': list(dict.fromkeys(grant['methods'])),
                'scope': scope, 'credential': grant['credential'], 'issued_at': microtime(when),
                'audit_ids': [secrets.token_urlsafe(16), *grant['audit'][-1:]]}
        with self.store.read() as rows:
            document = self._document(rows, body, grant['expires_at'])
        if document is None:
            raise _refuse()
        return self._kept(body, grant['expires_at']), document

    def issue_to_service(self, name: str, project: str) -> str | None:
        """A new token of a service's user, for a stand-in that asks others; None without the user."""
        when = clock.utcnow()
        with self.store.read() as rows:
            user, scope = (next(iter(rows.list(kind, name=wanted)), None)
                           for kind, wanted in ((USER, name), (PROJECT, project)))
        if user is None or scope is None:
            return None
        return self._kept({'user_id': user['id'], 'methods': ['password'], 'scope': {'project': scope['id']},
                           'credential': None, 'issued_at': microtime(when),
                           'audit_ids': [secrets.token_urlsafe(16)]}, when + _LIFETIME)

    def _kept(self, body: Document, expires_at: datetime.datetime) -> str:
        secret = secrets.token_urlsafe(48)
        self.store.add_token(secret, expires_at, body)
        self._issued += 1
        if self._issued % _PURGE_EVERY == 0:
            self.store.purge_tokens(EXPIRED_WINDOW)
        return secret

    def token(self, secret: str, allow_expired: bool = False) -> Document | None:
        """The document of a valid token."""
        digest = store.digest(secret)
        limit = clock.utcnow() - (EXPIRED_WINDOW if allow_expired else datetime.timedelta())
        with self._guard:
            cached, epoch = self._cache.get(digest), self._epoch
        if cached is None:
            found = self.store.get_token(digest)
            if found is None:
                return None
            with self.store.read() as rows:
                document = self._document(rows, found[1], found[0])
            if document is None:
                return None
            cached = (found[0], document)
            with self._guard:
                if epoch == self._epoch:
                    if len(self._cache) >= _CACHED:
                        self._cache.clear()
                    self._cache[digest] = cached
        return cached[1] if cached[0] > limit else None

    def revoke(self, secret: str) -> bool:
        """End a token for good; False when there is none."""
        found = self.store.delete_token(store.digest(secret))
        self.changed()
        return found

    def expire(self, secret: str) -> bool:
        """Let a token be one that has just run out (for tests); False when there is none."""
        found = self.store.expire_token(store.digest(secret), clock.utcnow() - datetime.timedelta(seconds=1))
        self.changed()
        return found

    def _scope(self, rows: Rows, scope: object, grant: Document) -> Document:
        if grant['credential'] is not None:
            if scope is not None:
                raise problem.Unauthorized('Application credentials cannot request a scope.')
            return {'project': grant['project_id']}
        if scope is None:
            user = rows.get(USER, grant['user_id']) or {}
            project = rows.get(PROJECT, user.get('default_project_id') or '')
            usable = project and project['enabled'] and self.effective_roles(rows, user['id'], project['id'])
            return {'project': project['id']} if project and usable else {}
        if scope == 'unscoped' or (isinstance(scope, dict) and 'unscoped' in scope):
            return {}
        if not isinstance(scope, dict):
            raise problem.BadRequest('Malformed scope.')
        if 'project' in scope:
            return {'project': _find(rows, PROJECT, scope['project'])['id']}
        if 'domain' in scope:
            return {'domain': _domain(rows, scope['domain'])['id']}
        if isinstance(scope.get('system'), dict) and scope['system'].get('all'):
            return {'system': SYSTEM}
        raise problem.BadRequest('Malformed scope.')

    def _document(self, rows: Rows, body: Document, expires_at: datetime.datetime) -> Document | None:
        user = rows.get(USER, body['user_id'])
        if user is None or not user['enabled'] or body['issued_at'] < user.get('_tokens_since', ''):
            return None
        document: Document = {
            'methods': body['methods'], 'user': {
                'id': user['id'], 'name': user['name'], 'domain': _brief(rows, DOMAIN, user['domain_id']),
                'password_expires_at': None},
            'audit_ids': body['audit_ids'], 'expires_at': microtime(expires_at), 'issued_at': body['issued_at']}
        for target in body['scope'].values():
            roles = self.effective_roles(rows, user['id'], target)
            if body['credential']:
                credential = rows.get(CREDENTIAL, body['credential'])
                if credential is None:
                    return None
                held = {role['id'] for role in roles}
                roles = [role for role in self.expand(rows, [role['id'] for role in credential['roles']])
                         if role['id'] in held]
                document['application_credential'] = {
                    'id': credential['id'], 'name': credential['name'],
                    'restricted': not credential['unrestricted']}
            if not roles:
                return None
            document['roles'] = [{'id': role['id'], 'name': role['name']} for role in roles]
            document['catalog'] = self.catalog(rows, body['scope'].get('project'))
        return document if self._show_scope(rows, body['scope'], document) else None

    @staticmethod
    def _show_scope(rows: Rows, scope: Document, document: Document) -> bool:
        """Add the scope to a token document; False when its project or domain is gone or disabled."""
        if 'project' in scope:
            project = rows.get(PROJECT, scope['project'])
            if project is None or not project['enabled']:
                return False
            document['project'] = {'id': project['id'], 'name': project['name'],
                                   'domain': _brief(rows, DOMAIN, project['domain_id'])}
            document['is_domain'] = False
        elif 'domain' in scope:
            domain = rows.get(DOMAIN, scope['domain'])
            if domain is None or not domain['enabled']:
                return False
            document['domain'] = {'id': domain['id'], 'name': domain['name']}
        elif 'system' in scope:
            document['system'] = {'all': True}
        return True

    # Methods of proof: each answers the user it proves, and may narrow the grant.

    def _by_password(self, rows: Rows, proof: Document, grant: Document) -> Document:
        wanted = proof.get('user')
        password = wanted.get('password') if isinstance(wanted, dict) else None
        if not isinstance(password, str):
            raise problem.BadRequest("The password method needs 'user' with 'password'.")
        try:
            user = _find(rows, USER, wanted)
        except problem.Unauthorized:
            check_password(password, self._decoy)
            raise
        if not check_password(password, user.get('_password') or self._decoy):
            raise _refuse()
        return user

    def _by_token(self, rows: Rows, proof: Document, grant: Document) -> Document:
        secret = str(proof.get('id', ''))
        document, found = self.token(secret), self.store.get_token(store.digest(secret))
        if document is None or found is None or found[1]['credential']:
            raise _refuse()
        grant['expires_at'] = min(grant['expires_at'], found[0])
        grant['audit'] = found[1]['audit_ids']
        grant['methods'] += found[1]['methods']
        return _find(rows, USER, {'id': document['user']['id']})

    def _by_credential(self, rows: Rows, proof: Document, grant: Document) -> Document:
        if 'id' in proof:
            credential = rows.get(CREDENTIAL, str(proof['id']))
        else:
            user = _find(rows, USER, proof.get('user'))
            credential = next(iter(rows.list(CREDENTIAL, owner=user['id'], name=str(proof.get('name')))), None)
        hashed = credential['_secret'] if credential else self._decoy
        right = check_password(str(proof.get('secret', '')), hashed)
        if credential is None or not right:
            raise _refuse()
        if credential['expires_at'] is not None:
            ends = clock.parse(credential['expires_at'])
            if ends <= clock.utcnow():
                raise _refuse()
            grant['expires_at'] = min(grant['expires_at'], ends)
        grant['credential'], grant['project_id'] = credential['id'], credential['project_id']
        return _find(rows, USER, {'id': credential['user_id']})


_METHODS = {
    'password': Directory._by_password,
    'token': Directory._by_token,
    'application_credential': Directory._by_credential,
}


def _brief(rows: Rows, kind: Kind, ident: str) -> Document:
    found = rows.get(kind, ident) or {'id': ident, 'name': ident}
    return {'id': found['id'], 'name': found['name']}
