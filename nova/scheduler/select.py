"""Choose hosts for a request: ask Placement, filter, weigh, claim, name alternates.

The claim is what counts: a host is chosen when Placement has given the server its resources there. Every way of
using a host is tried before the next host, and when all of them were taken by others meanwhile, Placement is
asked again. Either every server of a request gets a host, or none does and nothing stays claimed.
"""

import contextlib
import dataclasses
import random
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from oslo_config import cfg
from oslo_log import log

from nova import errors, objects
from nova.clients import protocols
from nova.common import clock, jsonutil
from nova.common.jsonutil import JsonObject
from nova.domain import pci, placement_request
from nova.scheduler import asker, filters, groups, prefilters, wanted, weights
from nova.scheduler.host_state import HostState, Wanted
from nova.scheduler.hosts import Hosts, View

if TYPE_CHECKING:
    from nova.db.session import Databases

LOG = log.getLogger(__name__)

ROUNDS = 4
"""Times that Placement is asked when all its answers were taken by others meanwhile."""
_AMOUNTS = ('inventory', 'unit limits', 'free capacity')
"""What Placement's explanation says of one resource class."""
NOT_ENOUGH = 'There are not enough hosts available.'


class NoHost(Exception):
    """Not every server can have a host; the text is for the project to read."""


@dataclasses.dataclass(slots=True)
class Why:
    """How many hosts each stage removed and left."""

    stages: list[JsonObject] = dataclasses.field(default_factory=list)

    def note(self, stage: str, name: str, before: int, left: int) -> None:
        if left < before or not left:
            self.stages.append({'stage': stage, 'name': name, 'removed': before - left, 'left': left})

    def told(self) -> str:
        """What left no host, in words that the project may read: what it asked for, never how many hosts."""
        last = next((one for one in self.stages if one['left'] == 0), None)
        if last is None:
            return NOT_ENOUGH
        what, _, how = last['name'].partition(' ')
        if last['stage'] == 'placement' and how in _AMOUNTS:
            return f'{NOT_ENOUGH} No host can give {what}.'
        if last['stage'] in ('request', 'filter'):
            return f'{NOT_ENOUGH} No host meets: {last["name"]}.'
        return NOT_ENOUGH


@dataclasses.dataclass(slots=True)
class _Round:
    """One look at the world: the candidates, by host, and what is known of the hosts."""

    found: protocols.Candidates
    hosts: list[HostState]
    view: View


class Selector:
    """Chooses hosts.

    Args:
        hosts: the cached views.
        dbs: server groups are read from the API database.
    """

    def __init__(self, conf: cfg.ConfigOpts, hosts: Hosts, placement: protocols.PlacementClient,
                 dbs: 'Databases') -> None:
        self._conf, self._hosts, self._placement = conf, hosts, placement
        self._filters = filters.enabled(conf)
        self._devices = pci.aliases(conf.pci.alias) if conf.filter_scheduler.pci_in_placement else None
        self._weighers = weights.enabled(conf)
        self._groups = groups.Groups(hosts, placement, dbs)
        self._dbs = dbs
        self._random = random.Random()

    def select(self, request: objects.SelectRequest) -> objects.Selections:
        """Hosts for every server of the request, or for none. Nobody is refused by what a cache says.

        Raises:
            Unavailable: Placement or the API database cannot be used.
        """
        started = clock.monotonic()
        why = Why()
        reason = NOT_ENOUGH
        for attempt in range(groups.TRIES):
            try:
                with self._groups.turn(request.spec, request.instance_uuids) as (group, members):
                    return self._select(request, group, members, why)
            except groups.Clash:
                groups.step_back(attempt)
            except placement_request.BadSpec as error:
                reason = str(error)
                break
            except (NoHost, prefilters.Hopeless) as error:
                reason = str(error)
                if self._hosts.view().when >= started:
                    break
                self._hosts.view(0)
        LOG.info('No hosts for %(count)d servers of project %(project)s: %(reason)s %(why)s',
                 {'count': len(request.instance_uuids), 'project': request.spec.project_id, 'reason': reason,
                  'why': why.stages})
        if reason == NOT_ENOUGH:
            reason = why.told()
        return wanted.no_hosts(request.instance_uuids, reason, why.stages)

    def _select(self, request: objects.SelectRequest, group: objects.InstanceGroup | None,
                members: groups.Members, why: Why) -> objects.Selections:
        spec, uuids = request.spec, list(request.instance_uuids)
        where = self._hosts.where(wanted.named_servers(spec))
        asked = wanted.build(spec, where, group, members.hosts(), uuids, request.ignore_cells)
        chosen: dict[str, tuple[HostState, JsonObject]] = {}
        last: list[HostState] = []
        version = ''
        who = asker.Asker(self._dbs, request)
        with self._undone_on_failure(chosen, request.claim, who):
            for _ in range(ROUNDS):
                why.stages.clear()
                now = self._look(spec, asked, why)
                version = now.found.version
                last = self._place(request, asked, now, chosen, why)
                if len(chosen) == len(uuids):
                    break
            else:
                raise NoHost(NOT_ENOUGH)
            if group is not None and request.claim:
                self._groups.check(group, {uuid: state.host for uuid, (state, _) in chosen.items()}, members)
            if request.claim and any(map(who.has_given_up, uuids)):
                raise errors.task.Lost(task=request.task)
        return self._answer(request, chosen, last, version, group, [] if request.claim else why.stages)

    @contextlib.contextmanager
    def _undone_on_failure(self, chosen: JsonObject, claimed: bool, who: asker.Asker) -> Iterator[None]:
        """Nothing that nobody knows of stays claimed when the block raises, whatever it raises.

        A task that still goes forward sees to that itself: what is claimed for its servers now may be what
        another copy of the request has claimed, and answered.
        """
        try:
            yield
        except BaseException:
            for uuid in chosen if claimed else ():
                if who.sees_to(uuid):
                    continue
                try:
                    self._placement.drop(uuid)
                except errors.NovaError as error:
                    LOG.warning('The claim of server %(uuid)s stays for now: %(error)s',
                                {'uuid': uuid, 'error': error})
            raise

    # Looking

    def _look(self, spec: objects.RequestSpec, asked: Wanted, why: Why) -> _Round:
        """Candidates of Placement with what is known of their hosts.

        Raises:
            NoHost: there are none.
        """
        view = self._hosts.view()
        for cell in view.silent:
            why.note('cells', cell, 1, 0)
        now = self._ask(spec, view, why)
        now.hosts = self._legal(now.hosts, asked, why)
        if not now.hosts:
            raise NoHost(NOT_ENOUGH)
        return now

    def _ask(self, spec: objects.RequestSpec, view: View, why: Why) -> _Round:
        try:
            asked = wanted.resource_request(spec, self._conf.scheduler.max_placement_results, self._devices)
            prefilters.apply(self._conf, spec, asked, view)
            found = self._placement.candidates(asked)
        except errors.Invalid as error:
            raise NoHost(error.message) from error
        why.stages += [{'stage': 'placement', 'name': one['constraint'], 'removed': None, 'left': one['left']}
                       for one in found.explain]
        if not found.allocation_requests:
            raise NoHost(NOT_ENOUGH)
        hosts, unknown = _by_host(found, view)
        if unknown:
            why.note('hosts', 'known to a cell that answers', len(hosts) + unknown, len(hosts))
        if not hosts:
            raise NoHost(NOT_ENOUGH)
        return _Round(found, hosts, view)

    def _legal(self, hosts: list[HostState], asked: Wanted, why: Why) -> list[HostState]:
        """Hosts that the request allows at all."""
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
            default = self._conf.default_availability_zone
            hosts = stage('availability zone', [
                one for one in hosts if (one.zone or default) == asked.availability_zone])
        return hosts

    # Choosing

    def _pass(self, hosts: Sequence[HostState], asked: Wanted, why: Why, first: bool) -> list[HostState]:
        """Hosts that pass the filters (forced ones always); later servers ask only what may have changed."""
        left = list(hosts)
        if asked.forced:
            return left
        for one in self._filters:
            if first or not one.run_filter_once_per_request:
                before, left = len(left), one.filter_all(left, asked)
                why.note('filter', type(one).__name__, before, len(left))
            if not left:
                break
        return left

    def _ranked(self, hosts: Sequence[HostState], asked: Wanted) -> list[HostState]:
        """The best first; chance decides among the first few, and among equals, where that is configured."""
        section = self._conf.filter_scheduler
        pool = list(hosts)
        if section.shuffle_best_same_weighed_hosts:
            self._random.shuffle(pool)
        ranked = weights.order(self._weighers, pool, asked)
        few = min(section.host_subset_size, len(ranked))
        if few > 1:
            ranked.insert(0, ranked.pop(self._random.randrange(few)))
        return ranked

    def _place(self, request: objects.SelectRequest, asked: Wanted, now: _Round,
               chosen: dict[str, tuple[HostState, JsonObject]], why: Why) -> list[HostState]:
        """Give a host to each server that has none; returns the hosts that remain, the best first.

        Raises:
            NoHost: the filters leave none.
        """
        hosts, first, ranked = now.hosts, True, []
        sure: dict[str, bool] = {}
        for uuid in request.instance_uuids:
            if uuid in chosen:
                continue
            hosts_left = self._pass(hosts, asked, why, first)
            if first:
                hosts, first = hosts_left, False
            if not hosts_left:
                raise NoHost(NOT_ENOUGH)
            ranked = self._ranked(hosts_left, asked)
            taken = self._claim_one(uuid, ranked, request, asked, sure)
            if taken is None:
                why.note('claim', 'Placement', len(ranked), 0)
                return []
            chosen[uuid] = taken
            state, allocation = taken
            state.take(allocation)
            if asked.group is not None:
                asked.group.on_host[state.host] += 1
        return ranked

    def _claim_one(self, uuid: str, ranked: Sequence[HostState], request: objects.SelectRequest,
                   asked: Wanted, sure: dict[str, bool]) -> tuple[HostState, JsonObject] | None:
        """The first host of which a candidate can be claimed, with that candidate.

        Args:
            sure: by node, whether its host takes servers, as far as it was asked for this request.
        """
        def would_do() -> Iterator[HostState]:
            for state in ranked:
                if state.uuid not in sure:
                    sure[state.uuid] = asked.forced or self._hosts.takes_servers(state)
                if sure[state.uuid]:
                    yield state
        for state in would_do():
            for allocation in state.candidates:
                held = (state, allocation) if not request.claim else self._claim(
                    uuid, state, allocation, request, would_do)
                if held is not None:
                    self._hosts.count(held[0])
                    return held
        return None

    def _claim(self, uuid: str, state: HostState, allocation: JsonObject, request: objects.SelectRequest,
               would_do: Callable[[], Iterator[HostState]]) -> tuple[HostState, JsonObject] | None:
        """Where the server has its resources now, if it has.

        A request whose answer was long in coming was sent again, so others may work at it beside us. Whoever
        claims first has chosen for all of them: what the server holds already is taken, where it would do.

        Raises:
            errors.task.Lost: who asked does not wait any more; others may have claimed for the server since.
        """
        who = asker.Asker(self._dbs, request)
        who.check()
        spec, there = request.spec, list[tuple[HostState, JsonObject]]()

        def replaces(held: protocols.Allocations) -> bool:
            there.extend((one, each) for one in would_do() for each in one.candidates
                         if each['allocations'] == held.allocations)
            return not there and who.waits()
        if self._placement.claim(uuid, allocation, spec.project_id, spec.user_id, 'INSTANCE', replaces):
            return state, allocation
        who.check()
        return there[0] if there else None

    # Answering

    def _answer(self, request: objects.SelectRequest, chosen: dict[str, tuple[HostState, JsonObject]],
                ranked: Sequence[HostState], version: str,
                group: objects.InstanceGroup | None, explain: list[JsonObject]) -> objects.Selections:
        """Each server's host, and alternates of the same cell.

        They are hosts that no server of the request has got; where these are too few, as in a burst over few
        hosts, those of the others, from a different one on for each server. Members of a group that may not
        meet are not sent there.
        """
        wanted_more = self._conf.scheduler.max_attempts - 1 if request.alternates else 0
        forced = bool(request.spec.force_hosts or request.spec.force_nodes)
        used = {state.uuid for state, _ in chosen.values()}
        spare = [] if forced else [state for state in ranked if state.uuid not in used]
        apart = forced or (group is not None and group.policy == 'anti-affinity')
        shared = [] if apart else [state for state in ranked if state.uuid in used]
        choices = []
        for number, uuid in enumerate(request.instance_uuids):
            state, allocation = chosen[uuid]
            turn = number % len(shared) if shared else 0
            others = [one for one in spare + shared[turn:] + shared[:turn]
                      if one.cell_uuid == state.cell_uuid and one.uuid != state.uuid]
            mine = [self._selection(state, allocation, version)]
            mine += [self._selection(one, one.candidates[0], version) for one in others[:wanted_more]]
            choices.append(objects.HostChoice(instance_uuid=uuid, selections=mine))
        return objects.Selections(choices=choices, reason='', explain=explain)

    def _selection(self, state: HostState, allocation: JsonObject, version: str) -> objects.Selection:
        return objects.Selection(
            compute_node_uuid=state.uuid, service_host=state.host, nodename=state.nodename,
            cell_uuid=state.cell_uuid, limits=dict(state.limits),
            allocation_request=jsonutil.text(allocation), allocation_request_version=version,
            availability_zone=state.zone or self._conf.default_availability_zone)


def _by_host(found: protocols.Candidates, view: View) -> tuple[list[HostState], int]:
    """Hosts that candidates are served by, each with its candidates; and how many roots are no known host."""
    states: dict[str, HostState] = {}
    unknown: set[str] = set()
    summaries = found.provider_summaries
    nodes = view.nodes
    for request in found.allocation_requests:
        roots = {summaries[uuid]['root_provider_uuid'] for uuid in request['allocations']}
        known = next((root for root in roots if root in nodes), None)
        if known is None:
            unknown |= roots
            continue
        state = states.get(known)
        if state is None:
            state = states[known] = view.state(known)
        state.candidates.append(request)
    for uuid, summary in summaries.items():
        root = states.get(summary['root_provider_uuid'])
        if root is not None:
            for name, amount in summary['resources'].items():
                root.total[name] = root.total.get(name, 0) + amount['capacity']
                root.free[name] = root.free.get(name, 0) + amount['capacity'] - amount['used']
            if uuid == root.uuid:
                root.traits = frozenset(summary['traits'])
    return list(states.values()), len(unknown - nodes.keys())

