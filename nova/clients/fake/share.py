"""Manila in memory: shares, rules that let somebody use them, and locks."""

import copy

from nova import context as nova_context
from nova import errors
from nova.clients.fake.base import Fake, effect, probe
from nova.common import uuids
from nova.common.jsonutil import JsonObject


class FakeShare(Fake):
    """`protocols.ShareClient` in memory. ``shares``, ``rules`` and ``locks`` are open to assertions.

    Attributes:
        rules: share, kind and who is let in, to the rule.
        locks: share and server.
        slowness: how often a rule that is new is looked at before it holds.
    """

    def __init__(self, slowness: int = 0) -> None:
        super().__init__()
        self.shares: dict[str, JsonObject] = {}
        self.rules: dict[tuple[str, str, str], JsonObject] = {}
        self.locks: set[tuple[str, str]] = set()
        self.slowness = slowness

    def add(self, share_proto: str = 'NFS', *, project_id: str = 'project', status: str = 'available',
            exported: bool = True) -> str:
        """Put a share there."""
        ident = uuids.generate()
        place = f'192.0.2.9:/{ident}' if share_proto == 'NFS' else f'192.0.2.9:6789:/volumes/{ident}'
        self.shares[ident] = {'id': ident, 'share_proto': share_proto, 'project_id': project_id,
                              'status': status, 'export_location': place if exported else None}
        return ident

    def remove(self, share_id: str) -> bool:
        """Its owner deletes it; False when somebody keeps it."""
        kept = share_id in {key[0] for key in (*self.locks, *self.rules)}
        return not kept and bool(self.shares.pop(share_id, None))

    def _share(self, share_id: str) -> JsonObject:
        found = self.shares.get(share_id)
        if found is None:
            raise errors.share.ShareNotFound(share=share_id)
        return found

    @probe
    def show(self, context: nova_context.RequestContext | None, share_id: str) -> JsonObject:
        found = self._share(share_id)
        if context is not None and context.auth_token and not context.is_admin and (
                context.project_id != found['project_id']):
            raise errors.share.ShareNotFound(share=share_id)
        return copy.deepcopy(found)

    @probe
    def access(self, share_id: str, kind: str, to: str) -> JsonObject | None:
        self._share(share_id)
        rule = self.rules.get((share_id, kind, to))
        if rule is not None and rule['looks'] < self.slowness:
            rule['looks'] += 1
        elif rule is not None and rule['state'] == 'queued_to_apply':
            rule['state'] = 'active'
        return None if rule is None else dict(rule)

    @effect
    def allow(self, share_id: str, kind: str, to: str) -> None:
        known = self._share(share_id)
        if kind != ('cephx' if known['share_proto'] == 'CEPHFS' else 'ip'):
            raise errors.share.ShareRefused(share=share_id, who=to, reason=f'it lets nobody in by {kind}')
        self.rules.setdefault((share_id, kind, to), {
            'state': 'queued_to_apply', 'looks': 0, 'access_key': f'key of {to}' if kind == 'cephx' else None})

    @effect
    def deny(self, share_id: str, kind: str, to: str) -> None:
        self.rules.pop((share_id, kind, to), None)

    @effect
    def hold(self, share_id: str, server: str) -> None:
        self._share(share_id)
        self.locks.add((share_id, server))

    @effect
    def release(self, share_id: str, server: str) -> None:
        self.locks.discard((share_id, server))
