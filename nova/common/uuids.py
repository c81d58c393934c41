"""UUIDs as text, always dashed and lower case inside the system."""

import uuid


def generate() -> str:
    return str(uuid.uuid4())


def normal(text: str) -> str | None:
    """Dashed lower-case form of `text`, or None when it is no UUID."""
    try:
        value = uuid.UUID(text)
    except (ValueError, AttributeError, TypeError):
        return None
    return str(value) if text.replace('-', '').lower() == value.hex else None


def is_uuid(text: object) -> bool:
    return isinstance(text, str) and normal(text) is not None
