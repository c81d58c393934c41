"""Who asks: an administrator, a member and a reader of a project made for the walk, and a stranger.

They come from Keystone, of which the administrator may make projects and users.
"""

import secrets
from typing import Any

import httpx

ADMIN, MEMBER, READER, STRANGER = 'admin', 'member', 'reader', 'stranger'
EVERYBODY = (ADMIN, MEMBER, READER, STRANGER)
_DOMAIN = {'id': 'default'}


class Unusable(Exception):
    """The cloud cannot be walked; says why."""


class Person:
    """One user with his token.

    Attributes:
        urls: public endpoints by type of service.
    """

    def __init__(self, http: httpx.Client, identity: str, name: str, password: str,
                 project: dict[str, Any]) -> None:
        self._http = http
        answer = http.post(f'{identity}/auth/tokens', json={'auth': {
            'identity': {'methods': ['password'], 'password': {'user': {
                'name': name, 'domain': _DOMAIN, 'password': password}}},
            'scope': {'project': project}}})
        if answer.status_code != 201:
            raise Unusable(f'Keystone gave {name} no token: {answer.status_code} {answer.text[:200]}')
        token = answer.json()['token']
        self._token = answer.headers['X-Subject-Token']
        self.name, self.user_id, self.project_id = name, token['user']['id'], token['project']['id']
        self.urls = {service['type']: next(one['url'] for one in service['endpoints']
                                           if one['interface'] == 'public').rstrip('/')
                     for service in token['catalog'] if service['endpoints']}

    def call(self, method: str, url: str, body: Any = None, **headers: str) -> httpx.Response:
        return self._http.request(method, url, json=body, headers={'X-Auth-Token': self._token, **headers})

    def compute(self, method: str, path: str, version: str, body: Any = None) -> httpx.Response:
        base = self.urls['compute']
        base = base[:base.index('/v2')] + '/v2.1' if '/v2' in base else f'{base}/v2.1'
        return self.call(method, base + path, body, **{'OpenStack-API-Version': f'compute {version}'})


class People:
    """The four, and what was made for them.

    Args:
        identity: address of Keystone, ``…/v3``.
        admin, password, project: of its administrator.
    """

    def __init__(self, identity: str, admin: str, password: str, project: str = 'admin') -> None:
        self._http = httpx.Client(timeout=60, follow_redirects=False)
        self._identity = identity.rstrip('/')
        self._root = Person(self._http, self._identity, admin, password, {'name': project, 'domain': _DOMAIN})
        self._made: list[str] = []
        self._roles = {role['name']: role['id'] for role in self._keystone('GET', '/roles')['roles']}
        mark = secrets.token_hex(4)
        ours, theirs = self._project(f'conformance-{mark}'), self._project(f'conformance-{mark}-other')
        self._grant(ours, self._root.user_id, 'admin')
        self.of: dict[str, Person] = {ADMIN: Person(self._http, self._identity, admin, password, {'id': ours})}
        for name, role, where in ((MEMBER, 'member', ours), (READER, 'reader', ours),
                                  (STRANGER, 'member', theirs)):
            self.of[name] = self._user(f'conformance-{mark}-{name}', role, where)

    def close(self) -> None:
        """Remove what was made, last first."""
        for path in reversed(self._made):
            self._keystone('DELETE', path)
        self._http.close()

    def _keystone(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._root.call(method, self._identity + path, body)
        if answer.status_code >= 400:
            raise Unusable(f'{method} {path} at Keystone: {answer.status_code} {answer.text[:200]}')
        return answer.json() if answer.content else None

    def _project(self, name: str) -> str:
        found = self._keystone('POST', '/projects', {'project': {'name': name, 'domain_id': 'default'}})
        self._made.append(f'/projects/{found["project"]["id"]}')
        return str(found['project']['id'])

    def _grant(self, project: str, user: str, role: str) -> None:
        self._keystone('PUT', f'/projects/{project}/users/{user}/roles/{self._roles[role]}')

    def _user(self, name: str, role: str, project: str) -> Person:
        password = secrets.token_urlsafe(12)
        found = self._keystone('POST', '/users', {'user': {
            'name': name, 'domain_id': 'default', 'password': password}})
        self._made.append(f'/users/{found["user"]["id"]}')
        self._grant(project, found['user']['id'], role)
        return Person(self._http, self._identity, name, password, {'id': project})
