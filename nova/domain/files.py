"""Files that a user has put into his guest before it starts (``personality``, until 2.56)."""

import base64
import binascii
from collections.abc import Mapping, Sequence

from nova import errors
from nova.common import problem


def check(files: Sequence[Mapping[str, str]], limits: Mapping[str, int]) -> None:
    """Refuse what cannot be put there, or is more than allowed.

    Args:
        files: each with ``path`` and, in base64, ``contents``.
        limits: of ``injected_files``, and in bytes of one file of ``injected_file_path_length`` and
            ``injected_file_content_bytes``. Negative ones are none.

    Raises:
        BadRequest: a file without path or contents, or whose contents are not base64.
        LimitExceeded: too many files, too long a path or too much in one.
    """
    _within(limits['injected_files'], len(files), 'injected files')
    for file in files:
        path, contents = file.get('path'), file.get('contents')
        if not path or contents is None:
            raise problem.BadRequest('Bad personality format: a file needs a path and contents.')
        _within(limits['injected_file_path_length'], len(path.encode()), 'bytes in the path of a file')
        _within(limits['injected_file_content_bytes'], len(_decoded(path, contents)), 'bytes in a file')


def _within(limit: int, amount: int, what: str) -> None:
    if 0 <= limit < amount:
        raise errors.server.LimitExceeded(resource=what)


def _decoded(path: str, contents: str) -> bytes:
    try:
        return base64.b64decode(''.join(contents.split()), validate=True)
    except (binascii.Error, ValueError):
        raise problem.BadRequest(f'Personality content for {path} cannot be decoded.') from None
