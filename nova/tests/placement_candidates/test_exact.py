"""The search against the oracle: the same candidates, each once, whatever the forest and the request (NRP-S3,
GRN-S1, SHR-S1, TRT-S1)."""

import dataclasses

import hypothesis
import orjson
import pytest
from hypothesis import strategies as st

from nova.common import dbkit
from nova.placement.candidates.search import CandidateRequest, Candidates, Searcher
from nova.tests.placement_candidates import strategies
from nova.tests.placement_candidates.cloud import Rp, uid, view_of
from nova.tests.placement_candidates.oracle import Assignment, Oracle

QUIET = [hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.data_too_large,
         hypothesis.HealthCheck.function_scoped_fixture]


@pytest.fixture
def kind() -> str:
    """The search is handed its forest: no statement is sent."""
    return 'sqlite'


def assignments(found: Candidates, providers: list[Rp]) -> list[Assignment]:
    name_of = {uid(item.name): item.name for item in providers}
    return [frozenset((slot.suffix, cls, name_of[found.view.providers[row].uuid])
                      for slot, row in zip(found.slots, pick, strict=True) for cls in (slot.resources or ['']))
            for pick in found.picks]


def forest_and_request(data: st.DataObject) -> tuple[list[Rp], CandidateRequest]:
    if data.draw(st.booleans()):
        return data.draw(strategies.halves()), data.draw(strategies.device_requests())
    providers = data.draw(strategies.forests())
    return providers, data.draw(strategies.requests(providers))


def compare(db: dbkit.Database, data: st.DataObject) -> None:
    providers, request = forest_and_request(data)
    view, oracle = view_of(providers), Oracle(providers)
    want = oracle.candidates(request)
    hypothesis.event('some' if want else 'none')
    for searcher in (Searcher(db), Searcher(db, strategy='breadth-first'), Searcher(db, randomize=True)):
        answer = searcher.find(view, request)
        found = assignments(answer, providers)
        assert len(found) == len(set(found)) and not answer.cut_short
        assert set(found) == want
    compare_limited(db, data, providers, request, want)
    compare_impatient(db, data, providers, request, want)
    compare_json(Searcher(db).find(view, request), request, providers, want)


def compare_limited(db: dbkit.Database, data: st.DataObject, providers: list[Rp], request: CandidateRequest,
                    want: set[Assignment]) -> None:
    """Any bound yields exactly so many of the true candidates."""
    number = data.draw(st.integers(1, 4))
    strategy = data.draw(st.sampled_from(['depth-first', 'breadth-first']))
    searcher = Searcher(db, max_candidates=number, strategy=strategy, randomize=data.draw(st.booleans()))
    limited = dataclasses.replace(request, limit=number)
    for answer in (searcher.find(view_of(providers), request), Searcher(db).find(view_of(providers), limited)):
        found = assignments(answer, providers)
        assert len(found) == len(set(found)) == min(number, len(want))
        assert set(found) <= want


def compare_impatient(db: dbkit.Database, data: st.DataObject, providers: list[Rp], request: CandidateRequest,
                      want: set[Assignment]) -> None:
    """A search that is cut short says so, and what it found is true."""
    answer = Searcher(db, patience=data.draw(st.integers(0, 40))).find(view_of(providers), request)
    found = assignments(answer, providers)
    assert len(found) == len(set(found)) and set(found) <= want
    assert answer.cut_short or set(found) == want


def compare_json(found: Candidates, request: CandidateRequest, providers: list[Rp],
                 want: set[Assignment]) -> None:
    body = orjson.loads(found.to_json(request.version))
    totals = []
    for assignment in want:
        shares: dict[str, dict[str, int]] = {}
        for group in request.groups:
            for cls, amount in group.resources.items():
                name = next(name for suffix, of, name in assignment if (suffix, of) == (group.suffix, cls))
                share = shares.setdefault(uid(name), {})
                share[cls] = share.get(cls, 0) + amount
        totals.append(shares)
    got = [{uuid: share['resources'] for uuid, share in item['allocations'].items()}
           for item in body['allocation_requests']]

    def key(shares: dict[str, dict[str, int]]) -> bytes:
        return orjson.dumps(shares, option=orjson.OPT_SORT_KEYS)
    assert sorted(got, key=key) == sorted(totals, key=key)
    used = {uuid for shares in totals for uuid in shares}
    oracle = Oracle(providers)
    roots = {oracle.root(item).name for item in providers if uid(item.name) in used}
    trees = {uid(item.name) for item in providers if oracle.root(item).name in roots}
    assert body['provider_summaries'].keys() == (trees if request.nested else used)


@hypothesis.settings(max_examples=500, deadline=None, suppress_health_check=QUIET)
@hypothesis.given(data=st.data())
def test_search_equals_the_oracle(db: dbkit.Database, data: st.DataObject) -> None:
    compare(db, data)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@hypothesis.settings(max_examples=10000, deadline=None, suppress_health_check=QUIET)
@hypothesis.given(data=st.data())
def test_search_equals_the_oracle_at_length(db: dbkit.Database, data: st.DataObject) -> None:
    compare(db, data)
