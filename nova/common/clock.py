"""Time: the one place that reads a clock, which can be handed in."""

import contextlib
import datetime
import time
import zlib
from collections.abc import Iterator
from typing import Protocol, overload

NEVER = float('inf')
"""When something is due that is not."""


class Clock(Protocol):
    """A machine's clocks."""

    def timestamp(self) -> float:
        """Seconds since 1970 by the clock on the wall, which may be wrong, and be set."""

    def monotonic(self) -> float:
        """Seconds by a clock that never steps back."""


class SystemClock:
    """The clocks of this machine."""

    def timestamp(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


_source: Clock = SystemClock()


@contextlib.contextmanager
def use(source: Clock) -> Iterator[None]:
    """Read this clock meanwhile, everywhere in the process: how a simulation has time pass."""
    global _source
    before, _source = _source, source
    try:
        yield
    finally:
        _source = before


def utcnow() -> datetime.datetime:
    """Current UTC time, naive (databases store it so) and without a zone."""
    return datetime.datetime.fromtimestamp(_source.timestamp(), datetime.UTC).replace(tzinfo=None)


def timestamp() -> float:
    """Seconds since 1970, as files have their times."""
    return _source.timestamp()


def monotonic() -> float:
    """Seconds on a clock that never steps back; only differences mean anything."""
    return _source.monotonic()


def turn(name: str, seconds: float, now: float) -> float:
    """When `name`, which has just had its turn, has the next one: in `seconds` at most, half of them at least.

    Each name comes to turns of its own: they are spread over the interval, whatever has brought many together,
    such as a start at the same time, or a standstill after which everybody was late.
    """
    own = zlib.crc32(name.encode()) / 2**32 * seconds
    left = seconds - (now - own) % seconds
    if left < seconds * 1e-6:  # that is the turn it has just had
        return now + seconds
    return now + (left if left >= seconds / 2 else (left + seconds) / 2)


@overload
def isotime(when: datetime.datetime) -> str: ...
@overload
def isotime(when: None) -> None: ...
def isotime(when: datetime.datetime | None) -> str | None:
    """Format as the API shows most times: ``2026-01-31T12:00:00Z``."""
    return when.strftime('%Y-%m-%dT%H:%M:%SZ') if when else None


@overload
def strtime(when: datetime.datetime) -> str: ...
@overload
def strtime(when: None) -> None: ...
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
