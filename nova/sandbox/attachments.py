"""Attachments of the volume stand-in: reserve, connect, complete, delete, and what each does to the volume.

State of an attachment: reserved → attaching (it has a connector) → attached. The volume shows the furthest of
its attachments, as Cinder does: in-use, attaching, reserved, and available when none is left.
"""


from nova.common import problem, uuids
from nova.sandbox import blockstore as b
from nova.sandbox import service
from nova.sandbox.store import Document, Rows

_SHOWN = {'attached': 'in-use', 'attaching': 'attaching', 'detaching': 'detaching', 'reserved': 'reserved'}
"""Status of a volume by the status of its attachments, the first one found wins."""


class Attachments:
    """The life of attachments; volumes give the place of the data."""

    def __init__(self, volumes: b.Volumes) -> None:
        self._volumes, self._store = volumes, volumes.store

    def get(self, rows: Rows, caller: service.Caller, ident: str) -> Document:
        found = rows.get(b.ATTACHMENT, ident)
        if found is None or not caller.owns(found):
            raise b.AttachmentNotFound(id=ident)
        return found

    def create(self, caller: service.Caller, body: Document) -> Document:
        """Reserve a volume for an instance; with a connector, connect it too."""
        instance, connector = body.get('instance_uuid'), body.get('connector')
        if not body.get('volume_uuid'):
            raise problem.BadRequest("'volume_uuid' is a required property")
        if body.get('mode') not in (None, 'rw', 'ro', 'null'):
            raise b.InvalidInput(why=f"Invalid attachment mode {body['mode']}")

        def write(rows: Rows) -> Document:
            volume = b.volume_for(rows, caller, body['volume_uuid'])
            self._reserve(rows, volume, instance)
            attachment = rows.insert(b.ATTACHMENT, {
                'id': uuids.generate(), 'volume_id': volume['id'], 'project_id': volume['project_id'],
                'instance': instance, 'status': 'reserved', 'attach_mode': body.get('mode') or 'null',
                'attached_at': None, 'detached_at': None, 'connector': None, 'connection_info': {}})
            return self._connect(rows, attachment, connector) if connector else attachment
        return self._store.write(write)

    @staticmethod
    def _reserve(rows: Rows, volume: Document, instance: str | None) -> None:
        """A free volume becomes reserved; a shared one may be in use.

        One more for the only server that has it passes where it is reserved or in use, and never while a host
        is connecting it.
        """
        free = ('available', 'in-use', 'downloading') if volume['multiattach'] else ('available', 'downloading')
        others = rows.list(b.ATTACHMENT, parent=volume['id'])
        same = all(item['instance'] == instance for item in others)
        if volume['status'] in free and (same or volume['multiattach']):
            b.save(rows, b.VOLUME, volume, status='reserved')
        elif not (instance and others and same and volume['status'] in ('in-use', 'reserved')):
            raise b.InvalidVolume(why=f'Volume {volume["id"]} status must be {" or ".join(free)} to reserve, '
                                      f'but the current status is {volume["status"]}.')

    def update(self, caller: service.Caller, ident: str, body: Document) -> Document:
        """Give an attachment its connector; it answers how to reach the data.

        Raises:
            Conflict: another one of the volume is connected, and the volume is not shared; one that is made
                with its connector passes.
        """
        connector = body.get('connector')
        if not isinstance(connector, dict) or not connector:
            raise problem.BadRequest("'connector' is a required property")
        def write(rows: Rows) -> Document:
            attachment = self.get(rows, caller, ident)
            others = rows.list(b.ATTACHMENT, parent=attachment['volume_id'])
            volume = rows.get(b.VOLUME, attachment['volume_id']) or {}
            if len(others) > 1 and not volume['multiattach'] and any(one['connection_info'] for one in others):
                raise problem.Conflict(f'duplicate connectors detected on volume {volume["id"]}')
            return self._connect(rows, attachment, connector)
        return self._store.write(write)

    def _connect(self, rows: Rows, attachment: Document, connector: object) -> Document:
        if not isinstance(connector, dict) or not connector.get('host'):
            raise b.InvalidInput(why='Invalid connector: host is missing')
        volume = rows.get(b.VOLUME, attachment['volume_id']) or {}
        if volume['status'] in ('error', 'deleting', 'maintenance'):
            raise b.InvalidVolume(why=f'Volume {volume["id"]} status is {volume["status"]}')
        mode = attachment['attach_mode']
        mode = connector.get('mode') or 'rw' if mode == 'null' else mode
        if volume['readonly'] and mode == 'rw':
            mode = 'ro'
        b.save(rows, b.VOLUME, volume, status='attaching')
        return rows.update(b.ATTACHMENT, {
            **attachment, 'status': 'attaching', 'attach_mode': mode, 'connector': connector,
            'connection_info': {
                'driver_volume_type': 'local', 'attachment_id': attachment['id'], 'volume_id': volume['id'],
                'device_path': str(self._volumes.path(volume['id'])), 'access_mode': mode, 'discard': False,
                'encrypted': False, 'cacheable': False, 'enforce_multipath': False, 'qos_specs': None}})

    def complete(self, caller: service.Caller, ident: str) -> None:
        """The server has the volume; saying so again changes nothing."""
        def write(rows: Rows) -> None:
            attachment = self.get(rows, caller, ident)
            if attachment['connector'] is None:
                raise b.InvalidVolume(why=f'Attachment {ident} has no connector')
            rows.update(b.ATTACHMENT, {**attachment, 'status': 'attached',
                                       'attached_at': attachment['attached_at'] or b.now()})
            volume = rows.get(b.VOLUME, attachment['volume_id']) or {}
            b.save(rows, b.VOLUME, volume, status='in-use')
        self._store.write(write)

    def delete(self, caller: service.Caller, ident: str) -> list[Document]:
        """End an attachment; those that are left.

        Cinder asks Compute whether the server still uses it, unless a service token comes along; that our own
        token has the role service does not count. The stand-in asks nobody and takes every server for a living
        one.

        Raises:
            Conflict: the attachment of a server is ended behind Compute's back.
        """
        def write(rows: Rows) -> list[Document]:
            attachment = self.get(rows, caller, ident)
            if attachment['instance'] and attachment['status'] == 'attached' and not caller.vouched:
                raise problem.Conflict(f'Detach volume from instance {attachment["instance"]} using the '
                                       'Compute API')
            rows.delete(b.ATTACHMENT, ident)
            left = rows.list(b.ATTACHMENT, parent=attachment['volume_id'])
            volume = rows.get(b.VOLUME, attachment['volume_id']) or {}
            b.save(rows, b.VOLUME, volume, status=furthest(left))
            return left
        return self._store.write(write)


def furthest(attachments: list[Document]) -> str:
    """Status of a volume with these attachments."""
    found = {item['status'] for item in attachments}
    return next((shown for status, shown in _SHOWN.items() if status in found), 'available')
