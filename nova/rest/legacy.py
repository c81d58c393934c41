"""The older ``/v2`` address: the same handlers at 2.1, where undeclared keys of a body are dropped and blanks
around names trimmed, not refused.
"""

from collections.abc import Mapping
from typing import Any


def loosen(schema: Any) -> Any:
    """The same schema without any refusal of undeclared keys."""
    if isinstance(schema, Mapping):
        return {key: loosen(value) for key, value in schema.items()
                if not (key == 'additionalProperties' and value is False)}
    if isinstance(schema, list):
        return [loosen(value) for value in schema]
    return schema


def prune(value: Any, schema: Mapping[str, Any]) -> Any:
    """Drop from a document the keys that the strict `schema` would refuse."""
    if isinstance(value, dict) and schema.get('additionalProperties') is False:
        known = schema.get('properties', {})
        return {key: prune(item, known[key]) for key, item in value.items() if key in known}
    if isinstance(value, list) and 'items' in schema:
        return [prune(item, schema['items']) for item in value]
    return value


_NAMES = frozenset({'name', 'az_name', 'keypair-chars', 'flavor-id-chars'})
"""Formats of texts that refuse blanks at their ends."""


def trim(value: Any, schema: Any) -> Any:
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
