"""What the stand-ins share: who calls, the gate that asks, paging, and a plain Falcon application."""

import dataclasses
import re
from collections.abc import Callable, Sequence
from typing import Protocol

import falcon

from nova.common import clock, jsonschema, middleware, problem, web
from nova.common.jsonutil import JsonObject
from nova.sandbox import faults

Document = JsonObject

_READING = frozenset({'GET', 'HEAD', 'OPTIONS'})


class Authority(Protocol):
    """Who knows tokens."""

    def token(self, secret: str, allow_expired: bool = False) -> Document | None:
        """The token as identity shows it (``{"user": ..., "roles": ...}``); None when it is not valid."""


@dataclasses.dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, in terms that the stand-ins decide by."""

    user_id: str
    project_id: str | None
    roles: frozenset[str]
    token: Document = dataclasses.field(repr=False)
    service_roles: frozenset[str] = frozenset()

    @property
    def is_admin(self) -> bool:
        return 'admin' in self.roles

    @property
    def vouched(self) -> bool:
        """A service says that it calls for this caller: that gives him no right that he has not."""
        return 'service' in self.service_roles

    @property
    def privileged(self) -> bool:
        return self.is_admin or 'service' in self.roles

    @property
    def may_read(self) -> bool:
        """What is above projects, too."""
        return self.privileged or ('system' in self.token and 'reader' in self.roles)

    @property
    def may_write(self) -> bool:
        return self.privileged or 'manager' in self.roles or 'member' in self.roles

    def owns(self, document: Document) -> bool:
        """The document is of the caller's project, or the caller is above projects."""
        return self.privileged or (self.project_id is not None
                                   and document.get('project_id', document.get('owner')) == self.project_id)


def caller(token: Document, service_token: Document | None = None) -> Caller:
    """Read a token document."""
    return Caller(
        user_id=token['user']['id'], project_id=token.get('project', {}).get('id'),
        roles=frozenset(role['name'] for role in token.get('roles', ())), token=token,
        service_roles=frozenset(role['name'] for role in (service_token or {}).get('roles', ())))


class Gate:
    """Falcon middleware: a valid token, or 401; a role that may write, or 403.

    As keystonemiddleware has it, a token that has run out counts while a service vouches for it.

    Args:
        open_path: paths that need no token (version documents).
        identity_url: what ``WWW-Authenticate`` names in a refusal; where there is none (identity itself), the
            application challenges, and decides for itself who may write.
    """

    def __init__(self, authority: Authority, open_path: re.Pattern[str],
                 identity_url: Callable[[], str] | None = None) -> None:
        self._authority, self._open, self._identity_url = authority, open_path, identity_url

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        if self._open.fullmatch(req.path):
            return
        secret, service = req.get_header('X-Auth-Token'), req.get_header('X-Service-Token')
        vouching = self._authority.token(service) if service else None
        vouched = any(role['name'] == 'service' for role in (vouching or {}).get('roles', ()))
        token = self._authority.token(secret, allow_expired=vouched) if secret else None
        if token is None or (service and vouching is None):
            raise problem.Unauthorized(headers={
                'WWW-Authenticate': f'Keystone uri="{self._identity_url()}"'} if self._identity_url else None)
        who = caller(token, vouching)
        if self._identity_url and req.method not in _READING and not who.may_write:
            raise problem.Forbidden('You are not authorized to perform the requested action.')
        req.context.caller = who


def application(render: web.Render, gate: web.Middleware | None, *request_id_headers: str,
                extra: Sequence[web.Middleware] = ()) -> falcon.App:
    """A Falcon application with the sandbox's middleware."""
    stack: list[web.Middleware] = [
        faults.Raise(), middleware.RequestId(*request_id_headers), middleware.RequestLog(), *extra]
    return web.application(render, [*stack, gate] if gate else stack)


def who(req: falcon.Request) -> Caller:
    """The caller that the gate let in."""
    return req.context.caller


def need_admin(req: falcon.Request) -> None:
    """
    Raises:
        Forbidden: the caller is no administrator.
    """
    if not who(req).is_admin:
        raise problem.Forbidden('You are not authorized to perform the requested action.')


def here(req: falcon.Request) -> str:
    """URL of the application that serves the request, without a trailing slash."""
    return str(req.prefix).rstrip('/')


def enveloped(req: falcon.Request, key: str) -> Document:
    """The object under `key` of a JSON request.

    Raises:
        BadRequest: there is none.
    """
    document = web.body(req)
    inner = document.get(key) if isinstance(document, dict) else None
    if not isinstance(inner, dict):
        raise problem.BadRequest(f"The request body must be an object with an object '{key}'.")
    return inner


def checked(validator: jsonschema.Validator, document: Document) -> Document:
    """The document, once it fits."""
    validator.check(document)
    return document


def shape(text: str = '', flags: str = '', integers: str = '', texts: str = '', objects: str = '',
          mappings: str = '') -> jsonschema.Validator:
    """A validator of bodies by field names of each type, separated by blanks; all may be null.

    Args:
        texts: lists of strings.
        objects: lists of objects.
        mappings: objects.
    """
    string = {'type': ['string', 'null'], 'maxLength': 255}
    kinds: tuple[tuple[str, Document], ...] = (
        (text, string), (flags, {'type': ['boolean', 'null']}), (integers, {'type': ['integer', 'null']}),
        (texts, {'type': ['array', 'null'], 'items': {'type': 'string'}}),
        (objects, {'type': ['array', 'null'], 'items': {'type': 'object'}}),
        (mappings, {'type': ['object', 'null']}))
    return jsonschema.Validator({'type': 'object', 'properties': {
        name: kind for names, kind in kinds for name in names.split()}})


class Add(Protocol):
    """Serves a path of an application: responders by method."""

    def __call__(self, template: str, **methods: web.Responder) -> None: ...


def mapping(value: object) -> Document:
    """What a client gives as an object, or null.

    Raises:
        BadRequest: it is something else.
    """
    if not isinstance(value, dict | None):
        raise problem.BadRequest('This must be an object.')
    return value or {}


def values(req: falcon.Request, name: str) -> list[str]:
    """Every value of a query parameter."""
    found = req.params.get(name, [])
    return list(found) if isinstance(found, list) else [found]


def value(req: falcon.Request, name: str) -> str | None:
    """The last value of a query parameter."""
    found = values(req, name)
    return found[-1] if found else None


def truth(text: object) -> bool:
    """Read a boolean as clients write it in queries and headers."""
    return str(text).strip().lower() in ('true', '1', 'yes', 'on', 't', 'y')


def _orderable(found: object) -> tuple[str, float, str]:
    number = float(found) if isinstance(found, int | float) else 0.0
    return type(found).__name__, number, str(found)


def sort_by(documents: list[Document], keys: Sequence[tuple[str, bool]]) -> list[Document]:
    """Sort by fields, each ascending or (True) descending; absent values come last."""
    for key, descending in reversed(keys):
        present = [document for document in documents if document.get(key) is not None]
        absent = [document for document in documents if document.get(key) is None]
        present.sort(key=lambda document: _orderable(document[key]), reverse=descending)
        documents = present + absent
    return documents


def page(req: falcon.Request, documents: list[Document], longest: int = 1000,
         default: int | None = None) -> tuple[list[Document], str | None]:
    """Cut a page by ``limit`` and ``marker``; also the marker of the next page, if there is one.

    Raises:
        BadRequest: the limit is no number from 0, or the marker is not in the list.
    """
    limit_text, marker = value(req, 'limit'), value(req, 'marker')
    if limit_text is not None and not limit_text.isdecimal():
        raise problem.BadRequest('limit must be an integer from 0.')
    limit = min(int(limit_text) if limit_text is not None else default or longest, longest)
    if marker:
        ids = [document['id'] for document in documents]
        if marker not in ids:
            raise problem.BadRequest(f'Marker {marker} could not be found.')
        documents = documents[ids.index(marker) + 1:]
    cut = documents[:limit]
    return cut, cut[-1]['id'] if cut and len(documents) > limit else None


def now() -> str:
    """The time as most of them show it."""
    return clock.isotime(clock.utcnow()) or ''
