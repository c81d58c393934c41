"""How many of the threads that serve every cell may be held up by one of them."""

import contextlib
from collections.abc import Iterator

from nova import errors
from nova.common import clock, threads

SLOW = 15.0
"""Seconds after which a call to a cell counts as one that will not be answered."""


class Share:
    """The calls to one cell's database from threads that other cells need, too.

    At most `most` are under way, and others wait for their turn. While the cell answers they come to it,
    however slow it is. Once a call is not answered, whoever would have to wait is told that the cell is away.
    """

    def __init__(self, most: int) -> None:
        self._most, self._changed = most, threads.condition()
        self._under_way: dict[object, float] = {}

    @contextlib.contextmanager
    def call(self) -> Iterator[None]:
        """Around one call.

        Raises:
            errors.host.CellHangs: the cell does not answer those who are before us.
        """
        mine = object()
        with self._changed:
            while len(self._under_way) >= self._most:
                left = min(self._under_way.values()) + SLOW - clock.monotonic()
                if left <= 0:
                    raise errors.host.CellHangs()
                self._changed.wait(left)
            self._under_way[mine] = clock.monotonic()
        try:
            yield
        finally:
            with self._changed:
                del self._under_way[mine]
                self._changed.notify_all()
