"""How a volume that is connected to the host is a disk of its guest."""

import dataclasses
from collections.abc import Mapping

from oslo_config import cfg

from nova import errors
from nova.objects import BlockDeviceMapping
from nova.virt.driver.kept import Connection
from nova.virt.libvirt import spec
from nova.virt.libvirt.volumes import data_of, is_encrypted, kind_of

_LIMITS = ('total_bytes_sec', 'read_bytes_sec', 'write_bytes_sec', 'total_iops_sec', 'read_iops_sec',
           'write_iops_sec')
TUNE = (*_LIMITS, *(f'{name}_max' for name in _LIMITS), *(f'{name}_max_length' for name in _LIMITS),
        'size_iops_sec')
"""What a volume type may bound, of those that are for the hypervisor."""

_UNCACHED = frozenset({'none', 'directsync'})


def describe(device: BlockDeviceMapping, connection: Connection | None, conf: cfg.ConfigOpts) -> spec.Disk:
    """A connected volume as a disk; its name and bus are the caller's to choose.

    Raises:
        errors.virt.DriverFailed: it is not connected to this host.
    """
    if connection is None:
        raise errors.virt.DriverFailed(reason=f'volume {device.volume_id} is not connected to this host')
    data, info = data_of(connection), connection.get('device_info')
    found = info if isinstance(info, dict) else {}
    where = _on_network(connection, data, conf) if found.get('type') == 'network' else spec.Disk(
        target='', path=str(found.get('path')), kind='file' if found.get('type') == 'file' else 'block',
        format='qcow2' if data.get('format') == 'qcow2' else 'raw')
    shared = bool(connection.get('multiattach') or data.get('multiattach'))
    cache = 'none' if shared else cache_mode(conf, where.kind)
    secret = spec.Secret(uuid=str(connection.get('secret'))) if is_encrypted(connection) else None
    return dataclasses.replace(
        where, serial=device.volume_id, shared=shared, alias=f'ua-{device.volume_id}', cache=cache,
        io='native' if where.kind != 'network' and cache in _UNCACHED else None,
        discard='unmap' if data.get('discard') else conf.libvirt.hw_disk_discard,
        readonly=data.get('access_mode') == 'ro', secret=secret, tune=_tune(data))


def _on_network(connection: Connection, data: Mapping[str, object], conf: cfg.ConfigOpts) -> spec.Disk:
    """A volume that QEMU reaches by itself; who opens it, the volume service says, or else ``[libvirt]``."""
    user, key = conf.libvirt.rbd_user, conf.libvirt.rbd_secret_uuid
    if data.get('auth_enabled') or data.get('auth_username'):
        user, key = data.get('auth_username'), data.get('secret_uuid') or key
    return spec.Disk(
        target='', path=str(data['name']), kind='network', protocol=kind_of(connection),
        hosts=tuple(zip(_words(data.get('hosts')), _words(data.get('ports')), strict=False)),
        user=_text(user) if key else None, auth=_text(key))


def _tune(data: Mapping[str, object]) -> tuple[tuple[str, int], ...]:
    """What its type bounds."""
    bounds = data.get('qos_specs')
    told: Mapping[str, object] = bounds if isinstance(bounds, dict) else {}
    return tuple((name, int(str(told[name]))) for name in TUNE if told.get(name))


def cache_mode(conf: cfg.ConfigOpts, kind: str) -> str:
    """The cache mode of a kind of disk: file, block or network."""
    modes = dict(pair.split('=', 1) for pair in conf.libvirt.disk_cachemodes if '=' in pair)
    return modes.get(kind, 'none')


def _words(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []


def _text(value: object) -> str | None:
    return None if value is None else str(value)
