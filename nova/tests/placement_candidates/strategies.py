"""Random forests and random requests over them."""

import itertools

from hypothesis import strategies as st

from nova.common.microversion import V
from nova.placement.candidates.search import CandidateRequest, RequestGroup
from nova.tests.placement_candidates.cloud import SHARING, Rp, Stock, uid

CLASSES = ('VCPU', 'DISK_GB', 'CUSTOM_VF')
TRAITS = ('CUSTOM_A', 'CUSTOM_B', SHARING)
AGGS = ('x', 'y', 'z')

stocks = st.builds(
    Stock, total=st.integers(1, 8), used=st.sampled_from([0, 0, 0, 1, 3]),
    reserved=st.sampled_from([0, 0, 0, 1]), min_unit=st.sampled_from([1, 1, 1, 1, 2]),
    max_unit=st.sampled_from([1, 2, 4, 100, 100]), step_size=st.sampled_from([1, 1, 1, 1, 2]),
    ratio=st.sampled_from([1.0, 1.0, 1.0, 0.5, 1.5, 16.0]))


def sometimes(draw: st.DrawFn, of: int, hits: int = 1) -> bool:
    return draw(st.integers(1, of)) <= hits


subsets_of_aggs = st.frozensets(st.sampled_from(AGGS), max_size=2)


@st.composite
def forests(draw: st.DrawFn, most: int = 7) -> list[Rp]:
    """Providers, parents first; about one in five shares."""
    providers: list[Rp] = []
    for number in range(draw(st.integers(1, most))):
        parents = [None, *[item.name for item in providers] * 2]
        traits = {name for name in TRAITS[:2] if draw(st.booleans())}
        if draw(st.integers(0, 4)) == 0:
            traits.add(SHARING)
        providers.append(Rp(
            f'p{number}', draw(st.sampled_from(parents)),
            {name: draw(stocks) for name in CLASSES if sometimes(draw, 4, 3)},
            frozenset(traits), draw(subsets_of_aggs)))
    return providers


amounts = st.dictionaries(st.sampled_from(CLASSES), st.sampled_from([1, 1, 1, 2, 3]), min_size=1, max_size=3)


@st.composite
def groups(draw: st.DrawFn, suffix: str, names: list[str], bare: bool = False) -> RequestGroup:
    """A group that uses each filter now and then."""
    aggregates = st.frozensets(st.sampled_from([uid(name) for name in AGGS]), min_size=1, max_size=2)
    required = [draw(st.frozensets(st.sampled_from(TRAITS), min_size=1, max_size=2))
                for _ in range(2) if sometimes(draw, 8)]
    return RequestGroup(
        suffix, {} if bare else draw(amounts), required,
        draw(st.frozensets(st.sampled_from(TRAITS), max_size=1)) if sometimes(draw, 10) else frozenset(),
        [draw(aggregates) for _ in range(2) if sometimes(draw, 8)],
        draw(aggregates) if sometimes(draw, 12) else frozenset(),
        uid(draw(st.sampled_from([*names, 'nobody']))) if sometimes(draw, 12) else None)


@st.composite
def requests(draw: st.DrawFn, providers: list[Rp]) -> CandidateRequest:
    """Any request the API would let through."""
    names = [item.name for item in providers]
    suffixes = draw(st.sampled_from([[], ['_1'], ['_1', '_2'], ['_1', '_2', '_3']]))
    found = [draw(groups('', names))] if not suffixes or draw(st.booleans()) else []
    subtrees = []
    if suffixes and draw(st.booleans()):
        subtrees = draw(st.lists(st.frozensets(st.sampled_from(suffixes), min_size=1), min_size=1, max_size=2))
    for suffix in suffixes:
        bare = any(suffix in names for names in subtrees) and bool(found) and sometimes(draw, 4)
        found.append(draw(groups(suffix, names, bare)))
    old = not subtrees and sometimes(draw, 4)
    traits = st.frozensets(st.sampled_from(TRAITS[:2]), min_size=1, max_size=1)
    root_required = draw(traits) if sometimes(draw, 8) else frozenset()
    return CandidateRequest(
        found, draw(st.sampled_from(['none', 'isolate'])) if len(suffixes) > 1 else None, None, root_required,
        (draw(traits) if sometimes(draw, 8) else frozenset()) - root_required, subtrees,
        V('1.28') if old else V('1.39'))


@st.composite
def halves(draw: st.DrawFn) -> list[Rp]:
    """One or two hosts of two halves, with devices that are alike or nearly; perhaps a pool beside them."""
    units = st.sampled_from([1, 1, 2, 3])
    hosts = ['host', 'twin'][:draw(st.integers(1, 2))]
    providers = [Rp(host, None, {'VCPU': Stock(draw(units))}, frozenset(), frozenset('x')) for host in hosts]
    for host, half in itertools.product(hosts, ('left', 'right')):
        half = f'{host}-{half}'
        providers.append(Rp(half, host, {'VCPU': Stock(draw(units))} if draw(st.booleans()) else {},
                            frozenset(TRAITS[:1])))
        for number in range(draw(st.integers(1, 3 if len(hosts) == 1 else 2))):
            providers.append(Rp(f'{half}{number}', half, {'CUSTOM_VF': Stock(draw(units))},
                                frozenset(TRAITS[1:2]) if sometimes(draw, 3) else frozenset()))
    if sometimes(draw, 3):
        providers.append(Rp('pool', None, {'CUSTOM_VF': Stock(draw(units))}, frozenset([SHARING]),
                            frozenset('x')))
    return providers


@st.composite
def device_requests(draw: st.DrawFn) -> CandidateRequest:
    """As many groups as devices, or one too many, tied together by subtrees."""
    count = draw(st.integers(2, 4))
    suffixes = [f'_{number}' for number in range(count)]
    found = [RequestGroup(suffix, {'CUSTOM_VF': draw(st.sampled_from([1, 1, 1, 2]))},
                          [frozenset(TRAITS[1:2])] if sometimes(draw, 6) else []) for suffix in suffixes]
    if draw(st.booleans()):
        found.append(RequestGroup('_N', {'VCPU': 1} if draw(st.booleans()) else {},
                                  [frozenset(TRAITS[:1])] if draw(st.booleans()) else []))
        suffixes.append('_N')
    if sometimes(draw, 4):
        found.insert(0, RequestGroup('', {'VCPU': 1, 'CUSTOM_VF': 1} if draw(st.booleans()) else {'VCPU': 1}))
    together = frozenset(suffixes)
    subtrees = draw(st.lists(st.one_of(
        st.just(together), st.frozensets(st.sampled_from(suffixes), min_size=1)), max_size=3))
    if '_N' in suffixes and not any('_N' in names for names in subtrees):
        subtrees.append(together)
    return CandidateRequest(found, draw(st.sampled_from(['none', 'isolate'])), same_subtree=subtrees)
