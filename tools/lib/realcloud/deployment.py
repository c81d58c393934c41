"""What the real cloud is made of: a cluster whose neighbours are the real services."""

import dataclasses
import os
import pathlib
import secrets
from typing import Any, Self

import cluster_config

PORTS = {'keystone': 'identity', 'glance': 'image', 'neutron': 'network', 'cinder-api': 'volume'}
"""Process to the kind of service; those that are not here have no port."""
NEIGHBOURS = ('keystone', 'glance', 'neutron', 'cinder')
"""A database, and a user in the project ``service``, each."""
PEOPLE = ('demo', 'alt_demo', 'reader')
REGION = 'RegionOne'
VENV = pathlib.Path(__file__).parents[3] / '.venv-neighbours'


@dataclasses.dataclass
class Deployment(cluster_config.Deployment):
    """A real cloud's facts."""

    @classmethod
    def make(cls, directory: pathlib.Path, database: str, computes: int, workers: int = 2,
             options: dict[str, Any] | None = None, ports: dict[str, int] | None = None,
             cells: int = 2, together: int = 1, schedulers: int = 1) -> Self:
        """Ours and Cinder have the key of encrypted volumes each from its own configuration."""
        key = {'key_manager.backend': 'nova.keymgr.conf_key_mgr.ConfKeyManager',
               'key_manager.fixed_key': secrets.token_hex(32)}
        return super().make(directory, database, computes, workers, key | (options or {}), ports, cells,
                            together, schedulers)

    @property
    def users(self) -> tuple[str, ...]:
        return ('admin', 'nova', 'placement', *NEIGHBOURS, *PEOPLE)

    @property
    def databases(self) -> tuple[str, ...]:
        return (*super().databases, *NEIGHBOURS)

    def character_set(self, database: str) -> str:
        # Their indexes are as long as their authors had this in mind.
        return 'utf8mb3' if database in NEIGHBOURS else super().character_set(database)

    @property
    def vhosts(self) -> tuple[str, ...]:
        return (*super().vhosts, 'neighbours')

    @property
    def neighbours(self) -> list[str]:
        return ['keystone', 'glance', 'neutron', 'cinder-api', 'cinder-scheduler', 'cinder-volume']

    def health_path(self, service: str) -> str | None:
        if service in PORTS:
            return '/v3' if service == 'keystone' else '/'
        return None if service in self.neighbours else super().health_path(service)

    def url(self, name: str) -> str:
        process = next((process for process, kind in PORTS.items() if kind == name), None)
        return f'http://127.0.0.1:{self.ports[process]}' if process else super().url(name)

    # Where things are ----------------------------------------------------------------------------

    def etc(self, name: str) -> pathlib.Path:
        """Configuration of a neighbour."""
        return self.directory / 'etc' / name

    def state(self, name: str) -> pathlib.Path:
        """What a neighbour keeps."""
        return self.directory / 'state' / name

    def log(self, process: str) -> pathlib.Path:
        return self.directory / 'log' / f'{process}.log'

    @property
    def scripts(self) -> pathlib.Path:
        """Commands that the neighbours find before those of the machine."""
        return self.directory / 'bin'

    def environment(self) -> dict[str, str]:
        """What the neighbours' processes and commands find in their environment."""
        return {'PATH': f'{self.scripts}:{VENV / "bin"}:{os.environ["PATH"]}', 'PYTHONWARNINGS': 'ignore',
                'PYTHONPATH': str(pathlib.Path(__file__).parent / 'plugins')}

    # Sections that more than one of them has -----------------------------------------------------

    def credentials(self, user: str) -> dict[str, Any]:
        return cluster_config.credentials(self, user)

    def authtoken(self, user: str, service_type: str) -> dict[str, Any]:
        return self.credentials(user) | {
            'www_authenticate_uri': self.url('identity'), 'memcached_servers': self.memcached,
            'service_token_roles': 'service', 'service_token_roles_required': 'true',
            'service_type': service_type}

    def oslo(self, name: str) -> cluster_config.Sections:
        return {'oslo_concurrency': {'lock_path': self.state(name) / 'lock'},
                'oslo_messaging_notifications': {'driver': 'noop'},
                'oslo_messaging_rabbit': {'rabbit_quorum_queue': 'false', 'heartbeat_in_pthread': 'true'}}
