"""Flavors: what a server is made of, and who may use it."""

import datetime
from collections.abc import Iterable, Mapping
from typing import Self

import sqlalchemy as sa

from nova import errors
from nova.context import RequestContext
from nova.db import paging
from nova.db.api import models
from nova.objects import fields, relations
from nova.objects.persistent import Persistent
from nova.objects.relations import Pairs, Words

EXTRA_SPECS = Pairs(models.flavor_extra_specs.c.flavor_id)
PROJECTS = Words(models.flavor_projects.c.flavor_id, models.flavor_projects.c.project_id,
                 models.flavor_projects.c.project_id)


class Flavor(Persistent):
    """A flavor; deleting it deletes its extra specs and access rows too.

    The copy that a server carries is what it was made of, whatever has become of the flavor since.
    """

    table = models.flavors
    key = ('flavorid',)
    missing, fact = errors.server.FlavorNotFound, 'flavor'

    id: fields.Late[int] = fields.NOT_YET
    flavorid: str
    name: str
    memory_mb: int
    vcpus: int
    root_gb: int = 0
    ephemeral_gb: int = 0
    swap: int = 0
    rxtx_factor: float = 1.0
    disabled: bool = False
    is_public: bool = True
    description: str | None = None
    extra_specs: dict[str, str] = {}
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None

    @classmethod
    def visible(cls, project_id: str | None) -> sa.ColumnElement[bool]:
        """Condition: public, or the project was given access."""
        flavors, access = models.flavors, models.flavor_projects
        return sa.or_(flavors.c.is_public, flavors.c.id.in_(
            sa.select(access.c.flavor_id).where(access.c.project_id == project_id)))

    @classmethod
    def find(cls, conn: sa.Connection, **by: object) -> Self | None:
        found = super().find(conn, **by)
        if found is not None:
            load_extra_specs(conn, [found])
        return found

    @classmethod
    def get_for(cls, conn: sa.Connection, flavorid: str, context: RequestContext) -> Self:
        """A flavor that the project may use; one it may not see does not exist for it.

        Raises:
            errors.Invalid: there is none.
        """
        flavor = cls.find(conn, flavorid=flavorid)
        if flavor is None or flavor.disabled or not (
                flavor.is_public or context.is_admin or context.project_id in flavor.projects(conn)):
            raise errors.Invalid(f'Flavor {flavorid} could not be found.')
        return flavor

    @classmethod
    def page(cls, conn: sa.Connection, *where: sa.ColumnElement[bool], key: str, descending: bool,
             marker: str | None, limit: int) -> list[Self]:
        """The flavors behind `marker` (a flavorid), ordered by the column `key`, without their extra specs.

        Raises:
            MarkerNotFound: there is no such flavor.
        """
        order = [paging.Key(models.flavors.c[key], descending), paging.Key(models.flavors.c.id, descending)]
        behind: list[sa.ColumnElement[bool]] = []
        if marker is not None:
            last = conn.execute(sa.select(*(one.column for one in order)).where(
                models.flavors.c.flavorid == marker)).first()
            if last is None:
                raise errors.server.MarkerNotFound(marker=marker)
            behind.append(paging.after(order, last))
        return cls.all(conn, *where, *behind, order=paging.ordering(order), limit=limit)

    def create(self, conn: sa.Connection) -> None:
        """Insert it with its extra specs.

        Raises:
            oslo_db.exception.DBDuplicateEntry: name or flavorid is taken.
        """
        specs = dict(self.extra_specs)
        super().create(conn)
        if specs:
            self.set_extra_specs(conn, specs)

    def set_extra_specs(self, conn: sa.Connection, specs: Mapping[str, str]) -> None:
        """Add or change extra specs."""
        EXTRA_SPECS.change(conn, self.id, specs)
        self.extra_specs = {**self.extra_specs, **specs}
        self.clean()

    def remove_extra_spec(self, conn: sa.Connection, key: str) -> None:
        """Forget one extra spec.

        Raises:
            FlavorExtraSpecNotFound: no such extra spec.
        """
        if not EXTRA_SPECS.remove(conn, self.id, [key]):
            raise errors.server.FlavorExtraSpecNotFound(flavor=self.flavorid, key=key)
        self.extra_specs = {name: value for name, value in self.extra_specs.items() if name != key}
        self.clean()

    def projects(self, conn: sa.Connection) -> list[str]:
        """Projects with access to it."""
        return PROJECTS.of(conn, [self.id])[self.id]

    def add_access(self, conn: sa.Connection, project_id: str) -> None:
        """Let a project use it.

        Raises:
            FlavorAccessExists: the project has access already.
        """
        if project_id in self.projects(conn):
            raise errors.server.FlavorAccessExists(project=project_id, flavor=self.flavorid)
        conn.execute(models.flavor_projects.insert().values(flavor_id=self.id, project_id=project_id))

    def remove_access(self, conn: sa.Connection, project_id: str) -> None:
        """Take a project's access away.

        Raises:
            FlavorAccessNotFound: the project had no access.
        """
        table = models.flavor_projects
        gone = conn.execute(table.delete().where(
            table.c.flavor_id == self.id, table.c.project_id == project_id)).rowcount
        if not gone:
            raise errors.server.FlavorAccessNotFound(project=project_id, flavor=self.flavorid)


def load_extra_specs(conn: sa.Connection, flavors: Iterable[Flavor]) -> None:
    """Fill in the extra specs of flavors, in one statement."""
    found = {flavor.id: flavor for flavor in flavors}
    relations.fill(conn, found, {'extra_specs': EXTRA_SPECS})
    for flavor in found.values():
        flavor.clean()
