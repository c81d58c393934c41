"""JSON schemas that differ by microversion: written once per turning point, compiled on first use."""

import functools
from typing import Any

from nova.common import jsonschema
from nova.common.microversion import V
from nova.placement import errors

MAX_INT = 0x7FFFFFFF
"""Largest amount of an inventory, and largest integer the tables hold."""

UUID: dict[str, Any] = {'type': 'string', 'format': 'uuid'}
NAME: dict[str, Any] = {'type': 'string', 'pattern': '^[A-Z0-9_]+$',
                        'description': 'a name of capital letters, digits and underscores'}
CUSTOM_NAME: dict[str, Any] = {
    'type': 'string', 'pattern': '^CUSTOM_[A-Z0-9_]+$', 'maxLength': 255,
    'description': 'CUSTOM_ and then a name of capital letters, digits and underscores'}
GENERATION: dict[str, Any] = {'type': 'integer'}
AGENT: dict[str, Any] = {'type': 'string', 'minLength': 1, 'maxLength': 255}
"""A project or user id as the identity service gives it."""


def obj(properties: dict[str, Any], *, optional: tuple[str, ...] = ()) -> dict[str, Any]:
    """An object with exactly these properties, all required but the optional ones."""
    return {'type': 'object', 'properties': properties, 'additionalProperties': False,
            'required': [name for name in properties if name not in optional]}


def keyed(names: dict[str, Any], value: dict[str, Any], **bounds: Any) -> dict[str, Any]:
    """An object whose keys all fit the schema `names`."""
    return {'type': 'object', 'propertyNames': names, 'additionalProperties': value, **bounds}


class Versions:
    """A schema that changes over microversions.

    Args:
        turns: the schema by the microversion from which it holds.
    """

    def __init__(self, turns: dict[str, dict[str, Any]]) -> None:
        self.turns = sorted((V(text), schema) for text, schema in turns.items())
        self._compiled: dict[V, jsonschema.Validator] = {}

    def at(self, version: V) -> dict[str, Any]:
        return self._turn(version)[1]

    def check(self, document: Any, version: V, what: str) -> None:
        """Accept, or say what is wrong with it.

        Args:
            what: the document is, such as ``request body``.

        Raises:
            BadRequest: it names the place, below the document, and why.
        """
        since, schema = self._turn(version)
        validator = self._compiled.get(since)
        if validator is None:
            validator = self._compiled[since] = jsonschema.Validator(schema)
        misfit = validator.misfit(document)
        if misfit is not None:
            place = f'{misfit.path}: ' if misfit.path else ''
            raise errors.BadRequest(f'Invalid {what}: {place}{misfit.why}.')

    def _turn(self, version: V) -> tuple[V, dict[str, Any]]:
        return next(turn for turn in reversed(self.turns) if turn[0] <= version)


@functools.lru_cache(maxsize=1)
def nothing() -> Versions:
    """For routes that take no query: any key is refused."""
    return Versions({'1.0': {'type': 'object', 'additionalProperties': False}})
