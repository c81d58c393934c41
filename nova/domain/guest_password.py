"""The sealed password that a guest leaves for its user, among our notes about the server."""

from collections.abc import Mapping

KEY = 'guest_password'
MOST = 1020
"""Characters: what has always been taken."""


def of(notes: Mapping[str, str] | None) -> str:
    return (notes or {}).get(KEY, '')


def put(notes: Mapping[str, str] | None, sealed: str) -> dict[str, str]:
    """The notes with this password; without one when it is empty."""
    rest = {key: value for key, value in (notes or {}).items() if key != KEY}
    return {**rest, KEY: sealed} if sealed else rest
