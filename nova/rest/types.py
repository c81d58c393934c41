"""The types that fields are made of: JSON schemas under the API's own names, and the formats they use.

Types are plain mappings, so that they combine with ``{**NAME, 'maxLength': 60}`` and the functions below.
Formats are checked for strings only.
"""

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Mapping

from nova.common import jsonschema, units, uuids

Type = Mapping[str, object]
"""A JSON schema."""
Kind = Type | type
"""What a field is: a JSON schema, or the class of a document; schemas may have such classes inside."""


def _pattern(text: str) -> Callable[[str], bool]:
    match = re.compile(text).fullmatch
    return lambda value: match(value) is not None


def _is_ip(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def _is_base64(value: str) -> bool:
    try:
        base64.b64decode(''.join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _is_name(value: str) -> bool:
    """Printable (blanks of any kind included), no blank at either end."""
    return bool(value) and value == value.strip() and _is_printable(value)


def _is_printable(value: str) -> bool:
    return all(char.isprintable() or char == '\u3000' for char in value)


def last_part(ref: str) -> str:
    """What a reference names: itself, or what stands at the end of a link's path."""
    path = ref.partition('?')[0].partition('#')[0]
    return path.rstrip('/').rpartition('/')[2] if '/' in path else ref


_LETTERS = 'letters, digits'
_NO_BLANK_AT_ENDS = 'with no blank at either end'

jsonschema.FORMATS.update({
    name: jsonschema.Format(fits, means) for name, fits, means in (
        ('name', _is_name, f'printable text {_NO_BLANK_AT_ENDS}'),
        ('az_name', lambda value: _is_name(value) and ':' not in value,
         f'printable text without colons, {_NO_BLANK_AT_ENDS}'),
        ('printable', _is_printable, 'printable text'),
        ('uuid-or-link', lambda value: not value or uuids.is_uuid(last_part(value)),
         'a UUID, or a link that ends in one'),
        ('base64', _is_base64, 'text encoded in base64'),
        ('ip', _is_ip, 'an IP address'),
        ('host-chars', _pattern(r'[a-zA-Z0-9\-._]*'), f'made of {_LETTERS}, ".", "-" and "_"'),
        ('host-label', _pattern(r'[a-zA-Z0-9]+[a-zA-Z0-9-]*[a-zA-Z0-9]+'),
         f'made of {_LETTERS} and, within, "-"'),
        ('id-chars', _pattern(r'[a-zA-Z0-9._-]*'), f'made of {_LETTERS}, ".", "-" and "_"'),
        ('share-tag', _pattern(r'[a-zA-Z0-9-]*'), f'made of {_LETTERS} and "-"'),
        ('dev-path', _pattern(r'[A-Za-z0-9._/-]*'), f'made of {_LETTERS}, ".", "-", "_" and "/"'),
        ('device', _pattern(r'/dev/x?[a-z]?d?[a-z]+[0-9]*'), 'the path of a device, such as /dev/vdb'),
        ('flavor-id-chars', _pattern(r'(?! )[a-zA-Z0-9. _-]+(?<! )'),
         f'made of {_LETTERS}, blanks, ".", "-" and "_", {_NO_BLANK_AT_ENDS}'),
        ('keypair-chars', _pattern(r'(?! )[a-zA-Z0-9 _-]+(?<! )'),
         f'made of {_LETTERS}, blanks, "-" and "_", {_NO_BLANK_AT_ENDS}'),
        ('keypair-chars-v292', _pattern(r'(?! )[a-zA-Z0-9 ._@-]+(?<! )'),
         f'made of {_LETTERS}, blanks, "@", ".", "-" and "_", {_NO_BLANK_AT_ENDS}'),
        ('no-comma-slash', _pattern(r'[^,/]*'), 'free of "," and "/"'),
        ('slash-prefix', _pattern(r'/[0-9a-f.:]+'), 'a "/" and the length of a prefix'),
        ('decimal', _pattern(r'\d*\.?\d+'), 'a decimal number'))
})


def text(low: int | None = None, high: int | None = None, format: str | None = None) -> Type:
    """A string of `low` to `high` characters."""
    kind: dict[str, object] = {'type': 'string'}
    if low is not None:
        kind['minLength'] = low
    if high is not None:
        kind['maxLength'] = high
    if format is not None:
        kind['format'] = format
    return kind


def nullable(kind: Kind) -> Type:
    """The type, or null."""
    words = kind.get('type') if isinstance(kind, Mapping) else None
    if isinstance(kind, type) or words is None:
        return {'anyOf': [kind, {'type': 'null'}]}
    wider = {**kind, 'type': [*(words if isinstance(words, list) else [words]), 'null']}
    choices = kind.get('enum')
    return {**wider, 'enum': [*choices, None]} if isinstance(choices, list) else wider


def array(items: Kind, low: int | None = None, high: int | None = None, unique: bool = False) -> Type:
    """A list of `low` to `high` items."""
    kind: dict[str, object] = {'type': 'array', 'items': items}
    if low is not None:
        kind['minItems'] = low
    if high is not None:
        kind['maxItems'] = high
    if unique:
        kind['uniqueItems'] = True
    return kind


def single(kind: Kind) -> Type:
    """A query key that may be given once only."""
    return array(kind, high=1)


def enum(*words: object) -> Type:
    return {'enum': list(words)}


def either(*kinds: Kind) -> Type:
    return {'anyOf': list(kinds)}


def mapping(value: Kind, key: str = r'^[a-zA-Z0-9-_:. ]{1,255}$') -> Type:
    """An object with any keys of the pattern `key`, all of the type `value`."""
    return {'type': 'object', 'additionalProperties': False, 'patternProperties': {key: value}}


_DIGITS = 100
"""Nobody means a longer number, and Python reads none of thousands."""


def _range(low: int | None, high: int | None) -> str:
    if low is None:
        return 'an integer' if high is None else f'an integer of at most {high}'
    return f'an integer of at least {low}' if high is None else f'an integer from {low} to {high}'


def integer(low: int | None = None, high: int | None = None) -> Type:
    """An integer, or a string of digits, from `low` to `high`."""
    name = f'integer {"" if low is None else low}..{"" if high is None else high}'

    sign = '-?' if low is None or low < 0 else ''

    def fits(value: str) -> bool:
        if not re.fullmatch(rf'{sign}[0-9]{{1,{_DIGITS}}}', value):
            return False
        number = int(value)
        return (low is None or number >= low) and (high is None or number <= high)
    jsonschema.FORMATS.setdefault(name, jsonschema.Format(fits, _range(low, high)))
    kind: dict[str, object] = {'type': ['integer', 'string'], 'format': name}
    if low is not None:
        kind['minimum'] = low
    if high is not None:
        kind['maximum'] = high
    return kind


_TRUE = (True, 'True', 'TRUE', 'true', '1', 'ON', 'On', 'on', 'YES', 'Yes', 'yes')
_FALSE = (False, 'False', 'FALSE', 'false', '0', 'OFF', 'Off', 'off', 'NO', 'No', 'no')


def canonical_ip(value: str | None) -> str | None:
    """An address as RFC 5952 writes it, so that what is found by it is found however it was typed."""
    return str(ipaddress.ip_address(value)) if value else None


def is_true(value: object) -> bool:
    """What a `BOOLISH` value means."""
    return value is True or (isinstance(value, str) and value in _TRUE)


def is_false(value: object) -> bool:
    return value is False or (isinstance(value, str) and value in _FALSE)


ANY: Type = {}
TEXT = text()
INTEGER: Type = {'type': 'integer'}
NUMBER: Type = {'type': 'number'}
BOOLEAN: Type = {'type': 'boolean'}
BOOLEANS = (*_TRUE, *_FALSE)
BOOLISH = enum(*BOOLEANS)
NULL: Type = {'type': 'null'}
EMPTY: Type = {'type': 'object', 'maxProperties': 0}
OBJECT: Type = {'type': 'object'}
TIME = text(format='date-time')
UUID = text(format='uuid')
NAME = text(1, 255, 'name')
AZ_NAME = text(1, 255, 'az_name')
DESCRIPTION = text(0, 255, 'printable')
HOST = text(1, 255, 'host-chars')
HOSTNAME = text(2, 63, 'host-label')
FQDN = text(1, 255, 'host-chars')
TAG = text(1, 60, 'no-comma-slash')
KEY = text(1, 255)
LIMIT = integer(0)
REGEX = text(format='regex')
BASE64 = text(high=65535, format='base64')
DISK_CONFIG: Type = {'type': 'string', 'enum': ['AUTO', 'MANUAL']}
FLAVOR_REF: Type = {'type': ['string', 'integer'], 'minLength': 1}
METADATA = mapping(text(high=255))
POSITIVE = integer(1, units.MAX_INT)
NON_NEGATIVE = integer(0, units.MAX_INT)
LINK: Type = {'type': 'object', 'properties': {'rel': TEXT, 'href': TEXT, 'type': TEXT},
              'required': ['rel', 'href'], 'additionalProperties': False}
LINKS = array(LINK)
