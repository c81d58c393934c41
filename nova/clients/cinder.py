"""Cinder: volumes of users, and the attachments that join them to servers.

Attachments are Cinder's record of who uses a volume: reserve (no connector), connect (who connects, and how),
complete (it is in the guest), detach. Each may be repeated; where Cinder would refuse a repetition, the
attachment itself is asked whether the wish has come true.
"""

import functools
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from nova import context as nova_context
from nova import errors
from nova.clients import session
from nova.common.jsonutil import JsonObject

LOG = logging.getLogger(__name__)

VERSION = '3.48'
"""Attachments that are completed (3.44), and ``shared_targets`` of volumes."""

_PAGE = 1000
"""As many as Cinder shows at once unless it is told otherwise."""

REIMAGE = '3.68'
"""From here on a volume is written anew from an image."""

Context = nova_context.RequestContext | None


def _no_volume(volume_id: str, message: str) -> Exception:
    return errors.block.VolumeNotFound(volume=volume_id)


def _no_snapshot(snapshot_id: str, message: str) -> Exception:
    return errors.block.SnapshotNotFound(snapshot=snapshot_id)


def _no_attachment(attachment_id: str, message: str) -> Exception:
    return errors.block.AttachmentNotFound(attachment=attachment_id)


def _busy(volume_id: str, message: str) -> Exception:
    return errors.block.VolumeBusy(volume=volume_id, reason=message)


def _invalid(message: str) -> Exception:
    return errors.block.VolumeInvalid(reason=message)


def _over_quota(message: str) -> Exception:
    return errors.block.VolumeLimitExceeded(reason=message)


def _words(metadata: Mapping[str, str]) -> str:
    """Metadata as a query asks for them."""
    return '{' + ', '.join(f"'{key}': '{value}'" for key, value in sorted(metadata.items())) + '}'


def _info(attachment: JsonObject) -> JsonObject:
    return {**attachment['connection_info'], 'attachment_id': attachment['id']}


class Client:
    """`protocols.VolumeClient` over HTTP."""

    def __init__(self, service: session.Service) -> None:
        self._service = service

    def _call(self, method: str, path: str, **kwargs: Any) -> session.Answer:
        return self._service.call(method, path, microversion=VERSION, **kwargs)

    def show(self, context: Context, volume_id: str) -> JsonObject:
        answer = self._call('GET', f'/volumes/{volume_id}', context=context, on={
            404: functools.partial(_no_volume, volume_id),
            403: lambda message: errors.block.VolumeForbidden(volume=volume_id)})
        return dict(answer.json()['volume'])

    def encryption(self, volume_id: str) -> JsonObject:
        answer = self._call('GET', f'/volumes/{volume_id}/encryption',
                            on={404: functools.partial(_no_volume, volume_id)})
        return dict(answer.json())

    def snapshot(self, context: Context, snapshot_id: str) -> JsonObject:
        answer = self._call('GET', f'/snapshots/{snapshot_id}', context=context,
                            on={404: functools.partial(_no_snapshot, snapshot_id)})
        return dict(answer.json()['snapshot'])

    def create_snapshot(self, context: Context, values: Mapping[str, Any]) -> str:
        """See `VolumeClient.create_snapshot`."""
        answer = self._call('POST', '/snapshots', body={'snapshot': {**values, 'force': True}}, context=context,
                            on={404: functools.partial(_no_volume, values['volume_id']), 400: _invalid,
                                413: _over_quota})
        return str(answer.json()['snapshot']['id'])

    def find_snapshots(self, metadata: Mapping[str, str]) -> list[JsonObject]:
        found = self._call('GET', '/snapshots/detail',
                           params=[('all_tenants', '1'), ('metadata', _words(metadata))]).json()['snapshots']
        return [one for one in found if metadata.items() <= one['metadata'].items()]

    def untag_snapshot(self, snapshot_id: str, keys: Sequence[str]) -> None:
        for key in keys:
            self._call('DELETE', f'/snapshots/{snapshot_id}/metadata/{key}', allow=(404,))

    def delete_snapshot(self, snapshot_id: str) -> None:
        """See `VolumeClient.delete_snapshot`."""
        def busy(message: str) -> Exception:
            return errors.block.SnapshotBusy(snapshot=snapshot_id, reason=message)
        self._call('DELETE', f'/snapshots/{snapshot_id}', allow=(404,), on={400: busy, 409: busy})

    def types(self, context: Context) -> list[JsonObject]:
        answer = self._call('GET', '/types', params=[('is_public', 'None')], context=context)
        return list(answer.json()['volume_types'])

    def create(self, context: Context, values: Mapping[str, Any]) -> str:
        """See `VolumeClient.create`.

        Raises:
            VolumeLimitExceeded: Cinder's quota of the project is used up.
            VolumeInvalid: Cinder does not accept the values.
            VolumeServiceFailed: Cinder cannot be used, or the user's token has run out.
        """
        answer = self._call('POST', '/volumes', body={'volume': dict(values)}, context=context, on={
            400: _invalid, 404: _invalid, 413: _over_quota})
        return str(answer.json()['volume']['id'])

    def find(self, metadata: Mapping[str, str]) -> list[JsonObject]:
        found = self._call('GET', '/volumes/detail',
                           params=[('all_tenants', '1'), ('metadata', _words(metadata))]).json()['volumes']
        return [one for one in found if metadata.items() <= one['metadata'].items()]

    def untag(self, volume_id: str, keys: Sequence[str]) -> None:
        for key in keys:
            self._call('DELETE', f'/volumes/{volume_id}/metadata/{key}', allow=(404,))

    def delete(self, volume_id: str) -> None:
        """See `VolumeClient.delete`.

        Raises:
            VolumeBusy: it is attached, or has snapshots.
        """
        busy = functools.partial(_busy, volume_id)
        self._call('DELETE', f'/volumes/{volume_id}', allow=(404,), on={400: busy, 409: busy})

    def reimage(self, context: Context, volume_id: str, image_id: str) -> None:
        """See `VolumeClient.reimage`."""
        self._service.call('POST', f'/volumes/{volume_id}/action', microversion=REIMAGE, context=context,
                           body={'os-reimage': {'image_id': image_id, 'reimage_reserved': True}},
                           on={400: _invalid, 404: functools.partial(_no_volume, volume_id), 409: _invalid})

    def reserve(self, volume_id: str, server_uuid: str, context: Context = None) -> str:
        """See `VolumeClient.reserve`.

        Raises:
            VolumeNotFound: no such volume.
            VolumeBusy: its state does not allow it, or another server has it.
            Forbidden: the user may not.
        """
        for one in self.attachments(server_uuid):
            if one['volume_id'] == volume_id and one['status'] == 'reserved':
                return str(one['id'])
        busy = functools.partial(_busy, volume_id)
        answer = self._call('POST', '/attachments', body={
            'attachment': {'volume_uuid': volume_id, 'instance_uuid': server_uuid}}, context=context,
            on={404: functools.partial(_no_volume, volume_id), 400: busy, 409: busy})
        return str(answer.json()['attachment']['id'])

    def connect(self, attachment_id: str, connector: Mapping[str, Any]) -> JsonObject:
        """See `VolumeClient.connect`.

        Raises:
            AttachmentNotFound: no such attachment.
            VolumeBusy: the volume's state does not allow it.
        """
        answer = self._call('PUT', f'/attachments/{attachment_id}',
                            body={'attachment': {'connector': dict(connector)}}, allow=(400, 409),
                            on={404: functools.partial(_no_attachment, attachment_id)})
        if answer.status < 400:
            return _info(answer.json()['attachment'])
        known = self.attachment(attachment_id)
        if known['status'] in ('attaching', 'attached') and known['connection_info']:
            return _info(known)
        if answer.status == 409 and known['status'] == 'reserved' and any(
                one['id'] != attachment_id and one['volume_id'] == known['volume_id'] and one['connection_info']
                for one in self.attachments(known['instance'])):
            return self._connect_beside(known, connector)
        raise errors.block.VolumeBusy(volume=known['volume_id'], reason=answer.message)

    def _connect_beside(self, reserved: JsonObject, connector: Mapping[str, Any]) -> JsonObject:
        """Have an attachment that is made with its connector take the place of one that is only reserved.

        While one of a volume's attachments is connected, Cinder connects no other that is there already.
        """
        self.detach(reserved['id'])
        busy = functools.partial(_busy, reserved['volume_id'])
        answer = self._call('POST', '/attachments', body={'attachment': {
            'volume_uuid': reserved['volume_id'], 'instance_uuid': reserved['instance'],
            'connector': dict(connector)}}, on={
                404: functools.partial(_no_volume, reserved['volume_id']), 400: busy, 409: busy})
        return _info(answer.json()['attachment'])

    def complete(self, attachment_id: str) -> None:
        """See `VolumeClient.complete`.

        Raises:
            AttachmentNotFound: no such attachment.
            VolumeBusy: it has no connector, or the volume is in no state for it.
        """
        answer = self._call('POST', f'/attachments/{attachment_id}/action', body={'os-complete': None},
                            allow=(400, 409), on={404: functools.partial(_no_attachment, attachment_id)})
        if answer.status < 400:
            return
        known = self.attachment(attachment_id)
        if known['status'] != 'attached':
            raise errors.block.VolumeBusy(volume=known['volume_id'], reason=answer.message)

    def tell_snapshot(self, snapshot_id: str, status: str, progress: str | None = None) -> None:
        said = {'status': status, **({'progress': progress} if progress else {})}
        answer = self._call('POST', f'/snapshots/{snapshot_id}/action', allow=(400, 404),
                            body={'os-update_snapshot_status': said})
        if answer.status == 400:
            LOG.warning('Cinder does not hear that snapshot %s is %s: %s', snapshot_id, status, answer.message)

    def migrated(self, old: str, new: str, error: bool) -> str:
        """See `VolumeClient.migrated`.

        Raises:
            VolumeNotFound: the old one is gone.
        """
        answer = self._call('POST', f'/volumes/{old}/action', allow=(400, 404), body={
            'os-migrate_volume_completion': {'new_volume': new, 'error': error}})
        if answer.status < 400:
            return str(answer.json()['save_volume_id'])
        known = self.show(None, old)  # perhaps it has heard of it before
        if not error and known.get('migration_status') != 'success':
            raise errors.block.VolumeInvalid(reason=answer.message)
        return old

    def attachment(self, attachment_id: str) -> JsonObject:
        """See `VolumeClient.attachment`.

        Raises:
            AttachmentNotFound: no such attachment.
        """
        answer = self._call('GET', f'/attachments/{attachment_id}',
                            on={404: functools.partial(_no_attachment, attachment_id)})
        return dict(answer.json()['attachment'])

    def attachments(self, server_uuid: str) -> list[JsonObject]:
        found = self._call('GET', '/attachments/detail', params=[
            ('all_tenants', '1'), ('instance_id', server_uuid)]).json()['attachments']
        return [one for one in found if one['instance'] == server_uuid]

    def every_attachment(self) -> list[JsonObject]:
        """See `VolumeClient.every_attachment`; page by page, since Cinder limits how many it shows at once."""
        found: list[JsonObject] = []
        while True:
            marker = [('marker', found[-1]['id'])] if found else []
            page = self._call('GET', '/attachments/detail', params=[
                ('all_tenants', '1'), ('limit', str(_PAGE)), *marker]).json()['attachments']
            found += page
            if len(page) < _PAGE:
                return found

    def detach(self, attachment_id: str) -> None:
        """See `VolumeClient.detach`.

        Raises:
            VolumeServiceFailed: Cinder could not end the connection; it may be tried again.
        """
        self._call('DELETE', f'/attachments/{attachment_id}', allow=(404,), on={
            409: lambda message: errors.block.VolumeServiceFailed(
                f'The volume service refuses to delete attachment {attachment_id}: {message}. Check that '
                '[service_user] is configured, so that Cinder knows who asks.')})
