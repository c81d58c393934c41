"""``/openapi.json``: the Placement API of one microversion, described by its own route table.

Open to everybody, as the version document is.
"""

import re
from collections.abc import Iterable
from typing import Any, Protocol

from nova.common import clock
from nova.common.microversion import V
from nova.placement import history
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
    def handler(self) -> Any: ...
    @property
    def body(self) -> Versions | None: ...
    @property
    def query(self) -> Versions | None: ...
    def serves(self, version: V) -> bool: ...


def show(table: Iterable[Described], ctx: Context) -> Reply:
    """Describe the API as of the microversion of the request."""
    return Reply(body=document(table, ctx.version), modified=clock.utcnow())


def document(table: Iterable[Described], version: V) -> dict[str, Any]:
    """An OpenAPI 3.1 document."""
    paths: dict[str, Any] = {}
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


def _operation(route: Described, version: V) -> dict[str, Any]:
    summary = (route.handler.__doc__ or '').partition('\n')[0]
    name = re.sub(r'\W+', '_', f'{route.method.lower()}{route.path}').strip('_')
    parameters = [_version_header(version), *_path_fields(route.path)]
    if route.query is not None:
        parameters.extend(_query_fields(route.query.at(version)))
    operation: dict[str, Any] = {
        'operationId': name, 'summary': summary, 'parameters': parameters,
        'responses': {'2XX': {'description': 'Done.'}, '4XX': {'description': 'Refused.'}},
    }
    if route.rule is not None:
        operation['security'] = [{'token': []}]
        operation['x-policy'] = f'placement:{route.rule}'
    if route.body is not None:
        operation['requestBody'] = {
            'required': True, 'content': {'application/json': {'schema': route.body.at(version)}}}
    return operation


def _version_header(version: V) -> dict[str, Any]:
    return {'name': 'OpenStack-API-Version', 'in': 'header', 'required': version != history.MIN,
            'schema': {'type': 'string', 'enum': [f'{history.SERVICE} {version}']}}


def _path_fields(path: str) -> list[dict[str, Any]]:
    return [{'name': name, 'in': 'path', 'required': True, 'schema': {'type': 'string'}}
            for name in re.findall(r'{(\w+)}', path)]


def _query_fields(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return [{'name': name, 'in': 'query', 'required': name in schema['required'], 'schema': kind}
            for name, kind in schema['properties'].items()]
