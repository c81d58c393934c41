"""Bipartite matching of slots to rows."""

from collections import deque

from nova.placement.candidates.budget import Budget


def matches(options: list[list[int]], places: dict[int, int], budget: Budget) -> bool:
    """Whether each slot can have a row of its options, no row more than `places` (1 if not named) of them.

    Slots are seated one by one; who finds no free row looks, breadth first, for somebody who can move.
    """
    seated: dict[int, list[int]] = {}
    return all(_seat(slot, options, places, seated, budget) for slot in range(len(options)))


def _seat(newcomer: int, options: list[list[int]], places: dict[int, int], seated: dict[int, list[int]],
          budget: Budget) -> bool:
    reached: dict[int, int] = {}
    """Row -> the slot that would move there."""
    waiting = deque([newcomer])
    at: dict[int, int] = {}
    """Slot that would have to move -> the row where it sits."""
    while waiting:
        slot = waiting.popleft()
        looked = 0
        for row in options[slot]:
            looked += 1
            if row in reached:
                continue
            reached[row] = slot
            sitting = seated.setdefault(row, [])
            if len(sitting) < places.get(row, 1):
                budget.spend(looked)
                _move(row, newcomer, reached, at, seated)
                return True
            for other in sitting:
                if other not in at:
                    at[other] = row
                    waiting.append(other)
        budget.spend(looked)
    return False


def _move(row: int, newcomer: int, reached: dict[int, int], at: dict[int, int],
          seated: dict[int, list[int]]) -> None:
    """Everybody on the way moves one row on."""
    while True:
        slot = reached[row]
        seated[row].append(slot)
        if slot == newcomer:
            return
        row = at[slot]
        seated[row].remove(slot)
