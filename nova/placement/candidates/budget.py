"""How much a search may do, so that no request can hold a worker for long."""

PATIENCE = 300_000
"""Units of work that a search may do beyond what it finds; about a second of one core."""

PER_PICK = 5_000
"""Further units for every pick that it finds."""


class CutShort(Exception):
    """The search has done what it may; what it found until then is the answer."""


class Budget:
    """The work of one search, counted in rows looked at, which does not depend on how fast the machine is.

    Attributes:
        spent: rows looked at so far, by the walk and by its bounds.
        tries: those of them that were tried as a placement.
    """

    __slots__ = ('spent', 'tries', '_allowed')

    def __init__(self, patience: int = PATIENCE) -> None:
        self.spent = 0
        self.tries = 0
        self._allowed = patience

    def spend(self, work: int) -> None:
        """Count work.

        Raises:
            CutShort: there is nothing left to spend.
        """
        self.spent += work
        if self.spent > self._allowed:
            raise CutShort

    def found(self) -> None:
        """Allow what the next pick may cost."""
        self._allowed += PER_PICK
