"""JSON Schema validation, compiled once per schema, with messages that name the place."""

import re
from collections.abc import Callable
from typing import Any

import jsonschema_rs

from nova.common import clock, problem, uuids


class Invalid(problem.BadRequest):
    """The document does not fit its schema."""

    code = 'validation'
    template = 'Invalid input for field/attribute {path}. Value: {value}. {why}'


def _is_time(value: str) -> bool:
    try:
        clock.parse(value)
    except ValueError:
        return False
    return True


def _is_regex(value: str) -> bool:
    try:
        re.compile(value)
    except re.error:
        return False
    return True


FORMATS: dict[str, Callable[[str], bool]] = {
    'uuid': uuids.is_uuid,
    'date-time': _is_time,
    'regex': _is_regex,
}
"""Checks by format name; a service adds its own before it compiles schemas."""


class Validator:
    """A compiled schema (draft 2020-12)."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self.schema = schema
        self._compiled = jsonschema_rs.Draft202012Validator(
            schema, formats=FORMATS, validate_formats=True)

    def fits(self, document: Any) -> bool:
        return self._compiled.is_valid(document)

    def check(self, document: Any) -> None:
        """Accept, or raise `Invalid` for the first misfit."""
        try:
            if self._compiled.is_valid(document):
                return
            error = next(iter(self._compiled.iter_errors(document)))
        except ValueError as deep:
            raise Invalid(path='(top level)', value='...', why=str(deep)) from None
        path = '/'.join(str(step) for step in error.instance_path) or '(top level)'
        value = error.instance if error.instance_path else '...'
        raise Invalid(path=path, value=str(value)[:200], why=error.message[:1000])
