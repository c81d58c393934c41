"""Secrets that have to wait in a database or on a bus for a moment: unreadable to whoever has only those."""

import base64
import hashlib
from collections.abc import Iterable

from cryptography import fernet


class Broken(Exception):
    """What was sealed cannot be opened: with another key, or it is no seal at all."""


class Seal:
    """Closes and opens texts with a key that is made of `secrets`; processes that share these share the key."""

    def __init__(self, secrets: Iterable[str]) -> None:
        digest = hashlib.sha256('\0'.join(['nova sealed', *secrets]).encode()).digest()
        self._fernet = fernet.Fernet(base64.urlsafe_b64encode(digest))

    def close(self, text: str) -> str:
        """`text`, sealed."""
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """What was sealed.

        Raises:
            Broken: the key is another one.
        """
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except fernet.InvalidToken:
            raise Broken from None
