"""Shares of servers: let in by the share service, mounted on the host, found by the guest when it starts.

A row says what the server has before anything is done about it, and whom the share service was asked to let in.
What another server's host needs is not taken away: all servers of a host are let in by its one address.
"""

import sqlalchemy as sa

from nova import errors, objects
from nova.objects.share_mapping import ShareStatus
from nova.task.action import Action
from nova.task.handles import Conductor, Host, Request

# What users may ask ------------------------------------------------------------------------------

class WithoutShares(Action):
    """Base of what cannot be done to a server that has shares."""

    def also(self, conn: sa.Connection, fresh: objects.Instance) -> None:
        """
        Raises:
            ServerHasShares: 409.
        """
        if objects.ShareMapping.all(conn, instance_uuid=fresh.uuid, limit=1):
            raise errors.share.ServerHasShares(server=fresh.uuid, action=self.word)


def of_request(req: Request, instance: objects.Instance, share_id: str) -> objects.ShareMapping:
    """A share of a request's server; a server that no cell has yet has none.

    Raises:
        ShareNotAttached: 404; the server has no such share.
    """
    if req.place.mapping is None:
        raise errors.share.ShareNotAttached(share=share_id, server=instance.uuid)
    with req.place.db.read() as conn:
        return objects.ShareMapping.one(conn, instance.uuid, share_id)


# Steps -------------------------------------------------------------------------------------------

def mark(h: Conductor, share: objects.ShareMapping, status: ShareStatus) -> None:
    """Write down how far a share is."""
    h.db.write(lambda conn: objects.ShareMapping.mark(conn, share.uuid, status))


def let_in(h: Conductor, share: objects.ShareMapping) -> None:
    """Ask the share service to keep the share, and to let in whom the row names; repeatable.

    Raises:
        ShareNotAttached: the row is gone.
        ShareRefused: the share service refuses.
    """
    assert share.access_to is not None, 'the host has said who it is'
    if not h.db.write(lambda conn: objects.ShareMapping.keep_access(conn, share.uuid, str(share.access_to))):
        raise errors.share.ShareNotAttached(share=share.share_id, server=share.instance_uuid)
    h.clients.share.hold(share.share_id, share.instance_uuid)
    h.clients.share.allow(share.share_id, share.access_type, share.access_to)


def give_to_guest(h: Host, share: objects.ShareMapping) -> None:
    """On the host: mount it, and have the guest find it; repeatable."""
    rule = h.clients.share.access(share.share_id, share.access_type, share.access_to or '')
    h.driver.attach_share(h, share, rule['access_key'] if rule is not None else None)


def give_up(h: Conductor, share: objects.ShareMapping, status: ShareStatus) -> None:
    """The share service neither lets anybody in for this server nor keeps the share for it; repeatable.

    Who gives up says so first: of two servers of a host the later one shuts their host out. One that gets the
    share just then may have seen the rule that is going: so it is made again where somebody needs it.

    Args:
        status: what the row says from now on.
    """
    mark(h, share, status)
    service, to = h.clients.share, share.access_to
    if to is not None:
        if not _is_needed(h, share):
            service.deny(share.share_id, share.access_type, to)
        if _is_needed(h, share):
            service.allow(share.share_id, share.access_type, to)
    service.release(share.share_id, share.instance_uuid)


def _is_needed(h: Conductor, share: objects.ShareMapping) -> bool:
    with h.db.read() as conn:
        return share.is_needed_by_others(conn)


def forget(h: Conductor, share: objects.ShareMapping) -> None:
    """Neither the share service nor we know of it any more. What is forgotten may be attached anew by now."""
    with h.db.read() as conn:
        there = objects.ShareMapping.find(conn, uuid=share.uuid)
    if there is not None:
        give_up(h, there, ShareStatus.DETACHING)
        h.db.write(lambda conn: objects.ShareMapping.drop(conn, share.uuid))


def release_shares(h: Conductor, state: objects.State) -> None:
    """End of a server: whatever it had is forgotten."""
    with h.db.read() as conn:
        found = objects.ShareMapping.of_server(conn, h.instance.uuid)
    for share in found:
        forget(h, share)


def leave_shares(h: Host) -> None:
    """On the host: nothing of the server's shares is mounted here any more."""
    for share_id in h.driver.shares(h):
        h.driver.detach_share(h, share_id)
