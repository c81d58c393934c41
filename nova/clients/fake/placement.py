"""Placement in memory: trees, inventories, traits, aggregates, consumers with generations.

The search is the plain one, provider by provider, for tests of a few hundred hosts: the group without suffix
may be spread over a tree, the others are served by one provider each. Sharing providers are left out.
"""

import collections
import copy
import dataclasses
import itertools
from collections.abc import Callable, Mapping

from nova import errors
from nova.clients.fake.base import Fake, effect, probe
from nova.clients.protocols import Allocations, Candidates, Claim
from nova.common.jsonutil import JsonObject
from nova.domain import placement_request, provider_tree, reshaping


@dataclasses.dataclass
class _Provider:
    uuid: str
    name: str
    parent: str | None
    root: str
    inventory: dict[str, JsonObject]
    traits: set[str]
    aggregates: set[str] = dataclasses.field(default_factory=set)


class FakePlacement(Fake):
    """`protocols.PlacementClient` in memory. ``consumers`` is open to assertions."""

    def __init__(self) -> None:
        super().__init__()
        self.providers: dict[str, _Provider] = {}
        self.consumers: dict[str, Allocations] = {}

    def host(self, uuid: str, name: str, vcpus: int = 8, memory_mb: int = 16384, disk_gb: int = 200,
             traits: set[str] | None = None) -> None:
        """A provider such as a compute host reports."""
        self.report(provider_tree.ProviderTree(provider_tree.Provider(
            uuid, name, inventory={'VCPU': {'total': vcpus, 'allocation_ratio': 1.0},
                                   'MEMORY_MB': {'total': memory_mb}, 'DISK_GB': {'total': disk_gb}},
            traits=traits or set())))

    def used(self, uuid: str, name: str) -> int:
        """Amount of a class that is allocated on a provider."""
        return sum(held.allocations[uuid]['resources'].get(name, 0)
                   for held in self.consumers.values() if uuid in held.allocations)

    @probe
    def candidates(self, request: placement_request.ResourceRequest) -> Candidates:
        found, explained = [], {name: 0 for name in request.amounts()}
        for root in [one.uuid for one in self.providers.values() if one.parent is None]:
            tree = [one for one in self.providers.values() if one.root == root]
            for name, amount in request.amounts().items():
                explained[name] += any(self._fits(one, name, amount) for one in tree)
            found += self._serve(request, tree)
        if request.limit:
            found = found[:request.limit]
        roots = {self.providers[uuid].root for way in found for uuid in way['allocations']}
        summaries = {one.uuid: self._summary(one) for one in self.providers.values() if one.root in roots}
        explain = [] if found else [
            {'constraint': f'resources {name}:{request.amounts()[name]}', 'left': count}
            for name, count in sorted(explained.items())]
        return Candidates(found, summaries, explain)

    def _summary(self, one: _Provider) -> JsonObject:
        resources = {name: {'capacity': provider_tree.capacity(values), 'used': self.used(one.uuid, name)}
                     for name, values in one.inventory.items()}
        return {'resources': resources,
                'traits': sorted(one.traits), 'parent_provider_uuid': one.parent,
                'root_provider_uuid': one.root}

    def _fits(self, one: _Provider, name: str, amount: int, freed: int = 0) -> bool:
        values = one.inventory.get(name)
        return (values is not None and values['min_unit'] <= amount <= values['max_unit']
                and amount % values['step_size'] == 0
                and self.used(one.uuid, name) - freed + amount <= provider_tree.capacity(values))

    def _member(self, one: _Provider, group: placement_request.Group, suffix: str) -> bool:
        mine = set(one.aggregates)
        if not suffix:
            mine |= self.providers[one.root].aggregates
        return (all(mine & names for names in group.member_of) and not mine & group.not_member_of
                and (group.in_tree is None or (group.in_tree in self.providers
                                               and self.providers[group.in_tree].root == one.root)))

    def _serve(self, request: placement_request.ResourceRequest, tree: list[_Provider]) -> list[JsonObject]:
        """Every way in which one tree serves the request."""
        root = next(one for one in tree if one.parent is None)
        if not request.root_required <= root.traits or request.root_forbidden & root.traits:
            return []
        ways: list[list[dict[str, list[tuple[str, str, int]]]]] = []
        for suffix, group in sorted(request.groups.items()):
            choices = self._group_ways(suffix, group, tree)
            if not choices:
                return []
            ways.append(choices)
        out = []
        for combination in itertools.product(*ways):
            chosen = {suffix: picks for part in combination for suffix, picks in part.items()}
            single = [picks[0][0] for suffix, picks in chosen.items() if suffix and picks]
            if request.group_policy == 'isolate' and len(set(single)) < len(single):
                continue
            total: dict[str, dict[str, int]] = {}
            for uuid, name, amount in (pick for picks in chosen.values() for pick in picks):
                mine = total.setdefault(uuid, {})
                mine[name] = mine.get(name, 0) + amount
            if all(self._fits(self.providers[uuid], name, amount)
                   for uuid, mine in total.items() for name, amount in mine.items()):
                out.append({'allocations': {uuid: {'resources': mine} for uuid, mine in total.items()},
                            'mappings': {suffix: sorted({uuid for uuid, _, _ in picks})
                                         for suffix, picks in chosen.items() if picks}})
        return out

    def _group_ways(self, suffix: str, group: placement_request.Group,
                    tree: list[_Provider]) -> list[dict[str, list[tuple[str, str, int]]]]:
        pool = [one for one in tree if self._member(one, group, suffix)]
        ways = []
        if suffix:
            for one in pool:
                fits = all(self._fits(one, *want) for want in group.resources.items())
                if fits and _meets(group, [one]):
                    ways.append({suffix: [(one.uuid, name, amount)
                                          for name, amount in sorted(group.resources.items())]})
            return ways
        wants = sorted(group.resources.items())
        if not wants:
            return [{'': []}] if _meets(group, pool) else []
        for picked in itertools.product(*([one for one in pool if self._fits(one, *want)] for want in wants)):
            if _meets(group, list(picked)):
                ways.append({'': [(one.uuid, *want) for one, want in zip(picked, wants, strict=True)]})
        return ways

    @effect
    def claim(self, consumer: str, allocation_request: JsonObject, project_id: str, user_id: str,
              kind: str = 'INSTANCE', replaces: Callable[[Allocations], bool] | None = None) -> bool:
        held = self.consumers.get(consumer)
        if held is not None and replaces is not None and not replaces(copy.deepcopy(held)):
            return False
        return self._put({consumer: Allocations(_held(allocation_request), 0, project_id, user_id, kind)})

    @effect
    def claim_each(self, wanted: Mapping[str, Claim], kind: str = 'INSTANCE') -> bool:
        if not self.consumers.keys().isdisjoint(wanted):
            return False
        return self._put({
            consumer: Allocations(_held(one.allocation_request), 0, one.project_id, one.user_id, kind)
            for consumer, one in wanted.items()})

    def _put(self, wanted: dict[str, Allocations]) -> bool:
        """Replace what consumers hold, all or none."""
        before = {uuid: self.consumers.pop(uuid, None) for uuid in wanted}
        fits = True
        for uuid, held in wanted.items():
            fits = fits and all(
                provider in self.providers and self._fits(self.providers[provider], name, amount)
                for provider, part in held.allocations.items() for name, amount in part['resources'].items())
            if held.allocations:
                old = before[uuid]
                generation = 0 if old is None or old.generation is None else old.generation + 1
                self.consumers[uuid] = dataclasses.replace(held, generation=generation)
        if not fits:
            for uuid in wanted:
                self.consumers.pop(uuid, None)
            self.consumers.update({uuid: old for uuid, old in before.items() if old is not None})
        return fits

    @effect
    def drop(self, consumer: str, claimed: JsonObject | None = None) -> None:
        held = self.consumers.get(consumer)
        if claimed is None or (held is not None and held.allocations == _held(claimed)):
            self.consumers.pop(consumer, None)

    @probe
    def allocations(self, consumer: str) -> Allocations:
        held = self.consumers.get(consumer)
        return copy.deepcopy(held) if held else Allocations({})

    @effect
    def move(self, source: str, target: str, kind: str, once: bool = False) -> bool:
        held = self.consumers.get(source)
        if held is None or (once and target in self.consumers):
            return target in self.consumers
        if not self._put({source: Allocations({}), target: dataclasses.replace(held, kind=kind)}):
            raise errors.placement.AllocationRefused(consumer=target, reason='it does not fit')
        return True

    @effect
    def hold(self, wanted: Mapping[str, tuple[JsonObject, str]], project_id: str, user_id: str) -> bool:
        return self._put({consumer: Allocations(copy.deepcopy(held), 0, project_id, user_id, kind)
                          for consumer, (held, kind) in wanted.items()})

    @probe
    def held(self, root: str) -> dict[str, dict[str, int]]:
        found: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
        for consumer, held in self.consumers.items():
            for provider, part in held.allocations.items():
                if _beneath(self.providers, provider, root):
                    found[consumer].update(part['resources'])
        return {consumer: dict(amounts) for consumer, amounts in found.items()}

    @effect
    def report(self, wanted: provider_tree.ProviderTree) -> None:
        names = {one.name: one.uuid for one in self.providers.values()}
        for one in wanted:
            if names.get(one.name, one.uuid) != one.uuid:
                raise errors.Conflict(f'Placement refuses the provider {one.name}: the name is taken')
        self._reshape(wanted)
        for uuid in [one.uuid for one in self.providers.values() if one.root == wanted.root.uuid]:
            ours = provider_tree.is_ours(self.providers[uuid].traits)
            if uuid not in wanted and ours and not self._in_use(uuid):
                del self.providers[uuid]
        for one in wanted:
            known = self.providers.get(one.uuid)
            inventory = provider_tree.complete(one.inventory, known.inventory if known else {})
            if known and any(self.used(one.uuid, name) for name in known.inventory if name not in inventory):
                raise errors.Conflict(f'Placement refuses the inventory of {one.name}: it is in use')
            of_root = self.providers[wanted.root.uuid].traits if one is not wanted.root else ()
            traits = provider_tree.complete_traits(one, known.traits if known else (), of_root)
            self.providers[one.uuid] = _Provider(one.uuid, one.name, one.parent, wanted.root.uuid, inventory,
                                                 traits, known.aggregates if known else set())

    def _reshape(self, wanted: provider_tree.ProviderTree) -> None:
        """Move what of CPUs and memory moves, with who holds it, or change nothing."""
        ours = [one for one in self.providers.values() if one.root == wanted.root.uuid
                and (one.uuid in wanted or provider_tree.is_ours(one.traits))]
        there = {one.uuid: one.inventory for one in ours}
        losing = reshaping.lost(wanted, there) if wanted.guests is not None else {}
        if not losing:
            return
        after = reshaping.inventories(wanted, there, losing)
        moved = reshaping.allocations(wanted, after, losing, {
            consumer: held.allocations for consumer, held in self.consumers.items()
            if losing.keys() & held.allocations.keys()})
        providers = dict(self.providers)
        for uuid, inventory in after.items():
            one = wanted.get(uuid)
            known = providers.get(uuid) or _Provider(uuid, one.name if one else '', one.parent if one else None,
                                                     wanted.root.uuid, {}, set())
            providers[uuid] = dataclasses.replace(known, inventory=inventory)
        self.providers, former = providers, self.providers
        if not self._put({consumer: dataclasses.replace(self.consumers[consumer], allocations=held)
                          for consumer, held in moved.items()}):
            self.providers = former
            raise errors.placement.ReshapeRefused(node=wanted.root.name, reason='it does not fit')

    def _in_use(self, uuid: str) -> bool:
        return any(uuid in held.allocations for held in self.consumers.values())

    @effect
    def delete_provider(self, uuid: str) -> None:
        tree = [one for one in self.providers if _beneath(self.providers, one, uuid)]
        if any(self._in_use(one) for one in tree):
            raise errors.Conflict(f'Resource provider {uuid} has allocations')
        for one in tree:
            del self.providers[one]

    @probe
    def provider(self, name: str) -> str | None:
        return next((one.uuid for one in self.providers.values() if one.name == name), None)

    @probe
    def traits(self, provider: str) -> set[str]:
        return set(self.providers[provider].traits) if provider in self.providers else set()

    @effect
    def add_to_aggregate(self, provider: str, aggregate: str) -> None:
        if provider not in self.providers:
            raise errors.placement.ProviderNotFound(provider=provider)
        self.providers[provider].aggregates.add(aggregate)

    @effect
    def remove_from_aggregate(self, provider: str, aggregate: str) -> None:
        if provider in self.providers:
            self.providers[provider].aggregates.discard(aggregate)


def _beneath(providers: Mapping[str, _Provider], one: str | None, top: str) -> bool:
    """Whether a provider is in the tree below another one, or is that one."""
    while one is not None and one != top:
        one = providers[one].parent if one in providers else None
    return one == top


def _held(allocation_request: JsonObject) -> JsonObject:
    """What a consumer holds once it has claimed this."""
    return {uuid: {'resources': dict(held['resources'])}
            for uuid, held in allocation_request['allocations'].items()}


def _meets(group: placement_request.Group, picked: list[_Provider]) -> bool:
    """Whether providers together have the traits that a group wants."""
    traits = set().union(*(one.traits for one in picked)) if picked else set()
    return (group.required <= traits and not group.forbidden & traits
            and all(traits & names for names in group.any_of))
