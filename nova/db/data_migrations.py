"""Row by row changes of data that run while services do, between the two branches of schema changes."""

from collections.abc import Callable

from nova.db.session import Databases

MIGRATIONS: dict[str, Callable[[Databases, int], tuple[int, int]]] = {}
"""By name: ``fn(databases, max_count) -> (rows that need it, rows done)``. The first release has none."""
