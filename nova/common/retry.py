"""Bounded retry with back-off and a deadline."""

import random
from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

from nova.common import clock, threads

T = TypeVar('T')
Ts = TypeVarTuple('Ts')


def call(fn: Callable[[*Ts], T], *args: *Ts, when: Callable[[BaseException], bool], attempts: int = 5,
         seconds: float | None = None, first: float = 0.05, longest: float = 2.0) -> T:
    """Call `fn(*args)` until it succeeds, `when(error)` is false, or the bounds are reached.

    The last error is raised as it is. Waits grow from `first` to `longest` seconds, with full jitter so that
    losers of one race do not meet again.
    """
    deadline = clock.Deadline(seconds)
    pause, attempt = first, 1
    while True:
        try:
            return fn(*args)
        except Exception as error:
            if attempt >= attempts or deadline.passed() or not when(error):
                raise
        threads.sleep(random.uniform(0, min(longest, pause)))
        pause, attempt = min(longest, 2 * pause), attempt + 1
