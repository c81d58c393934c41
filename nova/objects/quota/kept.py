"""Limits that the API database keeps: of projects, of users in them, and of classes."""

from collections.abc import Mapping

import sqlalchemy as sa
from oslo_config import cfg

from nova.common import dbkit
from nova.db.api import models

RESOURCES = ('instances', 'cores', 'ram', 'metadata_items', 'injected_files', 'injected_file_content_bytes',
             'injected_file_path_length', 'key_pairs', 'server_groups', 'server_group_members')
"""Everything that has a limit; each is also an option of ``[quota]``."""

NETWORK = ('fixed_ips', 'floating_ips', 'security_groups', 'security_group_rules')
"""What once had a limit here: clients may set it and see what they set. The network service has its own."""

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

def limits(conn: sa.Connection, conf: cfg.ConfigOpts, project_id: str, user_id: str | None = None) -> Limits:
    """What a project may use: its own limits, else the default class's, else the configured ones."""
    sources: list[tuple[dbkit.Table, dict[str, str]]] = [
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


def defaults(conn: sa.Connection, conf: cfg.ConfigOpts, class_name: str = DEFAULT_CLASS) -> dict[str, int]:
    """Limits of projects that have none of their own, as a quota class has them."""
    return {**{name: conf.quota[name] for name in RESOURCES}, **class_limits(conn, class_name)}


def project_limits(conn: sa.Connection, project_id: str) -> dict[str, int]:
    """Limits that were set for a project."""
    return _kept(conn, models.quotas, project_id=project_id)


def every_project(conn: sa.Connection) -> dict[str, dict[str, int]]:
    """Limits that were set for projects, by project."""
    table, found = models.quotas, dict[str, dict[str, int]]()
    for project, resource, limit in conn.execute(sa.select(
            table.c.project_id, table.c.resource, table.c.hard_limit)):
        found.setdefault(project, {})[resource] = limit
    return found


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


def _kept(conn: sa.Connection, table: dbkit.Table, **by: str) -> dict[str, int]:
    rows = conn.execute(sa.select(table.c.resource, table.c.hard_limit).where(
        *(table.c[name] == value for name, value in by.items())))
    return {row.resource: row.hard_limit for row in rows if row.resource in (*RESOURCES, *NETWORK)}


def _keep(conn: sa.Connection, table: dbkit.Table, wanted: Mapping[str, int], **by: str) -> None:
    for resource, limit in wanted.items():
        dbkit.upsert(conn, table, {**by, 'resource': resource, 'hard_limit': limit}, [*by, 'resource'])
