"""User data: opaque to us, base64 on the wire and in the database, bytes for the guest."""

import base64
import binascii

from nova.common import problem
from nova.common.units import MAX_TEXT


def check(text: str) -> None:
    """Refuse what no guest could read.

    Raises:
        BadRequest: not base64, or longer than the column that keeps it (65535 characters).
    """
    if len(text) > MAX_TEXT:
        raise problem.BadRequest(f'User data too large: at most {MAX_TEXT} characters of base64 are kept.')
    try:
        decode(text)
    except ValueError:
        raise problem.BadRequest('User data needs to be valid base 64.') from None


def decode(text: str) -> bytes:
    """The bytes a guest is handed.

    Raises:
        ValueError: not base64. Line breaks, which encoders like to add, are allowed.
    """
    try:
        return base64.b64decode(''.join(text.split()), validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None
