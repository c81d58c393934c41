"""Sizes and column limits."""

Ki = 1024
Mi = 1024 * Ki
Gi = 1024 * Mi

MAX_INT = 0x7FFFFFFF
"""Largest value of an INTEGER column on every database we support."""

MAX_TEXT = 65535
"""Bytes in a TEXT column of MariaDB."""
