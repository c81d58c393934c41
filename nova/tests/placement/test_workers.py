"""Several workers on one database: each finds what others left; together they give out what there is."""

import multiprocessing
import uuid
from multiprocessing.connection import Connection
from typing import Any

from nova.placement import direct
from nova.tests.fixtures import databases, placement

HOSTS, SLOTS = 6, 5


def _claim_all(url: str, pipe: Connection) -> None:
    """Search and claim until nothing is left; send how many claims won, and the answers of those that lost."""
    app, db = placement.make_app(url)
    client = direct.Client(app)
    pipe.send('ready')
    pipe.recv()
    won, lost = 0, []
    while True:
        answer = client.get('/allocation_candidates?resources=VCPU:1&limit=3').json()
        if not answer['allocation_requests']:
            break
        body = {'allocations': answer['allocation_requests'][-1]['allocations'],
                'project_id': 'p', 'user_id': 'u',
                'consumer_type': 'INSTANCE', 'consumer_generation': None}
        claim = client.put(f'/allocations/{uuid.uuid4()}', json=body)
        if claim.status_code == 204:
            won += 1
        else:
            lost.append((claim.status_code, claim.json()['errors'][0]['detail']))
    pipe.send((won, lost))
    pipe.close()
    db.dispose()


def test_two_processes_give_out_exactly_what_there_is(lend: databases.Lend) -> None:
    url = lend('placement')
    app, db = placement.make_app(url)
    client = direct.Client(app)
    hosts = [str(uuid.uuid4()) for _ in range(HOSTS)]
    for one in hosts:
        client.post('/resource_providers', json={'name': one, 'uuid': one})
        client.put(f'/resource_providers/{one}/inventories', json={
            'resource_provider_generation': 0, 'inventories': {'VCPU': {'total': SLOTS}}})
    context = multiprocessing.get_context('spawn')
    ends: list[Any] = []
    for _ in range(2):
        mine, theirs = context.Pipe()
        process = context.Process(target=_claim_all, args=(url, theirs), daemon=True)
        process.start()
        ends.append((process, mine))
    for _, pipe in ends:
        assert pipe.poll(120) and pipe.recv() == 'ready'
    for _, pipe in ends:
        pipe.send('go')
    results = []
    for process, pipe in ends:
        assert pipe.poll(120)
        results.append(pipe.recv())
        process.join(60)
    assert sum(won for won, _ in results) == HOSTS * SLOTS, results
    assert all(code == 409 and 'capacity' in detail for _, lost in results for code, detail in lost), results
    for one in hosts:
        assert client.get(f'/resource_providers/{one}/usages').json()['usages'] == {'VCPU': SLOTS}
    assert client.get('/allocation_candidates?resources=VCPU:1').json()['allocation_requests'] == []
    db.dispose()
