"""``/openapi.json``: the Placement API of one microversion, described by its own route table.

Open to everybody, as the version document is.
"""

import re
from collections.abc import Callable, Iterable
from typing import Protocol

from nova.common import clock
from nova.common.jsonutil import JsonObject
from nova.common.microversion import V
from nova.placement import answers, history, lib
from nova.placement.context import Context, Reply
from nova.placement.schema import Versions


class Described(Protocol):
    """What this module reads of a route."""

    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def rule(self) -> str | None: ...
    @property
    def handler(self) -> Callable: ...
    @property
    def body(self) -> Versions | None: ...
    @property
    def query(self) -> Versions | None: ...
    def serves(self, version: V) -> bool: ...


def show(table: Iterable[Described], ctx: Context) -> Reply:
    """Describe the API as of the microversion of the request."""
    return Reply(body=document(table, ctx.version), modified=clock.utcnow())


def document(table: Iterable[Described], version: V) -> JsonObject:
    """An OpenAPI 3.1 document."""
    paths: JsonObject = {}
    for route in table:
        if route.serves(version):
            paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, version)
    return {
        'openapi': '3.1.0',
        'info': {'title': 'OpenStack Placement API', 'version': str(version)},
        'paths': paths,
        'components': {'securitySchemes': {'token': {
            'type': 'apiKey', 'in': 'header', 'name': 'X-Auth-Token'}}},
    }


def _operation(route: Described, version: V) -> JsonObject:
    summary = (route.handler.__doc__ or '').partition('\n')[0]
    name = re.sub(r'\W+', '_', f'{route.method.lower()}{route.path}').strip('_')
    parameters = [_version_header(version), *_path_fields(route.path)]
    if route.query is not None:
        parameters.extend(_query_fields(route.query.at(version), version))
    operation: JsonObject = {
        'operationId': name, 'summary': summary, 'parameters': parameters,
        'responses': _responses(route, version),
    }
    if route.rule is not None:
        operation['security'] = [{'token': []}]
        operation['x-policy'] = f'placement:{route.rule}'
    if route.body is not None:
        operation['requestBody'] = {
            'required': True, 'content': {'application/json': {'schema': route.body.at(version)}}}
    return operation


def _responses(route: Described, version: V) -> JsonObject:
    found: JsonObject = {
        str(status): _response('Done.', body.at(version) if body is not None else None)
        for status, body in answers.ANSWERS[route.method, route.path].items()}
    refused = _response('Refused.', answers.ERROR.at(version))
    return {**found, '401': {'description': 'There is no valid token.'}, '4XX': refused, '503': refused}


def _response(description: str, body: JsonObject | None) -> JsonObject:
    if body is None:
        return {'description': description}
    return {'description': description, 'content': {'application/json': {'schema': body}}}


def _version_header(version: V) -> JsonObject:
    return {'name': 'OpenStack-API-Version', 'in': 'header', 'required': version != history.MIN,
            'schema': {'type': 'string', 'enum': [f'{history.SERVICE} {version}']}}


def _path_fields(path: str) -> list[JsonObject]:
    return [{'name': name, 'in': 'path', 'required': True, 'schema': {'type': 'string'}}
            for name in re.findall(r'{(\w+)}', path)]


def _query_fields(schema: JsonObject, version: V) -> list[JsonObject]:
    fields: list[JsonObject] = []
    for name, kind in schema['properties'].items():
        field: JsonObject = {'name': name, 'in': 'query', 'required': name in schema['required'],
                                 'schema': kind}
        if name in lib.REPEATABLE and version >= lib.REPEATABLE[name]:
            field.update(style='form', explode=True, schema={'type': 'array', 'items': kind})
        fields.append(field)
    if 'patternProperties' in schema:
        fields.append({
            'name': 'groups', 'in': 'query', 'required': False, 'style': 'form', 'explode': True,
            'description': 'Keys of numbered or named request groups, such as resources1 and required1: each '
                           'key of this object is a key of the query.',
            'schema': {'type': 'object', 'patternProperties': schema['patternProperties'],
                       'additionalProperties': False}})
    return fields
