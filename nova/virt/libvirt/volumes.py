"""Volumes on the host: connected through os-brick, and how a connected one is a disk.

Volumes that are files of the host (``local``), for tests and single machines, need no connector.
"""

import contextlib
import os
import pathlib
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Protocol

from oslo_config import cfg

from nova import errors
from nova.common import threads
from nova.objects import BlockDeviceMapping
from nova.virt.driver import kept
from nova.virt.driver.kept import Connection
from nova.virt.libvirt import spec

if TYPE_CHECKING:
    from nova.task.handles import Host

_NETWORK = frozenset({'rbd'})
"""Kinds of volumes that QEMU reaches by itself."""


class Connector(Protocol):
    """What os-brick's connectors do."""

    def connect_volume(self, data: dict[str, object]) -> dict[str, object]: ...

    def disconnect_volume(self, data: dict[str, object], info: dict[str, object] | None,
                          **how: bool) -> None: ...

    def extend_volume(self, data: dict[str, object]) -> int | None: ...


class Local:
    """Volumes that are files or block devices of this host: ``device_path`` says which."""

    def connect_volume(self, data: dict[str, object]) -> dict[str, object]:
        path = str(data.get('device_path') or data.get('path'))
        if not os.path.exists(path):
            raise errors.virt.DriverFailed(reason=f'there is no file {path} for a local volume')
        return {'path': path, 'type': 'block' if pathlib.Path(path).is_block_device() else 'file'}

    def disconnect_volume(self, data: dict[str, object], info: dict[str, object] | None, **how: bool) -> None:
        """It is the host's own."""

    def extend_volume(self, data: dict[str, object]) -> int | None:
        return os.path.getsize(str(data.get('device_path') or data.get('path')))


class Network:
    """Volumes that QEMU reaches over the network."""

    def connect_volume(self, data: dict[str, object]) -> dict[str, object]:
        return {'type': 'network'}

    def disconnect_volume(self, data: dict[str, object], info: dict[str, object] | None, **how: bool) -> None:
        """Nothing is on the host."""

    def extend_volume(self, data: dict[str, object]) -> int | None:
        return None


class Volumes:
    """Connects and disconnects volumes.

    Those that share a path to one backend take turns (MAT-S3): what one of them removes from the host another
    one may need.

    Args:
        connectors: makes what connects a kind of volume; by default os-brick does.
    """

    def __init__(self, conf: cfg.ConfigOpts, connectors: Callable[[str], Connector] | None = None) -> None:
        self._conf, self._connectors = conf, connectors
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
        """Connect a volume for a server, and keep how."""
        plain = {name: value for name, value in connection.items() if name != 'device_info'}
        with self._turn(volume_id, plain):
            # Kept before it is connected: whoever cleans up after a crash knows what to disconnect.
            kept.keep_connection(h, volume_id, plain)
            kept.keep_connection(h, volume_id, {**plain, 'device_info': self.connect(plain)})

    def let_go(self, h: 'Host', volume_id: str) -> None:
        """A server needs a volume no more; the last one on the host disconnects it. Repeatable."""
        connection = kept.connections(h).get(volume_id)
        if connection is None:
            return
        with self._turn(volume_id, connection):
            if kept.users(h, volume_id) == {h.instance.uuid}:
                self.disconnect(connection)
            kept.keep_connection(h, volume_id, None)

    def properties(self, host: str) -> dict[str, object]:
        """What this host tells Cinder about itself.

        Raises:
            errors.virt.DriverFailed: os-brick is not installed.
        """
        connector = _brick()
        found: dict[str, object] = connector.get_connector_properties(
            '', self._conf.my_ip, self._conf.libvirt.volume_use_multipath, enforce_multipath=False, host=host)
        return found

    def connect(self, connection: Mapping[str, object]) -> dict[str, object]:
        """Bring a volume here; what the connector made of it. Repeatable."""
        return self._of(connection).connect_volume(data_of(connection))

    def disconnect(self, connection: Mapping[str, object]) -> None:
        """Let a volume go."""
        info = connection.get('device_info')
        self._of(connection).disconnect_volume(
            data_of(connection), dict(info) if isinstance(info, dict) else None, force=True, ignore_errors=True)

    def extend(self, connection: Mapping[str, object]) -> int | None:
        """Look at the size of a volume anew: bytes, None where the host does not see it."""
        return self._of(connection).extend_volume(data_of(connection))

    def _of(self, connection: Mapping[str, object]) -> Connector:
        kind = str(connection.get('driver_volume_type', ''))
        if self._connectors is not None:
            return self._connectors(kind)
        if kind == 'local':
            return Local()
        if kind in _NETWORK:
            return Network()
        made: Connector = _brick().InitiatorConnector.factory(
            kind, '', use_multipath=self._conf.libvirt.volume_use_multipath,
            device_scan_attempts=self._conf.libvirt.num_volume_scan_tries)
        return made


def _brick():  # type: ignore[no-untyped-def]  # os-brick has no types
    try:
        from os_brick.initiator import connector
    except ImportError as error:
        raise errors.virt.DriverFailed(
            reason='os-brick is not installed; volumes need it: pip install nova[libvirt]') from error
    return connector


def data_of(connection: Mapping[str, object]) -> dict[str, object]:
    """The data for a connector: attachments show it flat, older answers below ``data``."""
    data = connection.get('data')
    if isinstance(data, dict):
        return dict(data)
    return {name: value for name, value in connection.items() if name != 'device_info'}


def describe(device: BlockDeviceMapping, connection: Connection | None) -> spec.Disk:
    """A connected volume as a disk; its name and bus are the caller's to choose.

    Raises:
        errors.virt.DriverFailed: it is not connected to this host.
    """
    if connection is None:
        raise errors.virt.DriverFailed(reason=f'volume {device.volume_id} is not connected to this host')
    data, info = data_of(connection), connection.get('device_info')
    found = info if isinstance(info, dict) else {}
    alias = f'ua-{device.volume_id}'
    shared = bool(connection.get('multiattach') or data.get('multiattach'))
    if found.get('type') == 'network':
        hosts, ports = data.get('hosts'), data.get('ports')
        return spec.Disk(
            target='', path=str(data['name']), kind='network', protocol=str(connection['driver_volume_type']),
            hosts=tuple(zip(_words(hosts), _words(ports), strict=False)), serial=device.volume_id,
            shared=shared, user=_text(data.get('auth_username')), auth=_text(data.get('secret_uuid')),
            alias=alias)
    path = str(found.get('path'))
    kind = 'file' if found.get('type') == 'file' else 'block'
    return spec.Disk(target='', path=path, kind=kind, format=str(data.get('format') or 'raw'),
                     serial=device.volume_id, shared=shared, alias=alias,
                     readonly=data.get('access_mode') == 'ro')


def _words(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []


def _text(value: object) -> str | None:
    return None if value is None else str(value)
