"""Requests that meet: one process serves the sandbox with many threads."""

from concurrent import futures

import httpx

from nova.tests.fixtures.sandbox import Running

SERVERS = [f'{number}' * 8 + '-1111-1111-1111-111111111111' for number in range(1, 9)]


def together(client: httpx.Client, bodies: list[tuple[str, dict]]) -> list[httpx.Response]:
    with futures.ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(lambda item: client.post(item[0], json=item[1]), bodies))


def test_parallel_ports_have_addresses_of_their_own(running: Running) -> None:
    with httpx.Client(headers={'X-Auth-Token': running.session('nova').get_token()}) as client:
        body = {'port': {'network_id': running.made.networks['private']}}
        answers = together(client, [(f'{running.url}/network/v2.0/ports', body)] * 24)
    assert [answer.status_code for answer in answers] == [201] * 24
    assert len({answer.json()['port']['fixed_ips'][0]['ip_address'] for answer in answers}) == 24


def test_parallel_attachments_of_one_volume_have_one_winner(running: Running) -> None:
    headers = {'X-Auth-Token': running.session('nova').get_token(), 'OpenStack-API-Version': 'volume 3.71'}
    base = f'{running.url}/volume/v3'
    with httpx.Client(headers=headers) as client:
        volume = client.post(f'{base}/volumes', json={'volume': {'size': 1}}).json()['volume']['id']
        answers = together(client, [(f'{base}/attachments', {'attachment': {
            'volume_uuid': volume, 'instance_uuid': server}}) for server in SERVERS])
        kept = client.get(f'{base}/attachments', params={'volume_id': volume}).json()['attachments']
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7
    assert len(kept) == 1
