"""Volumes on the host: connected and disconnected, in turn where they share a path, with their keys.

What is kept of a connection in the host's journal has no key: ``secret`` names the secret of libvirt that does.
"""

import contextlib
import pathlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Protocol

from nova import errors
from nova.common import threads
from nova.virt.driver import kept
from nova.virt.driver.kept import Connection
from nova.virt.libvirt.connectors import Connectors

if TYPE_CHECKING:
    from nova.task.handles import Host


class Secrets(Protocol):
    """The keys that the host's libvirt has; `nova.virt.libvirt.secrets`."""

    def bring(self, h: 'Host', volume_id: str, key_id: str, known: str | None) -> str: ...

    def take(self, volume_id: str, known: str | None) -> None: ...


class Volumes:
    """Connects and disconnects volumes.

    Those that share a path to one backend take turns (MAT-S3): what one of them removes from the host another
    one may need.
    """

    def __init__(self, connectors: Connectors, secrets: Secrets) -> None:
        self._connectors, self._secrets = connectors, secrets
        self._lock = threads.lock()
        self._turns: dict[str, threads.Lock] = {}

    @contextlib.contextmanager
    def _turn(self, volume_id: str, connection: Mapping[str, object]) -> Iterator[None]:
        """Alone among those who share the backend, or at least the volume.

        Cinder says of a backend that its targets are shared, are not (False), or that it does not know.
        """
        backend = connection.get('service_uuid') if connection.get('shared_targets') is not False else None
        with self._lock:
            turn = self._turns.setdefault(str(backend or volume_id), threads.rlock())
        with turn:
            yield

    def bring(self, h: 'Host', volume_id: str, connection: Mapping[str, object]) -> None:
        """Connect a volume for a server, and keep how.

        Raises:
            errors.block.KeyUnavailable, errors.block.EncryptionUnsupported: it is encrypted.
            errors.virt.DriverFailed: it cannot be connected.
        """
        plain = {name: value for name, value in connection.items() if name != 'device_info'}
        with self._turn(volume_id, plain):
            # Kept before it is connected: whoever cleans up after a crash knows what to disconnect.
            kept.keep_connection(h, volume_id, plain)
            info = self._connectors.of(kind_of(plain)).connect_volume(data_of(plain))
            made: Connection = {**plain, 'device_info': info}
            if (key := key_of(volume_id, plain)) is not None:
                known = plain.get('secret')
                made['secret'] = self._secrets.bring(h, volume_id, key, str(known) if known else None)
            kept.keep_connection(h, volume_id, made)

    def let_go(self, h: 'Host', volume_id: str, *, force: bool) -> None:
        """A server needs a volume no more; the last one on the host disconnects it. Repeatable.

        Args:
            force: its guest is gone: what is left to be written cannot be, and nobody waits for that.

        Raises:
            errors.virt.DriverFailed: it is on the host still, or, with `force`, may be.
        """
        connection = kept.connections(h).get(volume_id)
        if connection is None:
            return
        with self._turn(volume_id, connection):
            if kept.users(h, volume_id) == {h.instance.uuid}:
                self._disconnect(volume_id, connection, force)
            kept.keep_connection(h, volume_id, None)

    def _disconnect(self, volume_id: str, connection: Connection, force: bool) -> None:
        info = connection.get('device_info')
        known = dict(info) if isinstance(info, dict) else None
        self._connectors.of(kind_of(connection)).disconnect_volume(
            data_of(connection), known, force=force, ignore_errors=False)
        if is_encrypted(connection):
            secret = connection.get('secret')
            self._secrets.take(volume_id, str(secret) if secret else None)

    def rename_file(self, h: 'Host', volume_id: str, name: str) -> None:
        """A volume that is a file is another one of the same directory from now on. Repeatable."""
        connection = kept.connections(h)[volume_id]
        info = connection['device_info']
        path = pathlib.Path(str(info['path'] if isinstance(info, dict) else '')).with_name(name)
        data: Connection = {'name': name, 'format': 'qcow2'}
        if isinstance(connection.get('data'), dict):
            data = {'data': {**data_of(connection), **data}}
        kept.keep_connection(h, volume_id, {**connection, **data, 'device_info': {
            **(info if isinstance(info, dict) else {}), 'path': str(path)}})

    def extend(self, connection: Connection) -> int | None:
        """Look at the size of a volume anew: bytes, None where the host does not see it."""
        return self._connectors.of(kind_of(connection)).extend_volume(data_of(connection))


def kind_of(connection: Mapping[str, object]) -> str:
    """iscsi, nfs, rbd ..."""
    return str(connection.get('driver_volume_type', ''))


def data_of(connection: Mapping[str, object]) -> dict[str, object]:
    """The data for a connector: attachments show it flat, older answers below ``data``."""
    data = connection.get('data')
    if isinstance(data, dict):
        return dict(data)
    return {name: value for name, value in connection.items() if name not in ('device_info', 'encryption')}


def is_encrypted(connection: Mapping[str, object]) -> bool:
    """Whether it is opened by a key."""
    return bool(data_of(connection).get('encrypted'))


def key_of(volume_id: str, connection: Mapping[str, object]) -> str | None:
    """The id of the key that opens a volume; None where it is not encrypted.

    Raises:
        errors.block.EncryptionUnsupported: QEMU cannot open it by itself.
    """
    if not is_encrypted(connection):
        return None
    found = connection.get('encryption')
    told = found if isinstance(found, dict) else {}
    if told.get('provider') not in LUKS:
        raise errors.block.EncryptionUnsupported(volume=volume_id, provider=told.get('provider'))
    return str(told.get('encryption_key_id'))


LUKS = frozenset({'luks', 'LuksEncryptor', 'os_brick.encryptors.luks.LuksEncryptor',
                  'nova.volume.encryptors.luks.LuksEncryptor'})
"""Names that Cinder has, or had, for LUKS of the first version."""
