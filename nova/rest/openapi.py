"""The OpenAPI 3.1 document of one microversion, made from the declarations that also serve the requests."""

import re
from collections.abc import Iterable

from nova.common.jsonutil import JsonObject
from nova.common.microversion import V
from nova.rest import schema
from nova.rest.resource import Many, One, Operation

_FIELD = re.compile(r'{([^}:]+)(?::[^}]*)?}')


def _json(content: JsonObject) -> JsonObject:
    return {'application/json': {'schema': content}}


def _parameters(operation: Operation, version: V) -> list[JsonObject]:
    found = [{'name': name, 'in': 'path', 'required': True, 'schema': {'type': 'string'}}
             for name in _FIELD.findall(operation.path)]
    if operation.query is not None:
        for name, kind in schema.of(operation.query, 'query', version)['properties'].items():
            found.append({'name': name, 'in': 'query', 'style': 'form', 'explode': True, 'schema': kind})
    if operation.once:
        found.append({'name': 'Idempotency-Key', 'in': 'header', 'schema': {
            'type': 'string', 'minLength': 1, 'maxLength': 255, 'pattern': '^[!-~]+$'},
            'description': 'A word of the client; a request that comes again with it is answered as before, '
                           'and nothing is done again.'})
    return found


def _returned(operation: Operation, version: V) -> JsonObject | None:
    returns = operation.returns
    if isinstance(returns, One):
        shown = schema.of(returns.document, returns.face, version)
        return _object({returns.key: shown}) if returns.key else shown
    if isinstance(returns, Many):
        item = schema.of(returns.document, returns.face, version)
        return _object({returns.key: {'type': 'array', 'items': item}})
    return None if returns is None else dict(returns)


def _object(properties: JsonObject) -> JsonObject:
    return {'type': 'object', 'properties': properties, 'required': list(properties)}


def _operation(operation: Operation, version: V) -> JsonObject:
    returned = _returned(operation, version)
    answer: JsonObject = {'description': 'Success'}
    if returned is not None:
        answer['content'] = {returned.get('contentMediaType', 'application/json'): {'schema': returned}}
    entry: JsonObject = {
        'operationId': operation.name, 'summary': operation.doc.partition('\n')[0],
        'parameters': _parameters(operation, version),
        'responses': {**{str(code): answer for code in (operation.status(version), operation.also) if code},
                      'default': {'$ref': '#/components/responses/Fault'}},
        'x-openstack': {'min-ver': str(operation.since)},
    }
    if operation.until:
        entry['x-openstack']['max-ver'] = str(operation.until)
    rules = [rule.name for rule in (operation.rule, *operation.rules) if rule is not None]
    if rules:
        entry['x-openstack']['policies'] = rules
    if operation.body is not None:
        content = _json(schema.of(operation.body, operation.face, version))
        entry['requestBody'] = {'required': True, 'content': content}
    return entry


def _merge(operations: list[Operation], version: V) -> JsonObject:
    """One entry for a method; the actions of a path are the alternatives of one body."""
    if not operations[0].action:
        return _operation(operations[0], version)
    entry = _operation(operations[0], version)
    entries = [_operation(operation, version) for operation in operations]
    entry['operationId'] = f'{operations[0].path} actions'
    entry['summary'] = 'Run an action: the single key of the body says which'
    entry['requestBody']['content'] = _json({'oneOf': [
        {**each['requestBody']['content']['application/json']['schema'], 'title': operation.action,
         'x-openstack': each['x-openstack']} for operation, each in zip(operations, entries, strict=True)]})
    entry['responses'] = {code: answer for each in entries for code, answer in each['responses'].items()}
    entry['x-openstack'] = {'action-discriminator': 'action'}
    return entry


def build(operations: Iterable[Operation], version: V, title: str, server: str = '/v2.1') -> JsonObject:
    """Everything that is served at `version`."""
    paths: dict[str, dict[str, list[Operation]]] = {}
    for operation in operations:
        if operation.holds(version):
            path = _FIELD.sub(r'{\1}', operation.path)
            paths.setdefault(path, {}).setdefault(operation.method.lower(), []).append(operation)
    fault = {'type': 'object', 'minProperties': 1, 'maxProperties': 1, 'additionalProperties': _object(
        {'code': {'type': 'integer'}, 'message': {'type': 'string'}})}
    return {
        'openapi': '3.1.0',
        'info': {'title': title, 'version': str(version)},
        'servers': [{'url': server}],
        'paths': {path: {method: _merge(known, version) for method, known in sorted(methods.items())}
                  for path, methods in sorted(paths.items())},
        'components': {
            'responses': {'Fault': {'description': 'Fault', 'content': _json(fault)}},
            'securitySchemes': {'token': {'type': 'apiKey', 'in': 'header', 'name': 'X-Auth-Token'}}},
        'security': [{'token': []}],
    }
