"""Cinder: volumes of users, and the attachments that join them to servers.

python-cinderclient says what each call is; it is sent by our own session, so that tokens, time, repetition and
refusals are those of every neighbour.

Attachments are Cinder's record of who uses a volume: reserve (no connector), connect (who connects, and how),
complete (it is in the guest), detach. Each may be repeated; where Cinder would refuse a repetition, the
attachment itself is asked whether the wish has come true.
"""

import contextlib
import functools
import logging
from collections.abc import Collection, Mapping, Sequence
from urllib import parse

import requests
from cinderclient import api_versions
from cinderclient.apiclient.base import Resource
from cinderclient.v3 import client as cinderclient
from keystoneauth1 import session as ks_session

from nova import context as nova_context
from nova import errors
from nova.clients import session
from nova.common.jsonutil import JsonObject

LOG = logging.getLogger(__name__)

VERSION = api_versions.APIVersion('3.48')
"""Attachments that are completed (3.44), and ``shared_targets`` of volumes."""

_PAGE = 1000
"""As many as Cinder shows at once unless it is told otherwise."""

REIMAGE = api_versions.APIVersion('3.68')
"""From here on a volume is written anew from an image."""

UNTAG = api_versions.APIVersion('3.14')
"""Up to here python-cinderclient takes keys out of metadata one by one; later it writes the rest of them."""

_KINDS = ('attachments', 'snapshots', 'types', 'volumes')

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


def _tagged(metadata: Mapping[str, str]) -> JsonObject:
    """The query for what has these metadata, in any project."""
    return {'all_tenants': '1', 'metadata': dict(sorted(metadata.items()))}


def _plain(resource: Resource) -> JsonObject:
    """What Cinder shows of something."""
    return dict(resource.to_dict())


def _info(attachment: JsonObject) -> JsonObject:
    return {**attachment['connection_info'], 'attachment_id': attachment['id']}


class _Refused(Exception):
    """Cinder answers with a status that the caller looks at."""

    def __init__(self, answer: session.Answer) -> None:
        super().__init__(answer.status)
        self.status, self.message = answer.status, answer.message


class _Wire(ks_session.Session):
    """What python-cinderclient wants, a session of keystoneauth; it sends by ours, one call of a method.

    Args:
        context: whose name it is in.
        on: errors to raise by status.
        allow: statuses that become `_Refused`.
    """

    def __init__(self, service: session.Service, context: Context, on: session.Translation,
                 allow: Collection[int]) -> None:
        super().__init__()
        self._service, self._context, self._on, self._allow = service, context, on, allow

    def request(self, url: str, method: str, json: object = None,  # type: ignore[override]
                *, microversion: str | None = None, **ignored: object) -> requests.Response:
        """What is ignored says where Cinder is and who asks, which our session knows."""
        parts = parse.urlsplit(_path(url))
        answer = self._service.call(
            method, parse.unquote(parts.path), body=json, params=parse.parse_qsl(parts.query, True),
            context=self._context, microversion=microversion, on=self._on, allow=self._allow)
        if answer.status >= 400:
            raise _Refused(answer)
        return answer.response


def _path(url: str) -> str:
    """What a URL says behind the endpoint; Cinder's own links to next pages are absolute, and may name a host
    that only others reach."""
    if '://' not in url:
        return url
    return next((url[url.index(f'/{kind}'):] for kind in _KINDS if f'/{kind}' in url), url)


def _name(uuid: str) -> str:
    """An id as part of a path, which python-cinderclient takes as it is."""
    return parse.quote(uuid, safe='')


class Client:
    """`protocols.VolumeClient` by python-cinderclient."""

    def __init__(self, service: session.Service) -> None:
        self._service = service

    def _cinder(self, context: Context = None, on: session.Translation | None = None,
                allow: Collection[int] = (), version: api_versions.APIVersion = VERSION) -> cinderclient.Client:
        """A client for one call: it holds no connection, and python-cinderclient's remembers a request's id."""
        return cinderclient.Client(session=_Wire(self._service, context, on or {}, allow), api_version=version)

    def show(self, context: Context, volume_id: str) -> JsonObject:
        cinder = self._cinder(context, {
            404: functools.partial(_no_volume, volume_id),
            403: lambda message: errors.block.VolumeForbidden(volume=volume_id)})
        return _plain(cinder.volumes.get(_name(volume_id)))

    def encryption(self, volume_id: str) -> JsonObject:
        cinder = self._cinder(on={404: functools.partial(_no_volume, volume_id)})
        return dict(cinder.volumes.get_encryption_metadata(_name(volume_id)))

    def snapshot(self, context: Context, snapshot_id: str) -> JsonObject:
        cinder = self._cinder(context, {404: functools.partial(_no_snapshot, snapshot_id)})
        return _plain(cinder.volume_snapshots.get(_name(snapshot_id)))

    def create_snapshot(self, context: Context, values: JsonObject) -> str:
        """See `VolumeClient.create_snapshot`."""
        cinder = self._cinder(context, {
            404: functools.partial(_no_volume, str(values['volume_id'])), 400: _invalid, 413: _over_quota})
        return str(cinder.volume_snapshots.create(**values, force=True).id)

    def find_snapshots(self, metadata: Mapping[str, str]) -> list[JsonObject]:
        found = self._cinder().volume_snapshots.list(search_opts=_tagged(metadata))
        return [one for one in map(_plain, found) if metadata.items() <= one['metadata'].items()]

    def untag_snapshot(self, snapshot_id: str, keys: Sequence[str]) -> None:
        for key in keys:
            with contextlib.suppress(_Refused):
                self._cinder(allow=(404,)).volume_snapshots.delete_metadata(_name(snapshot_id), [key])

    def delete_snapshot(self, snapshot_id: str) -> None:
        """See `VolumeClient.delete_snapshot`."""
        def busy(message: str) -> Exception:
            return errors.block.SnapshotBusy(snapshot=snapshot_id, reason=message)
        with contextlib.suppress(_Refused):
            self._cinder(on={400: busy, 409: busy}, allow=(404,)).volume_snapshots.delete(_name(snapshot_id))

    def types(self, context: Context) -> list[JsonObject]:
        return [_plain(one) for one in self._cinder(context).volume_types.list()]

    def create(self, context: Context, values: JsonObject) -> str:
        """See `VolumeClient.create`.

        Raises:
            VolumeLimitExceeded: Cinder's quota of the project is used up.
            VolumeInvalid: Cinder does not accept the values.
            VolumeServiceFailed: Cinder cannot be used, or the user's token has run out.
        """
        cinder = self._cinder(context, {400: _invalid, 404: _invalid, 413: _over_quota})
        return str(cinder.volumes.create(**values).id)

    def find(self, metadata: Mapping[str, str]) -> list[JsonObject]:
        found = self._cinder().volumes.list(search_opts=_tagged(metadata))
        return [one for one in map(_plain, found) if metadata.items() <= one['metadata'].items()]

    def untag(self, volume_id: str, keys: Sequence[str]) -> None:
        for key in keys:
            with contextlib.suppress(_Refused):
                self._cinder(allow=(404,), version=UNTAG).volumes.delete_metadata(_name(volume_id), [key])

    def delete(self, volume_id: str) -> None:
        """See `VolumeClient.delete`.

        Raises:
            VolumeBusy: it is attached, or has snapshots.
        """
        busy = functools.partial(_busy, volume_id)
        with contextlib.suppress(_Refused):
            self._cinder(on={400: busy, 409: busy}, allow=(404,)).volumes.delete(_name(volume_id))

    def reimage(self, context: Context, volume_id: str, image_id: str) -> None:
        """See `VolumeClient.reimage`."""
        cinder = self._cinder(context, {
            400: _invalid, 404: functools.partial(_no_volume, volume_id), 409: _invalid}, version=REIMAGE)
        cinder.volumes.reimage(_name(volume_id), image_id, reimage_reserved=True)

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
        cinder = self._cinder(context, {404: functools.partial(_no_volume, volume_id), 400: busy, 409: busy})
        return str(cinder.attachments.create(volume_id, None, server_uuid)['id'])

    def connect(self, attachment_id: str, connector: Mapping[str, object]) -> JsonObject:
        """See `VolumeClient.connect`.

        Raises:
            AttachmentNotFound: no such attachment.
            VolumeBusy: the volume's state does not allow it.
        """
        cinder = self._cinder(on={404: functools.partial(_no_attachment, attachment_id)}, allow=(400, 409))
        try:
            return _info(_plain(cinder.attachments.update(_name(attachment_id), dict(connector))))
        except _Refused as refused:
            answer = refused
        known = self.attachment(attachment_id)
        if known['status'] in ('attaching', 'attached') and known['connection_info']:
            return _info(known)
        if answer.status == 409 and known['status'] == 'reserved' and any(
                one['id'] != attachment_id and one['volume_id'] == known['volume_id'] and one['connection_info']
                for one in self.attachments(known['instance'])):
            return self._connect_beside(known, connector)
        raise errors.block.VolumeBusy(volume=known['volume_id'], reason=answer.message)

    def _connect_beside(self, reserved: JsonObject, connector: Mapping[str, object]) -> JsonObject:
        """Have an attachment that is made with its connector take the place of one that is only reserved.

        While one of a volume's attachments is connected, Cinder connects no other that is there already.
        """
        self.detach(reserved['id'])
        busy = functools.partial(_busy, reserved['volume_id'])
        gone = functools.partial(_no_volume, reserved['volume_id'])
        cinder = self._cinder(on={404: gone, 400: busy, 409: busy})
        return _info(cinder.attachments.create(reserved['volume_id'], dict(connector), reserved['instance']))

    def complete(self, attachment_id: str) -> None:
        """See `VolumeClient.complete`.

        Raises:
            AttachmentNotFound: no such attachment.
            VolumeBusy: it has no connector, or the volume is in no state for it.
        """
        cinder = self._cinder(on={404: functools.partial(_no_attachment, attachment_id)}, allow=(400, 409))
        try:
            cinder.attachments.complete(_name(attachment_id))
        except _Refused as answer:
            known = self.attachment(attachment_id)
            if known['status'] != 'attached':
                raise errors.block.VolumeBusy(volume=known['volume_id'], reason=answer.message) from None

    def tell_snapshot(self, snapshot_id: str, status: str, progress: str | None = None) -> None:
        said = {'status': status, **({'progress': progress} if progress else {})}
        try:
            self._cinder(allow=(400, 404)).volume_snapshots.update_snapshot_status(_name(snapshot_id), said)
        except _Refused as answer:
            if answer.status == 400:
                LOG.warning('Cinder does not hear that snapshot %s is %s: %s', snapshot_id, status,
                            answer.message)

    def migrated(self, old: str, new: str, error: bool) -> str:
        """See `VolumeClient.migrated`.

        Raises:
            VolumeNotFound: the old one is gone.
        """
        try:
            done = self._cinder(allow=(400, 404)).volumes.migrate_volume_completion(_name(old), new, error)
            return str(done['save_volume_id'])
        except _Refused as refused:
            answer = refused
        known = self.show(None, old)  # perhaps it has heard of it before
        if not error and known.get('migration_status') != 'success':
            raise errors.block.VolumeInvalid(reason=answer.message)
        return old

    def attachment(self, attachment_id: str) -> JsonObject:
        """See `VolumeClient.attachment`.

        Raises:
            AttachmentNotFound: no such attachment.
        """
        cinder = self._cinder(on={404: functools.partial(_no_attachment, attachment_id)})
        return _plain(cinder.attachments.show(_name(attachment_id)))

    def attachments(self, server_uuid: str) -> list[JsonObject]:
        found = self._cinder().attachments.list(
            detailed=True, search_opts={'all_tenants': '1', 'instance_id': server_uuid})
        return [one for one in map(_plain, found) if one['instance'] == server_uuid]

    def every_attachment(self) -> list[JsonObject]:
        """See `VolumeClient.every_attachment`; page by page, since Cinder limits how many it shows at once."""
        found: list[JsonObject] = []
        while True:
            page = self._cinder().attachments.list(
                detailed=True, search_opts={'all_tenants': '1'}, limit=_PAGE,
                marker=found[-1]['id'] if found else None)
            found += map(_plain, page)
            if len(page) < _PAGE:
                return found

    def detach(self, attachment_id: str) -> None:
        """See `VolumeClient.detach`.

        Raises:
            VolumeServiceFailed: Cinder could not end the connection; it may be tried again.
        """
        def unknown(message: str) -> Exception:
            return errors.block.VolumeServiceFailed(
                f'The volume service refuses to delete attachment {attachment_id}: {message}. Check that '
                '[service_user] is configured, so that Cinder knows who asks.')
        with contextlib.suppress(_Refused):
            self._cinder(on={409: unknown}, allow=(404,)).attachments.delete(_name(attachment_id))
