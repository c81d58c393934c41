"""One look at the world: hosts that would do for a request, and servers that are given to them.

To ask Placement for candidates, filter their hosts and weigh them is nine tenths of a decision; to take the
best and claim it is the rest. So requests that are alike share a look where they come faster than looks are
made. No request uses a look that was begun before it came: what an operator was answered before holds for it.
"""


import dataclasses
import random
from collections.abc import Callable, Collection, Sequence
from typing import Self

from oslo_config import cfg

from nova.clients import protocols
from nova.common import threads
from nova.common.jsonutil import JsonObject
from nova.scheduler import filters, weights
from nova.scheduler.host_state import HostState, Wanted
from nova.scheduler.hosts import View
from nova.scheduler.ranking import Ranking
from nova.scheduler.why_not import NoHost, Why


@dataclasses.dataclass(frozen=True, slots=True)
class Rules:
    """How hosts are judged.

    Attributes:
        subset: one of so many best ones is taken, by chance.
        shuffle: chance decides among equals.
        begin: otherwise, which part of the hosts comes after the others among equals: each scheduler begins
            elsewhere, so that several of them do not choose the same host at the same time.
    """

    filters: Sequence[filters.BaseHostFilter]
    weighers: Sequence[weights.BaseHostWeigher]
    subset: int = 1
    shuffle: bool = False
    begin: float = 0.0

    @classmethod
    def of(cls, conf: cfg.ConfigOpts, begin: float) -> Self:
        """As they are configured.

        Raises:
            ValueError: a filter or weigher that there is not.
        """
        section = conf.filter_scheduler
        return cls(filters.enabled(conf), weights.enabled(conf), section.host_subset_size,
                   section.shuffle_best_same_weighed_hosts, begin)


class Underway:
    """What a scheduler has taken for servers, until it is claimed: it may not be in answers of Placement yet.

    Looks that are begun meanwhile put these hosts behind others, so that claims of one look are not refused
    because of another.
    """

    def __init__(self) -> None:
        self._taken: dict[str, list[JsonObject]] = {}
        self._lock = threads.lock()

    def begin(self, node: str, allocation: JsonObject) -> None:
        with self._lock:
            self._taken.setdefault(node, []).append(allocation)

    def end(self, node: str, allocation: JsonObject) -> None:
        with self._lock:
            taken = self._taken.get(node, [])
            if allocation in taken:
                taken.remove(allocation)
            if not taken:
                self._taken.pop(node, None)

    def now(self) -> dict[str, list[JsonObject]]:
        """Allocations by node."""
        with self._lock:
            return {node: list(taken) for node, taken in self._taken.items()}


class Look:
    """The hosts, the best first. Several requests may take from it at once.

    Attributes:
        version: microversion of the candidates.
        doubtful: hosts that somebody waits to ask about, by node.

    Raises:
        NoHost: filters leave none.
    """

    def __init__(self, found: protocols.Candidates, hosts: Sequence[HostState], asked: Wanted, rules: Rules,
                 why: Why, chance: random.Random, underway: Underway | None = None) -> None:
        self._underway = underway or Underway()
        self.version = found.version
        self._asked, self._rules, self._why, self._random = asked, rules, why, chance
        self._lock, self._asking = threads.lock(), threads.lock()
        self.doubtful, self._takes = dict[str, HostState](), dict[str, bool]()
        first = int(rules.begin * len(hosts))
        self._hosts = self._pass([*hosts[first:], *hosts[:first]], why)
        if not self._hosts:
            raise NoHost(stages=why.stages)
        self._ranking = self._ranked(self._hosts)

    def _ranked(self, hosts: Sequence[HostState]) -> Ranking:
        return Ranking(self._rules.weighers, hosts, self._asked, self._random if self._rules.shuffle else None)

    def _pass(self, hosts: Sequence[HostState], why: Why, once: bool = True) -> list[HostState]:
        """Hosts that pass the filters (forced ones always).

        Args:
            once: ask filters, too, that say the same of all servers of a request.
        """
        left = list(hosts)
        if self._asked.forced:
            return left
        for one in self._rules.filters:
            if once or not one.run_filter_once_per_request:
                before, left = len(left), one.filter_all(left, self._asked)
                why.note('filter', type(one).__name__, before, len(left))
            if not left:
                break
        return left

    def stages(self) -> list[JsonObject]:
        """How many hosts each stage removed, until now."""
        return list(self._why.stages)

    def ranked(self) -> list[HostState]:
        """Hosts that are left, the best first."""
        with self._lock:
            return list(self._ranking)

    def take(self) -> tuple[HostState, JsonObject] | None:
        """The best host for one server, and how it is used there; it counts as given to it.

        Returns None where no host is left.
        """
        with self._lock:
            if not len(self._ranking):
                return None
            state = self._ranking[self._random.randrange(min(self._rules.subset, len(self._ranking)))]
            allocation = state.candidates[0]
            state.take(allocation)
            self._underway.begin(state.uuid, allocation)
            self._ranking.changed(state)
            return state, allocation

    def takes_servers(self, state: HostState, ask: Callable[[str, list[str]], Collection[str]]) -> bool:
        """Whether a host takes servers. Those that come up while some are asked about are asked about together.

        Args:
            ask: which hosts of a cell take servers; it ends soon even where the cell hangs, since others wait.
        """
        with self._lock:
            if state.uuid not in self._takes:
                self.doubtful[state.uuid] = state
        with self._asking:
            if state.uuid not in self._takes:
                with self._lock:
                    left = {uuid: one for uuid, one in self.doubtful.items() if uuid not in self._takes}
                    together = {uuid: one for uuid, one in left.items()
                                if one.cell_uuid == state.cell_uuid} | {state.uuid: state}
                    self.doubtful = {uuid: one for uuid, one in left.items() if uuid not in together}
                found = ask(state.cell_uuid, [one.host for one in together.values()])
                self._takes.update((uuid, one.host in found) for uuid, one in together.items())
            return self._takes[state.uuid]

    def keep(self, state: HostState, allocation: JsonObject) -> None:
        """Say that what was taken is a server's: filters judge that host again, with a group all hosts."""
        self._underway.end(state.uuid, allocation)
        group = self._asked.group
        with self._lock:
            if group is not None:
                group.on_host[state.host] += 1
                self._ranking = self._ranked(self._pass(self._hosts, self._why, once=False))
            elif state in self._ranking and not self._pass([state], Why(), once=False):
                self._ranking.remove(state)

    def give_back(self, state: HostState, allocation: JsonObject, others: bool = True) -> None:
        """Say that what was taken came to nothing.

        Args:
            others: it might do for another server. Without it, the host will not be used in this way again.
        """
        self._underway.end(state.uuid, allocation)
        with self._lock:
            state.give_back(allocation)
            if not others and allocation in state.candidates:
                state.candidates.remove(allocation)
            if state not in self._ranking:
                return
            if state.candidates:
                self._ranking.changed(state)
            else:
                self._ranking.remove(state)

    def leave_out(self, state: HostState) -> None:
        """Say that a host takes no servers."""
        with self._lock:
            if state in self._ranking:
                self._ranking.remove(state)


def legal(hosts: list[HostState], asked: Wanted, default_zone: str, why: Why) -> list[HostState]:
    """Hosts that a request allows at all."""
    def stage(name: str, left: list[HostState]) -> list[HostState]:
        why.note('request', name, len(hosts), len(left))
        return left
    if asked.accept is not None:
        hosts = stage('host', [one for one in hosts if one.host in asked.accept])
    if asked.accept_nodes is not None:
        hosts = stage('node', [one for one in hosts if one.nodename in asked.accept_nodes])
    if asked.only_cell is not None:
        hosts = stage('cell', [one for one in hosts if one.cell_uuid == asked.only_cell])
    if asked.ignore_cells:
        hosts = stage('ignored cells', [one for one in hosts if one.cell_uuid not in asked.ignore_cells])
    if asked.ignore_hosts:
        hosts = stage('ignored hosts', [one for one in hosts if one.host not in asked.ignore_hosts])
    if asked.availability_zone and not asked.forced:
        hosts = stage('availability zone', [
            one for one in hosts if (one.zone or default_zone) == asked.availability_zone])
    return hosts


def by_host(found: protocols.Candidates, view: View) -> tuple[list[HostState], int]:
    """Hosts that candidates are served by, each with its candidates; and how many roots are no known host."""
    states: dict[str, HostState] = {}
    unknown: set[str] = set()
    summaries = found.provider_summaries
    nodes = view.nodes
    for request in found.allocation_requests:
        for uuid in request['allocations']:
            root = summaries[uuid]['root_provider_uuid']
            if root in nodes:
                state = states.get(root)
                if state is None:
                    state = states[root] = view.state(root)
                state.candidates.append(request)
                break
        else:
            unknown.update(summaries[uuid]['root_provider_uuid'] for uuid in request['allocations'])
    for uuid, summary in summaries.items():
        state = states.get(summary['root_provider_uuid'])
        if state is not None:
            total, free = state.total, state.free
            for name, amount in summary['resources'].items():
                capacity = amount['capacity']
                total[name] = total.get(name, 0) + capacity
                free[name] = free.get(name, 0) + capacity - amount['used']
            if uuid == state.uuid:
                state.traits = frozenset(summary['traits'])
    return list(states.values()), len(unknown)
