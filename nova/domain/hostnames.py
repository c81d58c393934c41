"""Host names and display names of servers: what a guest is called when the user did not say.

A host name is a DNS label: what the user typed as display name is squeezed into one; where nothing is left
the server's UUID takes its place. Several servers of one request are numbered.
"""

import re
import unicodedata

LABEL = 63
"""Longest label of a DNS name (RFC 1035)."""

_SPACES = re.compile(r'[\s._]+')
_FOREIGN = re.compile(r'[^a-z0-9-]')


def label(name: str) -> str:
    """The DNS label nearest to a display name; empty when no usable character is left.

    Accents are dropped, blanks, dots and underscores become dashes, the rest is left out.
    """
    plain = unicodedata.normalize('NFKD', name).encode('ascii', 'ignore').decode().lower()
    return _FOREIGN.sub('', _SPACES.sub('-', plain)).strip('-')[:LABEL].rstrip('-')


def hostname(name: str, uuid: str, index: int | None = None) -> str:
    """The guest's host name for a display name.

    Args:
        index: 0-based place among several servers of one request; None for a single server. The number is
            kept when the label has to be cut.
    """
    if index is None:
        return label(name) or f'server-{uuid}'
    tail = f'-{index + 1}'
    stem = label(name)[:LABEL - len(tail)].rstrip('-')
    return f'{stem}{tail}' if stem else f'server-{uuid}'


def display_name(name: str, index: int | None = None) -> str:
    """What the server is called in lists; servers of a multi-create get ``-1``, ``-2`` ... behind the name."""
    return name if index is None else f'{name}-{index + 1}'
