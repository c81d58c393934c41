"""Manila: shares of users, who is let in to them, and locks that keep them from being deleted meanwhile.

A rule lets one host, or one user of Ceph's, use a share; it is found again by whom it lets in. Rules and locks
carry the name of what made them, and go when we say so.
"""

import functools

from nova import context as nova_context
from nova import errors
from nova.clients import session
from nova.common.jsonutil import JsonObject

VERSION = {'X-OpenStack-Manila-API-Version': '2.82'}
"""Rules and shares that are locked while somebody uses them."""

LEAVING = frozenset({'denying', 'queued_to_deny'})
"""States of a rule that will soon not be there."""


def _no_share(share_id: str, message: str) -> Exception:
    return errors.share.ShareNotFound(share=share_id)


def reason(server: str) -> str:
    """What a lock says that keeps a share for a server."""
    return f'nova: server {server}'


class Client:
    """`protocols.ShareClient` over HTTP."""

    def __init__(self, service: session.Service) -> None:
        self._call = functools.partial(service.call, headers=VERSION)

    def show(self, context: nova_context.RequestContext | None, share_id: str) -> JsonObject:
        on = {404: functools.partial(_no_share, share_id)}
        share: JsonObject = self._call('GET', f'/shares/{share_id}', context=context, on=on).json()['share']
        places = self._call('GET', f'/shares/{share_id}/export_locations', on=on).json()['export_locations']
        best = sorted(places, key=lambda place: not place.get('preferred'))
        return {**share, 'export_location': best[0]['path'] if best else None}

    def access(self, share_id: str, kind: str, to: str) -> JsonObject | None:
        found = self._call('GET', '/share-access-rules', params=[('share_id', share_id)],
                           on={404: functools.partial(_no_share, share_id)}).json()
        return next((rule for rule in found['access_list']
                     if (rule['access_type'], rule['access_to']) == (kind, to)), None)

    def allow(self, share_id: str, kind: str, to: str) -> None:
        """See `ShareClient.allow`.

        Raises:
            ShareNotFound: it is gone.
            ShareRefused: the service does not take the rule.
            ShareServiceAway: an earlier rule of the same is still on its way out.
        """
        there = self.access(share_id, kind, to)
        if there is not None and there['state'] not in LEAVING:
            return
        if there is not None:
            raise errors.share.ShareServiceAway()

        def refused(message: str) -> Exception:
            return errors.share.ShareRefused(share=share_id, who=to, reason=message)
        self._call('POST', f'/shares/{share_id}/action', body={'allow_access': {
            'access_type': kind, 'access_to': to, 'access_level': 'rw', 'lock_visibility': True,
            'lock_deletion': True, 'lock_reason': 'nova'}},
            on={404: functools.partial(_no_share, share_id), 400: refused, 403: refused, 409: refused})

    def deny(self, share_id: str, kind: str, to: str) -> None:
        try:
            there = self.access(share_id, kind, to)
        except errors.share.ShareNotFound:
            return
        if there is not None and there['state'] not in LEAVING:
            self._call('POST', f'/shares/{share_id}/action', allow=(404,), body={'deny_access': {
                'access_id': there['id'], 'unrestrict': True}})

    def hold(self, share_id: str, server: str) -> None:
        """See `ShareClient.hold`.

        Raises:
            ShareNotFound: it is gone.
        """
        if not self._locks(share_id, server):
            gone = functools.partial(_no_share, share_id)
            self._call('POST', '/resource-locks', on={400: gone, 404: gone}, body={'resource_lock': {
                'resource_id': share_id, 'resource_type': 'share', 'resource_action': 'delete',
                'lock_reason': reason(server)}})

    def release(self, share_id: str, server: str) -> None:
        for lock in self._locks(share_id, server):
            self._call('DELETE', f'/resource-locks/{lock}', allow=(404,))

    def _locks(self, share_id: str, server: str) -> list[str]:
        found = self._call('GET', '/resource-locks', params=[
            ('resource_id', share_id), ('resource_type', 'share'), ('all_projects', '1')]).json()
        return [str(lock['id']) for lock in found['resource_locks'] if lock['lock_reason'] == reason(server)]
