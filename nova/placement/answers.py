"""What answers look like, by route and status: part of the API's description, and checked against it."""


from nova.common.jsonutil import JsonObject
from nova.common.microversion import V
from nova.placement import schema
from nova.placement.schema import UUID, Versions, keyed, obj

Answers = dict[int, Versions | None]
"""Schema of the body by status; None is no body."""

_WHOLE: JsonObject = {'type': 'integer', 'minimum': 0}
_TEXT: JsonObject = {'type': 'string'}
_MAYBE_UUID: JsonObject = {'anyOf': [UUID, {'type': 'null'}]}
_GENERATION = {'resource_provider_generation': schema.GENERATION}
_LINKS = {'links': {'type': 'array', 'items': obj({'rel': _TEXT, 'href': _TEXT})}}
_AMOUNTS = keyed(_TEXT, _WHOLE)


def _listed(name: str, item: JsonObject, **more: object) -> JsonObject:
    return obj({name: {'type': 'array', 'items': item}, **more})


_PROVIDER: JsonObject = {'uuid': UUID, 'name': _TEXT, 'generation': schema.GENERATION, **_LINKS}
_NESTED = obj({**_PROVIDER, 'parent_provider_uuid': _MAYBE_UUID, 'root_provider_uuid': UUID})
_PROVIDERS = {'1.0': obj(_PROVIDER), '1.14': _NESTED}
_CLASS = obj({'name': _TEXT, **_LINKS})
_INVENTORY: JsonObject = {
    'total': _WHOLE, 'reserved': _WHOLE, 'min_unit': _WHOLE, 'max_unit': _WHOLE, 'step_size': _WHOLE,
    'allocation_ratio': {'type': 'number'}}
_INVENTORIES = Versions({'1.0': obj({**_GENERATION, 'inventories': keyed(_TEXT, obj(_INVENTORY))})})
_ONE_INVENTORY = Versions({'1.0': obj({**_GENERATION, **_INVENTORY})})
_TRAITS = Versions({'1.0': _listed('traits', _TEXT, **_GENERATION)})
_AGGREGATES = Versions({'1.0': _listed('aggregates', UUID), '1.19': _listed('aggregates', UUID, **_GENERATION)})

_HELD: JsonObject = {'allocations': keyed(UUID, obj({
    'generation': schema.GENERATION, 'resources': _AMOUNTS}))}
_OWNED: JsonObject = {**_HELD, 'project_id': _TEXT, 'user_id': _TEXT}
_GUARDED: JsonObject = {**_OWNED, 'consumer_generation': schema.GENERATION}
_TYPED: JsonObject = {**_GUARDED, 'consumer_type': _TEXT}
_CONSUMER = Versions({text: obj(fields, optional=tuple(fields.keys() - {'allocations'})) for text, fields in (
    ('1.0', _HELD), ('1.12', _OWNED), ('1.28', _GUARDED), ('1.38', _TYPED))})
"""A consumer that holds nothing has nothing else to show."""

_OF_PROVIDER = Versions({
    text: obj({**_GENERATION, 'allocations': keyed(UUID, obj(fields))}) for text, fields in (
        ('1.0', {'resources': _AMOUNTS}),
        ('1.28', {'resources': _AMOUNTS, 'consumer_generation': schema.GENERATION}))})

_USAGES = Versions({'1.0': obj({'usages': _AMOUNTS}), '1.38': obj({'usages': keyed(_TEXT, _AMOUNTS)})})


def _candidates(version: V) -> JsonObject:
    held: JsonObject = {'resources': _AMOUNTS}
    request: JsonObject = {'allocations': keyed(UUID, obj(held))}
    if version < V('1.12'):
        item = obj({'resource_provider': obj({'uuid': UUID}), **held})
        request = {'allocations': {'type': 'array', 'items': item}}
    if version >= V('1.34'):
        request['mappings'] = keyed(_TEXT, {'type': 'array', 'items': UUID})
    stock = obj({'capacity': {'type': 'integer'}, 'used': _WHOLE})
    summary: JsonObject = {'resources': keyed(_TEXT, stock)}
    if version >= V('1.17'):
        summary['traits'] = {'type': 'array', 'items': _TEXT}
    if version >= V('1.29'):
        summary.update(parent_provider_uuid=_MAYBE_UUID, root_provider_uuid=UUID)
    return obj({'allocation_requests': {'type': 'array', 'items': obj(request)},
                'provider_summaries': keyed(UUID, obj(summary)), 'explain': {'type': 'object'}},
               optional=('explain',))


_CANDIDATES = Versions({text: _candidates(V(text)) for text in ('1.10', '1.12', '1.17', '1.29', '1.34')})
_VERSIONS = Versions({'1.0': _listed('versions', obj({
    'id': _TEXT, 'min_version': _TEXT, 'max_version': _TEXT, 'status': _TEXT, **_LINKS}))})

_DONE: Answers = {204: None}
_NEW_OR_KNOWN: Answers = {201: None, 204: None}
_RP = '/resource_providers/{uuid}'

ANSWERS: dict[tuple[str, str], Answers] = {
    ('GET', '/'): {200: _VERSIONS},
    ('GET', '/resource_classes'): {200: Versions({'1.0': _listed('resource_classes', _CLASS)})},
    ('POST', '/resource_classes'): {201: None},
    ('GET', '/resource_classes/{name}'): {200: Versions({'1.0': _CLASS})},
    ('PUT', '/resource_classes/{name}'): {200: Versions({'1.0': _CLASS}), **_NEW_OR_KNOWN},
    ('DELETE', '/resource_classes/{name}'): _DONE,
    ('GET', '/resource_providers'): {200: Versions(
        {text: _listed('resource_providers', one) for text, one in _PROVIDERS.items()})},
    ('POST', '/resource_providers'): {200: Versions(_PROVIDERS), 201: None},
    ('GET', _RP): {200: Versions(_PROVIDERS)},
    ('PUT', _RP): {200: Versions(_PROVIDERS)},
    ('DELETE', _RP): _DONE,
    ('GET', f'{_RP}/inventories'): {200: _INVENTORIES},
    ('POST', f'{_RP}/inventories'): {201: _ONE_INVENTORY},
    ('PUT', f'{_RP}/inventories'): {200: _INVENTORIES},
    ('DELETE', f'{_RP}/inventories'): _DONE,
    ('GET', f'{_RP}/inventories/{{resource_class}}'): {200: _ONE_INVENTORY},
    ('PUT', f'{_RP}/inventories/{{resource_class}}'): {200: _ONE_INVENTORY},
    ('DELETE', f'{_RP}/inventories/{{resource_class}}'): _DONE,
    ('GET', f'{_RP}/usages'): {200: Versions({'1.0': obj({**_GENERATION, 'usages': _AMOUNTS})})},
    ('GET', f'{_RP}/aggregates'): {200: _AGGREGATES},
    ('PUT', f'{_RP}/aggregates'): {200: _AGGREGATES},
    ('GET', f'{_RP}/allocations'): {200: _OF_PROVIDER},
    ('GET', f'{_RP}/traits'): {200: _TRAITS},
    ('PUT', f'{_RP}/traits'): {200: _TRAITS},
    ('DELETE', f'{_RP}/traits'): _DONE,
    ('GET', '/traits'): {200: Versions({'1.0': _listed('traits', _TEXT)})},
    ('GET', '/traits/{name}'): _DONE,
    ('PUT', '/traits/{name}'): _NEW_OR_KNOWN,
    ('DELETE', '/traits/{name}'): _DONE,
    ('POST', '/allocations'): _DONE,
    ('GET', '/allocations/{consumer_uuid}'): {200: _CONSUMER},
    ('PUT', '/allocations/{consumer_uuid}'): _DONE,
    ('DELETE', '/allocations/{consumer_uuid}'): _DONE,
    ('GET', '/allocation_candidates'): {200: _CANDIDATES},
    ('GET', '/usages'): {200: _USAGES},
    ('POST', '/reshaper'): _DONE,
}

_ERROR: JsonObject = {'status': {'type': 'integer'}, 'title': _TEXT, 'detail': _TEXT, 'request_id': _TEXT,
                          'min_version': _TEXT, 'max_version': _TEXT}
_RANGE = ('min_version', 'max_version')
ERROR = Versions({
    '1.0': _listed('errors', obj(_ERROR, optional=_RANGE)),
    '1.23': _listed('errors', obj({**_ERROR, 'code': _TEXT}, optional=(*_RANGE, 'code')))})
"""Every refusal but that of a missing token; a version that is not served has no code."""
