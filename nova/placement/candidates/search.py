"""The door to the candidate search: one `Searcher` per worker, shared by its threads."""

import random
from typing import Literal

from nova.common import dbkit
from nova.common.jsonutil import JsonObject
from nova.placement.candidates import explain, narrow
from nova.placement.candidates.budget import PATIENCE
from nova.placement.candidates.combine import Combiner
from nova.placement.candidates.request import CandidateRequest, RequestGroup
from nova.placement.candidates.result import Candidates
from nova.placement.candidates.slot import merged
from nova.placement.candidates.snapshot import Snapshot
from nova.placement.candidates.view import View

__all__ = ['CandidateRequest', 'Candidates', 'RequestGroup', 'Searcher']

Strategy = Literal['depth-first', 'breadth-first']


class Searcher:
    """Finds allocation candidates. Thread-safe; never stale (see snapshot.py).

    Args:
        db: placement's database.
        max_candidates: most candidates that one search generates; -1 for no bound.
        strategy: the order in which that bound is used up: all of a tree before the next, or one from each
            tree in turn. A client's limit within the bound is always spread over the trees.
        randomize: pick trees and candidates at random.
        patience: work that a search may do in vain (see budget.py).
    """

    def __init__(self, db: dbkit.Database, *, max_candidates: int = -1, strategy: Strategy = 'depth-first',
                 randomize: bool = False, patience: int = PATIENCE) -> None:
        self._snapshot = Snapshot(db)
        self._bound = max_candidates if max_candidates >= 0 else None
        self._breadth_first = strategy == 'breadth-first'
        self._shuffler = random.Random() if randomize else None
        self._patience = patience

    def picture(self) -> tuple[View, int]:
        """The View to search, never stale, and the `names_version` whose classes and traits it shows.

        Raises:
            oslo_db.exception.DBError: the database cannot be read.
        """
        stamp, view = self._snapshot.state()
        return view, stamp.names

    def search(self, request: CandidateRequest) -> Candidates:
        """All candidates, or the first `limit` ones.

        Raises:
            oslo_db.exception.DBError: the database cannot be read.
        """
        return self.find(self._snapshot.fresh(), request)

    def find(self, view: View, request: CandidateRequest) -> Candidates:
        """`search` in a View that the caller holds."""
        plan = narrow.plan(view, request)
        combiner = Combiner(view, request, plan, self._shuffler, self._patience)
        limit, bound = request.limit, self._bound
        wanted = min((number for number in (limit, bound) if number is not None), default=None)
        spread = (self._breadth_first or self._shuffler is not None
                  or (limit is not None and (bound is None or limit <= bound)))
        slots, rows = plan.slots, combiner.uniform()
        if rows is None:
            picks = combiner.picks(wanted, spread)
        else:
            picks = combiner.alone(rows, wanted, spread)
            slots = [merged(slots)]
        return Candidates(view, slots, picks, frozenset(request.names()), combiner.budget.tries,
                          combiner.cut_short)

    def explain(self, request: CandidateRequest) -> list[JsonObject]:
        """Why a request has no candidates; see explain.explain for the entries."""
        return explain.explain(self._snapshot.fresh(), request)

    def memory(self) -> dict[str, int]:
        """Rows and bytes held by the snapshot of the last search; grows with providers, not with requests."""
        return self._snapshot.held().memory()
