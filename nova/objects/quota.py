"""Quotas: limits, what is used, and taking up room without ever going over.

Nothing is reserved and nothing can drift: usage is what the instance mappings say. Counting and adding are one
transaction that has locked the project's row first, so of requests that race, exactly those that fit win.
"""

from collections.abc import Mapping

import sqlalchemy as sa
from oslo_config import cfg

from nova import errors
from nova.common import dbkit
from nova.db.api import models
from nova.objects.instance_mapping import InstanceMapping

RESOURCES = ('instances', 'cores', 'ram', 'metadata_items', 'injected_files', 'injected_file_content_bytes',
             'injected_file_path_length', 'key_pairs', 'server_groups', 'server_group_members')
"""Everything that has a limit; each is also an option of ``[quota]``."""

NETWORK = ('fixed_ips', 'floating_ips', 'security_groups', 'security_group_rules')
"""What once had a limit here: clients may set it and see what they set. The network service has its own."""

COUNTED = ('instances', 'cores', 'ram')
"""What servers use up."""

DEFAULT_CLASS = 'default'


class Limits(dict[str, int]):
    """Resource to limit, -1 for none: a user's own where he has one, else the project's.

    Attributes:
        project: limits of the whole project.
        user: limits of this user in the project, where there are any.
    """

    def __init__(self, project: Mapping[str, int], user: Mapping[str, int]) -> None:
        super().__init__({**project, **user})
        self.project, self.user = dict(project), dict(user)


# Limits ------------------------------------------------------------------------------------------

def limits(conn: sa.Connection, conf: cfg.ConfigOpts, project_id: str, user_id: str | None = None) -> Limits:
    """What a project may use: its own limits, else the default class's, else the configured ones."""
    sources: list[tuple[sa.Table, dict[str, str]]] = [
        (models.quota_classes, {'class_name': DEFAULT_CLASS}), (models.quotas, {'project_id': project_id})]
    if user_id:
        sources.append((models.user_quotas, {'project_id': project_id, 'user_id': user_id}))
    found: list[dict[str, int]] = [{}, {}, {}]
    for place, resource, limit in conn.execute(sa.union_all(*(
            sa.select(sa.literal(place), table.c.resource, table.c.hard_limit).where(
                *(table.c[name] == value for name, value in by.items()))
            for place, (table, by) in enumerate(sources)))):
        found[place][resource] = limit
    return Limits({**{name: conf.quota[name] for name in RESOURCES}, **found[0], **found[1]}, found[2])


def defaults(conn: sa.Connection, conf: cfg.ConfigOpts) -> dict[str, int]:
    """Limits of projects that have none of their own."""
    return {**{name: conf.quota[name] for name in RESOURCES}, **class_limits(conn, DEFAULT_CLASS)}


def project_limits(conn: sa.Connection, project_id: str) -> dict[str, int]:
    """Limits that were set for a project."""
    return _kept(conn, models.quotas, project_id=project_id)


def user_limits(conn: sa.Connection, project_id: str, user_id: str) -> dict[str, int]:
    """Limits that were set for a user in a project."""
    return _kept(conn, models.user_quotas, project_id=project_id, user_id=user_id)


def class_limits(conn: sa.Connection, class_name: str) -> dict[str, int]:
    """Limits that were set for a quota class."""
    return _kept(conn, models.quota_classes, class_name=class_name)


def set_project_limits(conn: sa.Connection, project_id: str, wanted: Mapping[str, int]) -> None:
    """Set limits of a project; those not named stay."""
    _keep(conn, models.quotas, wanted, project_id=project_id)


def set_user_limits(conn: sa.Connection, project_id: str, user_id: str, wanted: Mapping[str, int]) -> None:
    """Set limits of a user in a project; those not named stay."""
    _keep(conn, models.user_quotas, wanted, project_id=project_id, user_id=user_id)


def set_class_limits(conn: sa.Connection, class_name: str, wanted: Mapping[str, int]) -> None:
    """Set limits of a quota class; those not named stay."""
    _keep(conn, models.quota_classes, wanted, class_name=class_name)


def forget(conn: sa.Connection, project_id: str, user_id: str | None = None) -> None:
    """Drop the limits of a user, or of a project and all its users, so that defaults hold."""
    table = models.user_quotas
    if user_id is not None:
        conn.execute(table.delete().where(table.c.project_id == project_id, table.c.user_id == user_id))
        return
    for table in (models.quotas, models.user_quotas):
        conn.execute(table.delete().where(table.c.project_id == project_id))


def _kept(conn: sa.Connection, table: sa.Table, **by: str) -> dict[str, int]:
    rows = conn.execute(sa.select(table.c.resource, table.c.hard_limit).where(
        *(table.c[name] == value for name, value in by.items())))
    return {row.resource: row.hard_limit for row in rows if row.resource in (*RESOURCES, *NETWORK)}


def _keep(conn: sa.Connection, table: sa.Table, wanted: Mapping[str, int], **by: str) -> None:
    for resource, limit in wanted.items():
        dbkit.upsert(conn, table, {**by, 'resource': resource, 'hard_limit': limit}, [*by, 'resource'])


# Usage -------------------------------------------------------------------------------------------

def usage(conn: sa.Connection, project_id: str, user_id: str | None = None) -> dict[str, int]:
    """Servers, vCPUs and megabytes that count against a project, or against one of its users."""
    table = models.instance_mappings
    query = sa.select(sa.func.count(), sa.func.sum(table.c.vcpus), sa.func.sum(table.c.memory_mb)).where(
        table.c.project_id == project_id, table.c.queued_for_delete.is_(False))
    if user_id is not None:
        query = query.where(table.c.user_id == user_id)
    row = conn.execute(query).one()
    return {name: int(value or 0) for name, value in zip(COUNTED, row, strict=True)}


def server_groups(conn: sa.Connection, project_id: str, user_id: str | None = None) -> int:
    """Server groups of a project, or of one of its users."""
    table = models.instance_groups
    query = sa.select(sa.func.count()).where(table.c.project_id == project_id)
    if user_id is not None:
        query = query.where(table.c.user_id == user_id)
    return conn.execute(query).scalar_one()


def key_pairs(conn: sa.Connection, user_id: str) -> int:
    """Key pairs of a user."""
    table = models.key_pairs
    return conn.execute(sa.select(sa.func.count()).where(table.c.user_id == user_id)).scalar_one()


# Taking up room ----------------------------------------------------------------------------------

class Room:
    """What a project has left, exactly: it stays locked, and nobody else counts, until the transaction ends.

    Attributes:
        limits: of the project and of the user who asks.
        scopes: (limits, usage) of the project, and of the user where he has limits of his own.
    """

    def __init__(self, conn: sa.Connection, conf: cfg.ConfigOpts, project_id: str, user_id: str) -> None:
        lock(conn, project_id)
        self.limits = limits(conn, conf, project_id, user_id)
        self.scopes: list[tuple[Mapping[str, int], Mapping[str, int]]] = [
            (self.limits.project, usage(conn, project_id))]
        if self.limits.user:
            self.scopes.append((self.limits.user, usage(conn, project_id, user_id)))

    def check(self, deltas: Mapping[str, int]) -> None:
        """Whether there is room for `deltas`.

        Raises:
            OverQuota: there is not, and of what.
        """
        over = {name: (amount, used[name], allowed[name])
                for allowed, used in self.scopes for name, amount in deltas.items()
                if amount > 0 and 0 <= allowed.get(name, -1) < used[name] + amount}
        if over:
            raise errors.server.OverQuota(resources=over)


def lock(conn: sa.Connection, owner: str) -> None:
    """Keep others from counting what this project, or this user, has until the transaction ends; take it before
    reading anything."""
    table = models.quota_locks
    query = sa.select(table.c.project_id).where(table.c.project_id == owner).with_for_update()
    if conn.execute(query).first() is None:
        dbkit.insert_missing(conn, table, [{'project_id': owner}])
        conn.execute(query).first()


def check_count(resource: str, limit: int, count: int) -> None:
    """Refuse more things of a kind than the limit allows, such as key pairs of a user or members of a group.

    Raises:
        LimitExceeded: `count` is over `limit`.
    """
    if 0 <= limit < count:
        raise errors.server.LimitExceeded(resource=resource.replace('_', ' '))


def resize(conn: sa.Connection, conf: cfg.ConfigOpts, instance_uuid: str, vcpus: int, memory_mb: int) -> None:
    """Have a server count for the larger of what it has and what it is to have, if there is room.

    Raises:
        OverQuota: there is no room.
        InstanceMappingNotFound: no such server.
    """
    mapping = InstanceMapping.get(conn, instance_uuid=instance_uuid)
    room = Room(conn, conf, mapping.project_id, mapping.user_id)
    mapping.refresh(conn)
    room.check({'cores': vcpus - mapping.vcpus, 'ram': memory_mb - mapping.memory_mb})
    count_exactly(conn, instance_uuid, max(vcpus, mapping.vcpus), max(memory_mb, mapping.memory_mb))


def count_exactly(conn: sa.Connection, instance_uuid: str, vcpus: int, memory_mb: int) -> None:
    """Have a server count for exactly this, after a resize has ended one way or the other."""
    table = models.instance_mappings
    conn.execute(table.update().where(table.c.instance_uuid == instance_uuid).values(
        vcpus=vcpus, memory_mb=memory_mb))


def recount(conn: sa.Connection, conf: cfg.ConfigOpts, instance_uuid: str) -> None:
    """Count a deleted server again because it is to be restored, if there is room for it.

    Raises:
        OverQuota: there is no room.
        InstanceMappingNotFound: no such server.
    """
    mapping = InstanceMapping.get(conn, instance_uuid=instance_uuid)
    room = Room(conn, conf, mapping.project_id, mapping.user_id)
    mapping.refresh(conn)
    if not mapping.queued_for_delete:
        return
    room.check({'instances': 1, 'cores': mapping.vcpus, 'ram': mapping.memory_mb})
    InstanceMapping.queue_for_delete(conn, instance_uuid, False)
