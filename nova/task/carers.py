"""Which worker cares for which open task: one for each, so that cost grows with the tasks alone.

Every task has a shard for life. A shard is the business of the living worker that rendezvous hashing gives it:
when a worker comes or goes, only its own shards change hands. Workers that differ for a moment about who lives
do no harm: two that care for one task compare its generation, and one for which nobody cares waits a second.
"""

import dataclasses
import functools
import hashlib
from collections.abc import Collection

from nova.objects import task as rows

Group = tuple[str, ...]
"""Workers among which shards are divided."""


@dataclasses.dataclass(frozen=True, slots=True)
class Worker:
    """What a worker says of itself in its lease.

    Attributes:
        supers: it may run steps above the cells.
        knows: the flows that it can run, each as `flow.Flow.key`.
    """

    uuid: str
    supers: bool
    knows: frozenset[str]


@functools.lru_cache(maxsize=64)
def divide(group: Group) -> Group:
    """The worker that each shard falls to."""
    if len(group) == 1:
        return group * rows.SHARDS

    def weight(worker: str, shard: int) -> bytes:
        return hashlib.blake2b(f'{worker}/{shard}'.encode(), digest_size=8).digest()
    return tuple(max(group, key=lambda worker: weight(worker, shard)) for shard in range(rows.SHARDS))


class Carers:
    """The division of the open tasks among the living, as one of them sees it.

    Steps above the cells are for super-conductors alone. All else is for the conductors of the cell, and for
    super-conductors where there are none. What only some know how to run is theirs, and what nobody knows is
    everybody's: somebody has to end it.
    """

    def __init__(self, own: str) -> None:
        self._own = own
        self._living: frozenset[Worker] = frozenset()
        self._shards: dict[bool, tuple[int, ...]] = {}
        self._groups: dict[tuple[bool, str], Group] = {}

    def meet(self, living: Collection[Worker]) -> None:
        """Take note of who lives."""
        if frozenset(living) == self._living:
            return
        self._living, self._groups = frozenset(living), {}
        knows = [worker.knows for worker in self._living] or [frozenset()]
        # What all know falls to the same workers as what nobody knows.
        keys = knows[0].union(*knows) - knows[0].intersection(*knows) | {''}
        for above in (False, True):
            groups = {self._group(above, key) for key in keys}
            self._shards[above] = tuple(sorted({
                shard for group in groups if group
                for shard, worker in enumerate(divide(group)) if worker == self._own}))

    def shards(self, above: bool) -> tuple[int, ...]:
        """Where our tasks can be, among those that wait for a super-conductor or among all others."""
        return self._shards.get(above, ())

    def cares(self, task: rows.Task, key: str) -> bool:
        """Whether a task of the flow with this key is ours."""
        group = self._group(task.runs_at == 'super', key)
        return bool(group) and divide(group)[task.shard] == self._own

    def _group(self, above: bool, key: str) -> Group:
        """Who cares for tasks of the flow with this key."""
        if (above, key) not in self._groups:
            self._groups[above, key] = self._able(above, key)
        return self._groups[above, key]

    def _able(self, above: bool, key: str) -> Group:
        able = [worker for worker in self._living if worker.supers or not above]
        able = [worker for worker in able if key in worker.knows] or able
        if not above:
            able = [worker for worker in able if not worker.supers] or able
        return tuple(sorted(worker.uuid for worker in able))
