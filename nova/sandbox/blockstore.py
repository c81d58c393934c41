"""Volumes, snapshots and types of the volume stand-in: files of a directory, and states kept strictly."""

import os
import pathlib
import re
from collections.abc import Callable

from nova.common import clock, problem, units, uuids
from nova.sandbox import image as images
from nova.sandbox import service, store
from nova.sandbox.store import Document, Kind, Rows

VOLUME = Kind('volume', owner='project_id')
SNAPSHOT = Kind('snapshot', owner='project_id', parent='volume_id')
TYPE = Kind('volume_type', unique=('name',))
ATTACHMENT = Kind('attachment', owner='project_id', parent='volume_id')
QUOTA = Kind('volume_quota')

DEFAULT_TYPE = '__DEFAULT__'
MULTIATTACH_TYPE = 'multiattach'
HOST = 'sandbox@file#pool'
QUOTAS = {'volumes': 1000, 'gigabytes': 100000, 'snapshots': 1000, 'backups': 10, 'backup_gigabytes': 1000,
          'per_volume_gigabytes': -1, 'groups': 10}
STATUSES = frozenset({'creating', 'available', 'deleting', 'error', 'error_deleting', 'attaching', 'detaching',
                      'in-use', 'maintenance', 'reserved', 'error_extending', 'error_attaching'})
SNAPSHOT_STATUSES = ('available', 'creating', 'deleting', 'error', 'error_deleting')
_DELETABLE = ('available', 'error', 'error_restoring', 'error_extending', 'error_managing')
_COPY = units.Mi


def _error(status: int, name: str, template: str) -> type[problem.Problem]:
    return type(name, (problem.Problem,), {'status': status, 'code': name, 'template': template})


VolumeNotFound = _error(404, 'VolumeNotFound', 'Volume {id} could not be found.')
SnapshotNotFound = _error(404, 'SnapshotNotFound', 'Snapshot {id} could not be found.')
VolumeTypeNotFound = _error(404, 'VolumeTypeNotFound', 'Volume type {id} could not be found.')
AttachmentNotFound = _error(404, 'VolumeAttachmentNotFound',
                            'Volume attachment could not be found with filter: attachment_id = {id}.')
InvalidVolume = _error(400, 'InvalidVolume', 'Invalid volume: {why}')
InvalidSnapshot = _error(400, 'InvalidSnapshot',
                         'Invalid snapshot: Snapshot status must be available or error.')
InvalidInput = _error(400, 'InvalidInput', 'Invalid input received: {why}')
LimitExceeded = _error(413, 'VolumeLimitExceeded', 'VolumeLimitExceeded: Maximum number of {what} allowed '
                                                   '({allowed}) exceeded for quota \'{what}\'.')


def now() -> str:
    """The time as block storage shows it: microseconds, no zone."""
    return clock.strtime(clock.utcnow()) or ''


def volume_for(rows: Rows, caller: service.Caller, ident: object) -> Document:
    """
    Raises:
        VolumeNotFound: there is none of the caller's.
    """
    found = rows.get(VOLUME, str(ident))
    if found is None or not caller.owns(found):
        raise VolumeNotFound(id=ident)
    return found


def save(rows: Rows, kind: Kind, document: Document, **change: object) -> Document:
    return rows.update(kind, {**document, **change, 'updated_at': now()})


def type_for(rows: Rows, wanted: object) -> Document:
    """A volume type by id or name."""
    found = rows.get(TYPE, str(wanted)) or next(iter(rows.list(TYPE, name=str(wanted))), None)
    if found is None:
        raise VolumeTypeNotFound(id=wanted)
    return found


def is_shared(kind: Document) -> bool:
    """Whether volumes of a type may be attached more than once."""
    return str(kind['extra_specs'].get('multiattach', '')).lower() == '<is> true'


def default_types(rows: Rows) -> None:
    """The types that a new deployment has."""
    for name, specs in ((DEFAULT_TYPE, {}), (MULTIATTACH_TYPE, {'multiattach': '<is> True'})):
        if not rows.list(TYPE, name=name):
            rows.insert(TYPE, {'id': uuids.generate(), 'name': name, 'description': '', 'is_public': True,
                               'extra_specs': specs})


def limits(rows: Rows, project: str) -> dict[str, int]:
    own = rows.get(QUOTA, project) or {}
    return {name: own.get(name, limit) for name, limit in QUOTAS.items()}


def usage(rows: Rows, project: str) -> dict[str, int]:
    volumes, snapshots = rows.list(VOLUME, owner=project), rows.list(SNAPSHOT, owner=project)
    return {'volumes': len(volumes), 'snapshots': len(snapshots),
            'gigabytes': sum(item['size'] for item in volumes) + sum(item['size'] for item in snapshots)}


def check_quota(rows: Rows, project: str, **more: int) -> None:
    """
    Raises:
        LimitExceeded: the project may not have that much more.
    """
    allowed, used = limits(rows, project), usage(rows, project)
    for what, amount in more.items():
        if 0 <= allowed[what] < used[what] + amount:
            raise LimitExceeded(what=what, allowed=allowed[what])


def copy_sparse(source: pathlib.Path, target: pathlib.Path) -> None:
    """Copy the data of a file over the start of another one, leaving holes as they are."""
    with source.open('rb') as reader, target.open('r+b') as writer:
        end, position = reader.seek(0, os.SEEK_END), 0
        while position < end:
            try:
                start = os.lseek(reader.fileno(), position, os.SEEK_DATA)
            except OSError:
                break  # nothing but a hole is left
            position = os.lseek(reader.fileno(), start, os.SEEK_HOLE)
            reader.seek(start)
            writer.seek(start)
            while start < position:
                chunk = reader.read(min(_COPY, position - start))
                writer.write(chunk)
                start += len(chunk)


class Volumes:
    """The life of volumes and snapshots over a directory."""

    def __init__(self, keep: store.Store, data_dir: pathlib.Path, pictures: images.Images) -> None:
        self.store, self.directory, self._images = keep, data_dir, pictures
        data_dir.mkdir(parents=True, exist_ok=True)

    def path(self, ident: str) -> pathlib.Path:
        """Where the data of a volume is."""
        return self.directory / f'volume-{ident}'

    def snapshot_path(self, ident: str) -> pathlib.Path:
        return self.directory / f'snapshot-{ident}'

    def create(self, caller: service.Caller, body: Document) -> Document:
        """A new volume, as it is answered: ``creating``; it is available when the answer is read."""
        if body.get('multiattach'):
            raise problem.BadRequest('multiattach parameter has been removed. The default behavior is to use '
                                     'multiattach enabled volume types. Contact your administrator to create a '
                                     'multiattach enabled volume type.')
        source, given = self._source(caller, body)
        size = _size(body.get('size') or given.get('size'), given.get('least'))
        project = caller.project_id or ''

        def insert(rows: Rows) -> Document:
            check_quota(rows, project, volumes=1, gigabytes=size)
            kind = type_for(rows, body.get('volume_type') or given.get('volume_type_id') or DEFAULT_TYPE)
            return rows.insert(VOLUME, {
                'id': uuids.generate(), 'name': body.get('name') or '', 'description': body.get('description'),
                'size': size, 'status': 'creating', 'project_id': project, 'user_id': caller.user_id,
                'availability_zone': body.get('availability_zone') or 'nova', 'created_at': now(),
                'updated_at': None, 'volume_type': kind['name'], 'volume_type_id': kind['id'],
                'snapshot_id': body.get('snapshot_id'), 'source_volid': body.get('source_volid'),
                'metadata': body.get('metadata') or {}, 'bootable': bool(given.get('bootable')),
                'readonly': False, 'migration_status': None, 'group_id': None,
                'multiattach': is_shared(kind),
                'image_metadata': given.get('image_metadata') or {}})
        made = self.store.write(insert)
        path = self.path(made['id'])
        with path.open('wb') as file:
            file.truncate(size * units.Gi)
        if source is not None:
            copy_sparse(source, path)
        self.store.write(lambda rows: save(
            rows, VOLUME, rows.get(VOLUME, made['id']) or made, status='available'))
        return made

    def _source(self, caller: service.Caller, body: Document) -> tuple[pathlib.Path | None, Document]:
        """Where the first data of a volume comes from, and what comes along."""
        with self.store.read() as rows:
            if body.get('snapshot_id'):
                snapshot = rows.get(SNAPSHOT, str(body['snapshot_id']))
                if snapshot is None or not caller.owns(snapshot):
                    raise SnapshotNotFound(id=body['snapshot_id'])
                origin = rows.get(VOLUME, snapshot['volume_id']) or {}
                return self.snapshot_path(snapshot['id']), {
                    'size': snapshot['size'], 'least': snapshot['size'], 'bootable': origin.get('bootable'),
                    'image_metadata': origin.get('image_metadata'),
                    'volume_type_id': origin.get('volume_type_id')}
            if body.get('source_volid'):
                volume = volume_for(rows, caller, body['source_volid'])
                if volume['status'] not in ('available', 'in-use'):
                    raise InvalidVolume(why='Source volume must be available or in-use.')
                return self.path(volume['id']), {**volume, 'least': volume['size']}
        wanted = body.get('imageRef') or body.get('image_id')
        return self._from_image(caller, str(wanted)) if wanted else (None, {})

    def _from_image(self, caller: service.Caller, ident: str) -> tuple[pathlib.Path, Document]:
        try:
            image = self._images.get(caller, ident)
        except problem.NotFound:
            raise problem.BadRequest('Invalid imageRef provided.') from None
        if image['status'] != 'active':
            raise InvalidInput(why=f'Image {ident} is not active.')
        if image['disk_format'] not in ('raw', 'iso', 'ami'):
            raise InvalidInput(why=f'Image {ident} is unacceptable: this stand-in converts nothing, and writes '
                                   'raw images only')
        size = max(-(-image['size'] // units.Gi), image['min_disk'], 1)
        facts = {'image_id': ident, 'image_name': image['name'] or '', 'checksum': image['checksum'],
                 'size': str(image['size']), **{name: str(image[name]) for name in (
                     'container_format', 'disk_format', 'min_disk', 'min_ram')}}
        return self._images.path(ident), {'least': size, 'bootable': True,
                                          'image_metadata': {**_extra_properties(image), **facts}}

    def reimage(self, caller: service.Caller, ident: str, image: str, reserved: bool) -> None:
        """Write a volume anew from an image; that is done when the answer is read."""
        source, given = self._from_image(caller, image)

        def write(rows: Rows) -> None:
            volume = volume_for(rows, caller, ident)
            if volume['status'] not in (('reserved',) if reserved else ('available', 'error')):
                raise InvalidVolume(why=f'Volume {ident} cannot be written anew: it is {volume["status"]}.')
            if volume['size'] < given['least']:
                raise InvalidInput(why=f'Volume {ident} is too small for image {image}.')
            save(rows, VOLUME, volume, image_metadata=given['image_metadata'], bootable=True)
        self.store.write(write)
        path = self.path(ident)
        size = path.stat().st_size
        os.truncate(path, 0)
        os.truncate(path, size)
        copy_sparse(source, path)

    def delete(self, caller: service.Caller, ident: str, force: bool = False) -> None:
        def write(rows: Rows) -> None:
            volume = volume_for(rows, caller, ident)
            if not force and (volume['status'] not in _DELETABLE or rows.count(ATTACHMENT, parent=ident)
                              or rows.count(SNAPSHOT, parent=ident)):
                raise InvalidVolume(why=(
                    'Volume status must be available or error or error_restoring or error_extending or '
                    'error_managing and must not be migrating, attached, belong to a group, have snapshots, '
                    'awaiting a transfer, or be disassociated from snapshots after volume transfer.'))
            rows.delete(VOLUME, ident)
            rows.delete_children(ATTACHMENT, ident)
        self.store.write(write)
        self.path(ident).unlink(missing_ok=True)

    def extend(self, caller: service.Caller, ident: str, new_size: object, in_use_too: bool) -> None:
        """Make a volume larger."""
        size = _size(new_size, None)

        def write(rows: Rows) -> None:
            volume = volume_for(rows, caller, ident)
            if volume['status'] not in (('available', 'in-use') if in_use_too else ('available',)):
                raise InvalidVolume(why=f'Volume {ident} status must be available, but current status is '
                                        f'{volume["status"]}.')
            if size <= volume['size']:
                raise InvalidInput(why=f'New size for extend must be greater than current size. (current: '
                                       f'{volume["size"]}, extended: {size}).')
            check_quota(rows, volume['project_id'], gigabytes=size - volume['size'])
            save(rows, VOLUME, volume, size=size)
        self.store.write(write)
        os.truncate(self.path(ident), size * units.Gi)

    def move(self, caller: service.Caller, ident: str, wanted: tuple[str, ...],
             target: str | Callable[[Rows, Document], str]) -> None:
        """Change a volume's status, if it is one of `wanted`.

        Raises:
            InvalidVolume: it is not.
        """
        def write(rows: Rows) -> None:
            volume = volume_for(rows, caller, ident)
            if volume['status'] not in wanted:
                raise InvalidVolume(why=f'Volume {ident} status must be {" or ".join(wanted)}, but current '
                                        f'status is {volume["status"]}.')
            save(rows, VOLUME, volume, status=target if isinstance(target, str) else target(rows, volume))
        self.store.write(write)

    def begin_migration(self, caller: service.Caller, ident: str) -> Document:
        """Make the volume that an attached one migrates to."""
        def write(rows: Rows) -> Document:
            volume = volume_for(rows, caller, ident)
            if volume['status'] != 'in-use':
                raise InvalidVolume(why='this stand-in migrates attached volumes only')
            save(rows, VOLUME, volume, migration_status='migrating')
            return rows.insert(VOLUME, {**volume, 'id': uuids.generate(), 'status': 'available',
                                        'migration_status': f'target:{ident}', 'created_at': now()})
        made = self.store.write(write)
        with self.path(made['id']).open('wb') as file:
            file.truncate(made['size'] * units.Gi)
        return made

    def end_migration(self, caller: service.Caller, ident: str, other: str, failed: bool) -> None:
        """End it: one volume is left, under the old id, with the attachments of the one that is used.

        Raises:
            InvalidVolume: they are not two of one migration, or the old one is still attached.
        """
        def write(rows: Rows) -> None:
            old, new = volume_for(rows, caller, ident), volume_for(rows, caller, other)
            if not old['migration_status'] or new['migration_status'] != f'target:{ident}':
                raise InvalidVolume(why=f'{ident} does not migrate to {other}')
            if not failed and rows.count(ATTACHMENT, parent=ident):
                raise InvalidVolume(why=f'{ident} is still attached')
            for attachment in rows.list(ATTACHMENT, parent=other):
                if failed:
                    rows.delete(ATTACHMENT, attachment['id'])
                else:
                    rows.update(ATTACHMENT, {**attachment, 'volume_id': ident})
            rows.delete(VOLUME, other)
            save(rows, VOLUME, old, migration_status='error' if failed else 'success', status='in-use')
        self.store.write(write)
        if failed:
            self.path(other).unlink(missing_ok=True)
        else:
            os.replace(self.path(other), self.path(ident))

    def snapshot(self, caller: service.Caller, body: Document, force_allowed: bool) -> Document:
        """A copy of a volume's data as it is now."""
        def insert(rows: Rows) -> Document:
            volume = volume_for(rows, caller, body.get('volume_id'))
            forced = force_allowed or service.truth(body.get('force', False))
            if volume['status'] not in (('available', 'in-use') if forced else ('available',)):
                raise InvalidVolume(why=f'Volume {volume["id"]} status must be available, but current '
                                        f'status is: {volume["status"]}.')
            check_quota(rows, volume['project_id'], snapshots=1, gigabytes=volume['size'])
            return rows.insert(SNAPSHOT, {
                'id': uuids.generate(), 'name': body.get('name') or '', 'description': body.get('description'),
                'volume_id': volume['id'], 'size': volume['size'], 'status': 'creating',
                'project_id': volume['project_id'], 'user_id': caller.user_id, 'created_at': now(),
                'updated_at': None, 'metadata': body.get('metadata') or {}})
        made = self.store.write(insert)
        target = self.snapshot_path(made['id'])
        with target.open('wb') as file:
            file.truncate(made['size'] * units.Gi)
        copy_sparse(self.path(made['volume_id']), target)
        self.store.write(lambda rows: save(rows, SNAPSHOT, made, status='available'))
        return made

    def delete_snapshot(self, caller: service.Caller, ident: str) -> None:
        def write(rows: Rows) -> None:
            found = snapshot_for(rows, caller, ident)
            if found['status'] not in ('available', 'error', 'error_deleting'):
                raise InvalidSnapshot()
            rows.delete(SNAPSHOT, ident)
        self.store.write(write)
        self.snapshot_path(ident).unlink(missing_ok=True)


def snapshot_for(rows: Rows, caller: service.Caller, ident: str) -> Document:
    found = rows.get(SNAPSHOT, ident)
    if found is None or not caller.owns(found):
        raise SnapshotNotFound(id=ident)
    return found


def _extra_properties(image: Document) -> Document:
    return {name: str(value) for name, value in image.items()
            if isinstance(value, str) and re.match('hw_|img_|os_(?!hash_)', name)}


_LARGEST = 8192
"""Gigabytes: sparse files of this size are possible on every file system."""


def _size(asked: object, least: int | None) -> int:
    try:
        size = int(asked) if isinstance(asked, (int, float, str)) and not isinstance(asked, bool) else 0
    except (ValueError, OverflowError):
        size = 0
    if size <= 0:
        raise InvalidInput(why=f"Volume size '{asked}' must be an integer and greater than 0")
    if size > _LARGEST:
        raise InvalidInput(why=f'Volume size {size}GB is more than the {_LARGEST}GB that a volume can have')
    if least is not None and size < least:
        raise InvalidInput(why=f'Volume size {size}GB cannot be smaller than the source size {least}GB')
    return size
