"""What reads cost, in SQL statements."""

import uuid

from nova.common import dbkit
from nova.placement import direct

QUERY = '/allocation_candidates?resources=VCPU:1'


def _host(client: direct.Client) -> str:
    one = str(uuid.uuid4())
    client.post('/resource_providers', json={'name': one, 'uuid': one})
    client.put(f'/resource_providers/{one}/inventories', json={
        'resource_provider_generation': 0, 'inventories': {'VCPU': {'total': 8}}})
    return one


def _sent(statements: list[str]) -> list[str]:
    """Without what some databases need to begin."""
    beginnings = ('BEGIN', 'SET TRANSACTION', 'START TRANSACTION')
    return [text for text in statements if not text.startswith(beginnings)]


def test_candidates_of_an_unchanged_cloud_take_one_statement(client: direct.Client, db: dbkit.Database) -> None:
    _host(client)
    assert len(client.get(QUERY).json()['allocation_requests']) == 1
    with db.counting() as seen:
        client.get(QUERY)
    assert len(_sent(seen)) == 1, seen


def test_candidates_after_a_claim_take_seven(client: direct.Client, db: dbkit.Database) -> None:
    """The stamp; buckets, the rest of the stamp, ids of one bucket; provider, inventories, links."""
    one = _host(client)
    client.get(QUERY)
    assert client.put(f'/allocations/{uuid.uuid4()}', json={
        'allocations': {one: {'resources': {'VCPU': 1}}}, 'project_id': 'p', 'user_id': 'u',
        'consumer_type': 'INSTANCE', 'consumer_generation': None}).status_code == 204
    with db.counting() as seen:
        answer = client.get(QUERY).json()
    assert answer['provider_summaries'][one]['resources']['VCPU']['used'] == 1
    assert len(_sent(seen)) == 7, seen


def test_a_new_name_is_seen_at_once(client: direct.Client) -> None:
    """The names that a query may use are those of the picture that it searches, or newer."""
    _host(client)
    assert client.get(f'{QUERY}&required=CUSTOM_NEW').status_code == 400
    client.put('/traits/CUSTOM_NEW')
    assert client.get(f'{QUERY}&required=CUSTOM_NEW').json()['allocation_requests'] == []
    client.delete('/traits/CUSTOM_NEW')
    assert client.get(f'{QUERY}&required=CUSTOM_NEW').status_code == 400
