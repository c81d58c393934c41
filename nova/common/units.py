"""Sizes and column limits."""

Ki = 1024
Mi = 1024 * Ki
Gi = 1024 * Mi

MAX_INT = 0x7FFFFFFF
"""Largest value of an INTEGER column on every database we support."""

MAX_TEXT = 65535
"""Bytes in a TEXT column of MariaDB."""


def number(text: str) -> int:
    """The number that a text means, to be compared with a column: what no column can hold, and some drivers
    and databases refuse to compare with, becomes the nearest number that can be.

    Raises:
        ValueError: it is not a number.
    """
    return max(-MAX_INT, min(MAX_INT, int(text)))
