"""What a cluster of real processes is made of, and the files an operator would have written for it.

    cluster.json            ports and passwords
    clouds.yaml             for the clients
    etc/PROCESS/nova.conf   one a process, as on a machine of its own; etc/placement/placement.conf
    log/  run/  state/      logs, pids, what compute hosts keep

Each database and each vhost has a user of its own who may use nothing else: that a cell needs neither the API
database nor the bus above it is thereby a fact and not a habit.
"""

import dataclasses
import json
import os
import pathlib
import secrets
from typing import Any, Self

import guest_hosts
import servers

USERS = ('admin', 'nova', 'placement', 'demo')
CONDUCTORS = 2
"""Of each cell."""

FACTS = 'cluster.json'

Sections = dict[str, dict[str, Any]]


@dataclasses.dataclass
class Deployment:
    """A cluster's facts.

    Attributes:
        passwords: of users of the cloud (by name), of databases and of vhosts (``db:NAME``, ``mq:NAME``).
        ports: by process name; for a service without an API, its page of metrics.
        server: host:port of the database server, set when it runs; so are `broker` and, where there is one,
            `memcached`.
        made: whether it was finished.
        options: ``{'group.option': value}`` for every nova.conf.
        guests: directory of the hosts where guests of QEMU run (`guest_hosts`); empty where they are simulated.
        mariadb_driver: pymysql, or mysqldb (of mysqlclient), by which our services speak to MariaDB.
        cell_count: how many cells there are beside cell0.
        together: compute hosts that one process has; one is a process of its own, as on a machine of its own.
        scheduler_count: how many schedulers there are.
        admin_url: SQLAlchemy URL of who may do everything at the database server.
    """

    directory: pathlib.Path
    database_kind: str
    computes: int
    workers: int = 2
    passwords: dict[str, str] = dataclasses.field(default_factory=dict, repr=False)
    ports: dict[str, int] = dataclasses.field(default_factory=dict)
    server: str = ''
    broker: str = ''
    memcached: str = ''
    made: bool = False
    options: dict[str, Any] = dataclasses.field(default_factory=dict, repr=False)
    guests: str = ''
    mariadb_driver: str = 'pymysql'
    cell_count: int = 2
    together: int = 1
    scheduler_count: int = 1
    admin_url: str = dataclasses.field(default='', repr=False)

    @property
    def users(self) -> tuple[str, ...]:
        return USERS

    @property
    def databases(self) -> tuple[str, ...]:
        return ('nova_api', 'nova_cell0', *(f'nova_{cell}' for cell in self.cells), 'placement')

    def character_set(self, database: str) -> str:
        """What MariaDB keeps the texts of a database in."""
        return 'utf8mb4'

    @property
    def vhosts(self) -> tuple[str, ...]:
        return ('top', *self.cells)

    @property
    def neighbours(self) -> list[str]:
        """The processes of the services beside ours, in starting order."""
        return ['sandbox']

    @property
    def cells(self) -> dict[str, str]:
        return {f'cell{number + 1}': '' for number in range(self.cell_count)}

    @property
    def schedulers(self) -> list[str]:
        return ['scheduler', *(f'scheduler{number}' for number in range(2, self.scheduler_count + 1))]

    @property
    def hosts(self) -> dict[str, str]:
        """Compute host to its cell: by turns; two by two where they have guests, which can be moved then."""
        neighbours, cells = self.together * (2 if self.guests else 1), list(self.cells)
        return {f'compute{number + 1}': cells[number // neighbours % len(cells)]
                for number in range(self.computes)}

    @property
    def farms(self) -> dict[str, list[str]]:
        """Process to the compute hosts that it has, all of one cell; empty where each is a process."""
        names = list(self.hosts)
        return {} if self.together == 1 else {
            f'computes{start // self.together + 1}': names[start:start + self.together]
            for start in range(0, len(names), self.together)}

    @property
    def services(self) -> list[str]:
        """Every process of ours, in starting order."""
        conductors = [f'{cell}-conductor{number + 1}' for cell in self.cells for number in range(CONDUCTORS)]
        return [*self.neighbours, 'placement', *self.schedulers, 'super-conductor', *conductors,
                *(self.farms or self.hosts), 'api']

    @property
    def guest_hosts(self) -> guest_hosts.Hosts | None:
        """Where guests of QEMU run; the number of a compute host is that of the host."""
        return guest_hosts.Hosts(pathlib.Path(self.guests)) if self.guests else None

    def number_of(self, service: str) -> int:
        """The number of a compute host, from 1."""
        return list(self.hosts).index(service) + 1

    def health_path(self, service: str) -> str | None:
        """What to ask a process for to learn whether it is well; None where to be alive is all it can show."""
        return {'sandbox': '/identity/v3', 'api': '/', 'placement': '/'}.get(service, '/healthcheck')

    def cell_of(self, service: str) -> str | None:
        """The cell of a conductor or a compute host."""
        hosts = self.hosts
        return hosts.get(self.farms.get(service, [service])[0]) or next(
            (cell for cell in self.cells if service.startswith(f'{cell}-')), None)

    def url(self, name: str) -> str:
        """Base URL of a service: compute, placement, or one of the sandbox's."""
        if name in ('compute', 'placement'):
            return f'http://127.0.0.1:{self.ports["api" if name == "compute" else name]}'
        return f'http://127.0.0.1:{self.ports["sandbox"]}/{name}'

    def database(self, name: str) -> str:
        """SQLAlchemy URL of ``api``, ``cell0``, a cell, or that of a service by its name."""
        name = name if name in self.databases else f'nova_{name}'
        schemes = {'mariadb': f'mysql+{self.mariadb_driver}', 'postgresql': 'postgresql+psycopg'}
        return f'{schemes[self.database_kind]}://{name}:{self.passwords["db:" + name]}@{self.server}/{name}'

    def bus(self, vhost: str) -> str:
        """transport_url of a vhost."""
        return f'rabbit://{vhost}:{self.passwords["mq:" + vhost]}@{self.broker}/{vhost}'

    def save(self) -> None:
        kept = dataclasses.asdict(self) | {'directory': str(self.directory)}
        write(self.directory / FACTS, json.dumps(kept, indent=1))

    @classmethod
    def make(cls, directory: pathlib.Path, database: str, computes: int, workers: int = 2,
             options: dict[str, Any] | None = None, ports: dict[str, int] | None = None,
             cells: int = 2, together: int = 1, schedulers: int = 1) -> Self:
        """The facts of a new cluster; ports that are not given are chosen among the free ones."""
        found = cls(directory, database, computes, workers, options=options or {}, cell_count=cells,
                    together=together, scheduler_count=schedulers)
        names = [*found.users, *(f'db:{name}' for name in found.databases),
                 *(f'mq:{vhost}' for vhost in found.vhosts)]
        found.passwords = {name: secrets.token_hex(12) for name in names}
        free = servers.free_ports(len(found.services))
        found.ports = dict(zip(found.services, free, strict=True)) | (ports or {})
        return found

    @classmethod
    def load(cls, directory: pathlib.Path) -> Self:
        """The facts of the cluster in `directory`."""
        kept = json.loads((directory / FACTS).read_text())
        return cls(**kept | {'directory': pathlib.Path(kept['directory'])})


def write(file: pathlib.Path, text: str) -> None:
    """Replace a file, readable by its owner only."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_suffix('.new')
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'w', encoding='utf-8') as stream:
        stream.write(text)
    os.replace(new, file)


def broker_definitions(deployment: Deployment) -> dict[str, Any]:
    """Users, vhosts and permissions for RabbitMQ."""
    return {
        'users': [{'name': vhost, 'password': deployment.passwords[f'mq:{vhost}'], 'tags': ''}
                  for vhost in deployment.vhosts],
        'vhosts': [{'name': vhost} for vhost in deployment.vhosts],
        'permissions': [{'user': user, 'vhost': vhost, 'configure': '.*', 'write': '.*', 'read': '.*'}
                        for vhost in deployment.vhosts for user in {vhost}]}


# Files -------------------------------------------------------------------------------------------

def credentials(deployment: Deployment, user: str, **more: Any) -> dict[str, Any]:
    return {'auth_type': 'password', 'auth_url': deployment.url('identity') + '/v3', 'username': user,
            'password': deployment.passwords[user], 'project_name': 'service', 'user_domain_name': 'Default',
            'project_domain_name': 'Default', **more}


def _authtoken(deployment: Deployment, user: str) -> dict[str, Any]:
    more = {'memcached_servers': deployment.memcached} if deployment.memcached else {}
    return credentials(deployment, user, www_authenticate_uri=deployment.url('identity'),
                        service_token_roles_required='true', **more)


def _every(deployment: Deployment, service: str) -> Sections:
    """What the configuration of each process of nova has."""
    directory = deployment.directory
    sections: Sections = {
        'DEFAULT': {'host': service, 'my_ip': '127.0.0.1', 'state_path': directory / 'state',
                    'log_file': directory / 'log' / f'{service}.log'},
        'oslo_concurrency': {'lock_path': directory / 'state' / 'locks'}}
    for name in ('placement', 'neutron', 'cinder', 'manila', 'glance', 'keystone'):
        sections[name] = credentials(deployment, 'nova', region_name='RegionOne', valid_interfaces='public')
    sections['oslo_limit'] = credentials(deployment, 'nova', region_name='RegionOne', valid_interfaces='public',
                                         endpoint_region_name='RegionOne')
    sections['service_user'] = {'send_service_user_token': 'true', **credentials(deployment, 'nova')}
    return sections


def _top(deployment: Deployment, service: str) -> Sections:
    """API, scheduler and super-conductor: they know the API database, and through it the cells."""
    sections = _every(deployment, service)
    sections['DEFAULT']['transport_url'] = deployment.bus('top')
    sections |= {'api_database': {'connection': deployment.database('api')},
                 'database': {'connection': deployment.database('cell0')}}
    if service == 'api':
        sections['keystone_authtoken'] = _authtoken(deployment, 'nova')
    else:
        sections['prometheus'] = {'port': deployment.ports[service]}
    if service == 'super-conductor':
        sections['conductor'] = {'role': 'super'}
    return sections


def _in_cell(deployment: Deployment, service: str, cell: str) -> Sections:
    """A cell's conductors have its database and its bus; its computes have the bus alone."""
    sections = _every(deployment, service)
    sections['DEFAULT']['transport_url'] = deployment.bus(cell)
    sections['prometheus'] = {'port': deployment.ports[service]}
    if service in deployment.hosts or service in deployment.farms:
        sections['DEFAULT']['compute_driver'] = 'fake.FakeDriver'
        if hosts := deployment.guest_hosts:
            number = deployment.number_of(service)
            merge(sections, hosts.options(number) | hosts.moving(number) | {'force_config_drive': 'true'})
    else:
        sections['database'] = {'connection': deployment.database(cell)}
        sections['conductor'] = {'role': 'cell'}
    return sections


def sections_of(deployment: Deployment, service: str) -> Sections:
    """nova.conf of a process, by sections."""
    cell = deployment.cell_of(service)
    sections = _in_cell(deployment, service, cell) if cell else _top(deployment, service)
    merge(sections, deployment.options)
    return sections


def placement_sections(deployment: Deployment) -> Sections:
    """placement.conf, by sections."""
    return {'DEFAULT': {'log_file': deployment.directory / 'log' / 'placement.log'},
            'placement_database': {'connection': deployment.database('placement')},
            'keystone_authtoken': _authtoken(deployment, 'placement')}


def merge(sections: Sections, options: dict[str, Any]) -> None:
    """Set ``{'group.option': value}``."""
    for name, value in options.items():
        group, _, option = name.rpartition('.')
        sections.setdefault(group or 'DEFAULT', {})[option] = value


def ini(sections: Sections) -> str:
    return '\n'.join(f'[{name}]\n' + ''.join(f'{key} = {value}\n' for key, value in options.items())
                     for name, options in sections.items())


def write_files(deployment: Deployment) -> None:
    """Write every configuration file."""
    etc = deployment.directory / 'etc'
    for service in deployment.services:
        if service not in (*deployment.neighbours, 'placement'):
            write(etc / service / 'nova.conf', ini(sections_of(deployment, service)))
    write(etc / 'placement' / 'placement.conf', ini(placement_sections(deployment)))
    for name in ('log', 'run', 'state'):
        (deployment.directory / name).mkdir(exist_ok=True)
    write(deployment.directory / 'clouds.yaml', _clouds(deployment))


def _clouds(deployment: Deployment) -> str:
    """clouds.yaml with the clouds ``demo`` and ``admin``; JSON is YAML."""
    def cloud(user: str) -> dict[str, Any]:
        return {'auth': {'auth_url': deployment.url('identity') + '/v3', 'username': user,
                         'password': deployment.passwords[user], 'project_name': user,
                         'user_domain_name': 'Default', 'project_domain_name': 'Default'},
                'region_name': 'RegionOne', 'identity_api_version': '3'}
    return json.dumps({'clouds': {user: cloud(user) for user in ('demo', 'admin')}}, indent=1)
