"""The older ``/v2`` address: the same handlers at 2.1, where undeclared keys of a body are dropped and blanks
around names trimmed, not refused.
"""

from collections.abc import Mapping

from nova.common.jsonutil import JsonObject


def loosen(schema: Mapping[str, object]) -> JsonObject:
    """The same schema without any refusal of undeclared keys."""
    return {key: _loosened(value) for key, value in schema.items()
            if not (key == 'additionalProperties' and value is False)}


def _loosened(part: object) -> object:
    if isinstance(part, Mapping):
        return loosen(part)
    return [_loosened(value) for value in part] if isinstance(part, list) else part


def prune(document: JsonObject, schema: JsonObject) -> JsonObject:
    """A document without the keys that the strict `schema` would refuse."""
    if schema.get('additionalProperties') is not False:
        return document
    known = schema.get('properties', {})
    return {key: _pruned(item, known[key]) for key, item in document.items() if key in known}


def _pruned(value: object, schema: JsonObject) -> object:
    if isinstance(value, dict):
        return prune(value, schema)
    if isinstance(value, list) and 'items' in schema:
        return [_pruned(item, schema['items']) for item in value]
    return value


_NAMES = frozenset({'name', 'az_name', 'keypair-chars', 'flavor-id-chars'})
"""Formats of texts that refuse blanks at their ends."""


def trim(value: object, schema: object) -> object:
    """A document without blanks around the names in it."""
    if not isinstance(schema, Mapping):
        return value
    if isinstance(value, str):
        return value.strip() if schema.get('format') in _NAMES else value
    if isinstance(value, dict):
        known = schema.get('properties', {})
        return {key: trim(item, known.get(key)) for key, item in value.items()}
    if isinstance(value, list):
        return [trim(item, schema.get('items')) for item in value]
    return value
