"""Servers that no cell has yet."""

import datetime
from collections.abc import Callable, Iterator
from typing import Self

import sqlalchemy as sa

from nova import errors
from nova.common.jsonutil import JsonObject
from nova.db import paging
from nova.db.api import models
from nova.objects import fields, statements
from nova.objects.instance import Instance
from nova.objects.persistent import Persistent

_BATCH = 200


class BuildRequest(Persistent):
    """A server between its request and its hand-over to a cell.

    `instance` is the whole record, block devices, metadata and tags included. Who deletes the row decides the
    server's fate: the hand-over, or a delete that came first.

    `revision` counts the changes of `instance`. The hand-over takes the revision that was written into the cell
    and no other, so that what a user was told is changed is not lost on the way.
    """

    ALTERABLE = ('display_name', 'display_description', 'hostname', 'access_ip_v4', 'access_ip_v6',
                 'auto_disk_config', 'metadata', 'tags')
    """Fields of the instance that `alter` may change: what the hand-over has to bring along."""

    table = models.build_requests
    key = ('instance_uuid',)
    missing, fact = errors.server.BuildRequestNotFound, 'server'

    id: fields.Late[int] = fields.NOT_YET
    instance_uuid: fields.Uuid
    project_id: str
    instance: Instance
    revision: int = 0
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None

    @classmethod
    def of(cls, instance: Instance) -> Self:
        """The request for a new server."""
        return cls(instance_uuid=instance.uuid, project_id=instance.project_id, instance=instance,
                   created_at=instance.created_at)

    @classmethod
    def in_time(cls, conn: sa.Connection, descending: bool, start: paging.Values | None = None,
                **by: object) -> Iterator[Self]:
        """Requests in the order of time and uuid, read in batches as far as they are asked for.

        Args:
            start: time and uuid of what is before the first.
        """
        columns = models.build_requests.c
        order = (paging.Key(columns.created_at, descending), paging.Key(columns.instance_uuid, descending))
        while True:
            behind = () if start is None else (paging.after(order, start),)
            found = cls.all(conn, *behind, order=paging.ordering(order), limit=_BATCH, **by)
            yield from found
            if len(found) < _BATCH:
                return
            start = [found[-1].created_at, found[-1].instance_uuid]

    @classmethod
    def alter(cls, conn: sa.Connection, instance_uuid: str, change: Callable[[Instance], object]) -> Instance:
        """Change the server by ``change(instance)``; returns it.

        Raises:
            BuildRequestNotFound: there is none, or somebody else has just changed it.
        """
        found = cls.get(conn, instance_uuid=instance_uuid)
        change(found.instance)
        seen, found.revision = found.revision, found.revision + 1
        found.instance = found.instance
        found.save(conn, models.build_requests.c.revision == seen)
        return found.instance

    @classmethod
    def take(cls, conn: sa.Connection, instance_uuid: str, revision: int | None = None) -> bool:
        """Delete the row, at this revision when one is given; True for the one caller who did."""
        this: JsonObject = {'instance_uuid': instance_uuid}
        if revision is not None:
            this['revision'] = revision
        taken = conn.execute(statements.delete(models.build_requests, tuple(this)), statements.values_of(this))
        return taken.rowcount == 1
