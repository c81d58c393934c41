"""Choose hosts for a request: ask Placement, filter, weigh, claim, name alternates.

The claim is what counts: a host is chosen when Placement has given the server its resources there. Every way of
using a host is tried before the next host, and when all of them were taken by others meanwhile, Placement is
asked again. Either every server of a request gets a host, or none does and nothing stays claimed.
"""

import contextlib
import itertools
import math
import random
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from oslo_config import cfg
from oslo_log import log

from nova import errors, objects
from nova.clients import protocols
from nova.common import clock, jsonutil, sharing
from nova.common.jsonutil import JsonObject
from nova.domain import numa, pci, placement_request
from nova.scheduler import asker, candidates, claims, groups, look, prefilters, wanted, why_not
from nova.scheduler.cell_hosts import FIRST
from nova.scheduler.host_state import HostState, Wanted
from nova.scheduler.hosts import Hosts
from nova.scheduler.look import Look, Rules
from nova.scheduler.why_not import NoHost, Why

if TYPE_CHECKING:
    from nova.db.session import Databases

LOG = log.getLogger(__name__)

ROUNDS = 4
"""Times that Placement is asked when its answers were taken by others meanwhile."""
RENEWALS = 2
"""Times that what is known of hosts is renewed for who would be refused: a renewal that was under way may have
been begun before the request came. A cell that has not answered by then is not waited for."""
REFUSED = 3
"""Claims of one look that are refused before there is another look: what it says is out of date. Only the last
one is used to its end."""


class Selector:
    """Chooses hosts.

    Args:
        hosts: the cached views.
        dbs: server groups are read from the API database.
        begin: as of `Rules`.
    """

    def __init__(self, conf: cfg.ConfigOpts, hosts: Hosts, placement: protocols.PlacementClient,
                 dbs: 'Databases', begin: float = 0.0) -> None:
        self._conf, self._hosts, self._placement = conf, hosts, placement
        self._devices = pci.aliases(conf.pci.alias) if conf.filter_scheduler.pci_in_placement else None
        self._rules = Rules.of(conf, begin)
        self._looks, self._underway = sharing.Shared[look.Look](rests=True), look.Underway()
        self._claims = claims.Claims(placement)
        self._groups = groups.Groups(hosts, placement, dbs)
        self._dbs = dbs
        self._random = random.Random()

    def select(self, request: objects.SelectRequest) -> objects.Selections:
        """Hosts for every server of the request, or for none. Nobody is refused by what a cache says.

        Raises:
            Unavailable: Placement or the API database cannot be used.
        """
        started, renewed, renewals = clock.monotonic(), False, 0
        reason, stages = why_not.NOT_ENOUGH, list[JsonObject]()
        for attempt in range(groups.TRIES):
            try:
                with self._groups.turn(request.spec, request.instance_uuids) as (group, members):
                    return self._select(request, group, members)
            except groups.Clash:
                groups.step_back(attempt)
            except placement_request.BadSpec as error:
                reason = str(error)
                break
            except (NoHost, prefilters.Hopeless) as error:
                reason, stages = str(error), error.stages if isinstance(error, NoHost) else []
                if renewed or renewals == RENEWALS:
                    break
                renewed, renewals = self._hosts.view(0, FIRST).when >= started, renewals + 1
        LOG.info('No hosts for %(count)d servers of project %(project)s: %(reason)s %(why)s',
                 {'count': len(request.instance_uuids), 'project': request.spec.project_id, 'reason': reason,
                  'why': stages})
        if reason == why_not.NOT_ENOUGH:
            reason = why_not.told(stages)
        return wanted.no_hosts(request.instance_uuids, reason, stages)

    def _select(self, request: objects.SelectRequest, group: objects.InstanceGroup | None,
                members: groups.Members) -> objects.Selections:
        spec, uuids = request.spec, list(request.instance_uuids)
        where = self._hosts.where(wanted.named_servers(spec))
        asked = wanted.build(spec, where, group, members.hosts(), uuids, request.ignore_cells)
        chosen: dict[str, tuple[HostState, JsonObject]] = {}
        who = asker.Asker(self._dbs, request)
        with self._undone_on_failure(chosen, request.claim, who):
            for left in reversed(range(ROUNDS)):
                now = self._look(spec, asked)
                self._place(request, now, chosen, request.claim and group is None,
                            REFUSED if left else math.inf)
                if len(chosen) == len(uuids):
                    break
            else:
                raise NoHost(stages=[*now.stages(), {'stage': 'claim', 'name': 'Placement', 'removed': None,
                                                     'left': 0}])
            if group is not None and request.claim:
                self._groups.check(group, {uuid: state.host for uuid, (state, _) in chosen.items()}, members)
            if request.claim and any(map(who.has_given_up, uuids)):
                raise errors.task.Lost(task=request.task)
        return self._answer(request, chosen, now, group)

    @contextlib.contextmanager
    def _undone_on_failure(self, chosen: JsonObject, claimed: bool, who: asker.Asker) -> Iterator[None]:
        """Nothing that nobody knows of stays claimed when the block raises, whatever it raises.

        A task that still goes forward sees to that itself: what is claimed for its servers now may be what
        another copy of the request has claimed, and answered.
        """
        try:
            yield
        except BaseException:
            for uuid, (_, allocation) in chosen.items() if claimed else ():
                if who.sees_to(uuid):
                    continue
                try:
                    self._placement.drop(uuid, allocation)
                except errors.NovaError as error:
                    LOG.warning('The claim of server %(uuid)s stays for now: %(error)s',
                                {'uuid': uuid, 'error': error})
            raise

    # Looking

    def _look(self, spec: objects.RequestSpec, asked: Wanted) -> Look:
        """Hosts that would do. Members of a group get one of their own, since it changes with each of them.

        Raises:
            NoHost: there are none.
        """
        try:
            request = wanted.resource_request(spec, self._conf.scheduler.max_placement_results, self._devices)
            prefilters.apply(self._conf, spec, request, self._hosts.view())
            cells = wanted.cells(asked)
        except errors.Invalid as error:
            raise NoHost(error.message) from error

        def make() -> Look:
            return self._make_look(request, asked, cells)
        return make() if asked.group is not None else self._looks.ask(repr((asked, request.params())), make)

    def _make_look(self, request: placement_request.ResourceRequest, asked: Wanted,
                   cells: Sequence[numa.Cell]) -> Look:
        view, why, before = self._hosts.view(), Why(), self._underway.now()
        for cell in view.silent:
            why.note('cells', cell, 1, 0)
        try:
            found = candidates.ask(self._placement, request, cells)
        except errors.Invalid as error:
            raise NoHost(error.message) from error
        why.stages += [{'stage': 'placement', 'name': one['constraint'], 'removed': None, 'left': one['left']}
                       for one in found.explain]
        hosts, unknown = look.by_host(found, view)
        if unknown:
            why.note('hosts', 'known to a cell that answers', len(hosts) + unknown, len(hosts))
        if hosts:
            hosts = look.legal(hosts, asked, self._conf.default_availability_zone, why)
            hosts = candidates.on_cells(hosts, cells, why)
        if not hosts:
            raise NoHost(stages=why.stages)
        taken = self._underway.now() | before
        for state in hosts:
            for allocation in taken.get(state.uuid, ()):
                state.expect(allocation)
        return Look(found, hosts, asked, self._rules, why, self._random, self._underway)

    # Choosing

    def _place(self, request: objects.SelectRequest, now: Look, chosen: dict[str, tuple[HostState, JsonObject]],
               together: bool, tries: float) -> None:
        """Give a host to each server that has none, as long as there are hosts.

        Args:
            together: several may be claimed for at once.
            tries: claims for a server by itself, at most.
        """
        left = [uuid for uuid in request.instance_uuids if uuid not in chosen]
        while left:
            held = self._give_each(left, request, now, chosen) if together and len(left) > 1 else {}
            if not held:
                together = False
                one = self._give(left[0], request, now, tries)
                if one is None:
                    return
                held = {left[0]: one}
            for uuid, one in held.items():
                chosen[uuid] = one
                self._hosts.count(one[0])
                now.keep(*one)
            left = left[len(held):]

    def _give_each(self, uuids: Sequence[str], request: objects.SelectRequest, now: Look,
                   chosen: dict[str, tuple[HostState, JsonObject]]) -> dict[str, tuple[HostState, JsonObject]]:
        """The best hosts for the first servers, as many as get hosts of their own, claimed at once.

        They are those that would be chosen one after the other: to give a server to one host changes no other.
        None where there are no two, or the claim is refused: then each server is claimed for by itself.

        Raises:
            errors.task.Lost: see `_claim`.
        """
        taken: dict[str, tuple[HostState, JsonObject]] = {}
        held = False
        try:
            for uuid in uuids:
                one = self._next(request, now)
                if one is None:
                    break
                if any(one[0] is state for state, _ in taken.values()):
                    now.give_back(*one)
                    break
                taken[uuid] = one
            if len(taken) > 1:
                asker.Asker(self._dbs, request).check()
                chosen.update(taken)  # a claim that raises may have been made: it is undone with the others
                held = self._placement.claim_each(
                    {uuid: _claim_of(request, allocation) for uuid, (_, allocation) in taken.items()})
                for uuid in () if held else taken:
                    del chosen[uuid]
            return taken if held else {}
        finally:
            for one in () if held else taken.values():
                now.give_back(*one)

    def _next(self, request: objects.SelectRequest, now: Look) -> tuple[HostState, JsonObject] | None:
        """The best host that takes servers, which counts as given."""
        while (taken := now.take()) is not None:
            does = False
            try:
                does = self._would_do(taken[0], request, now)
                if does:
                    return taken
                now.leave_out(taken[0])
            finally:
                if not does:
                    now.give_back(*taken)
        return None

    def _give(self, uuid: str, request: objects.SelectRequest, now: Look,
              tries: float) -> tuple[HostState, JsonObject] | None:
        """The best host of which a candidate can be claimed, with that candidate."""
        while tries > 0 and (taken := self._next(request, now)) is not None:
            tries -= 1
            held, others = None, True
            try:
                held = self._claim(uuid, *taken, request, now) if request.claim else taken
                others = held is not None
            finally:
                if held is not taken:
                    now.give_back(*taken, others)
            if held is not None:
                return held
        return None

    def _would_do(self, state: HostState, request: objects.SelectRequest, now: Look) -> bool:
        return wanted.forced(request.spec) or now.takes_servers(state, self._hosts.takes_servers)

    def _claim(self, uuid: str, state: HostState, allocation: JsonObject, request: objects.SelectRequest,
               now: Look) -> tuple[HostState, JsonObject] | None:
        """Where the server has its resources now, if it has.

        A request whose answer was long in coming was sent again, so others may work at it beside us. Whoever
        claims first has chosen for all of them: what the server holds already is taken, where it would do.

        Raises:
            errors.task.Lost: who asked does not wait any more; others may have claimed for the server since.
        """
        who, claim = asker.Asker(self._dbs, request), _claim_of(request, allocation)
        who.check()
        there = list[tuple[HostState, JsonObject]]()

        def replaces(held: protocols.Allocations) -> bool:
            there.extend((one, each) for one in now.ranked() for each in one.candidates
                         if each['allocations'] == held.allocations and self._would_do(one, request, now))
            return not there and who.waits()

        def alone() -> bool:
            who.check()  # again: the writes of others may have taken the time that there was
            return self._placement.claim(
                uuid, allocation, claim.project_id, claim.user_id, 'INSTANCE', replaces)
        if self._claims.make(uuid, claim, alone):
            return state, allocation
        who.check()
        return there[0] if there else None

    # Answering

    def _answer(self, request: objects.SelectRequest, chosen: dict[str, tuple[HostState, JsonObject]],
                now: Look, group: objects.InstanceGroup | None) -> objects.Selections:
        """Each server's host, and alternates of the same cell.

        They are hosts that no server of the request has got; where these are too few, as in a burst over few
        hosts, those of the others, from a different one on for each server. Members of a group that may not
        meet are not sent there.
        """
        wanted_more = self._conf.scheduler.max_attempts - 1 if request.alternates else 0
        forced = wanted.forced(request.spec)
        used = {state.uuid for state, _ in chosen.values()}
        ranked = now.ranked() if wanted_more and not forced else []
        apart = group is not None and group.policy == 'anti-affinity'
        shared = [] if apart or len(used) == 1 else [state for state in ranked if state.uuid in used]
        choices = []
        for number, uuid in enumerate(request.instance_uuids):
            state, allocation = chosen[uuid]
            turn = number % len(shared) if shared else 0
            spare = (one for one in ranked if one.uuid not in used)
            others = (one for one in itertools.chain(spare, shared[turn:], shared[:turn])
                      if one.cell_uuid == state.cell_uuid and one.uuid != state.uuid)
            mine = [self._selection(state, allocation, now.version)]
            mine += [self._selection(one, one.candidates[0], now.version)
                     for one in itertools.islice(others, wanted_more)]
            choices.append(objects.HostChoice(instance_uuid=uuid, selections=mine))
        return objects.Selections(choices=choices, reason='', explain=[] if request.claim else now.stages())

    def _selection(self, state: HostState, allocation: JsonObject, version: str) -> objects.Selection:
        return objects.Selection(
            compute_node_uuid=state.uuid, service_host=state.host, nodename=state.nodename,
            cell_uuid=state.cell_uuid, limits=dict(state.limits),
            allocation_request=jsonutil.text(allocation), allocation_request_version=version,
            availability_zone=state.zone or self._conf.default_availability_zone)


def _claim_of(request: objects.SelectRequest, allocation: JsonObject) -> protocols.Claim:
    return protocols.Claim(allocation, request.spec.project_id, request.spec.user_id)
