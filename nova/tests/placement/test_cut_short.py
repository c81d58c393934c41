"""What a client and an operator are told when a search for candidates gave up (see candidates/budget.py)."""

import dataclasses

import pytest

from nova.common import dbkit
from nova.placement import app, direct
from nova.placement.candidates.search import Searcher
from nova.tests.fixtures import placement
from nova.tests.placement_candidates.cloud import uid

HEADER = 'openstack-placement-cut-short'


def test_a_cut_is_told_in_a_header_and_in_the_log(db: dbkit.Database, caplog: pytest.LogCaptureFixture) -> None:
    service = app.make_service(placement.make_conf(), db)
    calm = direct.Client(app.serve(service))
    hasty = direct.Client(app.serve(dataclasses.replace(service, searcher=Searcher(db, patience=0))))
    root, child = uid('root'), uid('child')
    calm.post('/resource_providers', json={'name': 'root', 'uuid': root})
    calm.post('/resource_providers', json={'name': 'child', 'uuid': child, 'parent_provider_uuid': root})
    for each in (root, child):
        calm.put(f'/resource_providers/{each}/inventories', json={
            'resource_provider_generation': 0, 'inventories': {'VCPU': {'total': 8}}})
    query = '/allocation_candidates?resources_1=VCPU:1&resources_2=VCPU:1&group_policy=isolate'
    whole, part = calm.get(query), hasty.get(query)
    assert len(whole.json()['allocation_requests']) == 2 and HEADER not in whole.headers
    assert (part.status_code, part.headers[HEADER]) == (200, 'true')
    assert part.json()['allocation_requests'] == []
    assert 'cut short' in caplog.text and 'resources_1=VCPU:1' in caplog.text
