"""Server groups while their servers are being placed.

Two requests for the same group must not both take what one of them may have. Within this process they take
turns. Across schedulers the claims themselves are looked at: after claiming, a request asks Placement for the
claims of the other members, and gives up its own when the policy does not hold. Who claims later sees who
claimed earlier, so at least one of two always steps back, and tries again.
"""

import collections
import contextlib
import random
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nova import objects
from nova.clients import protocols
from nova.scheduler.hosts import Hosts

HARD = ('affinity', 'anti-affinity')


class Clash(Exception):
    """Servers of the group were placed elsewhere at the same moment, against its policy."""


class Groups:
    """Turns, members and where they are."""

    def __init__(self, hosts: Hosts, placement: protocols.PlacementClient, dbs: Any) -> None:
        self._hosts, self._placement, self._dbs = hosts, placement, dbs
        self._locks: dict[str, threading.Lock] = {}
        self._users: collections.Counter[str] = collections.Counter()
        self._guard = threading.Lock()

    @contextlib.contextmanager
    def turn(self, spec: objects.RequestSpec, placing: Sequence[str]
             ) -> Iterator[tuple[objects.InstanceGroup | None, dict[str, str]]]:
        """This request's turn: its group as it is now, and the hosts of members that have one."""
        uuid = _group_of(spec)
        if uuid is None:
            yield None, {}
            return
        with self._lock(uuid):
            with self._dbs.api.read() as conn:
                group = objects.InstanceGroup.find(conn, uuid=uuid)
            if group is None:
                yield None, {}
                return
            yield group, self.members(group, placing)

    @contextlib.contextmanager
    def _lock(self, uuid: str) -> Iterator[None]:
        with self._guard:
            lock = self._locks.setdefault(uuid, threading.Lock())
            self._users[uuid] += 1
        try:
            with lock:
                yield
        finally:
            with self._guard:
                self._users[uuid] -= 1
                if not self._users[uuid]:
                    del self._users[uuid], self._locks[uuid]

    def members(self, group: objects.InstanceGroup, placing: Sequence[str]) -> dict[str, str]:
        """Hosts of the members other than those being placed: by their cells, else by their claims."""
        others = [uuid for uuid in group.members if uuid not in set(placing)]
        found = self._hosts.where(others)
        if group.policy in HARD:
            found.update(self._claimed([uuid for uuid in others if uuid not in found]))
        return found

    def _claimed(self, uuids: Sequence[str]) -> dict[str, str]:
        """Hosts on which servers have claims."""
        if not uuids:
            return {}
        nodes = self._hosts.view().nodes
        found = {}
        for uuid in uuids:
            for provider in self._placement.allocations(uuid).allocations:
                if provider in nodes:
                    found[uuid] = nodes[provider].host
        return found

    def check(self, group: objects.InstanceGroup, placed: Mapping[str, str], before: Mapping[str, str]) -> None:
        """Look whether the policy holds now that we have claimed.

        Args:
            placed: our servers' hosts.
            before: the other members' hosts when we chose.

        Raises:
            Clash: it does not.
        """
        if group.policy not in HARD:
            return
        with self._dbs.api.read() as conn:
            now = objects.InstanceGroup.find(conn, uuid=group.uuid)
        if now is None:
            return
        fresh = [uuid for uuid in now.members if uuid not in placed and uuid not in before]
        others = self._claimed(fresh)
        if not others:
            return
        count = collections.Counter([*placed.values(), *before.values(), *others.values()])
        most = int((group.rules or {}).get('max_server_per_host', 1))
        if group.policy == 'affinity' and len(count) > 1:
            raise Clash
        if group.policy == 'anti-affinity' and any(count[host] > most for host in placed.values()):
            raise Clash


def _group_of(spec: objects.RequestSpec) -> str | None:
    if spec.instance_group is not None:
        return str(spec.instance_group.uuid)
    hint = (spec.scheduler_hints or {}).get('group')
    if not hint:
        return None
    return hint if isinstance(hint, str) else str(next(iter(hint)))


def step_back(attempt: int) -> None:
    """Wait a little, differently from the others."""
    threading.Event().wait(random.uniform(0, 0.05 * 2 ** attempt))
