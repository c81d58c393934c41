"""What a service does again and again."""

import logging
from collections.abc import Callable

from nova.common import dbkit, threads

LOG = logging.getLogger(__name__)


def ticker(name: str, seconds: float, fn: Callable[[], float | None]) -> threads.Ticker:
    """Call `fn` every `seconds`; what it raises is logged, and it is called again."""
    def complain(error: Exception) -> None:
        if dbkit.is_passing(error):
            LOG.warning('%s could not be done now, because a database is away: %s', name, type(error).__name__)
        else:
            LOG.warning('%s could not be done now: %s', name, error, exc_info=error)
    return threads.Ticker(name, seconds, fn, complain)
