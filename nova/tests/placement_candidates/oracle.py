"""The candidate rules by brute force: every provider for every part of the request, then every rule in turn.

Written from the rules alone, over the plain description of a cloud, and as slow as it is simple.
"""

import itertools
from collections.abc import Iterator

from nova.placement.candidates.search import CandidateRequest, RequestGroup
from nova.tests.placement_candidates.cloud import SHARING, Rp, Stock, uid

Assignment = frozenset[tuple[str, str, str]]
"""{(suffix, class or '', provider name)}."""


class Oracle:
    def __init__(self, providers: list[Rp]) -> None:
        self.by_name = {item.name: item for item in providers}

    def root(self, item: Rp) -> Rp:
        while item.parent is not None:
            item = self.by_name[item.parent]
        return item

    def above(self, item: Rp) -> Iterator[str]:
        """The provider and its ancestors."""
        yield item.name
        while item.parent is not None:
            item = self.by_name[item.parent]
            yield item.name

    def candidates(self, request: CandidateRequest) -> set[Assignment]:
        found = set()
        for root in self.by_name.values():
            if root.parent is None and self._root_ok(root, request):
                found |= set(self._of_tree(root, request))
        return found

    @staticmethod
    def _root_ok(root: Rp, request: CandidateRequest) -> bool:
        return request.root_required <= root.traits and not request.root_forbidden & root.traits

    def _of_tree(self, root: Rp, request: CandidateRequest) -> Iterator[Assignment]:
        tree = [item for item in self.by_name.values() if self.root(item) is root]
        near = frozenset().union(*(item.aggs for item in tree))
        usable = tree + [item for item in self.by_name.values()
                         if SHARING in item.traits and item.aggs & near and item not in tree]
        parts: list[tuple[RequestGroup, dict[str, int]]] = []
        for group in request.groups:
            if group.suffix:
                parts.append((group, group.resources))
            else:
                if group.in_tree is not None and group.in_tree not in {uid(item.name) for item in tree}:
                    return
                parts += [(group, {cls: amount}) for cls, amount in group.resources.items()]
        options = [[item for item in usable if self._could(item, group, resources)]
                   for group, resources in parts]
        for choice in itertools.product(*options):
            if self._together(parts, choice, request):
                yield frozenset((group.suffix, cls, item.name)
                                for (group, resources), item in zip(parts, choice, strict=True)
                                for cls in (resources or ['']))

    def _could(self, item: Rp, group: RequestGroup, resources: dict[str, int]) -> bool:
        if group.suffix and not all(item.traits & names for names in group.required):
            return False
        speaking = [item] if group.suffix else [item, self.root(item)]
        memberships = [{uid(name) for name in one.aggs} for one in speaking]
        if group.forbidden & item.traits or any(group.forbidden_aggs & aggs for aggs in memberships):
            return False
        if not any(all(names & aggs for names in group.member_of) for aggs in memberships):
            return False
        if group.in_tree is not None:
            mine = {uid(other.name) for other in self.by_name.values() if self.root(other) is self.root(item)}
            if group.in_tree not in mine:
                return False
        return all(cls in item.stock and fits(item.stock[cls], amount) for cls, amount in resources.items())

    def _together(self, parts: list[tuple[RequestGroup, dict[str, int]]], choice: tuple[Rp, ...],
                  request: CandidateRequest) -> bool:
        totals: dict[tuple[str, str], int] = {}
        for (_, resources), item in zip(parts, choice, strict=True):
            for cls, amount in resources.items():
                totals[item.name, cls] = totals.get((item.name, cls), 0) + amount
        if not all(fits(self.by_name[name].stock[cls], amount) for (name, cls), amount in totals.items()):
            return False
        split = [item for (group, _), item in zip(parts, choice, strict=True) if not group.suffix]
        for group in request.groups:
            if not group.suffix:
                offered = frozenset().union(*(item.traits for item in split))
                if not all(names & offered for names in group.required):
                    return False
        single = {group.suffix: item for (group, _), item in zip(parts, choice, strict=True) if group.suffix}
        if request.group_policy == 'isolate' and len({item.name for item in single.values()}) < len(single):
            return False
        for names in request.same_subtree:
            members = {single[suffix].name for suffix in names}
            if not any(all(top in self.above(self.by_name[name]) for name in members) for top in members):
                return False
        if not request.nested:
            used = {item.name for item in choice}
            if len({self.root(self.by_name[name]).name for name in used}) < len(used):
                return False
        return True


def fits(stock: Stock, amount: int) -> bool:
    return ((stock.total - stock.reserved) * stock.ratio >= stock.used + amount
            and stock.min_unit <= amount <= stock.max_unit and amount % stock.step_size == 0)
