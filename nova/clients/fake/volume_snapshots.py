"""Snapshots of volumes in memory."""

import copy
from collections.abc import Mapping, Sequence

from nova import context as nova_context
from nova import errors
from nova.clients.fake.base import Fake, effect, probe
from nova.common import uuids
from nova.common.jsonutil import JsonObject


class FakeSnapshots(Fake):
    """The part of `protocols.VolumeClient` that is about snapshots. ``snapshots`` is open to assertions.

    Attributes:
        slowness: how often a new volume or snapshot is looked at before it is available.
    """

    def __init__(self, slowness: int = 0) -> None:
        super().__init__()
        self.slowness = slowness
        self._looks: dict[str, int] = {}
        self.volumes: dict[str, JsonObject] = {}
        self.snapshots: dict[str, JsonObject] = {}

    def add_snapshot(self, volume_id: str, snapshot_id: str | None = None, size: int = 1) -> str:
        """Put a snapshot there."""
        snapshot_id = snapshot_id or uuids.generate()
        self.snapshots[snapshot_id] = {'id': snapshot_id, 'volume_id': volume_id, 'size': size,
                                       'status': 'available', 'name': '', 'metadata': {}}
        return snapshot_id

    def _look(self, ident: str) -> None:
        """Time goes by while a volume or a snapshot is being made."""
        left = self._looks.get(ident)
        found = self.volumes.get(ident) or self.snapshots.get(ident)
        if left is not None and found is not None:
            self._looks[ident] = left - 1
            if left <= 1:
                del self._looks[ident]
                found['status'] = 'available'

    @staticmethod
    def _sees(context: nova_context.RequestContext | None, volume: JsonObject) -> bool:
        return (context is None or context.is_admin or not context.auth_token
                or context.project_id == volume['os-vol-tenant-attr:tenant_id'])

    @probe
    def snapshot(self, context: nova_context.RequestContext | None, snapshot_id: str) -> JsonObject:
        self._look(snapshot_id)
        origin = self.volumes.get(self.snapshots.get(snapshot_id, {}).get('volume_id', ''))
        if snapshot_id not in self.snapshots or (origin is not None and not self._sees(context, origin)):
            raise errors.block.SnapshotNotFound(snapshot=snapshot_id)
        return dict(self.snapshots[snapshot_id])

    @effect
    def create_snapshot(self, context: nova_context.RequestContext | None, values: JsonObject) -> str:
        if context is None or not context.auth_token:
            raise errors.block.VolumeServiceFailed('A snapshot was to be made for nobody.')
        volume = self.volumes.get(values['volume_id'])
        if volume is None or not self._sees(context, volume):
            raise errors.block.VolumeNotFound(volume=values['volume_id'])
        if volume['status'] not in ('available', 'in-use'):
            raise errors.block.VolumeInvalid(reason=f'its status is {volume["status"]}')
        made = self.add_snapshot(volume['id'], size=volume['size'])
        self.snapshots[made].update(copy.deepcopy({**values, 'metadata': dict(values.get('metadata') or {})}))
        if self.slowness:
            self.snapshots[made]['status'], self._looks[made] = 'creating', self.slowness
        return made

    @probe
    def find_snapshots(self, metadata: Mapping[str, str]) -> list[JsonObject]:
        found = [ident for ident, one in self.snapshots.items() if metadata.items() <= one['metadata'].items()]
        for ident in found:
            self._look(ident)
        return [copy.deepcopy(self.snapshots[ident]) for ident in found]

    @effect
    def untag_snapshot(self, snapshot_id: str, keys: Sequence[str]) -> None:
        for key in keys:
            self.snapshots.get(snapshot_id, {}).get('metadata', {}).pop(key, None)

    @effect
    def delete_snapshot(self, snapshot_id: str) -> None:
        if self.snapshots.get(snapshot_id, {}).get('status') == 'creating':
            raise errors.block.SnapshotBusy(snapshot=snapshot_id, reason='it is being made')
        self.snapshots.pop(snapshot_id, None)
