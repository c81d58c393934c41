"""A face of a document at a microversion, as JSON schema and as compiled validator."""

import functools
from collections.abc import Mapping
from typing import Any

from nova.common import jsonschema
from nova.common.microversion import V
from nova.rest import legacy
from nova.rest.field import REQUEST_FACES, Document


def resolve(kind: Any, face: str, version: V) -> Any:
    """Replace the documents inside a type by their schemas at `version`."""
    if isinstance(kind, type) and issubclass(kind, Document):
        return of(kind, face, version)
    if isinstance(kind, Mapping):
        return {key: resolve(value, face, version) for key, value in kind.items()}
    if isinstance(kind, (list, tuple)):
        return [resolve(value, face, version) for value in kind]
    return kind


def of(document: type[Document], face: str, version: V) -> dict[str, Any]:
    """The JSON schema of `face` at `version`."""
    return _of(document, face, document.pin(face, version))  # type: ignore[arg-type]  # a class is hashable


@functools.cache
def _of(document: type[Document], face: str, version: V) -> dict[str, Any]:
    if document.whole is not None:
        return resolve(document.whole, face, version)
    properties: dict[str, Any] = {}
    required: list[str] = []
    asks = face in REQUEST_FACES
    for field, span in document.members(face, version):
        schema = resolve(field.type_at(span), face, version)
        if face == 'query' and schema.get('type') != 'array':
            schema = {'type': 'array', 'items': schema}
        properties[field.key] = {**schema, 'description': field.doc} if field.doc else schema
        if field.must(face, span) if asks else not (field.maybe or field.rule):
            required.append(field.key)
    whole: dict[str, Any] = {'type': 'object', 'properties': properties}
    if document.others is not True:
        whole['additionalProperties'] = resolve(document.others, face, version)
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
