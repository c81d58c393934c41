"""schemathesis against a cloud: it makes requests from the API's own description, and judges answers by it."""

import json
import pathlib
import re
import subprocess
import sys
from collections.abc import Sequence

from nova.tests.functional.conftest import User

CHECKS = ('not_a_server_error', 'status_code_conformance', 'content_type_conformance',
          'response_schema_conformance')
UNSERVED = '^/(os-baremetal-nodes|events$)'
"""Answer 501 where there is no bare-metal service, and where no events are kept, as they shall."""


def judge(user: User, version: str, examples: int, directory: pathlib.Path, seed: int = 1,
          only: Sequence[str] = ()) -> int:
    """How many requests were sent; every answer was as described.

    Args:
        examples: for each operation.
        only: regular expressions of paths; all by default.
    """
    tool = pathlib.Path(sys.executable).with_name('schemathesis')
    description = directory / f'openapi-{version}.json'
    description.write_text(json.dumps(user.get('/openapi.json', params={'version': version})))
    wanted = ['--include-path-regex', '|'.join(only)] if only else []
    done = subprocess.run(
        [str(tool), 'run', str(description), '--url', f'{user.cloud.deployment.url("compute")}/v2.1',
         '-H', f'X-Auth-Token: {user.token}', '-H', f'OpenStack-API-Version: compute {version}',
         '--checks', ','.join(CHECKS), '--phases', 'fuzzing', '--max-examples', str(examples),
         '--exclude-path-regex', UNSERVED, '--seed', str(seed), '--suppress-health-check', 'all',
         '--request-timeout', '300', '--no-color', *wanted],
        capture_output=True, text=True, check=False, cwd=directory)
    assert done.returncode == 0, _failures(done.stdout) + done.stderr[-2000:]
    sent = re.search(r'(\d+) generated', done.stdout)
    assert sent, done.stdout[-2000:]
    return int(sent[1])


def _failures(said: str) -> str:
    """What failed, with the request; the end of everything where nothing says so."""
    found = re.search(r'=+ FAILURES =+.*?(?=\n=+ [A-Z]+ =+)', said, re.DOTALL)
    return (found[0] if found else '')[:20_000] + said[-1000:]
