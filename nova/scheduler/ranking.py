"""Hosts, the best first, in order while servers are given to them one after the other.

To weigh a thousand hosts takes longer than to give one of them a server. So the amounts that weighers compare
are stretched once, over the hosts as they were found; a host that gets a server is weighed alone on that scale.
"""

import bisect
import itertools
import random
from collections.abc import Iterator, Sequence

from nova.scheduler.host_state import HostState, Wanted
from nova.scheduler.weights import BaseHostWeigher

_Place = tuple[float, float, int]
"""Where a host stands: by its weight, then by chance where that decides among equals, then by its number."""


class Ranking:
    """The order of some hosts.

    Args:
        chance: decides among equal hosts; without it they keep their order.
    """

    def __init__(self, weighers: Sequence[BaseHostWeigher], hosts: Sequence[HostState], wanted: Wanted,
                 chance: random.Random | None = None) -> None:
        self._weighers, self._wanted, self._chance = weighers, wanted, chance
        self._number = itertools.count()
        self._weigh(hosts)

    def _weigh(self, hosts: Sequence[HostState]) -> None:
        self._scales = [scale for weigher in self._weighers
                        if hosts and (scale := weigher.measure(hosts, self._wanted)) is not None]
        parts = [scale.weights for scale in self._scales if scale.weights]
        for number, host in enumerate(hosts):
            host.weight = sum(weights[number] for weights in parts)
        self._places = {host.uuid: self._place(host) for host in hosts}
        self._hosts = sorted(hosts, key=lambda host: self._places[host.uuid])
        self._order = sorted(self._places.values())

    def _place(self, host: HostState) -> _Place:
        return -host.weight, self._chance.random() if self._chance else 0.0, next(self._number)

    def __iter__(self) -> Iterator[HostState]:
        return iter(self._hosts)

    def __len__(self) -> int:
        return len(self._hosts)

    def __contains__(self, host: HostState) -> bool:
        return host.uuid in self._places

    def __getitem__(self, rank: int) -> HostState:
        return self._hosts[rank]

    def remove(self, host: HostState) -> None:
        """Leave a host out from now on."""
        rank = bisect.bisect_left(self._order, self._places.pop(host.uuid))
        del self._order[rank], self._hosts[rank]

    def changed(self, host: HostState) -> None:
        """Put a host where it belongs now."""
        weights = [scale.weigher.again(host, self._wanted, scale) for scale in self._scales]
        known = [weight for weight in weights if weight is not None]
        if len(known) < len(weights):
            self._weigh(list(self))
            return
        self.remove(host)
        host.weight = sum(known)
        place = self._places[host.uuid] = self._place(host)
        rank = bisect.bisect_left(self._order, place)
        self._order.insert(rank, place)
        self._hosts.insert(rank, host)
