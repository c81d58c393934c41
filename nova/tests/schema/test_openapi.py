"""The OpenAPI document is OpenAPI 3.1, and its schemas are JSON Schema, at every turning point."""

import functools
import importlib.resources
import json

import jsonschema_rs
import pytest

from nova.api import app
from nova.common.microversion import V
from nova.rest import openapi
from nova.schema import history


@functools.cache
def standard() -> jsonschema_rs.Draft202012Validator:
    """The schema of OpenAPI 3.1 documents, with JSON Schema for the schemas inside."""
    folder = importlib.resources.files('openapi_spec_validator') / 'resources' / 'schemas' / 'v3.1'
    found = json.loads((folder / 'schema.json').read_text())
    schema = {'$ref': 'https://json-schema.org/draft/2020-12/schema'}
    return jsonschema_rs.Draft202012Validator(_with(found, schema))


def _with(standard: object, schema: object) -> object:
    """The standard leaves open by an anchor what a schema is; here it is `schema`."""
    if isinstance(standard, dict):
        return schema if '$dynamicRef' in standard else {
            name: _with(value, schema) for name, value in standard.items()}
    return [_with(value, schema) for value in standard] if isinstance(standard, list) else standard


def wrong(document: dict[str, object]) -> list[str]:
    return [f'{error.message} at {list(error.instance_path)}'[:300] for error in standard().iter_errors(
        json.loads(json.dumps(document)))]


def test_every_operation_at_every_turning_point() -> None:
    found = {}
    for operation in app.operations():
        for version in set(operation.turning_points()):
            if operation.holds(version) and (faults := wrong(openapi.build([operation], version, 'Compute'))):
                found[f'{operation.method} {operation.path} {operation.action or ""} at {version}'] = faults
    assert not found


@pytest.mark.parametrize('version', ['2.1', '2.53', str(history.MAX)])
def test_the_whole_document(version: str) -> None:
    document = openapi.build(app.operations(), V(version), 'Compute')
    assert not wrong(document)
    names = [operation['operationId'] for methods in document['paths'].values()
             for operation in methods.values()]
    assert sorted(set(names)) == sorted(names), 'an operationId stands for one operation'


def test_what_is_no_document() -> None:
    good = openapi.build(app.operations(), V('2.1'), 'Compute')
    assert wrong({**good, 'openapi': '2.0'}) and wrong({**good, 'info': {}})
    path, methods = next(iter(good['paths'].items()))
    method, operation = next(iter(methods.items()))
    broken = {**operation, 'parameters': [{'name': 'x', 'in': 'query', 'schema': {'type': 'nonsense'}}]}
    assert wrong({**good, 'paths': {path: {method: broken}}})
