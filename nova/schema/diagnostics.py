"""Diagnostics of a server: from 2.48 on the same on every hypervisor, before that a list of counters."""

from typing import Any

from nova.rest import types
from nova.rest.field import Document, Field

_NUMBER = types.nullable(types.INTEGER)
_TEXT = types.nullable(types.TEXT)
SINCE = '2.48'


def _counters(*names: str, **more: types.Type) -> types.Type:
    """A list of documents with these numbers; what a hypervisor does not count is null."""
    return types.array({'type': 'object', 'additionalProperties': False,
                        'properties': {**dict.fromkeys(names, _NUMBER), **more}})


CPU = _counters('id', 'time', 'utilisation')
DISK = _counters('read_bytes', 'read_requests', 'write_bytes', 'write_requests', 'errors_count')
NIC = _counters(
    'rx_octets', 'rx_errors', 'rx_drop', 'rx_packets', 'rx_rate', 'tx_octets', 'tx_errors', 'tx_drop',
    'tx_packets', 'tx_rate', mac_address=_TEXT)
_MEMORY = ('maximum', 'used')
MEMORY = {'type': 'object', 'additionalProperties': False,
          'properties': dict.fromkeys(_MEMORY, _NUMBER)}


def _get(name: str, default: Any = None) -> Any:
    return lambda seen, look: seen.get(name, default)


def _filled(name: str, kind: types.Type) -> Any:
    keys = kind['items']['properties']
    return lambda seen, look: [{key: one.get(key) for key in keys} for one in seen.get(name) or ()]


class Diagnostics(Document):
    """Face ``show``, of what a driver's `diagnostics` answers."""

    state = Field(types.enum('pending', 'running', 'paused', 'shutdown', 'crashed', 'suspended'),
                  'What the guest does.', get=_get('state', 'pending'), show=SINCE)
    driver = Field(types.TEXT, 'Kind of driver.', get=_get('driver'), show=SINCE)
    hypervisor = Field(_TEXT, get=_get('hypervisor'), show=SINCE)
    hypervisor_os = Field(_TEXT, get=_get('hypervisor_os'), show=SINCE)
    uptime = Field(_NUMBER, 'Seconds that the guest has run.', get=_get('uptime'), show=SINCE)
    config_drive = Field(types.BOOLEAN, 'Whether it has one.', get=_get('config_drive', False), show=SINCE)
    num_cpus = Field(_NUMBER, get=_get('num_cpus'), show=SINCE)
    num_nics = Field(_NUMBER, get=_get('num_nics'), show=SINCE)
    num_disks = Field(_NUMBER, get=_get('num_disks'), show=SINCE)
    cpu_details = Field(CPU, get=_filled('cpu_details', CPU), show=SINCE)
    nic_details = Field(NIC, get=_filled('nic_details', NIC), show=SINCE)
    disk_details = Field(DISK, get=_filled('disk_details', DISK), show=SINCE)
    memory_details = Field(MEMORY, 'In mebibytes.', show=SINCE, get=lambda seen, look: {
        key: (seen.get('memory_details') or {}).get(key) for key in _MEMORY})


def counters(seen: dict[str, Any]) -> dict[str, Any]:
    """The same as older versions have it: a number by the name of what it counts."""
    found: dict[str, Any] = {f'cpu{one["id"]}_time': one.get('time') for one in seen.get('cpu_details') or ()}
    for number, disk in enumerate(seen.get('disk_details') or ()):
        name = f'disk{number}'
        found |= {f'{name}_read': disk.get('read_bytes'), f'{name}_read_req': disk.get('read_requests'),
                  f'{name}_write': disk.get('write_bytes'), f'{name}_write_req': disk.get('write_requests'),
                  f'{name}_errors': disk.get('errors_count')}
    for number, nic in enumerate(seen.get('nic_details') or ()):
        name = f'vnet{number}'
        found |= {f'{name}_{key}': nic.get(source) for key, source in _OLD_NIC.items()}
    memory = seen.get('memory_details') or {}
    found |= {'memory': _kibibytes(memory.get('maximum')), 'memory-actual': _kibibytes(memory.get('used'))}
    return {key: value for key, value in found.items() if value is not None}


_OLD_NIC = {'rx': 'rx_octets', 'rx_packets': 'rx_packets', 'rx_errors': 'rx_errors', 'rx_drop': 'rx_drop',
            'tx': 'tx_octets', 'tx_packets': 'tx_packets', 'tx_errors': 'tx_errors', 'tx_drop': 'tx_drop'}


def _kibibytes(mebibytes: int | None) -> int | None:
    return None if mebibytes is None else mebibytes * 1024
