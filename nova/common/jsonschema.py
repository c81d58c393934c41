"""JSON Schema validation, compiled once per schema, with messages that name the place."""

from collections.abc import Callable
from typing import NamedTuple

import jsonschema_rs

from nova.common import clock, expressions, jsonutil, problem, uuids
from nova.common.jsonutil import JsonObject

Kind = jsonschema_rs.ValidationErrorKind


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
        expressions.read(value)
    except expressions.Wrong:
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
    'regex': Format(_is_regex, 'a regular expression that every database understands'),
}
"""By name; a service adds its own before it compiles schemas."""

_BUILT_IN = {'ipv4': 'an IPv4 address', 'ipv6': 'an IPv6 address'}
_SPELT_OUT = 12
"""More choices than these are not worth a reader's time."""


class Validator:
    """A compiled schema (draft 2020-12)."""

    def __init__(self, schema: JsonObject) -> None:
        self.schema = schema
        self._compiled = jsonschema_rs.Draft202012Validator(
            schema, formats={name: kind.fits for name, kind in FORMATS.items()}, validate_formats=True)

    def fits(self, document: object) -> bool:
        return self._compiled.is_valid(document)

    def check(self, document: object) -> None:
        """Accept, or raise `Invalid` for the first misfit."""
        found = self.misfit(document)
        if found is not None:
            raise Invalid(path=found.path or '(top level)', value=found.value, why=found.why)

    def misfit(self, document: object) -> 'Misfit | None':
        """The first misfit that is found, or None where the document fits."""
        try:
            if self._compiled.is_valid(document):
                return None
            error, why = self._closest(next(iter(self._compiled.iter_errors(document))))
        except ValueError as deep:
            return Misfit('', '...', str(deep))
        path = '/'.join(str(step) for step in error.instance_path)
        return Misfit(path, str(error.instance)[:200] if path else '...', why[:1000])

    def _closest(self, error: jsonschema_rs.ValidationError) -> tuple[jsonschema_rs.ValidationError, str]:
        """The misfit to tell of, and how. Of alternatives it is that of the one which came closest: the others
        are of another type altogether, or failed nearer to the top. Where several did as well, all are told."""
        kind = error.kind
        if not isinstance(kind, (Kind.AnyOf, Kind.OneOfMultipleValid, Kind.OneOfNotValid)) or not kind.context:
            return error, _told(error, self._means(error))
        tried = [branch[0] for branch in kind.context if branch]
        place = list(error.instance_path)
        meant = [one for one in tried
                 if not isinstance(one.kind, Kind.Type) or list(one.instance_path) != place] or tried
        depth = max(len(one.instance_path) for one in meant)
        best = [self._closest(one) for one in meant if len(one.instance_path) == depth]
        if len(best) == 1:
            return best[0]
        return error, ', and '.join(dict.fromkeys(why for _, why in best))

    def _means(self, error: jsonschema_rs.ValidationError) -> str | None:
        """What the schema that was broken says of itself."""
        part: object = self.schema
        for step in error.schema_path[:-1]:
            match part, step:
                case dict(), str() if step in part:
                    part = part[step]
                case list(), int() if step < len(part):
                    part = part[step]
                case _:  # behind a $ref
                    return None
        return part.get('description') if isinstance(part, dict) else None


class Misfit(NamedTuple):
    """Where a document does not fit, and why.

    Attributes:
        path: of the value, below the document; empty for the document itself.
        value: shown, and cut; ``...`` for the document.
        why: in words.
    """

    path: str
    value: str
    why: str


def _told(error: jsonschema_rs.ValidationError, means: str | None) -> str:
    """What is wrong, for a reader who has not seen the schema.

    Args:
        means: to follow ``is not``: what a text of this pattern is.
    """
    kind = error.kind
    if isinstance(kind, Kind.PropertyNames):
        return f'of a key, {_told(kind.error, means)}'
    shown = jsonutil.dumps(error.instance).decode()[:200]
    if isinstance(kind, Kind.Format):
        means = FORMATS[kind.format].means if kind.format in FORMATS else _BUILT_IN.get(kind.format)
        return f'{shown} is not {means}' if means else error.message
    if isinstance(kind, Kind.Pattern) and means:
        return f'{shown} is not {means}'
    if isinstance(kind, Kind.Enum) and len(kind.options) <= _SPELT_OUT:
        return f'{shown} is not one of {", ".join(jsonutil.dumps(one).decode() for one in kind.options)}'
    if isinstance(kind, Kind.FalseSchema):
        return 'Nothing is expected here'
    return error.message
