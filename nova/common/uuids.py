"""UUIDs as text, always dashed and lower case inside the system."""

import contextlib
import uuid
from collections.abc import Callable, Iterator

_source: Callable[[], uuid.UUID] = uuid.uuid4


@contextlib.contextmanager
def use(source: Callable[[], uuid.UUID]) -> Iterator[None]:
    """Have new ones made by `source` meanwhile: a simulation needs the same ones again."""
    global _source
    before, _source = _source, source
    try:
        yield
    finally:
        _source = before


def generate() -> str:
    return str(_source())


def normal(text: str) -> str | None:
    """Dashed lower-case form of `text`, or None when it is no UUID."""
    try:
        value = uuid.UUID(text)
    except (ValueError, AttributeError, TypeError):
        return None
    return str(value) if text.replace('-', '').lower() == value.hex else None


def is_uuid(text: object) -> bool:
    return isinstance(text, str) and normal(text) is not None
