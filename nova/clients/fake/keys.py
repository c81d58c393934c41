"""The key manager in memory."""

from nova import context as nova_context
from nova import errors
from nova.clients.fake.base import Fake, effect, probe
from nova.common import uuids


class FakeKeys(Fake):
    """`protocols.KeyClient` in memory. ``kept``, id to name, is open to assertions."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, str] = {}

    @effect
    def make(self, context: nova_context.RequestContext, name: str) -> str:
        ident = uuids.generate()
        self.kept[ident] = name
        return ident

    @probe
    def named(self, context: nova_context.RequestContext, name: str) -> list[str]:
        return [ident for ident, known in self.kept.items() if known == name]

    @probe
    def reveal(self, context: nova_context.RequestContext, key_id: str) -> str:
        if key_id not in self.kept:
            raise errors.server.PassphraseUnavailable(name=key_id, reason='there is none')
        return f'opens-{key_id}'

    @effect
    def forget(self, context: nova_context.RequestContext, key_id: str) -> None:
        self.kept.pop(key_id, None)
