"""No request, however odd, gets a server error: some thousands made from the API's own description."""

from typing import Any

import pytest

from nova.schema import history
from nova.tests.api import fuzz, sweep
from nova.tests.api.cloud import ADMIN, MEMBER, PROJECT, Cloud

SAMPLE, MOST = 500, 10000
REACHED = (200, 202, 400, 404)
"""Answers that show that requests come through to what they are for."""
VERSIONS = ('2.1', '2.26', '2.37', '2.53', '2.79', '2.96', str(history.MAX))


pytestmark = pytest.mark.timeout(300 + sweep.REQUESTS)


def _requests(cloud: Cloud, seed: int) -> fuzz.Fuzz:
    """Of a cloud in which there is something to be found and changed."""
    cloud.host('host1')
    servers = [cloud.server(), cloud.server(cell=2), cloud.server(cell=None)]
    image = cloud.clients.image.add()
    network = cloud.clients.network.api.add_network(PROJECT)
    cloud.call('POST', '/os-keypairs', json={'keypair': {'name': 'mine'}}, headers=MEMBER)
    cloud.call('POST', '/os-aggregates', json={'aggregate': {'name': 'some'}})
    flavor = servers[0].flavorid
    known = [*(server.uuid for server in servers), flavor, image, network, 'mine', '1', 'host1', 'nova', 'key',
             'default', servers[0].project_id]
    return fuzz.Fuzz(seed, known, {'imageRef': image, 'flavorRef': flavor, 'networks': [{'uuid': network}],
                                   'key_name': 'mine', 'name': 'name', 'personality': []})


@pytest.mark.parametrize('version', VERSIONS)
def test_no_server_error(cloud: Cloud, version: str) -> None:
    requests = _requests(cloud, sweep.SEED or sum(version.encode()))

    def send(made: dict[str, Any]) -> Any:
        headers = {**requests.chance.choice([ADMIN, MEMBER]), **made.get('headers', {}),
                   'OpenStack-API-Version': f'compute {version}'}
        return cloud.http.simulate_request(**{**made, 'path': f'/v2.1{made["path"]}', 'headers': headers})
    swept = sweep.Sweep(cloud.call('GET', '/openapi.json', version).json, requests, send)
    swept.run(sweep.REQUESTS // len(VERSIONS) or SAMPLE)
    while not all(swept.answers[status] for status in REACHED) and swept.answers.total() < MOST:
        swept.run(SAMPLE)
    assert not swept.failed, swept.failed
    assert all(swept.answers[status] for status in REACHED), 'the requests reach what they are for'
