"""Time: the one place that reads a clock, so that tests can freeze it here."""

import datetime
import time


def utcnow() -> datetime.datetime:
    """Current UTC time, naive (databases store it so) and without a zone."""
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None)


def monotonic() -> float:
    """Seconds on a clock that never steps back; only differences mean anything."""
    return time.monotonic()


def isotime(when: datetime.datetime | None) -> str | None:
    """Format as the API shows most times: ``2026-01-31T12:00:00Z``."""
    return when.strftime('%Y-%m-%dT%H:%M:%SZ') if when else None


def strtime(when: datetime.datetime | None) -> str | None:
    """Format as extended attributes show times: microseconds, no zone."""
    return when.strftime('%Y-%m-%dT%H:%M:%S.%f') if when else None


def parse(text: str) -> datetime.datetime:
    """Read an ISO 8601 time into naive UTC.

    Raises:
        ValueError: the text is not a time.
    """
    when = datetime.datetime.fromisoformat(text)
    return when.astimezone(datetime.UTC).replace(tzinfo=None) if when.tzinfo else when


class Deadline:
    """A point on the monotonic clock, `seconds` from now; None never passes."""

    def __init__(self, seconds: float | None) -> None:
        self._end = None if seconds is None else monotonic() + seconds

    def left(self) -> float | None:
        """Seconds left, at least 0; None when it never passes."""
        return None if self._end is None else max(0.0, self._end - monotonic())

    def passed(self) -> bool:
        return self._end is not None and monotonic() >= self._end
