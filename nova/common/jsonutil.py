"""JSON in and out, on orjson, with the few types of ours it does not know."""

import datetime
from typing import Any

import orjson

from nova.common import clock

JsonObject = dict[str, Any]  # type: ignore[explicit-any]
"""A JSON object whose shape a schema vouches for, or who wrote it: a request, an answer, a document in a row.
Its values are `Any`: it is read without casts. What only passes one on says ``Mapping[str, object]``."""


def _default(value: object) -> object:
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, datetime.datetime):
        return clock.isotime(value)
    if isinstance(value, bytes):
        return value.decode()
    raise TypeError(f'{type(value).__name__} has no JSON form')


def dumps(value: object) -> bytes:
    """UTF-8 JSON; datetimes as ``...Z`` text, sets as sorted lists.

    A copy: what orjson returns holds on to the room in which it wrote, up to five times as much, and some of it
    is kept for as long as a server lives.
    """
    made = orjson.dumps(
        value, default=_default,
        option=orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS)
    return bytes(memoryview(made))


def text(value: object) -> str:
    return dumps(value).decode()


def loads(data: bytes | str) -> Any:  # type: ignore[explicit-any]
    """Parse JSON.

    Raises:
        ValueError: not JSON.
    """
    return orjson.loads(data)
