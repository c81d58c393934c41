"""In tempest's virtual environment: subunit comes in, and each result goes out at once as a line of JSON.

    stestr run --subunit ... | python tempest_results.py

Each has ``id``, ``status`` (success, fail, skip, ...), ``seconds``, and ``said``: the traceback, or why not.
"""

import json
import sys
from typing import Any

import subunit
import testtools


def _told(test: dict[str, Any]) -> None:
    if test['status'] == 'exists':
        return  # that it is there was said before it began
    began, ended = test['timestamps']
    texts = [content.as_text() for name, content in test['details'].items()
             if name.startswith('traceback') or name == 'reason']
    print(json.dumps({'id': test['id'], 'status': test['status'], 'said': '\n'.join(texts).strip(),
                      'seconds': (ended - began).total_seconds() if began and ended else 0.0}), flush=True)


if __name__ == '__main__':
    result = testtools.StreamToDict(_told)
    result.startTestRun()
    subunit.ByteStreamToStreamResult(sys.stdin.buffer, non_subunit_name='said beside').run(result)
    result.stopTestRun()
