"""Large snapshots out of the sight of Python's cyclic garbage collector."""

import gc

WORTH_FREEZING = 1000
"""Providers from which on a snapshot is kept out of sight."""


class Frozen:
    """Decides when what was loaded is taken out of sight.

    A large snapshot is hundreds of thousands of objects that live long and never form cycles, and a full
    collection, of which searches cause many, would stop all requests to look at each. The collector can only be
    told to leave alone *everything* there is at a moment, what other threads work on included. So each time all
    is brought back and collected first: what became garbage since the last time goes then, and nothing adds up.
    Providers are loaded anew one by one as well; when those are a quarter of all, it is done again, so that its
    cost (looking at everything once) is spread over thousands of changes.
    """

    def __init__(self) -> None:
        self._new = 0

    def loaded(self, new: int, held: int) -> None:
        """So many providers of those that are held have just been loaded."""
        self._new += new
        if held >= WORTH_FREEZING and self._new * 4 > held:
            gc.unfreeze()
            gc.collect()
            gc.freeze()
            self._new = 0
