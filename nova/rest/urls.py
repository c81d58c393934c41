"""Addresses: the version prefix and optional project of a path, and the links that answers carry.

``/v2.1/servers`` and ``/v2.1/{project_id}/servers`` are the same; ``/v2`` is the older name. What is before the
resource is moved from PATH_INFO to SCRIPT_NAME, the WSGI way to say "mounted there", so that one table of
routes serves all of them.
"""

import dataclasses
import re
from collections.abc import Iterable, Mapping
from urllib import parse
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

PLACE = 'nova.place'
"""Key of the `Place` in the WSGI environment."""

_PREFIX = re.compile(r'/(v2\.1|v2)(?:/([^/]*))?(/.*)?', re.DOTALL)
_PROJECT = re.compile(r'[0-9a-fA-F-]+')


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a request came in."""

    prefix: str
    """``v2.1``, ``v2``, or empty outside of both."""
    project: str | None = None
    mount: str = ''
    """SCRIPT_NAME before the prefix was added: where a web server has put the whole service."""

    @property
    def legacy(self) -> bool:
        return self.prefix == 'v2'


def split(path: str, roots: frozenset[str], mount: str = '') -> tuple[Place, str]:
    """Take the prefix and project off a path.

    Args:
        roots: first segments of known routes; none of them is ever taken for a project.
    """
    match = _PREFIX.fullmatch(path)
    if not match:
        return Place('', mount=mount), path
    prefix, first, rest = match[1], match[2] or '', match[3] or ''
    if first and first not in roots and _PROJECT.fullmatch(first):
        return Place(prefix, first, mount), rest or '/'
    return Place(prefix, mount=mount), f'/{first}{rest}'


def mounted(app: WSGIApplication, roots: Iterable[str]) -> WSGIApplication:
    """A WSGI app that splits the path before `app` sees it."""
    known = frozenset(roots)

    def entry(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        mount = environ.get('SCRIPT_NAME', '')
        place, rest = split(environ.get('PATH_INFO', ''), known, mount)
        environ[PLACE] = place
        if place.prefix:
            environ['PATH_INFO'] = rest
            environ['SCRIPT_NAME'] = '/'.join(filter(None, (mount, place.prefix, place.project)))
            if not environ['SCRIPT_NAME'].startswith('/'):
                environ['SCRIPT_NAME'] = '/' + environ['SCRIPT_NAME']
        return app(environ, start_response)
    return entry


class Links:
    """Makes the links of one request's answer.

    Args:
        host: scheme and authority, as the client wrote them.
        override: replaces `host` and the mount point ([api] compute_link_prefix).
    """

    def __init__(self, place: Place, host: str, override: str | None = None) -> None:
        root = override.rstrip('/') if override else host + place.mount
        project = f'/{place.project}' if place.project else ''
        self.root = root
        self.versioned = f'{root}/{place.prefix or "v2.1"}{project}'
        self._bare = f'{root}{project}'

    def self(self, *parts: str) -> str:
        """The address of a resource."""
        return f'{self.versioned}/{_quoted(parts)}'

    def bookmark(self, *parts: str) -> str:
        """The address without the version: it stays good when the version changes."""
        return f'{self._bare}/{_quoted(parts)}'

    def of(self, *parts: str) -> list[dict[str, str]]:
        """Both, as a document carries them."""
        path = _quoted(parts)  # once: a page has thousands of them
        return [{'rel': 'self', 'href': f'{self.versioned}/{path}'},
                {'rel': 'bookmark', 'href': f'{self._bare}/{path}'}]

    def next(self, path: str, query: Mapping[str, list[str]], marker: str) -> list[dict[str, str]]:
        """The link to the next page: the same query from `marker` on."""
        asked = parse.urlencode({**query, 'marker': [marker]}, doseq=True)
        return [{'rel': 'next', 'href': f'{self.versioned}{path}?{asked}'}]


def _quoted(parts: Iterable[str]) -> str:
    return '/'.join(map(parse.quote, parts))
