"""JSON Schema validation, compiled once per schema, with messages that name the place."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import jsonschema_rs

from nova.common import clock, jsonutil, problem, uuids


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


class Format(NamedTuple):
    """What texts of a format are like.

    Attributes:
        fits: whether a text is one.
        means: to follow ``is not``: how a reader is told what would be.
    """

    fits: Callable[[str], bool]
    means: str


FORMATS: dict[str, Format] = {
    'uuid': Format(uuids.is_uuid, 'a UUID'),
    'date-time': Format(_is_time, 'a time like 2026-01-31T23:59:59Z'),
    'regex': Format(_is_regex, 'a regular expression'),
}
"""By name; a service adds its own before it compiles schemas."""

_BUILT_IN = {'ipv4': 'an IPv4 address', 'ipv6': 'an IPv6 address'}
_SPELT_OUT = 12
"""More choices than these are not worth a reader's time."""


class Validator:
    """A compiled schema (draft 2020-12)."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self.schema = schema
        self._compiled = jsonschema_rs.Draft202012Validator(
            schema, formats={name: kind.fits for name, kind in FORMATS.items()}, validate_formats=True)

    def fits(self, document: Any) -> bool:
        return self._compiled.is_valid(document)

    def check(self, document: Any) -> None:
        """Accept, or raise `Invalid` for the first misfit."""
        try:
            if self._compiled.is_valid(document):
                return
            error, why = _closest(next(iter(self._compiled.iter_errors(document))))
        except ValueError as deep:
            raise Invalid(path='(top level)', value='...', why=str(deep)) from None
        path = '/'.join(str(step) for step in error.instance_path) or '(top level)'
        value = error.instance if error.instance_path else '...'
        raise Invalid(path=path, value=str(value)[:200], why=why[:1000])


def _closest(error: Any) -> tuple[Any, str]:
    """The misfit to tell of, and how. Of alternatives it is that of the one which came closest: the others are
    of another type altogether, or failed nearer to the top. Where several did as well, all are told."""
    if error.kind.name not in ('anyOf', 'oneOf') or not error.kind.context:
        return error, _told(error)
    tried = [branch[0] for branch in error.kind.context if branch]
    place = list(error.instance_path)
    meant = [one for one in tried if one.kind.name != 'type' or list(one.instance_path) != place] or tried
    depth = max(len(one.instance_path) for one in meant)
    best = [_closest(one) for one in meant if len(one.instance_path) == depth]
    if len(best) == 1:
        return best[0]
    return error, ', and '.join(dict.fromkeys(why for _, why in best))


def _told(error: Any) -> str:
    """What is wrong, for a reader who has not seen the schema."""
    kind = error.kind
    shown = jsonutil.dumps(error.instance).decode()[:200]
    if kind.name == 'format':
        means = FORMATS[kind.format].means if kind.format in FORMATS else _BUILT_IN.get(kind.format)
        return f'{shown} is not {means}' if means else error.message
    if kind.name == 'enum' and len(kind.options) <= _SPELT_OUT:
        return f'{shown} is not one of {", ".join(jsonutil.dumps(one).decode() for one in kind.options)}'
    if kind.name == 'falseSchema':
        return 'Nothing is expected here'
    return error.message
