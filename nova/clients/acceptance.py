"""Whether a refusal is a neighbour's word, or that of a service which is not ready yet.

Neutron answers 403 to everything until it has read its policy. So a 403 is not its word just after it was away,
nor where our own credentials were good for the same kind of request before. That ends by itself: a minute after
it was last away a user's 403 is final.
"""

from nova.common import clock, uuids

_STARTING = 60.0
"""Seconds after it was away in which a neighbour may refuse what it allows once it has read its policy."""


class Acceptance:
    """What one neighbour has allowed us, and when it was away."""

    def __init__(self) -> None:
        self._allowed: set[str] = set()
        self._starts_until = 0.0

    @staticmethod
    def _kind(method: str, path: str) -> str:
        return method + ' ' + '/'.join('*' if uuids.is_uuid(part) else part for part in path.split('/'))

    def was_away(self) -> None:
        """It could not be reached, or asked for patience."""
        self._starts_until = clock.monotonic() + _STARTING

    def allowed(self, method: str, path: str) -> None:
        """Our own credentials were good for a request."""
        self._allowed.add(self._kind(method, path))

    def is_starting(self, method: str, path: str, as_user: bool) -> bool:
        """Whether a 403 means that it is not ready yet."""
        if not as_user and self._kind(method, path) in self._allowed:
            self.was_away()
        return clock.monotonic() < self._starts_until
