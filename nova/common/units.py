"""Sizes and column limits."""

Ki = 1024
Mi = 1024 * Ki
Gi = 1024 * Mi

MAX_INT = 0x7FFFFFFF
"""Largest value of an INTEGER column on every database we support."""

MAX_TEXT = 65535
"""Bytes in a TEXT column of MariaDB."""

_MAX_COMPARED = 0x7FFFFFFFFFFFFFFF


def number(text: str) -> int:
    """The number that a text means, to be compared with a column: what no column can hold, and some drivers
    refuse to send, becomes the nearest number that every database compares with.

    Raises:
        ValueError: it is not a number.
    """
    return max(-_MAX_COMPARED, min(_MAX_COMPARED, int(text)))
