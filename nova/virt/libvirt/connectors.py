"""What brings volumes to a host, by kind: os-brick's connectors, told what ``[libvirt]`` says.

Volumes that are files of the host (``local``), for tests and single machines, and those that QEMU reaches by
itself (``rbd``) need no connector.
"""

import contextlib
import functools
import os
import pathlib
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from oslo_config import cfg

from nova import errors

NETWORK = frozenset({'rbd'})
"""Kinds of volumes that QEMU reaches by itself."""

FILES = frozenset({'nfs', 'quobyte', 'gpfs'})
"""Kinds of volumes that are files."""

MULTIPATH = frozenset({'iscsi', 'fibre_channel', 'nvmeof', 'iser'})

Arguments = Mapping[str, object]


class Ask(Protocol):
    def __call__(self, root_helper: str, my_ip: str, multipath: bool, *, enforce_multipath: bool, host: str
                 ) -> dict[str, object]:
        """What a host can connect volumes with, and how it is known to the storage."""


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


class Brick:
    """A connector of os-brick, whose errors are ours.

    Args:
        files: volumes are files of a file system that it mounts. The mount stays: others may use it, and nobody
            else knows that this host does.
    """

    def __init__(self, made: Connector, files: bool) -> None:
        self._made, self._files = made, files

    def connect_volume(self, data: dict[str, object]) -> dict[str, object]:
        with translated():
            found = dict(self._made.connect_volume(data))
        return {**found, 'type': 'file'} if self._files else found

    def disconnect_volume(self, data: dict[str, object], info: dict[str, object] | None, **how: bool) -> None:
        with translated():
            self._made.disconnect_volume(data, info, **how)

    def extend_volume(self, data: dict[str, object]) -> int | None:
        if self._files:
            return None  # who writes to it makes it longer
        with translated():
            return self._made.extend_volume(data)


class Connectors:
    """The connectors of a host.

    Args:
        factory: ``(kind, arguments)``: makes what connects a kind of volume; by default os-brick does.
        properties: what asks the host; by default os-brick's ``get_connector_properties``.
    """

    def __init__(self, conf: cfg.ConfigOpts, factory: Callable[[str, Arguments], Connector] | None = None,
                 properties: Ask | None = None) -> None:
        self._conf, self._properties = conf, properties or ask_host
        self._factory = factory or functools.partial(brick, conf)

    def of(self, kind: str) -> Connector:
        """What connects a kind of volume.

        Raises:
            errors.virt.DriverFailed: there is nothing that does, or os-brick is not installed.
        """
        if kind == 'local':
            return Local()
        if kind in NETWORK:
            return Network()
        with translated():
            return Brick(self._factory(kind, self.arguments(kind)), kind in FILES)

    def arguments(self, kind: str) -> Arguments:
        """What os-brick is told about a kind of volume."""
        conf = self._conf.libvirt
        tries = {'iser': conf.num_iser_scan_tries, 'nvmeof': conf.num_nvme_discover_tries}
        found = {'use_multipath': kind in MULTIPATH and conf.volume_use_multipath,
                 'device_scan_attempts': tries.get(kind, conf.num_volume_scan_tries)}
        match kind:
            case 'iser':
                found['use_multipath'] = conf.iser_use_multipath
            case 'iscsi' if conf.iscsi_iface:
                found['transport'] = conf.iscsi_iface
            case 'nfs':
                found |= {'nfs_mount_point_base': conf.nfs_mount_point_base,
                          'nfs_mount_options': conf.nfs_mount_options}
            case 'quobyte':
                found |= {'quobyte_mount_point_base': conf.quobyte_mount_point_base}
        return found

    def properties(self, host: str) -> dict[str, object]:
        """What this host tells Cinder about itself.

        Raises:
            errors.virt.DriverFailed: os-brick is not installed, or multipathd does not run and has to.
        """
        conf = self._conf.libvirt
        with translated():
            prepare(self._conf)
            return self._properties(
                '', self._conf.my_ip, conf.volume_use_multipath,
                enforce_multipath=conf.volume_use_multipath and conf.volume_enforce_multipath, host=host)


def ask_host(root_helper: str, my_ip: str, multipath: bool, *, enforce_multipath: bool, host: str
             ) -> dict[str, object]:
    """What os-brick finds of this host."""
    from os_brick.initiator import connector
    found: dict[str, object] = connector.get_connector_properties(
        root_helper, my_ip, multipath, enforce_multipath=enforce_multipath, host=host)
    return found


def brick(conf: cfg.ConfigOpts, kind: str, arguments: Arguments) -> Connector:
    """A connector of os-brick."""
    from os_brick.initiator import connector
    prepare(conf)
    made: Connector = connector.InitiatorConnector.factory(kind, '', **arguments)
    return made


def prepare(conf: cfg.ConfigOpts) -> None:
    """Tell os-brick where its locks are, and that nobody need be asked for root's rights who has them.

    It reads oslo.config's one global object, which nothing else here does.
    """
    import os_brick
    from os_brick import privileged
    if not cfg.CONF.os_brick.lock_path:
        # What others have registered there as required is none of the host's business.
        with contextlib.suppress(cfg.RequiredOptError):
            cfg.CONF([], project='nova', default_config_files=conf.config_file,
                     default_config_dirs=conf.config_dir)
        locks = pathlib.Path(cfg.CONF.oslo_concurrency.lock_path or pathlib.Path(conf.state_path) / 'locks')
        locks.mkdir(parents=True, exist_ok=True)
        cfg.CONF.set_default('lock_path', str(locks), 'oslo_concurrency')
        os_brick.setup(cfg.CONF)
    if os.geteuid() == 0:
        privileged.default.set_client_mode(False)


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """What os-brick raises within this is ours.

    Raises:
        errors.virt.DriverFailed: it has failed, or is not installed.
    """
    try:
        from os_brick import exception
        from oslo_concurrency import processutils
    except ImportError as error:
        raise errors.virt.DriverFailed(
            reason='os-brick is not installed; volumes need it: pip install nova[libvirt]') from error
    try:
        yield
    except (exception.BrickException, exception.InvalidConnectorProtocol, NotImplementedError,
            processutils.ProcessExecutionError, OSError) as error:
        raise errors.virt.DriverFailed(reason=f'os-brick: {error}') from error
