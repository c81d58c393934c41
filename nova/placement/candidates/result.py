"""The answer: candidates as JSON, written straight from the picks.

An answer may name a thousand hosts, and hosts rarely change between two answers. So each provider's summary is
kept as text until the provider is loaded anew, each provider's share of a candidate is written once per
answer, and the body is a join. All names in it are plain by grammar (UUIDs, classes, traits, suffixes), so that
nothing needs escaping.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterable

import numpy as np

from nova.common.microversion import V
from nova.placement.candidates.slot import Slot
from nova.placement.candidates.view import Provider, View

_KEYED = V('1.12')
_TRAITS = V('1.17')
_ALL_CLASSES = V('1.27')
_NESTED = V('1.29')
_MAPPINGS = V('1.34')


@dataclasses.dataclass(frozen=True)
class Candidates:
    """What a search found, bound to the View in which it was found.

    Attributes:
        slots: the parts of the request.
        picks: for each candidate, the row that serves each slot.
        classes: every resource class of the request.
        tries: placements that were tried to find the picks.
        cut_short: whether there may be more, which the search gave up looking for (see budget.py).
    """

    view: View
    slots: list[Slot]
    picks: list[tuple[int, ...]]
    classes: frozenset[str]
    tries: int = 0
    cut_short: bool = False

    def __len__(self) -> int:
        return len(self.picks)

    def to_json(self, version: V) -> bytes:
        """The body of GET /allocation_candidates at this microversion."""
        write = self._writer(version)
        summaries = ','.join(self._summaries(version))
        text = (f'{{"allocation_requests":[{",".join(map(write, self.picks))}],'
                f'"provider_summaries":{{{summaries}}}}}')
        return text.encode('ascii')

    def _writer(self, version: V) -> Callable[[tuple[int, ...]], str]:
        """A function that writes one allocation request."""
        providers, slots = self.view.providers, self.slots
        serving = [index for index, slot in enumerate(slots) if slot.resources]

        @functools.cache
        def amounts(parts: tuple[int, ...]) -> str:
            total: dict[str, int] = {}
            for part in parts:
                for name, amount in slots[part].resources.items():
                    total[name] = total.get(name, 0) + amount
            return ','.join(f'"{name}":{amount}' for name, amount in total.items())

        def shares(pick: tuple[int, ...]) -> Iterable[tuple[str, str]]:
            rows: dict[int, tuple[int, ...]] = {}
            for part in serving:
                row = pick[part]
                rows[row] = (*rows[row], part) if row in rows else (part,)
            return [(providers[row].uuid, amounts(parts)) for row, parts in rows.items()]

        def allocations(pick: tuple[int, ...]) -> str:
            return ','.join([f'"{uuid}":{{"resources":{{{text}}}}}' for uuid, text in shares(pick)])

        if version < _KEYED:
            def listed(pick: tuple[int, ...]) -> str:
                items = ','.join([f'{{"resource_provider":{{"uuid":"{uuid}"}},"resources":{{{text}}}}}'
                                  for uuid, text in shares(pick)])
                return f'{{"allocations":[{items}]}}'
            return listed
        if version < _MAPPINGS:
            return lambda pick: f'{{"allocations":{{{allocations(pick)}}}}}'
        if len(slots) == 1:
            suffix, text = slots[0].suffix, amounts((0,))

            def alone(pick: tuple[int, ...]) -> str:
                uuid = providers[pick[0]].uuid
                return (f'{{"allocations":{{"{uuid}":{{"resources":{{{text}}}}}}},'
                        f'"mappings":{{"{suffix}":["{uuid}"]}}}}')
            return alone
        mappings = self._mapper()
        return lambda pick: f'{{"allocations":{{{allocations(pick)}}},"mappings":{{{mappings(pick)}}}}}'

    def _mapper(self) -> Callable[[tuple[int, ...]], str]:
        providers = self.view.providers
        groups: dict[str, list[int]] = {}
        for index, slot in enumerate(self.slots):
            groups.setdefault(slot.suffix, []).append(index)

        def one(suffix: str, rows: list[int]) -> str:
            uuids = '","'.join([providers[row].uuid for row in dict.fromkeys(rows)])
            return f'"{suffix}":["{uuids}"]'
        single = [(f'"{suffix}":["', parts[0]) for suffix, parts in groups.items() if len(parts) == 1]
        split = [(suffix, parts) for suffix, parts in groups.items() if len(parts) > 1]
        return lambda pick: ','.join(
            [one(suffix, [pick[index] for index in parts]) for suffix, parts in split]
            + [f'{start}{providers[pick[index]].uuid}"]' for start, index in single])

    def _summaries(self, version: V) -> list[str]:
        serving = [index for index, slot in enumerate(self.slots) if slot.resources]
        used = {pick[index] for pick in self.picks for index in serving}
        providers = self.view.providers
        if version < _ALL_CLASSES:
            return [self._old_summary(providers[row], version) for row in sorted(used)]
        nested = version >= _NESTED
        rows: Iterable[int] = sorted(used)
        if nested:
            forest = self.view.forest
            trees = np.unique(forest.tree[np.fromiter(used, np.int64, len(used))])
            bounds = zip(forest.starts[trees].tolist(), forest.starts[trees + 1].tolist(), strict=True)
            rows = (row for low, high in bounds for row in range(low, high))
        texts = []
        for row in rows:
            provider = providers[row]
            text = provider.rendered.get(nested)
            texts.append(text if text is not None else self._summary(row, provider, nested))
        return texts

    def _old_summary(self, provider: Provider, version: V) -> str:
        """Only the classes asked for; not kept."""
        traits = f',{_traits(provider)}' if version >= _TRAITS else ''
        return f'"{provider.uuid}":{{{_resources(provider, self.classes)}{traits}}}'

    def _summary(self, row: int, provider: Provider, nested: bool) -> str:
        text = f'"{provider.uuid}":{{{_resources(provider, provider.inventories)},{_traits(provider)}'
        if nested:
            view = self.view
            parent = view.forest.parents[row]
            above = f'"{view.providers[parent].uuid}"' if parent >= 0 else 'null'
            root = view.providers[view.forest.starts[view.forest.tree[row]]].uuid
            text += f',"parent_provider_uuid":{above},"root_provider_uuid":"{root}"'
        text += '}'
        provider.rendered[nested] = text
        return text


def _resources(provider: Provider, names: Iterable[str]) -> str:
    stock = ','.join([f'"{name}":{{"capacity":{item.capacity},"used":{item.used}}}'
                      for name, item in provider.inventories.items() if name in names])
    return f'"resources":{{{stock}}}'


def _traits(provider: Provider) -> str:
    names = '","'.join(provider.traits)
    return f'"traits":["{names}"]' if names else '"traits":[]'
