"""A real cloud, from nothing to servers that can be booted, and again to nothing."""

import concurrent.futures
import pathlib

import cluster
import cluster_config
import cluster_processes
import cluster_schema
import servers

from realcloud import cinder, glance, guests, keystone, neutron, population
from realcloud.deployment import Deployment

NEIGHBOURS = (keystone.KEYSTONE, neutron.NEUTRON, glance.GLANCE, cinder.CINDER)
"""The one whose schema takes longest, but for the one that is needed first, first."""
FLAVORS = (*cluster_schema.FLAVORS, ('42', 'm1.nano', 1, 64, 1), ('84', 'm1.micro', 1, 128, 1))
GUEST = ('160', 'm1.guest', 1, 160, 1)
"""What the guest of tools/guest needs."""
OPTIONS = {
    'quota.instances': 10000, 'quota.cores': 100000, 'quota.ram': 100000000, 'quota.server_groups': 1000,
    'filter_scheduler.enabled_filters': ','.join((
        'ComputeFilter', 'ComputeCapabilitiesFilter', 'ImagePropertiesFilter', 'ServerGroupAntiAffinityFilter',
        'ServerGroupAffinityFilter', 'SameHostFilter', 'DifferentHostFilter'))}
"""Of our own services, as tempest wants them."""
SUDO = '#!/bin/sh\n# Cinder asks for root where the files of volumes are its own.\n' \
       'case "$1" in *-rootwrap) shift 2 ;; esac\nexec "$@"\n'


class Processes(cluster_processes.Processes):
    """Those of ours and of the neighbours."""

    deployment: Deployment

    def command(self, service: str) -> tuple[list[str], dict[str, str]]:
        for one in NEIGHBOURS:
            commands = one.processes(self.deployment)
            if service in commands:
                words, env = commands[service]
                return words, self.deployment.environment() | env
        words, env = super().command(service)
        return words, {'PYTHONPATH': ''} | env


class Cloud(cluster.Cluster):
    """A cluster beside the real services; see tools/lib/cluster.py for what it can be asked."""

    SERVERS = ('database', 'broker', 'memcached')
    DEPLOYMENT = Deployment
    deployment: Deployment

    def _make_processes(self) -> Processes:
        return Processes(self.deployment)

    def _start_servers(self) -> None:
        (self.deployment.directory / 'servers').mkdir()
        self.deployment.memcached = servers.memcached(self.deployment.directory / 'servers')
        super()._start_servers()
        for one in NEIGHBOURS:
            one.write(self.deployment)
        scripts = self.deployment.scripts
        scripts.mkdir(exist_ok=True)
        for name, text in (('sudo', SUDO), ('mount.nfs', '#!/bin/sh\n')):
            (scripts / name).write_text(text)
            (scripts / name).chmod(0o755)

    def _fill(self) -> None:
        """Every schema, two at a time, and the catalog as soon as there is one to write in."""
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            done = [pool.submit(one.make_schema, self.deployment) for one in NEIGHBOURS]
            done.append(pool.submit(super()._fill))
            done[0].result()
            self.start(['keystone'])
            population.make_identities(self.deployment)
            for one in done:
                one.result()

    def _populate(self) -> None:
        self._say('Making networks, images, volume types and flavors')
        population.make_resources(self.deployment)
        for flavor in (*FLAVORS, *([GUEST] if self.deployment.guests else [])):
            self._make_flavor(*flavor)
        guests.mount(self.deployment)

    def _wait_hosts(self, seconds: float) -> None:
        super()._wait_hosts(seconds)
        population.make_bandwidth(self.deployment)

    def _end_hosts(self) -> None:
        guests.unmount(self.deployment)
        super()._end_hosts()

    def renew(self) -> None:
        """Our own processes run the code of this checkout as it is now, on its schema and its configuration."""
        ours = [name for name in self.deployment.services if name not in self.deployment.neighbours]
        self.processes.stop(list(reversed(ours)))
        cluster_config.write_files(self.deployment)
        cluster_schema.upgrade(self.deployment)
        population.make_identities(self.deployment)
        self.start(self.deployment.services)

    def environment(self) -> dict[str, str]:
        """What the clients of the cloud want to be told."""
        return {'OS_CLIENT_CONFIG_FILE': str(self.deployment.directory / 'clouds.yaml'), 'OS_CLOUD': 'admin'}


def made(directory: pathlib.Path) -> bool:
    """Whether a cloud was finished in `directory`."""
    return (directory / cluster_config.FACTS).exists() and Deployment.load(directory).made
