"""The views of a server: ``list``, ``detail``, ``show``, and what an update (``updated``) and a rebuild
(``rebuilt``) answer, which until 2.74 is less than the whole."""

from collections.abc import Callable

from nova.rest.field import Face, Faces

VIEWS = ('detail', 'show', 'updated', 'rebuilt')


def since(version: str) -> Faces:
    """In every view from `version` on."""
    return dict.fromkeys(VIEWS, version)


def extended(version: str) -> Faces:
    """In detail and show from `version` on; after a change only where the answer is the whole server."""
    whole = max(version, '2.75', key=lambda text: tuple(map(int, text.split('.'))))
    return {'detail': version, 'show': version, 'updated': whole, 'rebuilt': whole}


def each(spans: Callable[[str], Face]) -> Faces:
    """In every view, as `spans` says for its name."""
    return {face: spans(face) for face in VIEWS}


ALWAYS = since('2.1')
EXTENDED = extended('2.1')
