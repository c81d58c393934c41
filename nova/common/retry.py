"""Bounded retry with back-off and a deadline."""

from collections.abc import Callable
from typing import Any, TypeVar

import tenacity

from nova.common import clock, threads

T = TypeVar('T')


def call(fn: Callable[..., T], *args: Any, when: Callable[[BaseException], bool], attempts: int = 5,
         seconds: float | None = None, first: float = 0.05, longest: float = 2.0) -> T:
    """Call `fn(*args)` until it succeeds, `when(error)` is false, or the bounds are reached.

    The last error is raised as it is. Waits grow from `first` to `longest` seconds, with full jitter so that
    losers of one race do not meet again.
    """
    deadline = clock.Deadline(seconds)
    retryer = tenacity.Retrying(
        retry=tenacity.retry_if_exception(when), reraise=True, sleep=threads.sleep,
        stop=lambda state: state.attempt_number >= attempts or deadline.passed(),
        wait=tenacity.wait_random_exponential(multiplier=first, max=longest))
    return retryer(fn, *args)
