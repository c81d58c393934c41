"""JSON schemas that differ by microversion: written once per turning point, compiled on first use."""

import functools

from nova.common import jsonschema
from nova.common.jsonutil import JsonObject
from nova.common.microversion import V
from nova.placement import errors

MAX_INT = 0x7FFFFFFF
"""Largest amount of an inventory, and largest integer the tables hold."""

UUID: JsonObject = {'type': 'string', 'format': 'uuid'}
NAME: JsonObject = {'type': 'string', 'pattern': '^[A-Z0-9_]+$',
                        'description': 'a name of capital letters, digits and underscores'}
CUSTOM_NAME: JsonObject = {
    'type': 'string', 'pattern': '^CUSTOM_[A-Z0-9_]+$', 'maxLength': 255,
    'description': 'CUSTOM_ and then a name of capital letters, digits and underscores'}
GENERATION: JsonObject = {'type': 'integer'}
AGENT: JsonObject = {'type': 'string', 'minLength': 1, 'maxLength': 255}
"""A project or user id as the identity service gives it."""


def obj(properties: JsonObject, *, optional: tuple[str, ...] = ()) -> JsonObject:
    """An object with exactly these properties, all required but the optional ones."""
    return {'type': 'object', 'properties': properties, 'additionalProperties': False,
            'required': [name for name in properties if name not in optional]}


def keyed(names: JsonObject, value: JsonObject, **bounds: object) -> JsonObject:
    """An object whose keys all fit the schema `names`."""
    return {'type': 'object', 'propertyNames': names, 'additionalProperties': value, **bounds}


class Versions:
    """A schema that changes over microversions.

    Args:
        turns: the schema by the microversion from which it holds.
    """

    def __init__(self, turns: dict[str, JsonObject]) -> None:
        self.turns = sorted((V(text), schema) for text, schema in turns.items())
        self._compiled: dict[V, jsonschema.Validator] = {}

    def at(self, version: V) -> JsonObject:
        return self._turn(version)[1]

    def check(self, document: object, version: V, what: str) -> None:
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

    def _turn(self, version: V) -> tuple[V, JsonObject]:
        return next(turn for turn in reversed(self.turns) if turn[0] <= version)


@functools.lru_cache(maxsize=1)
def nothing() -> Versions:
    """For routes that take no query: any key is refused."""
    return Versions({'1.0': {'type': 'object', 'additionalProperties': False}})
