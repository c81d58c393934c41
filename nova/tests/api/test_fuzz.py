"""No request, however odd, gets a server error: some thousands made from the API's own description."""

import time
from collections import Counter
from typing import Any

import pytest

from nova.schema import history
from nova.tests.api import fuzz
from nova.tests.api.cloud import ADMIN, MEMBER, PROJECT, Cloud

SECONDS = 4
FEWEST, MOST = 500, 10000
REACHED = (200, 202, 400, 404)
"""Answers that show that requests come through to what they are for."""
VERSIONS = ('2.1', '2.26', '2.37', '2.53', '2.79', '2.96', str(history.MAX))


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
    document = cloud.call('GET', '/openapi.json', version).json
    requests = _requests(cloud, sum(version.encode()))
    operations = [(path, method, operation) for path, methods in document['paths'].items()
                  for method, operation in methods.items()]
    # Those that say much are asked more often than those that are gone.
    weights = [0.2 + len(str(operation)) / 1000 for *_, operation in operations]
    answers: Counter[int] = Counter()
    failed: dict[str, Any] = {}
    end = time.monotonic() + SECONDS
    while time.monotonic() < end or answers.total() < FEWEST or (
            not all(answers[status] for status in REACHED) and answers.total() < MOST):
        path, method, operation = requests.chance.choices(operations, weights)[0]
        made = requests.request(path, method, operation)
        headers = {**requests.chance.choice([ADMIN, MEMBER]), **made.get('headers', {}),
                   'OpenStack-API-Version': f'compute {version}'}
        answer = cloud.http.simulate_request(**{**made, 'path': f'/v2.1{made["path"]}', 'headers': headers})
        answers[answer.status_code] += 1
        if answer.status_code == 500:
            failed.setdefault(f'{method} {path}', made)
    assert not failed, failed
    assert all(answers[status] for status in REACHED), 'the requests reach what they are for'
