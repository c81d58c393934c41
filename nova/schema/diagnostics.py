"""Diagnostics of a server: from 2.48 on the same on every hypervisor, before that a list of counters."""


from nova.common.jsonutil import JsonObject
from nova.rest import types
from nova.rest.field import Document, Field, Get

_NUMBER = types.nullable(types.INTEGER)
_TEXT = types.nullable(types.TEXT)
SINCE = '2.48'


def _details(name: str, *numbers: str, **more: types.Type) -> Field:
    """A list of documents with these numbers; what a hypervisor does not count is null."""
    keys = {**dict.fromkeys(numbers, _NUMBER), **more}
    kind = types.array({'type': 'object', 'additionalProperties': False, 'properties': keys})
    return Field(kind, show=SINCE,
                 get=lambda seen, look: [{key: one.get(key) for key in keys} for one in seen.get(name) or ()])


_MEMORY = ('maximum', 'used')
MEMORY: types.Type = {'type': 'object', 'additionalProperties': False,
          'properties': dict.fromkeys(_MEMORY, _NUMBER)}


def _get(name: str, default: object = None) -> Get:
    return lambda seen, look: seen.get(name, default)


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
    cpu_details = _details('cpu_details', 'id', 'time', 'utilisation')
    nic_details = _details(
        'nic_details', 'rx_octets', 'rx_errors', 'rx_drop', 'rx_packets', 'rx_rate', 'tx_octets', 'tx_errors',
        'tx_drop', 'tx_packets', 'tx_rate', mac_address=_TEXT)
    disk_details = _details(
        'disk_details', 'read_bytes', 'read_requests', 'write_bytes', 'write_requests', 'errors_count')
    memory_details = Field(MEMORY, 'In mebibytes.', show=SINCE, get=lambda seen, look: {
        key: (seen.get('memory_details') or {}).get(key) for key in _MEMORY})


def counters(seen: JsonObject) -> JsonObject:
    """The same as older versions have it: a number by the name of what it counts."""
    found: JsonObject = {f'cpu{one["id"]}_time': one.get('time') for one in seen.get('cpu_details') or ()}
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
