"""Odd requests over every route of a whole cloud: no server error, and nothing is left half made.

A sample by default; ``NOVA_TEST_REQUESTS=20000`` and ``NOVA_TEST_SEED`` ask for more, and for others.
"""


import pytest

from nova.tests.api import fuzz, sweep
from nova.tests.fixtures import databases
from nova.tests.fixtures.waiting import until
from nova.tests.functional import leaks
from nova.tests.functional.conftest import User, standalone

SAMPLE, MOST = 300, 5000
REACHED = {200, 202, 400, 404}
VERSIONS = ('2.1', '2.53', '2.96')
SETTLED = 120
"""Seconds within which whatever was begun has ended."""


pytestmark = pytest.mark.timeout(600 + sweep.REQUESTS)


@pytest.fixture(params=databases.KINDS)
def own_cloud(request, tmp_path_factory, supply):
    """Nobody else's: what administrators change by chance stays changed."""
    with standalone(request.param, tmp_path_factory, supply) as found:
        yield found


def test_no_server_error_and_nothing_in_build_for_ever(own_cloud):
    demo, admin = User(own_cloud, 'demo'), User(own_cloud, 'admin')
    server = demo.booted(metadata={'key': '', 'key ': ''}, tags=['tag', 'tag '])
    demo.call('POST', '/os-keypairs', {'keypair': {'name': 'mine'}}, version='2.91')
    known = [server['id'], demo.image, demo.network, 'mine', '1', 'nova', 'key', 'default', server['tenant_id']]
    likely = {'imageRef': demo.image, 'flavorRef': '1', 'networks': [{'uuid': demo.network}], 'name': 'name',
              'key_name': 'mine', 'personality': []}
    for number, version in enumerate(VERSIONS):
        requests = fuzz.Fuzz(sweep.SEED + number, known, likely)

        def send(made, version=version, requests=requests):
            user = requests.chance.choice([demo, demo, admin])
            path = f'{made["path"]}?{made["query_string"]}'
            return user.call(made['method'], path, version=version, content=made.get('body'),
                             headers=made.get('headers', {}))
        swept = sweep.Sweep(demo.get('/openapi.json', params={'version': version}), requests, send)
        swept.run(sweep.REQUESTS // len(VERSIONS) or SAMPLE)
        while not set(swept.answers) >= REACHED and swept.answers.total() < MOST:
            swept.run(SAMPLE)
        assert not swept.failed, swept.failed
        assert set(swept.answers) >= REACHED, 'the requests reach what they are for'
    _settled(admin)
    leaks.check(own_cloud, admin)


def _settled(admin):
    """Every server has come to rest, whatever as."""
    def busy():
        return [server for server in admin.get('/servers/detail?all_tenants=1')['servers']
                if server['status'] == 'BUILD' or server['OS-EXT-STS:task_state'] is not None]
    until(lambda: not busy(), SETTLED, 0.2, busy)
