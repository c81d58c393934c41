"""The body at each microversion that changed it."""

from typing import Any

import orjson

from nova.common import dbkit
from nova.common.microversion import V
from nova.placement.candidates.search import CandidateRequest, RequestGroup, Searcher
from nova.tests.placement_candidates.cloud import Stock, rp, uid, view_of

CLOUD = [rp('host', traits=('CUSTOM_B', 'CUSTOM_A'), VCPU=Stock(8, used=3, ratio=1.5),
            DISK_GB=Stock(10, reserved=1)),
         rp('sub', 'host', CUSTOM_X=1)]


def body(db: dbkit.Database, version: str) -> Any:
    request = CandidateRequest([RequestGroup('', {'VCPU': 2})], version=V(version))
    return orjson.loads(Searcher(db).find(view_of(CLOUD), request).to_json(request.version))


def test_first_shape(db: dbkit.Database) -> None:
    assert body(db, '1.10') == {
        'allocation_requests': [{'allocations': [
            {'resource_provider': {'uuid': uid('host')}, 'resources': {'VCPU': 2}}]}],
        'provider_summaries': {uid('host'): {'resources': {'VCPU': {'capacity': 12, 'used': 3}}}}}


def test_keyed_by_provider(db: dbkit.Database) -> None:
    assert body(db, '1.12')['allocation_requests'] == [
        {'allocations': {uid('host'): {'resources': {'VCPU': 2}}}}]


def test_traits_then_every_class(db: dbkit.Database) -> None:
    cpu = {'VCPU': {'capacity': 12, 'used': 3}}
    traits = ['CUSTOM_A', 'CUSTOM_B']
    assert body(db, '1.17')['provider_summaries'] == {uid('host'): {'resources': cpu, 'traits': traits}}
    assert body(db, '1.27')['provider_summaries'] == {uid('host'): {
        'resources': {**cpu, 'DISK_GB': {'capacity': 9, 'used': 0}}, 'traits': traits}}


def test_whole_trees(db: dbkit.Database) -> None:
    summaries = body(db, '1.29')['provider_summaries']
    assert summaries.keys() == {uid('host'), uid('sub')}
    assert summaries[uid('sub')] == {
        'resources': {'CUSTOM_X': {'capacity': 1, 'used': 0}}, 'traits': [],
        'parent_provider_uuid': uid('host'), 'root_provider_uuid': uid('host')}
    assert summaries[uid('host')]['parent_provider_uuid'] is None


def test_mappings(db: dbkit.Database) -> None:
    assert 'mappings' not in body(db, '1.33')['allocation_requests'][0]
    assert body(db, '1.34')['allocation_requests'][0]['mappings'] == {'': [uid('host')]}


def test_nothing_found(db: dbkit.Database) -> None:
    found = Searcher(db).find(view_of([]), CandidateRequest([RequestGroup('', {'VCPU': 2})]))
    assert orjson.loads(found.to_json(V('1.39'))) == {'allocation_requests': [], 'provider_summaries': {}}


def test_an_absurd_ratio_is_shown_exactly(db: dbkit.Database) -> None:
    view = view_of([rp('host', VCPU=Stock(2147483647, ratio=3e38))])
    found = Searcher(db).find(view, CandidateRequest([RequestGroup('', {'VCPU': 1})]))
    assert str(int(2147483647 * 3e38)) in found.to_json(V('1.39')).decode()
