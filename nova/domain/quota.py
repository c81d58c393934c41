"""Arithmetic over counts: how many servers of one kind fit, and what that many add."""

from collections.abc import Mapping


def deltas(vcpus: int, memory_mb: int, count: int = 1) -> dict[str, int]:
    """What `count` servers of a flavor add to the counted resources."""
    return {'instances': count, 'cores': vcpus * count, 'ram': memory_mb * count}


def fitting(limits: Mapping[str, int], used: Mapping[str, int], each: Mapping[str, int], most: int) -> int:
    """How many more servers fit, at most `most`.

    Args:
        limits, used: by resource; a negative limit is none.
        each: what one server adds.
    """
    room = [(limits[name] - used[name]) // amount for name, amount in each.items()
            if amount > 0 and limits.get(name, -1) >= 0]
    return max(0, min([most, *room]))
