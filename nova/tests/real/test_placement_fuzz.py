"""schemathesis over the API's own description: no server error, and every answer is as described, on any
database, in versions old and new. A sample by default (`real`), and many examples in the long run (`slow`)."""

import json
import pathlib
import shutil
import subprocess
from typing import Any

import pytest

from nova.placement import direct
from nova.tests.fixtures import databases, placement

CHECKS = ('not_a_server_error', 'status_code_conformance', 'content_type_conformance',
          'response_schema_conformance')
SAMPLE, MANY = 10, 200


def _of_one_version(client: direct.Client) -> dict[str, Any]:
    """The description without the version header, which we send: without it an answer is as of 1.0."""
    document: dict[str, Any] = client.get('/openapi.json').json()
    for methods in document['paths'].values():
        for operation in methods.values():
            operation['parameters'] = [one for one in operation['parameters'] if one['in'] != 'header']
    return document


@pytest.mark.timeout(1800)
@pytest.mark.parametrize('examples', [pytest.param(SAMPLE, marks=pytest.mark.real),
                                      pytest.param(MANY, marks=pytest.mark.slow)])
@pytest.mark.parametrize('version', ['1.0', '1.27', '1.39'])
@pytest.mark.parametrize('kind', ['sqlite', 'mysql', 'postgresql'])
def test_answers_are_as_described(kind: str, version: str, examples: int, tmp_path: pathlib.Path,
                                  tmp_path_factory: pytest.TempPathFactory) -> None:
    tool = shutil.which('schemathesis')
    assert tool, 'schemathesis is not installed'
    with databases.database_url(kind, tmp_path_factory) as url:
        app, db = placement.make_app(url)
        description = tmp_path / 'openapi.json'
        description.write_text(json.dumps(_of_one_version(direct.Client(app, version=version))))
        with placement.Server(app) as server:
            done = subprocess.run(
                [tool, 'run', str(description), '--url', server.url, '-H', 'X-Auth-Token: admin',
                 '-H', f'OpenStack-API-Version: placement {version}', '--checks', ','.join(CHECKS),
                 '--max-examples', str(examples), '--seed', '1', '--no-color'],
                capture_output=True, text=True, check=False)
        db.dispose()
    assert done.returncode == 0, done.stdout[-4000:]
