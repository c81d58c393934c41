"""What a server needs of a host: kept for its whole life, since every move asks the scheduler again."""

from typing import Self

import sqlalchemy as sa

from nova import errors, release
from nova.common import dbkit
from nova.common.jsonutil import JsonObject
from nova.db.api import models
from nova.objects import base, fields, wire
from nova.objects.flavor import Flavor
from nova.objects.group import InstanceGroup
from nova.objects.image_meta import ImageMeta
from nova.objects.network import NetworkRequest


class Destination(base.Record):
    """Where a server must or must not go.

    Attributes:
        host, node: exactly there.
        cell: uuid; only in this cell.
        allow_cross_cell_move: `cell` is a preference only.
        aggregates: required ones, each entry a comma-separated list of which one must hold.
        forbidden_aggregates: none of these.
    """

    host: str | None = None
    node: str | None = None
    cell: str | None = None
    allow_cross_cell_move: bool = False
    aggregates: list[str] = []
    forbidden_aggregates: list[str] = []


_T = models.request_specs
_SPEC = sa.select(_T.c.spec).where(_T.c.instance_uuid == sa.bindparam('its_uuid'))
_SPECS = sa.select(_T.c.instance_uuid, _T.c.spec).where(
    _T.c.instance_uuid.in_(sa.bindparam('its_uuids', expanding=True)))


class RequestSpec(base.Record):
    """The request for hosts.

    Attributes:
        instance_uuid: the server; of several in one request each has a spec of its own.
        availability_zone: zone that the user asked for, None for any.
        force_hosts, force_nodes: filters do not count; only these.
        ignore_hosts: not these, this time; not kept.
        scheduler_hints: as the user gave them, each value a list.
        instance_group: server group, with members and hosts filled in when scheduling.
        requested_networks, security_groups: what the ports are to be.
        requested_resources: further resource groups, of ports and devices, as placement_request builds them.
        retry: hosts that were tried; not kept.
    """

    instance_uuid: fields.Uuid
    project_id: str
    user_id: str
    flavor: Flavor
    image: ImageMeta | None = None
    num_instances: int = 1
    availability_zone: str | None = None
    force_hosts: list[str] = []
    force_nodes: list[str] = []
    ignore_hosts: list[str] = []
    requested_destination: Destination | None = None
    scheduler_hints: fields.Json = {}
    instance_group: InstanceGroup | None = None
    requested_networks: list[NetworkRequest] = []
    security_groups: list[str] = []
    requested_resources: fields.Json = []
    is_bfv: bool = False
    numa_topology: fields.Json | None = None
    pci_requests: fields.Json | None = None
    limits: fields.Json = {}
    retry: list[str] = []

    @classmethod
    def find(cls, conn: sa.Connection, **by: str) -> Self | None:
        """The spec of ``instance_uuid``."""
        kept = conn.execute(_SPEC, {'its_uuid': by['instance_uuid']}).scalar_one_or_none()
        return cls.from_wire(kept) if kept is not None else None

    @classmethod
    def of_instances(cls, conn: sa.Connection, instance_uuids: list[str]) -> dict[str, Self]:
        """Specs of several servers, by uuid; those that have none are left out."""
        rows = conn.execute(_SPECS, {'its_uuids': instance_uuids})
        return {row.instance_uuid: cls.from_wire(row.spec) for row in rows}

    @staticmethod
    def wishes(conn: sa.Connection, instance_uuids: list[str]) -> dict[str, tuple[str | None, JsonObject]]:
        """The zone and the hints that users gave, by uuid: what lists show of a spec, no records made.

        One document at a time is held: all of them for a page of 1,000 are so many objects that the garbage
        collector looks through everything again and again.
        """
        found = {}
        for uuid, spec in conn.execute(_SPECS, {'its_uuids': instance_uuids}):
            data = spec['nova_object.data']
            found[uuid] = data.get('availability_zone'), data.get('scheduler_hints') or {}
        return found

    @classmethod
    def get(cls, conn: sa.Connection, **by: str) -> Self:
        """The spec of ``instance_uuid``.

        Raises:
            RequestSpecNotFound: it has none.
        """
        found = cls.find(conn, **by)
        if found is None:
            raise errors.server.RequestSpecNotFound(server=by['instance_uuid'])
        return found

    def create(self, conn: sa.Connection) -> None:
        """Keep it; what was there is replaced. What holds for one scheduling only is left out."""
        kept = self.copy()
        kept.ignore_hosts, kept.retry, kept.limits = [], [], {}
        if kept.instance_group is not None:
            kept.instance_group.members = kept.instance_group.hosts = []
        dbkit.upsert(conn, models.request_specs,
                     {'instance_uuid': self.instance_uuid, 'spec': kept.at_rest()}, ['instance_uuid'])
        self.clean()

    def at_rest(self) -> JsonObject:
        """The form in which it is kept: one that the release before reads, unless something is lost by that."""
        whole, shared = self.to_wire(), self.to_wire(release.PREVIOUS.records)
        if shared == whole:
            return whole
        return shared if wire.plain(type(self).from_wire(shared).to_wire()) == wire.plain(whole) else whole

    def save(self, conn: sa.Connection, *where: sa.ColumnElement[bool]) -> set[str]:
        """Keep it again when something changed."""
        changed = set(self.changes())
        if changed:
            self.create(conn)
        return changed

    def destroy(self, conn: sa.Connection) -> None:
        """Forget it; one that is not there is forgotten."""
        table = models.request_specs
        conn.execute(table.delete().where(table.c.instance_uuid == self.instance_uuid))
