"""Server groups while their servers are being placed.

Two requests for the same group must not both take what one of them may have. Within this process they take
turns. Across schedulers the claims themselves are looked at: after claiming, a request asks Placement for the
claims of the other members, and gives up its own when the policy does not hold. Who claims later sees who
claimed earlier, so at least one of two always steps back, and tries again.
"""

import collections
import contextlib
import dataclasses
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from nova import objects
from nova.clients import protocols
from nova.common import threads
from nova.scheduler.hosts import Hosts

if TYPE_CHECKING:
    from nova.db.session import Databases

HARD = ('affinity', 'anti-affinity')
TRIES = 10
"""Times that a request steps back for others of its group."""
LONGEST_TURN = 10.0
"""Seconds that a request waits for the one before it."""


class Clash(Exception):
    """Servers of the group were placed elsewhere at the same moment, against its policy."""


@dataclasses.dataclass(slots=True)
class Members:
    """Hosts of a group's servers: of those that are on one, and of those that only have a claim there yet."""

    placed_on: dict[str, str] = dataclasses.field(default_factory=dict)
    claimed: dict[str, str] = dataclasses.field(default_factory=dict)

    def hosts(self) -> dict[str, str]:
        return {**self.claimed, **self.placed_on}


class Groups:
    """Turns, members and where they are."""

    def __init__(self, hosts: Hosts, placement: protocols.PlacementClient, dbs: 'Databases') -> None:
        self._hosts, self._placement, self._dbs = hosts, placement, dbs
        self._lines: dict[str, threads.Lock] = {}
        self._users: collections.Counter[str] = collections.Counter()
        self._guard = threads.lock()

    @contextlib.contextmanager
    def turn(self, spec: objects.RequestSpec, placing: Sequence[str]
             ) -> Iterator[tuple[objects.InstanceGroup | None, Members]]:
        """This request's turn: its group as it is now, and where the other members are."""
        uuid = _group_of(spec)
        if uuid is None:
            yield None, Members()
            return
        with self._in_line(uuid):
            with self._dbs.api.read() as conn:
                group = objects.InstanceGroup.find(conn, uuid=uuid)
            if group is None:
                yield None, Members()
                return
            yield group, self.members(group, placing)

    @contextlib.contextmanager
    def _in_line(self, uuid: str) -> Iterator[None]:
        """Wait for the requests before, but not for ever for one that hangs: the claims decide all the same."""
        with self._guard:
            line = self._lines.setdefault(uuid, threads.lock())
            self._users[uuid] += 1
        mine = line.acquire(timeout=LONGEST_TURN)
        try:
            yield
        finally:
            if mine:
                line.release()
            with self._guard:
                self._users[uuid] -= 1
                if not self._users[uuid]:
                    del self._users[uuid], self._lines[uuid]

    def members(self, group: objects.InstanceGroup, placing: Sequence[str]) -> Members:
        """Where the members other than those being placed are."""
        others = [uuid for uuid in group.members if uuid not in set(placing)]
        there = self._hosts.where(others)
        hard = group.policy in HARD
        return Members(there, self._claimed([uuid for uuid in others if uuid not in there]) if hard else {})

    def _claimed(self, uuids: Sequence[str]) -> dict[str, str]:
        """Hosts on which servers have claims."""
        if not uuids:
            return {}
        nodes = self._hosts.view().nodes
        found = {}
        for uuid in uuids:
            held = self._placement.allocations(uuid).allocations
            host = next((nodes[provider].host for provider in held if provider in nodes), None)
            if host is None and held:  # a server without a disk there may hold something of cells alone
                host = next((each.host for each in nodes.values() if held.keys() & each.cells), None)
            if host is not None:
                found[uuid] = host
        return found

    def check(self, group: objects.InstanceGroup, placed: Mapping[str, str], before: Members) -> None:
        """Look whether the policy holds now that we have claimed.

        Args:
            placed: our servers' hosts.
            before: the other members when we chose; those that only had claims may have given them up since.

        Raises:
            Clash: it does not.
        """
        if group.policy not in HARD:
            return
        with self._dbs.api.read() as conn:
            now = objects.InstanceGroup.find(conn, uuid=group.uuid)
        moving = self._claimed([uuid for uuid in now.members if uuid not in placed
                                and uuid not in before.placed_on]) if now is not None else {}
        ours = set(placed.values())
        if group.policy == 'affinity' and not set(moving.values()) <= ours:
            raise Clash
        most = int((group.rules or {}).get('max_server_per_host', 1))
        count = collections.Counter([*placed.values(), *before.placed_on.values(), *moving.values()])
        if group.policy == 'anti-affinity' and moving and any(count[host] > most for host in ours):
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
    threads.sleep(random.uniform(0, min(0.5, 0.05 * 2 ** attempt)))
