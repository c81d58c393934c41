"""Files that are put into a guest before it starts (``personality``, until 2.56)."""

import base64
from collections.abc import Mapping, Sequence

from nova.objects import base, fields


class InjectedFile(base.Record):
    """A file that is put into the guest before it starts; `contents` is base64, and nobody else's to see."""

    path: str
    contents: fields.Secret


def asked(personality: Sequence[Mapping[str, str]] | None) -> list[InjectedFile]:
    """What a request names."""
    return [InjectedFile(path=file['path'], contents=file['contents']) for file in personality or ()]


def decoded(files: Sequence[InjectedFile]) -> list[tuple[str, bytes]]:
    """As drivers take them."""
    return [(file.path, base64.b64decode(file.contents)) for file in files]
