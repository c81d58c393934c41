"""A face of a document at a microversion, as JSON schema and as compiled validator."""

import functools
from collections.abc import Mapping

from nova.common import jsonschema
from nova.common.jsonutil import JsonObject
from nova.common.microversion import V
from nova.rest import legacy
from nova.rest.field import REQUEST_FACES, Document
from nova.rest.types import Kind


def resolve(kind: Kind, face: str, version: V) -> JsonObject:
    """A type whose documents are replaced by their schemas at `version`, be it one itself."""
    if isinstance(kind, type):
        assert issubclass(kind, Document), f'{kind.__name__} is no document'
        return of(kind, face, version)
    return {key: _resolved(value, face, version) for key, value in kind.items()}


def _resolved(part: object, face: str, version: V) -> object:
    if isinstance(part, (Mapping, type)):
        return resolve(part, face, version)
    if isinstance(part, (list, tuple)):
        return [_resolved(value, face, version) for value in part]
    return part


def of(document: type[Document], face: str, version: V) -> JsonObject:
    """The JSON schema of `face` at `version`."""
    return _of(document, face, document.pin(face, version))  # type: ignore[arg-type]  # a class is hashable


@functools.cache
def _of(document: type[Document], face: str, version: V) -> JsonObject:
    if document.whole is not None:
        return resolve(document.whole, face, version)
    properties: dict[str, JsonObject] = {}
    required: list[str] = []
    asks = face in REQUEST_FACES
    for field, span in document.members(face, version):
        schema = resolve(field.type_at(span), face, version)
        if face == 'query' and schema.get('type') != 'array':
            schema = {'type': 'array', 'items': schema}
        properties[field.key] = {**schema, 'description': field.doc} if field.doc else schema
        if field.must(face, span) if asks else not (field.maybe or field.rule):
            required.append(field.key)
    whole: JsonObject = {'type': 'object', 'properties': properties}
    if document.others is not True:
        whole['additionalProperties'] = _resolved(document.others, face, version)
    if required:
        whole['required'] = required
    return {**whole, **document.limits} if asks else whole


@functools.cache
def _validator(document: type[Document], face: str, version: V, relaxed: bool) -> jsonschema.Validator:
    schema = _of(document, face, version)  # type: ignore[arg-type]  # a class is hashable
    return jsonschema.Validator(legacy.loosen(schema) if relaxed else schema)


def validator(document: type[Document], face: str, version: V, relaxed: bool = False) -> jsonschema.Validator:
    """The compiled validator of a request face; `relaxed` lets undeclared keys pass."""
    return _validator(document, face, document.pin(face, version), relaxed)  # type: ignore[arg-type]  # a class is hashable
