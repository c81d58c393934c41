"""Microversions: parsing, comparing and negotiating them."""

import functools
import re
from collections.abc import Callable

from nova.common import problem

HEADER = 'OpenStack-API-Version'

_SHAPE = re.compile(r'^([1-9]\d*)\.([1-9]\d*|0)$')
_ZERO = re.compile(r'^0\.\d+$')


class V(tuple[int, int]):
    """A microversion; compares as a pair of integers: ``V('2.9') < V('2.10')``."""

    __slots__ = ()

    def __new__(cls, text: str) -> 'V':
        match = _SHAPE.match(text)
        if not match:
            raise ValueError(f'{text!r} is not a microversion')
        return super().__new__(cls, (int(match[1]), int(match[2])))

    def __str__(self) -> str:
        return f'{self[0]}.{self[1]}'

    def __repr__(self) -> str:
        return f"V('{self}')"

    def next(self) -> 'V':
        """The microversion right after this one."""
        return V(f'{self[0]}.{self[1] + 1}')


class Malformed(problem.BadRequest):
    code = 'microversion_malformed'
    template = "API Version String '{text}' is of invalid format. It must be of format Major.Minor."


class OutOfRange(problem.NotAcceptable):
    code = 'microversion_out_of_range'
    template = ('Version {text} is not supported by the API. Minimum is {low} and maximum is {high}.')


@functools.lru_cache(maxsize=512)
def _version(text: str) -> V | None:
    try:
        return V(text)
    except ValueError:
        return None


def asked(header: str | None, service: str) -> str | None:
    """The version text that a header asks of `service`; the last mention wins.

    A header may name several services: ``compute 2.10,identity 3.1``.
    """
    found = None
    for part in (header or '').split(','):
        words = part.strip().lower().split(None, 1)
        if len(words) == 2 and words[0] == service:
            found = words[1].strip()
    return found


def negotiate(get_header: Callable[[str], str | None], service: str, low: V, high: V,
              legacy: str | None = None, zero: bool = False) -> V:
    """Choose the microversion of a request.

    Args:
        get_header: returns a request header's value or None.
        service: service type that the header must name.
        low: served when nothing is asked for.
        high: what ``latest`` means.
        legacy: an older header whose value is the version alone; the newer header wins.
        zero: versions that begin with 0 are out of range; otherwise they are malformed.

    Raises:
        Malformed: 400.
        OutOfRange: 406.
    """
    text = asked(get_header(HEADER), service)
    if text is None and legacy:
        text = (get_header(legacy) or '').strip().lower() or None
    if text is None:
        return low
    if text == 'latest':
        return high
    version = _version(text)
    if version is None and zero and _ZERO.match(text):
        raise OutOfRange(text=text, low=low, high=high)
    if version is None:
        raise Malformed(text=text)
    if not low <= version <= high:
        raise OutOfRange(text=text, low=low, high=high)
    return version
