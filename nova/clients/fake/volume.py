"""Cinder in memory: volumes, snapshots, attachments, types; strict about states as the real one is."""

import copy
import dataclasses
from collections.abc import Mapping, Sequence

from nova import context as nova_context
from nova import errors
from nova.clients.fake.base import effect, probe
from nova.clients.fake.volume_snapshots import FakeSnapshots
from nova.common import uuids
from nova.common.jsonutil import JsonObject


@dataclasses.dataclass
class _Attachment:
    id: str
    volume: str
    server: str
    connector: JsonObject | None = None
    complete: bool = False
    mode: str = 'rw'


class FakeVolume(FakeSnapshots):
    """`protocols.VolumeClient` in memory. ``volumes`` and ``held`` (attachments) are open to assertions.

    Attributes:
        made: what volumes were made of, as it was asked for, in order.
        origins: the server for which each volume was made, by its id, whatever its metadata say by now.
    """

    def __init__(self, slowness: int = 0) -> None:
        super().__init__(slowness)
        self.made: list[JsonObject] = []
        self.origins: dict[str, str] = {}
        self.kinds = [{'id': uuids.generate(), 'name': '__DEFAULT__'}]
        self.held: dict[str, _Attachment] = {}

    def add(self, volume_id: str | None = None, size: int = 1, *, bootable: bool = False,
            multiattach: bool = False, project_id: str = 'project', status: str = 'available',
            **more: object) -> str:
        """Put a volume there."""
        volume_id = volume_id or uuids.generate()
        self.volumes[volume_id] = {
            'id': volume_id, 'name': '', 'size': size, 'status': status,
            'bootable': 'true' if bootable else 'false', 'multiattach': multiattach,
            'availability_zone': 'nova', 'encrypted': False, 'volume_type': None, 'metadata': {},
            'shared_targets': True, 'service_uuid': None,
            'os-vol-tenant-attr:tenant_id': project_id, 'attachments': [], **more}
        return volume_id

    @probe
    def show(self, context: nova_context.RequestContext | None, volume_id: str) -> JsonObject:
        self._look(volume_id)
        volume = self.volumes.get(volume_id)
        if volume is None or not self._sees(context, volume):
            raise errors.block.VolumeNotFound(volume=volume_id)
        mine = [one for one in self.held.values() if one.volume == volume_id]
        return {**copy.deepcopy(volume),
                'attachments': [{'attachment_id': one.id, 'server_id': one.server} for one in mine]}

    @probe
    def encryption(self, volume_id: str) -> JsonObject:
        volume = self.volumes.get(volume_id)
        if volume is None:
            raise errors.block.VolumeNotFound(volume=volume_id)
        return {'provider': 'luks', 'encryption_key_id': volume['encryption_key_id']
                } if volume['encrypted'] else {'encryption_key_id': None}

    @probe
    def types(self, context: nova_context.RequestContext | None) -> list[JsonObject]:
        return [dict(kind) for kind in self.kinds]

    @effect
    def create(self, context: nova_context.RequestContext | None, values: JsonObject) -> str:
        if context is None or not context.auth_token or not context.project_id:
            raise errors.block.VolumeServiceFailed('A volume was to be made for nobody.')
        self.made.append(copy.deepcopy(dict(values)))
        more = {key: values[key] for key in ('name', 'metadata', 'availability_zone', 'volume_type')
                if values.get(key) is not None}
        source = values.get('snapshot_id') or values.get('imageRef') or values.get('source_volid')
        made = self.add(size=values['size'], bootable=bool(source), project_id=context.project_id, **more,
                        status='creating' if self.slowness else 'available')
        if 'nova_server' in more.get('metadata', {}):
            self.origins[made] = more['metadata']['nova_server']
        if self.slowness:
            self._looks[made] = self.slowness
        return made

    @probe
    def find(self, metadata: Mapping[str, str]) -> list[JsonObject]:
        found = [ident for ident, one in self.volumes.items() if metadata.items() <= one['metadata'].items()]
        for ident in found:
            self._look(ident)
        return [copy.deepcopy(self.volumes[ident]) for ident in found]

    @effect
    def untag(self, volume_id: str, keys: Sequence[str]) -> None:
        for key in keys:
            self.volumes.get(volume_id, {}).get('metadata', {}).pop(key, None)

    @effect
    def delete(self, volume_id: str) -> None:
        if any(one.volume == volume_id for one in self.held.values()):
            raise errors.block.VolumeBusy(volume=volume_id, reason='it is attached')
        if self.volumes.get(volume_id, {}).get('status') == 'creating':
            raise errors.block.VolumeBusy(volume=volume_id, reason='it is being made')
        if any(one['volume_id'] == volume_id for one in self.snapshots.values()):
            raise errors.block.VolumeBusy(volume=volume_id, reason='it has snapshots')
        self.volumes.pop(volume_id, None)

    @effect
    def reimage(self, context: nova_context.RequestContext | None, volume_id: str, image_id: str) -> None:
        volume = self.volumes[volume_id]
        if volume['status'] not in ('reserved', 'available'):
            raise errors.block.VolumeInvalid(reason=f'its status is {volume["status"]}')
        volume['volume_image_metadata'] = {'image_id': image_id}

    @effect
    def reserve(self, volume_id: str, server_uuid: str,
                context: nova_context.RequestContext | None = None) -> str:
        if volume_id not in self.volumes or not self._sees(context, self.volumes[volume_id]):
            raise errors.block.VolumeNotFound(volume=volume_id)
        volume = self.volumes[volume_id]
        mine = [one for one in self.held.values() if (one.volume, one.server) == (volume_id, server_uuid)]
        for one in mine:
            if one.connector is None:
                return one.id
        others = [one for one in self.held.values() if one.volume == volume_id and one.server != server_uuid]
        free = volume['status'] in ('available', 'downloading') or (
            volume['multiattach'] and volume['status'] == 'in-use')
        again = mine and volume['status'] in ('in-use', 'reserved')
        if not (free or again) or (others and not volume['multiattach']):
            raise errors.block.VolumeBusy(volume=volume_id, reason=f'its status is {volume["status"]}')
        attachment = _Attachment(uuids.generate(), volume_id, server_uuid)
        self.held[attachment.id] = attachment
        self._settle(volume_id)
        return attachment.id

    def _get(self, attachment_id: str) -> _Attachment:
        if attachment_id not in self.held:
            raise errors.block.AttachmentNotFound(attachment=attachment_id)
        return self.held[attachment_id]

    @effect
    def connect(self, attachment_id: str, connector: Mapping[str, object]) -> JsonObject:
        attachment = self._get(attachment_id)
        beside = [one for one in self.held.values() if one is not attachment and one.volume == attachment.volume
                  and one.connector is not None]
        if beside and attachment.connector is None and not self.volumes[attachment.volume]['multiattach']:
            del self.held[attachment_id]
            attachment = _Attachment(uuids.generate(), attachment.volume, attachment.server)
            self.held[attachment.id] = attachment
        attachment.connector = dict(connector)
        self._settle(attachment.volume)
        return self._info(attachment)

    def _info(self, attachment: _Attachment) -> JsonObject:
        return {'driver_volume_type': 'fake', 'volume_id': attachment.volume,
                'encrypted': self.volumes.get(attachment.volume, {}).get('encrypted', False),
                'attachment_id': attachment.id, 'data': {'volume_id': attachment.volume, 'access_mode': 'rw'}}

    @effect
    def complete(self, attachment_id: str) -> None:
        attachment = self._get(attachment_id)
        if attachment.connector is None:
            raise errors.block.VolumeBusy(volume=attachment.volume, reason='its attachment has no connector')
        attachment.complete = True
        self._settle(attachment.volume)

    def _settle(self, volume_id: str) -> None:
        """Derive a volume's status from its attachments, as Cinder does."""
        mine = [one for one in self.held.values() if one.volume == volume_id]
        words = ['in-use' if one.complete else 'attaching' if one.connector else 'reserved' for one in mine]
        self.volumes[volume_id]['status'] = next(
            (word for word in ('in-use', 'attaching', 'reserved') if word in words), 'available')

    @effect
    def tell_snapshot(self, snapshot_id: str, status: str, progress: str | None = None) -> None:
        if snapshot_id in self.snapshots:
            self.snapshots[snapshot_id].update(status=status, progress=progress)

    def begin_migration(self, volume_id: str) -> str:
        """The service has made another volume for this one, which migrates."""
        volume = self.volumes[volume_id]
        volume['migration_status'] = 'migrating'
        return self.add(size=volume['size'], project_id=volume['os-vol-tenant-attr:tenant_id'],
                        migration_status=f'target:{volume_id}')

    @effect
    def migrated(self, old: str, new: str, error: bool) -> str:
        target = self.volumes.get(new)
        if target is not None and target.get('migration_status') == f'target:{old}':
            mine = [one for one in self.held.values() if one.volume == old]
            if mine and not error:
                raise errors.block.VolumeInvalid(reason=f'volume {old} is still attached')
            for one in self.held.values():
                one.volume = old if one.volume == new else one.volume
            del self.volumes[new]
            self.volumes[old]['migration_status'] = 'error' if error else 'success'
            self._settle(old)
        return old

    @probe
    def every_attachment(self) -> list[JsonObject]:
        return [self._shown(one) for one in self.held.values()]

    @probe
    def attachment(self, attachment_id: str) -> JsonObject:
        return self._shown(self._get(attachment_id))

    def _shown(self, one: _Attachment) -> JsonObject:
        status = 'attached' if one.complete else 'attaching' if one.connector else 'reserved'
        return {'id': one.id, 'volume_id': one.volume, 'instance': one.server, 'status': status,
                'attach_mode': one.mode, 'connection_info': self._info(one) if one.connector else {}}

    @probe
    def attachments(self, server_uuid: str) -> list[JsonObject]:
        return [self._shown(one) for one in self.held.values() if one.server == server_uuid]

    @effect
    def detach(self, attachment_id: str) -> None:
        gone = self.held.pop(attachment_id, None)
        if gone is not None and gone.volume in self.volumes:
            self._settle(gone.volume)
