"""The super-conductors look now and then whether what servers have agrees with what is held for them."""

import collections
import logging
from collections.abc import Callable

from nova import audit
from nova.common import clock, metrics
from nova.conductor import work

LOG = logging.getLogger(__name__)

BETWEEN = 10.0
"""Seconds between two looks, of which both must find the same."""
AGAIN = 60.0
"""Seconds at most between two questions whether it is time, and one's own business."""
MOST = 20
"""Differences that one look logs; ``nova-manage audit`` tells all."""


class Audit:
    """Looks, counts what it finds for Prometheus, and mends where it is to.

    Of several super-conductors one looks: the one that cares for the first shard of the API database's tasks.
    The first look comes after a tenth of the time between two.
    """

    def __init__(self, deployment: Callable[[], audit.Deployment], own: work.Work, seconds: float,
                 repairs: bool, between: float = BETWEEN) -> None:
        self._deployment, self._own, self._repairs, self._between = deployment, own, repairs, between
        self._pause = seconds / 10
        self._first = clock.Deadline(self._pause)

    def __call__(self) -> float | None:
        """Seconds until it is to be called again; None is as configured."""
        if not self._first.passed() or 0 not in self._own.keeper.shards():
            return min(AGAIN, self._pause)
        self._look()
        return None

    def _look(self) -> None:
        deployment = self._deployment()
        seen, found = audit.look(deployment, self._between)
        count = collections.Counter(one.kind for one in found)
        for kind in audit.KINDS:
            metrics.AUDIT_FOUND.labels(kind).set(count[kind])
        metrics.AUDIT_SERVERS.set(len(seen.servers))
        metrics.AUDIT_SILENT.set(len(seen.silent))
        metrics.AUDIT_TIME.set(clock.timestamp())
        for one in found[:MOST]:
            LOG.warning('%s %s in cell %s: %s', one.kind, one.server, one.cell, one.what)
        mended = audit.repair(deployment, seen, found) if self._repairs else []
        LOG.info('%d servers were compared, %d differences were found, of which %d are being repaired; %s',
                 len(seen.servers), len(found), len(mended),
                 f'not asked: {", ".join(sorted(seen.silent))}' if seen.silent else 'everybody was asked')
