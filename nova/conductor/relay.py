"""Sends the notifications that wait in a database, in order and at least once.

A worker sends those of its shards. It writes its name on a batch, sends one after the other, and deletes what
was sent; a row that is there was perhaps not sent. One that dies in between leaves its name, and who comes
after it sends again: listeners know such a message by its ``message_id``. While the broker is away all wait.
"""

import logging
from collections.abc import Callable
from typing import Protocol

from nova import errors
from nova.common import dbkit, metrics
from nova.common.jsonutil import JsonObject
from nova.objects import notification
from nova.objects import task as rows
from nova.task import lease as leases

LOG = logging.getLogger(__name__)

BATCH = 100
"""Notifications that are read, sent and deleted together."""


class Sender(Protocol):
    """What `nova.rpc.notifier.Notifier` is."""

    def send(self, message: JsonObject) -> None: ...


class Relay:
    """The relay of one worker on one database.

    Args:
        shards: those that are this worker's business now.
        kept: what was sent is kept for projects that follow it.
    """

    def __init__(self, db: dbkit.Database, lease: leases.Lease, shards: Callable[[], tuple[int, ...]],
                 sender: Sender, kept: bool = False) -> None:
        self._kept = kept
        self._db, self._lease, self._shards, self._sender = db, lease, shards, sender
        self._failing = False

    def __call__(self) -> float | None:
        """Send a batch; zero when there may be more to be sent at once.

        Raises:
            errors.Unavailable: the broker is away.
        """
        self._lease.enter()
        if not self._lease.sure():
            return None
        mine, owner = self._shards(), self._lease.uuid
        with self._db.read() as conn:
            found = notification.waiting(conn, owner, None if len(mine) == rows.SHARDS else mine, BATCH)
        wanted = notification.sendable(found, owner, self._lease.is_dead)
        if not wanted:
            return None
        if not self._db.write(lambda conn: notification.take(conn, owner, wanted), landed=dbkit.repeatable):
            return 0.0
        done: list[notification.Notification] = []
        try:
            for each in wanted:
                if not self._lease.sure():  # somebody may send them in our place
                    return None
                self._sender.send(_message(each))
                metrics.NOTIFICATIONS.inc()
                done.append(each)
        except errors.Unavailable as error:
            self._complain(error)
            return None
        finally:
            if done:
                over = notification.keep if self._kept else notification.sent
                self._db.write(lambda conn: over(conn, done), landed=dbkit.repeatable)
        self._failing = False
        return 0.0 if len(found) == BATCH else None

    def _complain(self, error: errors.NovaError) -> None:
        """Once for as long as it lasts."""
        if not self._failing:
            LOG.warning('Notifications wait: %s', error.message)
        self._failing = True


def _message(each: notification.Notification) -> JsonObject:
    return {'message_id': each.uuid, 'publisher_id': each.publisher_id, 'event_type': each.event_type,
            'priority': each.priority, 'payload': each.payload, 'timestamp': str(each.created_at)}
