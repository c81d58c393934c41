"""Servers.

The row has what listings filter, sort and show; `instance_extra` whole records; metadata, tags and block
devices have tables of their own. What to load is said up front (`prefetch`); reading anything else is an error.
"""

import contextlib
import datetime
import functools
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Self

import sqlalchemy as sa

from nova import errors, states
from nova.common import clock, dbkit, uuids
from nova.common.jsonutil import JsonObject
from nova.db.cell import models
from nova.objects import base, event, fields, relations, statements, tag, task
from nova.objects.block_device import BlockDeviceMapping, Volumes
from nova.objects.flavor import Flavor
from nova.objects.image_meta import ImageMeta
from nova.objects.keypair import KeyPair
from nova.objects.network_model import NetworkInfo
from nova.objects.persistent import Persistent
from nova.objects.relations import Pairs, Words
from nova.objects.statements import Order

EXTRA = tuple(name for name in models.instance_extra.columns.keys()  # noqa: SIM118
              if name != 'instance_uuid')
"""Records kept in `instance_extra`; any of them costs one join, all of them no more."""

WORK = (*EXTRA, 'metadata', 'block_devices')
"""What operations need, on conductors and hosts: three statements."""

FULL = (*WORK, 'tags')

METADATA = Pairs(models.instance_metadata.c.instance_uuid)
TAGS = Words(models.instance_tags.c.instance_uuid, models.instance_tags.c.tag, models.instance_tags.c.tag)
RELATIONS: Mapping[str, relations.Relation[str]] = {
    'metadata': METADATA, 'tags': TAGS, 'volumes': Volumes(models.block_device_mappings.c.instance_uuid)}
"""What is read in one statement, by the name of the field."""


class Instance(Persistent):
    """A server.

    Attributes:
        flavor, image_meta: what it was made of.
        flavorid, instance_type_id, memory_mb, vcpus, root_gb, ephemeral_gb: of `flavor`, for listings.
        compute_id: uuid of its compute node.
        launched_on: the host it was first started on.
        locked_by: owner or admin; None is unlocked.
        system_metadata: our own notes about it, text to text.
        deleted: 0, or its id once it is deleted.
        old_flavor, new_flavor, migration_context: set during a move.
        volumes: those of its block devices that are volumes, where not all devices were loaded; of each only
            what lists show.
    """

    table = models.instances
    missing, fact = errors.server.ServerNotFound, 'server'

    id: fields.Late[int] = fields.NOT_YET
    uuid: fields.Uuid
    project_id: str
    user_id: str
    display_name: str | None
    display_description: str | None
    hostname: str | None
    image_ref: str | None
    kernel_id: str | None
    ramdisk_id: str | None
    vm_state: str
    task_state: str | None
    power_state: int
    host: str | None
    node: str | None
    compute_id: str | None
    launched_on: str | None
    flavorid: str | None
    instance_type_id: int | None
    memory_mb: int
    vcpus: int
    root_gb: int
    ephemeral_gb: int
    availability_zone: str | None
    key_name: str | None
    user_data: str | None
    config_drive: bool
    locked_by: str | None
    access_ip_v4: str | None
    access_ip_v6: str | None
    root_device_name: str | None
    default_ephemeral_device: str | None
    default_swap_device: str | None
    auto_disk_config: bool
    progress: int
    reservation_id: str | None
    launch_index: int
    hidden: bool
    system_metadata: dict[str, str] | None
    launched_at: datetime.datetime | None
    terminated_at: datetime.datetime | None
    deleted: int
    deleted_at: datetime.datetime | None
    created_at: datetime.datetime | None
    updated_at: datetime.datetime | None
    flavor: fields.Late[Flavor]
    old_flavor: Flavor | None
    new_flavor: Flavor | None
    image_meta: ImageMeta | None
    keypair: KeyPair | None
    network_info: NetworkInfo | None
    numa_topology: fields.Json | None
    pci_requests: fields.Json | None
    trusted_certs: list[str] | None
    device_metadata: fields.Json | None
    migration_context: fields.Json | None
    metadata: dict[str, str]
    tags: list[str]
    block_devices: list[BlockDeviceMapping]

    volumes: list[BlockDeviceMapping] | None = fields.apart(None)

    @classmethod
    def new(cls, **values: object) -> Self:
        """A server that exists nowhere yet: every field is set, None or empty where nothing is said."""
        fresh: JsonObject = {name: None for name, field in cls.fields.items() if field.nullable}
        fresh.update(
            uuid=uuids.generate(), vm_state=str(states.VM.BUILDING), power_state=0, memory_mb=0, vcpus=0,
            root_gb=0, ephemeral_gb=0, config_drive=False, auto_disk_config=False, progress=0, launch_index=0,
            hidden=False, deleted=0, metadata={}, tags=[], block_devices=[], system_metadata={},
            created_at=clock.utcnow())
        fresh.update(values)
        flavor = fresh.get('flavor')
        if flavor is not None:
            fresh.update(of_flavor(flavor))
        return cls(**fresh)

    # What is said about it

    @property
    def status(self) -> str:
        """The word users see for its state."""
        return states.status(self.vm_state, self.task_state, bool(self.deleted))

    @property
    def locked(self) -> bool:
        return self.locked_by is not None

    @property
    def root_device(self) -> BlockDeviceMapping | None:
        """The block device that it boots from."""
        return next((device for device in self.block_devices if device.boot_index == 0), None)

    @property
    def is_volume_backed(self) -> bool:
        root = self.root_device
        return root is not None and root.destination_type == 'volume'

    @property
    def attached_volumes(self) -> list[BlockDeviceMapping]:
        """Those of its block devices that are volumes, of which lists have no more than `volumes`."""
        if not self.known('block_devices'):
            return self.volumes or []
        return [device for device in self.block_devices if device.volume_id]

    def guest_name(self, template: str = 'instance-%08x') -> str:
        """Its name on the hypervisor, after ``[DEFAULT] instance_name_template``."""
        try:
            return template % self.id
        except TypeError:
            return template % {'uuid': self.uuid, 'id': self.id}

    def take_flavor(self, flavor: Flavor) -> None:
        """Become a server of another flavor."""
        self.flavor = flavor
        for name, value in of_flavor(flavor).items():
            setattr(self, name, value)

    # Loading

    @classmethod
    def find(  # type: ignore[override]
            cls, conn: sa.Connection, prefetch: Collection[str] = WORK, **by: object) -> Self | None:
        """The server, unless it is deleted (give ``deleted`` to say otherwise), with what `prefetch` names."""
        given: JsonObject = by
        found = cls.all(conn, prefetch=prefetch, limit=1, **given)
        return found[0] if found else None

    @classmethod
    def get(  # type: ignore[override]
            cls, conn: sa.Connection, prefetch: Collection[str] = WORK, **by: object) -> Self:
        """`find` that raises ServerNotFound."""
        found = cls.find(conn, prefetch, **by)
        if found is None:
            raise cls.not_found({'uuid': by['uuid']} if 'uuid' in by else by)
        return found

    @classmethod
    def all(  # type: ignore[override]
            cls, conn: sa.Connection, *where: sa.ColumnElement[bool], order: Order = None,
            limit: int | None = None, prefetch: Collection[str] = (), **by: object) -> list[Self]:
        """Servers of this cell, without deleted ones unless ``deleted`` or a condition on it is given.

        One statement, and as `load` says for what `prefetch` names.
        """
        if 'deleted' not in by:
            by['deleted'] = 0
        if by['deleted'] is None:
            del by['deleted']
        extra = tuple(name for name in EXTRA if name in prefetch)
        query = cls._finding(statements.shape_of(by), order is None, limit is not None, extra)
        if where or order:
            query = statements.narrowed(query, where, tuple(order or ()))
        found = [cls.from_row(row) for row in conn.execute(query, statements.values_of(by, limit))]
        load(conn, found, prefetch)
        return found

    @classmethod
    @functools.cache
    def _finding(cls, shape: statements.Shape, ordered: bool = False, limited: bool = False,
                 extra: tuple[str, ...] = ()) -> sa.Select:
        query = super()._finding(shape, ordered, limited)
        if not extra:
            return query
        return query.add_columns(*(models.instance_extra.c[name] for name in extra)).select_from(
            models.instances.outerjoin(
                models.instance_extra, models.instance_extra.c.instance_uuid == models.instances.c.uuid))

    @classmethod
    def from_row(cls, row: sa.Row) -> Self:
        self = super().from_row(row)
        mapping = row._mapping
        for name in EXTRA:
            if name in mapping:
                value = mapping[name]
                decode = _DECODE.get(name)
                self.__dict__[name] = value if value is None or decode is None else decode(value)
        return self

    def refresh(self, conn: sa.Connection) -> None:
        """Load the row anew, and those relations that were loaded."""
        wanted = [name for name in (*FULL, 'volumes') if self.known(name)]
        fresh = type(self).find(conn, prefetch=wanted, uuid=self.uuid, deleted=None)
        if fresh is None:
            raise self.not_found(self._by_key())
        self._take(fresh)

    # Writing

    def create(self, conn: sa.Connection) -> None:
        """Insert it with everything that belongs to it."""
        self.id = fields.NOT_YET
        super().create(conn)
        conn.execute(statements.insert(models.instance_extra), {
            'instance_uuid': self.uuid, **self._extra_values(EXTRA)})
        if self.known('metadata'):
            METADATA.add(conn, self.uuid, self.metadata)
        if self.known('tags') and self.tags:
            conn.execute(models.instance_tags.insert(), [
                {'instance_uuid': self.uuid, 'tag': word} for word in self.tags])
        for device in self.block_devices if self.known('block_devices') else ():
            self._keep_device(conn, device)
        self.clean()

    def save(self, conn: sa.Connection, *where: sa.ColumnElement[bool]) -> set[str]:
        """Update what changed, in whichever table it is; block devices without a row get one.

        Devices that left the list keep their rows: deleting one is `BlockDeviceMapping.destroy`.

        Args:
            where: further conditions on the row, as ``task_state == 'x'``.

        Raises:
            ServerNotFound: the row is gone, or does not fulfil the conditions.
        """
        changed = self.changed()
        extra = self._extra_values(name for name in EXTRA if name in changed)
        metadata = dict(self.metadata) if 'metadata' in changed else None
        tags = list(self.tags) if 'tags' in changed else None
        for device in self.block_devices if 'block_devices' in changed else ():
            self._keep_device(conn, device)
        super().save(conn, *where)
        if extra:
            dbkit.upsert(conn, models.instance_extra, {'instance_uuid': self.uuid, **extra}, ['instance_uuid'])
        if metadata is not None:
            METADATA.replace(conn, self.uuid, metadata)
        if tags is not None:
            tag.replace(conn, self.uuid, tags)
        return changed

    def destroy(self, conn: sa.Connection) -> None:
        """Mark it deleted; its row stays until it is archived, its tags, devices and console tokens go."""
        now = clock.utcnow()
        self.deleted, self.deleted_at = self.id, now
        self.vm_state, self.task_state = str(states.VM.DELETED), None
        if self.terminated_at is None:
            self.terminated_at = now
        self.save(conn)
        for table in (models.instance_tags, models.block_device_mappings, models.console_auth_tokens):
            conn.execute(statements.delete(table, ('instance_uuid',)), {'its_instance_uuid': self.uuid})

    @classmethod
    def purge(cls, conn: sa.Connection, uuid: str) -> None:
        """Take a server out of a cell without a trace: its rows were written ahead and are not wanted.

        One that lived is deleted rather than purged: its row and its history stay until they are archived.
        Nothing happens when there is none.
        """
        task.remove_of(conn, uuid)
        event.forget(conn, uuid)
        for owned in (models.instance_extra, models.instance_metadata, models.instance_tags,
                      models.block_device_mappings):
            conn.execute(owned.delete().where(owned.c.instance_uuid == uuid))
        conn.execute(models.instances.delete().where(models.instances.c.uuid == uuid))

    def _keep_device(self, conn: sa.Connection, device: BlockDeviceMapping) -> None:
        if device.id is not None:
            device.save(conn)
            return
        device.instance_uuid = self.uuid
        device.uuid = device.uuid or uuids.generate()
        device.create(conn)

    def _extra_values(self, names: Iterable[str]) -> JsonObject:
        values = {name: getattr(self, name) for name in names if self.known(name)}
        return {name: base.at_rest(value) if isinstance(value, base.Record) else value
                for name, value in values.items()}


_DECODE = {name: Instance.fields[name].decode for name in EXTRA if Instance.fields[name].child}
"""Records kept in `instance_extra` as text."""


def of_flavor(flavor: Flavor) -> JsonObject:
    """The columns that repeat a flavor."""
    return {'flavorid': flavor.flavorid, 'instance_type_id': flavor.id, 'memory_mb': flavor.memory_mb,
            'vcpus': flavor.vcpus, 'root_gb': flavor.root_gb, 'ephemeral_gb': flavor.ephemeral_gb}


def load(conn: sa.Connection, instances: Sequence[Instance], prefetch: Collection[str]) -> None:
    """Fill in what `prefetch` names of `RELATIONS`, in one statement, and block devices in another one."""
    by_uuid = {instance.uuid: instance for instance in instances}
    relations.fill(conn, by_uuid, {name: kept for name, kept in RELATIONS.items() if name in prefetch})
    if by_uuid and 'block_devices' in prefetch:
        devices: dict[str, list[BlockDeviceMapping]] = {uuid: [] for uuid in by_uuid}
        for device in sorted(BlockDeviceMapping.all(conn, instance_uuid=list(by_uuid)),
                             key=lambda device: device.id):
            devices[device.instance_uuid].append(device)
        for uuid, found in devices.items():
            by_uuid[uuid].__dict__['block_devices'] = found


def renew(conn: sa.Connection, server: Instance | None) -> None:
    """Load the record in hand anew, if there is one and its row is there: others had a turn."""
    if server is not None:
        with contextlib.suppress(errors.server.ServerNotFound):
            server.refresh(conn)
