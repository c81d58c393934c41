"""The state directory of a standalone cloud: what it remembers, and the configuration made from that.

    standalone.lock         held while the cloud runs
    standalone.json         ports, passwords (readable by the owner only), and which host is in which cell
    nova.conf               API, scheduler and super-conductor
    cell1.conf ...          conductors and computes of a cell: neither API database nor top-level bus
    placement.conf
    clouds.yaml             for the clients
    *.db                    databases
"""

import contextlib
import dataclasses
import fcntl
import json
import os
import pathlib
import random
import secrets
import socket
from typing import IO

from nova.common import uuids
from nova.common.jsonutil import JsonObject

USERS = ('admin', 'nova', 'placement', 'demo')
METADATA = 'metadata'
"""Under this name `Deployment.passwords` has what the network service signs servers with."""
PORTS = {'compute': 8774, 'placement': 8778, 'sandbox': 5000, 'metadata': 8775}
CELL0 = '00000000-0000-0000-0000-000000000000'


Sections = dict[str, JsonObject]
"""A configuration file: options by section."""


class Refused(Exception):
    """The state directory and what was asked for do not fit; the text says what to do."""


@dataclasses.dataclass
class Deployment:
    """What a standalone cloud remembers from one start to the next.

    Attributes:
        ports: by server; proposals, since one may be taken when the cloud starts again.
        cells: name to uuid, cell0 not among them.
        hosts: compute host to the name of its cell.
        driver: fake or libvirt.
        libvirt_uri: of the libvirt whose guests the only host runs.
    """

    directory: pathlib.Path
    passwords: dict[str, str] = dataclasses.field(repr=False)
    ports: dict[str, int]
    cells: dict[str, str]
    hosts: dict[str, str]
    driver: str = dataclasses.field(default='fake', kw_only=True)
    libvirt_uri: str = dataclasses.field(default='qemu:///system', kw_only=True)

    def url(self, name: str) -> str:
        """Base URL of a service: compute, placement, or one of the sandbox's."""
        if name in ('compute', 'placement', METADATA):
            return f'http://127.0.0.1:{self.ports[name]}'
        return f'http://127.0.0.1:{self.ports["sandbox"]}/{name}'

    def database(self, name: str) -> str:
        return f'sqlite:///{self.directory / name}.db'

    def bus(self, name: str) -> str:
        """transport_url of the bus ``top``, or of a cell's."""
        return f'inproc://{name}'

    def options(self, file: str) -> Sections:
        """Further options of a configuration file (``nova``, ``placement``, or a cell's), by section."""
        return {}

    def save(self) -> None:
        file = self.directory / 'standalone.json'
        kept = {'passwords': self.passwords, 'ports': self.ports, 'cells': self.cells, 'hosts': self.hosts,
                'driver': self.driver, 'libvirt_uri': self.libvirt_uri}
        _write(file, json.dumps(kept, indent=1))


def default_directory() -> pathlib.Path:
    base = os.environ.get('XDG_STATE_HOME') or pathlib.Path.home() / '.local' / 'state'
    return pathlib.Path(base) / 'nova-standalone'


def claim(directory: pathlib.Path) -> IO[str]:
    """Keep other processes from running the same cloud, until the file is closed or this process ends.

    Raises:
        Refused: one does.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = (directory / 'standalone.lock').open('a+')
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise Refused(f'A cloud is running in {directory} already. Use that one, end it first, or use another '
                      '--state-dir.') from None
    return file


def load(directory: pathlib.Path, cells: int | None, computes: int | None,
         ports: dict[str, int] | None = None, driver: str | None = None,
         libvirt_uri: str | None = None) -> Deployment:
    """The deployment in `directory`, made where there is none, grown where more is asked for.

    Args:
        cells, computes: how many are wanted; None keeps what is there, and is 2 and 4 for a new one.
        ports: of a new one, instead of the usual; 0 is any that is free.
        driver: of its hosts; None keeps it, and is fake for a new one.
        libvirt_uri: where guests run, with the driver libvirt.

    Raises:
        Refused: fewer than there are, or another driver: their servers would be lost. Or several hosts of one
            libvirt.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = directory / 'standalone.json'
    kept: JsonObject = json.loads(file.read_text()) if file.exists() else {}
    found = Deployment(
        directory=directory, passwords=kept.get('passwords', {}),
        ports={**(ports or PORTS), **kept.get('ports', {})},
        cells=kept.get('cells', {}), hosts=kept.get('hosts', {}))
    _choose_driver(found, kept, driver, libvirt_uri)
    real = found.driver == 'libvirt'
    if real and (computes or 1) > 1:
        raise Refused('One libvirt is one compute host: leave --computes out, or use --driver fake.')
    for user in USERS:
        found.passwords.setdefault(user, secrets.token_urlsafe(16))
    found.passwords.setdefault(METADATA, secrets.token_urlsafe(16))
    _grow('cells', found.cells, cells, 2)
    for number in range(len(found.cells), cells or max(len(found.cells), 1 if real else 2)):
        found.cells[f'cell{number + 1}'] = uuids.generate()
    _grow('computes', found.hosts, computes, 4)
    for number in range(len(found.hosts), computes or max(len(found.hosts), 1 if real else 4)):
        found.hosts[f'compute{number + 1}'] = f'cell{number % len(found.cells) + 1}'
    found.ports = {name: _free(port) for name, port in found.ports.items()}
    found.save()
    return found


def _choose_driver(found: Deployment, kept: JsonObject, driver: str | None, uri: str | None) -> None:
    there = kept.get('driver', 'fake') if kept else None
    if driver is not None and there not in (None, driver):
        raise Refused(f'The hosts of this state directory have the driver {there}; leave --driver out, or use '
                      'another --state-dir.')
    found.driver = there or driver or 'fake'
    found.libvirt_uri = uri or kept.get('libvirt_uri') or found.libvirt_uri


def _grow(what: str, there: dict[str, str], wanted: int | None, least: int) -> None:
    if wanted is not None and wanted < len(there):
        raise Refused(f'This state directory has {len(there)} {what}; {wanted} would lose some. Leave the '
                      f'option --{what} out, ask for more, or use another --state-dir.')


_LASTING = range(12000, 32000)
"""Ports that the system takes for no outgoing connection: one that is free is so when its server binds it."""


def _free(port: int) -> int:
    """`port`, or another one when it is taken, or 0."""
    for candidate in filter(None, (port, *random.sample(_LASTING, 100))):
        with contextlib.closing(socket.socket()) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(('127.0.0.1', candidate))
            except OSError:
                continue
            return candidate
    raise Refused('No port is free on the loopback interface.')


def _write(file: pathlib.Path, text: str) -> None:
    """Replace a file at once, readable by its owner only."""
    new = file.with_suffix('.new')
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'w', encoding='utf-8') as stream:
        stream.write(text)
    os.replace(new, file)


def _ini(sections: Sections) -> str:
    return '\n'.join(f'[{name}]\n' + ''.join(f'{key} = {value}\n' for key, value in options.items())
                     for name, options in sections.items())


def _credentials(deployment: Deployment, user: str, **more: object) -> JsonObject:
    return {'auth_type': 'password', 'auth_url': deployment.url('identity') + '/v3', 'username': user,
            'password': deployment.passwords[user], 'project_name': 'service', 'user_domain_name': 'Default',
            'project_domain_name': 'Default', 'region_name': 'RegionOne', **more}


def _common(deployment: Deployment) -> Sections:
    neighbours = {name: _credentials(deployment, 'nova', valid_interfaces='public')
                  for name in ('keystone', 'neutron', 'glance', 'cinder', 'manila', 'placement', 'oslo_limit')}
    driver = {'fake': 'fake.FakeDriver', 'libvirt': 'libvirt.LibvirtDriver'}[deployment.driver]
    return {'DEFAULT': {'state_path': deployment.directory, 'compute_driver': driver,
                        'force_config_drive': deployment.driver == 'libvirt',
                        'osapi_compute_listen': '127.0.0.1', 'my_ip': '127.0.0.1',
                        'report_interval': 5, 'service_down_time': 30},
            'libvirt': {'virt_type': 'qemu', 'connection_uri': deployment.libvirt_uri},
            'oslo_concurrency': {'lock_path': deployment.directory / 'locks'}, **neighbours,
            'service_user': {'send_service_user_token': 'true', **_credentials(deployment, 'nova')}}


def _keystone_authtoken(deployment: Deployment, user: str) -> JsonObject:
    section = _credentials(deployment, user, www_authenticate_uri=deployment.url('identity'),
                           memcached_servers='', service_token_roles_required='true')
    section.pop('region_name')
    return section


def write_files(deployment: Deployment) -> dict[str, pathlib.Path]:
    """Write every configuration file anew.

    Returns:
        Files by name: ``nova``, ``placement``, and each cell.
    """
    directory = deployment.directory
    top = _common(deployment)
    top['DEFAULT'] |= {'transport_url': deployment.bus('top'),
                       'osapi_compute_listen_port': deployment.ports['compute']}
    top['neutron'] |= {'service_metadata_proxy': 'true',
                       'metadata_proxy_shared_secret': deployment.passwords[METADATA]}
    top |= {'api_database': {'connection': deployment.database('api')},
            'database': {'connection': deployment.database('cell0')},
            'api': {'auth_strategy': 'keystone'},
            'conductor': {'role': 'super'}, 'scheduler': {'discover_hosts_in_cells_interval': 1},
            'keystone_authtoken': _keystone_authtoken(deployment, 'nova')}
    files = {'nova': top, 'placement': {
        'placement_database': {'connection': deployment.database('placement'), 'sync_on_startup': 'true'},
        'keystone_authtoken': _keystone_authtoken(deployment, 'placement')}}
    for cell in deployment.cells:
        section = _common(deployment)
        section['DEFAULT'] |= {'transport_url': deployment.bus(cell)}
        section |= {'database': {'connection': deployment.database(cell)}, 'conductor': {'role': 'cell'},
                    'spice': {'enabled': 'true'}, 'serial_console': {'enabled': 'true'}}
        files[cell] = section
    for name, sections in files.items():
        for group, values in deployment.options(name).items():
            sections[group] = {**sections.get(group, {}), **values}
        _write(directory / f'{name}.conf', _ini(sections))
    _write(directory / 'clouds.yaml', _clouds(deployment))
    return {name: directory / f'{name}.conf' for name in files}


def _clouds(deployment: Deployment) -> str:
    """clouds.yaml with the clouds ``demo`` and ``admin``; JSON is YAML."""
    def cloud(user: str) -> JsonObject:
        return {'auth': {'auth_url': deployment.url('identity') + '/v3', 'username': user,
                         'password': deployment.passwords[user], 'project_name': user,
                         'user_domain_name': 'Default', 'project_domain_name': 'Default'},
                'region_name': 'RegionOne', 'identity_api_version': '3',
                # Addresses of the private network can be used as they are; clients need not add others.
                'floating_ip_source': 'none'}
    return json.dumps({'clouds': {user: cloud(user) for user in ('demo', 'admin')}}, indent=1)
