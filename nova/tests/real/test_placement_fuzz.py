"""schemathesis over the API's own description finds no server error, on any database, old version or new."""

import pathlib
import shutil
import subprocess

import pytest

from nova.placement import direct
from nova.tests.fixtures import databases, placement

pytestmark = pytest.mark.real


@pytest.mark.timeout(400)
@pytest.mark.parametrize('version', ['1.0', '1.27', '1.39'])
@pytest.mark.parametrize('kind', ['sqlite', 'mysql', 'postgresql'])
def test_no_server_error(kind: str, version: str, tmp_path: pathlib.Path,
                         tmp_path_factory: pytest.TempPathFactory) -> None:
    tool = shutil.which('schemathesis')
    assert tool, 'schemathesis is not installed'
    with databases.database_url(kind, tmp_path_factory) as url:
        app, db = placement.make_app(url)
        description = tmp_path / 'openapi.json'
        description.write_bytes(direct.Client(app, version=version).get('/openapi.json').content)
        with placement.Server(app) as server:
            done = subprocess.run(
                [tool, 'run', str(description), '--url', server.url, '-H', 'X-Auth-Token: admin',
                 '-H', f'OpenStack-API-Version: placement {version}', '--checks', 'not_a_server_error',
                 '--max-examples', '20', '--seed', '1', '--no-color'],
                capture_output=True, text=True, check=False)
        db.dispose()
    assert done.returncode == 0, done.stdout[-4000:]
