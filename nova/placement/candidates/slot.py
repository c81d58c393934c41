"""The parts of a request that one provider serves each."""

import dataclasses
from collections.abc import Sequence

from nova.placement.candidates.view import Mask, Rows


@dataclasses.dataclass(slots=True)
class Slot:
    """A part of the request that one provider serves, and who could, tree by tree.

    Slots of groups that ask for the same share their arrays.
    """

    suffix: str
    resources: dict[str, int]
    trees: Rows
    """Ascending tree numbers, parallel to `rows`."""
    rows: Rows
    foreign: bool
    """Whether some row serves a tree that is not its own."""

    def only(self, kept: Mask) -> 'Slot':
        """The slot with fewer options; `kept` is parallel to `rows`."""
        return dataclasses.replace(self, trees=self.trees[kept], rows=self.rows[kept])


def merged(slots: list[Slot]) -> Slot:
    """The slots of one group as one, for when a single provider serves them all."""
    first = slots[0]
    resources = {name: amount for slot in slots for name, amount in slot.resources.items()}
    return Slot(first.suffix, resources, first.trees, first.rows, first.foreign)


def loads(slots: Sequence[Slot]) -> list[list[tuple[str, int]]]:
    """By slot, what it asks of the classes that several slots ask for."""
    asked = [name for slot in slots for name in slot.resources]
    contended = {name for name in asked if asked.count(name) > 1}
    return [[(name, amount) for name, amount in slot.resources.items() if name in contended] for slot in slots]
