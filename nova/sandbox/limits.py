"""Unified limits of the identity stand-in: registered ones of all projects, and those of projects."""

import secrets
from collections.abc import Iterable, Sequence

import falcon

from nova.common import jsonschema, problem, web
from nova.sandbox import entries, service, store, tokens
from nova.sandbox.store import Document, Kind, Rows

REGISTERED = Kind('registered_limit', parent='service_id', unique=('service_id', '_region', 'resource_name'))
OWN = Kind('limit', owner='project_id', parent='service_id',
           unique=('service_id', '_region', 'resource_name', 'project_id'))
"""``_region`` is the region, '' for none."""

_MODEL = {'name': 'flat',
          'description': 'Limit enforcement and validation does not take project hierarchy into consideration.'}
_ID = {'type': 'string', 'pattern': '^[0-9a-f]{32}$|^[0-9a-f-]{36}$'}
_TEXT = {'type': ['string', 'null']}
_NAME = {'type': 'string', 'minLength': 1, 'maxLength': 255}
_LIMIT = {'type': 'integer', 'minimum': -1, 'maximum': 0x7fffffff}
_REFERENCES = (('service_id', tokens.SERVICE), ('region_id', tokens.REGION), ('project_id', tokens.PROJECT))


def _properties(value: str, more: Document) -> Document:
    return {'service_id': _ID, 'region_id': _TEXT, 'resource_name': _NAME, value: _LIMIT, 'description': _TEXT,
            **more}


def _many(plural: str, value: str, more: Document) -> jsonschema.Validator:
    item = {'type': 'object', 'properties': _properties(value, more), 'additionalProperties': False,
            'required': ['service_id', 'resource_name', value, *more]}
    return jsonschema.Validator({
        'type': 'object', 'properties': {plural: {'type': 'array', 'minItems': 1, 'items': item}},
        'required': [plural], 'additionalProperties': False})


def _change(properties: Document) -> jsonschema.Validator:
    return jsonschema.Validator({'type': 'object', 'properties': properties, 'additionalProperties': False})


class Limits:
    """Both kinds; everybody sees the registered ones, and those of the own project."""

    def __init__(self, directory: tokens.Directory) -> None:
        self._directory, self._store = directory, directory.store
        self._on_create = {
            REGISTERED: _many('registered_limits', 'default_limit', {}),
            OWN: _many('limits', 'resource_limit', {'project_id': _ID})}
        self._on_update = {
            REGISTERED: _change(_properties('default_limit', {})),
            OWN: _change({'resource_limit': _LIMIT, 'description': _TEXT})}

    def route(self, add: service.Add) -> None:
        add('/v3/limits/model', GET=self._model)
        for kind, plural in ((REGISTERED, 'registered_limits'), (OWN, 'limits')):
            self._route_kind(add, kind, plural)

    def _model(self, req: falcon.Request, resp: falcon.Response) -> None:
        web.send(resp, {'model': _MODEL})

    def _route_kind(self, add: service.Add, kind: Kind, plural: str) -> None:

        def index(req: falcon.Request, resp: falcon.Response) -> None:
            entries.send_list(req, resp, plural, [
                document for document in self._store.list(kind)
                if (kind is REGISTERED or _may_see(req, document)) and _fits(req, document)])

        def create(req: falcon.Request, resp: falcon.Response) -> None:
            service.need_admin(req)
            wanted = service.checked(self._on_create[kind], web.body(req))[plural]
            made = self._directory.write(lambda rows: [_insert(rows, kind, dict(one)) for one in wanted])
            web.send(resp, {plural: [entries.shown(req, plural, document) for document in made]}, 201)

        def show(req: falcon.Request, resp: falcon.Response, ident: str) -> None:
            found = self._store.get(kind, ident)
            if found is None:
                raise _missing(kind, ident)
            if kind is OWN and not _may_see(req, found):
                raise problem.Forbidden('You are not authorized to perform the requested action.')
            web.send(resp, {kind.name: entries.shown(req, plural, found)})

        def update(req: falcon.Request, resp: falcon.Response, ident: str) -> None:
            service.need_admin(req)
            body = service.checked(self._on_update[kind], service.enveloped(req, kind.name))
            made = self._directory.write(lambda rows: _update(rows, kind, ident, dict(body)))
            web.send(resp, {kind.name: entries.shown(req, plural, made)})

        def delete(req: falcon.Request, resp: falcon.Response, ident: str) -> None:
            service.need_admin(req)
            self._directory.write(lambda rows: _delete(rows, kind, ident))
            resp.status = falcon.HTTP_204

        add(f'/v3/{plural}', GET=index, POST=create)
        add(f'/v3/{plural}/{{ident}}', GET=show, HEAD=show, PATCH=update, DELETE=delete)


def _may_see(req: falcon.Request, document: Document) -> bool:
    who = service.who(req)
    return who.may_read or document['project_id'] == who.project_id


def _fits(req: falcon.Request, document: Document) -> bool:
    return all(str(document.get(name) or '') == service.value(req, name)
               for name in ('service_id', 'region_id', 'resource_name', 'project_id') if name in req.params)


def _missing(kind: Kind, ident: str) -> problem.NotFound:
    return problem.NotFound(f'Could not find {kind.name.replace("_", " ")} for {ident}.')


def _same(documents: Iterable[Document], like: Document) -> list[Document]:
    """Those that are about the same resource of the same service in the same region."""
    keys = ('service_id', '_region', 'resource_name')
    return [document for document in documents if all(document[key] == like[key] for key in keys)]


def _own(rows: Rows, registered: Document) -> Sequence[Document]:
    """Limits of projects that a registered one stands behind."""
    return _same(rows.list(OWN, parent=registered['service_id']), registered)


def _checked(rows: Rows, kind: Kind, document: Document) -> Document:
    """A document whose references are there."""
    for name, target in _REFERENCES:
        if document.get(name) is not None and rows.get(target, document[name]) is None:
            raise problem.BadRequest(
                f'Expecting to find {name} in {kind.name}. The server could not comply with the request since '
                'it is either malformed or otherwise incorrect.')
    return {**document, '_region': document.get('region_id') or ''}


def _insert(rows: Rows, kind: Kind, body: Document) -> Document:
    empty = {'region_id': None, 'description': None} | ({} if kind is REGISTERED else {'domain_id': None})
    document = _checked(rows, kind, {'id': secrets.token_hex(16), **empty, **body})
    if kind is OWN and not _same(rows.list(REGISTERED, parent=document['service_id']), document):
        raise problem.Forbidden('Unable to create a limit that has no corresponding registered limit.')
    try:
        return rows.insert(kind, document)
    except store.Duplicate:
        raise _taken(kind) from None


def _update(rows: Rows, kind: Kind, ident: str, body: Document) -> Document:
    found = rows.get(kind, ident)
    if found is None:
        raise _missing(kind, ident)
    fresh = _checked(rows, kind, {**found, **body})
    if kind is REGISTERED:
        _need_no_limits(rows, found)
    try:
        return rows.update(kind, fresh)
    except store.Duplicate:
        raise _taken(kind) from None


def _delete(rows: Rows, kind: Kind, ident: str) -> None:
    found = rows.get(kind, ident)
    if found is None:
        raise _missing(kind, ident)
    if kind is REGISTERED:
        _need_no_limits(rows, found)
    rows.delete(kind, ident)


def _need_no_limits(rows: Rows, registered: Document) -> None:
    if _own(rows, registered):
        raise problem.Forbidden(
            f'Unable to update or delete registered limit {registered["id"]} because there are project limits '
            'associated with it.')


def _taken(kind: Kind) -> problem.Conflict:
    return problem.Conflict(f'Conflict occurred attempting to store {kind.name} - Duplicate entry.')
