"""What is put into a guest before it starts: files (``personality``, until 2.56), and a password."""

import base64
from collections.abc import Mapping, Sequence
from typing import Protocol

from nova.objects import base, fields
from nova.task.handles import Host


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


class Guarded(Protocol):
    """A state that carries the administrator's password, hidden by `Trust.hide`."""

    password: fields.Secret | None


def revealed(h: Host, state: Guarded) -> str | None:
    """The administrator's password, as drivers take it; None where nobody has said one."""
    return h.clients.trust.reveal(state.password) if state.password is not None else None
