"""Server groups: servers that should, or must, be together or apart."""

import datetime
from collections.abc import Iterable, Sequence
from typing import Self

import sqlalchemy as sa

from nova import errors
from nova.common import dbkit
from nova.db.api import models
from nova.objects import fields, statements
from nova.objects.relations import Composed, Words
from nova.objects.statements import Order

_MEMBER = models.instance_group_member
MEMBERS = Words(_MEMBER.c.group_id, _MEMBER.c.instance_uuid, _MEMBER.c.id)


class InstanceGroup(Composed):
    """A group.

    Attributes:
        policy: affinity, anti-affinity, soft-affinity or soft-anti-affinity.
        rules: ``{'max_server_per_host': n}`` where given.
        members: uuids of its servers, those that are being deleted left out.
        hosts: where they are; filled in by whoever schedules, not kept.
    """

    table = models.instance_groups
    missing, fact = errors.server.ServerGroupNotFound, 'group'

    id: fields.Late[int] = fields.NOT_YET
    uuid: fields.Uuid
    user_id: str
    project_id: str
    name: str
    policy: str | None = None
    rules: fields.Json = {}
    members: list[str] = []
    hosts: list[str] = []
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None

    @classmethod
    def load(cls, conn: sa.Connection, found: Sequence[Self]) -> None:
        ids = [one.id for one in found]
        table, mapping = models.instance_group_policy, models.instance_mappings
        policies = {row.group_id: row for row in conn.execute(
            sa.select(table.c.group_id, table.c.policy, table.c.rules).where(table.c.group_id.in_(ids)))}
        # A server that is being deleted is a member no more; its row goes with its other records.
        there = _MEMBER.outerjoin(mapping, mapping.c.instance_uuid == _MEMBER.c.instance_uuid)
        members = MEMBERS.of(conn, ids, mapping.c.queued_for_delete.is_not(True), among=there)
        for one in found:
            kept = policies.get(one.id)
            one.policy, one.rules = (kept.policy or None, kept.rules or {}) if kept is not None else (None, {})
            one.members, one.hosts = members[one.id], []

    @classmethod
    def all(cls, conn: sa.Connection, *where: sa.ColumnElement[bool], order: Order = None,
            limit: int | None = None, **by: object) -> list[Self]:
        """Groups in the order in which they were made, unless another is given."""
        return super().all(conn, *where, order=order or [models.instance_groups.c.id], limit=limit, **by)

    @classmethod
    def page(cls, conn: sa.Connection, start: int, limit: int, **by: object) -> list[Self]:
        """Groups in the order in which they were made, without the first `start`; at most `limit`."""
        table = models.instance_groups
        where = [table.c[name] == value for name, value in by.items()]
        ids = list(conn.execute(sa.select(table.c.id).where(*where).order_by(table.c.id)
                                .offset(start).limit(limit)).scalars()) if limit else []
        return cls.all(conn, id=ids) if ids else []

    @classmethod
    def of_instance(cls, conn: sa.Connection, instance_uuid: str) -> Self | None:
        """The group that a server is in."""
        table = models.instance_group_member
        found = cls.all(conn, models.instance_groups.c.id.in_(
            sa.select(table.c.group_id).where(table.c.instance_uuid == instance_uuid)))
        return found[0] if found else None

    def create(self, conn: sa.Connection) -> None:
        """Insert it with its policy; members are added one by one."""
        policy, rules = self.policy, self.rules
        super().create(conn)
        conn.execute(models.instance_group_policy.insert().values(
            group_id=self.id, policy=policy or '', rules=rules or None))

    def add_members(self, conn: sa.Connection, instance_uuids: Iterable[str]) -> None:
        """Put servers in; those that are in stay in."""
        added = list(instance_uuids)
        dbkit.insert_missing(conn, models.instance_group_member, [
            {'group_id': self.id, 'instance_uuid': uuid} for uuid in added])
        self.members = [*self.members, *(uuid for uuid in added if uuid not in self.members)]
        self.clean()

    @classmethod
    def remove_member(cls, conn: sa.Connection, instance_uuid: str) -> None:
        """Take a server out of whatever group it is in."""
        conn.execute(statements.delete(models.instance_group_member, ('instance_uuid',)),
                     {'its_instance_uuid': instance_uuid})
