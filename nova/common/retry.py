"""Bounded retry with back-off and a deadline."""

from collections.abc import Callable
from typing import Any, TypeVar

import tenacity

T = TypeVar('T')


def call(fn: Callable[..., T], *args: Any, when: Callable[[BaseException], bool], attempts: int = 5,
         seconds: float | None = None, first: float = 0.05, longest: float = 2.0) -> T:
    """Call `fn(*args)` until it succeeds, `when(error)` is false, or the bounds are reached.

    The last error is raised as it is. Waits grow from `first` to `longest` seconds, with full jitter so that
    losers of one race do not meet again.
    """
    stop: Any = tenacity.stop_after_attempt(attempts)
    if seconds is not None:
        stop = stop | tenacity.stop_after_delay(seconds)
    retryer = tenacity.Retrying(
        retry=tenacity.retry_if_exception(when), stop=stop, reraise=True,
        wait=tenacity.wait_random_exponential(multiplier=first, max=longest))
    return retryer(fn, *args)
