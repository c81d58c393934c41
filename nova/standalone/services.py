"""What a standalone cloud consists of: one function a service, which starts it and returns how to stop it."""

import functools
import pathlib
from collections.abc import Callable, Sequence
from typing import Protocol

import sqlalchemy as sa
from oslo_config import cfg

from nova import clients as neighbours
from nova import conf as nova_conf
from nova.api import app as api_app
from nova.api import waits
from nova.api.metadata import app as metadata_app
from nova.common import clock, dbkit, threads
from nova.compute import agent
from nova.conductor import service as conductor
from nova.db import migrate, session
from nova.objects import cell_mapping, flavor, host_mapping
from nova.placement import app as placement_app
from nova.placement import conf as placement_conf
from nova.rpc import transport
from nova.sandbox import app as sandbox_app
from nova.sandbox import bootstrap
from nova.scheduler import service as scheduler
from nova.standalone import config, docs
from nova.virt import loader

Stop = Callable[[], object]
Start = Callable[[], Stop | None]
Files = dict[str, pathlib.Path]

FLAVORS = (('1', 'm1.tiny', 1, 512, 1), ('2', 'm1.small', 1, 2048, 20), ('3', 'm1.medium', 2, 4096, 40),
           ('4', 'm1.large', 4, 8192, 80))
"""id, name, vCPUs, MB, GB."""


class Shared:
    """What the services of one configuration file share."""

    def __init__(self, file: pathlib.Path) -> None:
        self.conf: cfg.ConfigOpts = nova_conf.new(config_files=[str(file)])
        self.dbs = session.Databases(self.conf)
        self.buses = transport.Buses(self.conf)
        self.clients = neighbours.build(self.conf)

    def stop(self) -> None:
        self.buses.close()
        self.dbs.dispose()


def plan(deployment: config.Deployment, files: Files, images: Sequence[pathlib.Path] = ()
         ) -> list[tuple[str, Start]]:
    """Every service in starting order.

    Args:
        images: files that become public images.
    """
    shared = functools.cache(lambda name: Shared(files[name]))
    found: list[tuple[str, Start]] = [
        ('databases', lambda: _databases(deployment, shared('nova'))),
        ('sandbox', lambda: _sandbox(deployment, images)),
        ('placement', lambda: _placement(deployment, files['placement'])),
        ('scheduler', lambda: _started(scheduler.SchedulerService(
            shared('nova').conf, host='scheduler', dbs=shared('nova').dbs, buses=shared('nova').buses,
            clients=shared('nova').clients))),
        ('super-conductor', lambda: _conductor(shared('nova'), 'super', 'super')),
        ('api', lambda: _api(deployment, shared('nova'))),
        ('metadata', lambda: _metadata(deployment, shared('nova')))]
    for cell in deployment.cells:
        found.append((f'conductor of {cell}', functools.partial(
            lambda cell: _conductor(shared(cell), 'cell', f'conductor-{cell}'), cell)))
        found.append((f'computes of {cell}', functools.partial(
            lambda cell: _computes(deployment, shared(cell), cell), cell)))
    return found


class _Startable(Protocol):
    """A service of this process."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


def _started(service: _Startable) -> Stop:
    service.start()
    return service.stop


def _databases(deployment: config.Deployment, top: Shared) -> Stop:
    migrate.sync(top.dbs.api, 'api')
    cell0 = top.dbs.cell(deployment.database('cell0'))
    migrate.sync(cell0, 'cell')
    for cell in deployment.cells:
        migrate.sync(top.dbs.cell(deployment.database(cell)), 'cell')
    wanted = {config.CELL0: ('cell0', 'none:///', deployment.database('cell0'))} | {
        uuid: (name, deployment.bus(name), deployment.database(name))
        for name, uuid in deployment.cells.items()}

    def write(conn: sa.Connection) -> None:
        known = {mapping.uuid for mapping in cell_mapping.CellMapping.all(conn)}
        for uuid, (name, url, database) in wanted.items():
            if uuid not in known:
                cell_mapping.CellMapping(uuid=uuid, name=name, transport_url=url, database_connection=database,
                                         disabled=False).create(conn)
        if not flavor.Flavor.all(conn, limit=1):
            for flavorid, name, vcpus, ram, disk in FLAVORS:
                flavor.Flavor(flavorid=flavorid, name=name, vcpus=vcpus, memory_mb=ram, root_gb=disk,
                              ephemeral_gb=0, swap=0, rxtx_factor=1.0, is_public=True, disabled=False,
                              extra_specs={}).create(conn)
    top.dbs.api.write(write)
    return top.stop


def _sandbox(deployment: config.Deployment, images: Sequence[pathlib.Path]) -> Stop:
    found = sandbox_app.Sandbox(deployment.database('sandbox'), deployment.directory / 'sandbox',
                                public_url=deployment.url)
    made = bootstrap.bootstrap(found, deployment.passwords)
    for file in images:
        bootstrap.add_image(found, made.projects['admin'], file)
    if deployment.driver == 'libvirt':
        found.ports.bridge = ''
    server = sandbox_app.Server(found.application, port=deployment.ports['sandbox']).start()

    def stop() -> None:
        server.stop()
        found.close()
    return stop


def _placement(deployment: config.Deployment, file: pathlib.Path) -> Stop:
    app = placement_app.make_app(placement_conf.load(['--config-file', str(file)]))
    return sandbox_app.Server(app, port=deployment.ports['placement']).start().stop


def _conductor(shared: Shared, role: str, host: str) -> Stop:
    return _started(conductor.ConductorService(
        shared.conf, role, host=host, dbs=shared.dbs, buses=shared.buses, clients=shared.clients))


def _api(deployment: config.Deployment, shared: Shared) -> Stop:
    waiting = waits.Waits(shared.conf.api.max_waiting)
    app = docs.beside(api_app.make_app(
        shared.conf, dbs=shared.dbs, buses=shared.buses, clients=shared.clients, waiting=waiting))
    server = sandbox_app.Server(app, port=deployment.ports['compute']).start()

    def stop() -> None:
        waiting.close()
        server.stop()
    return stop


def _metadata(deployment: config.Deployment, shared: Shared) -> Stop:
    app = metadata_app.make_app(shared.conf, dbs=shared.dbs, clients=shared.clients)
    return sandbox_app.Server(app, port=deployment.ports['metadata']).start().stop


def _computes(deployment: config.Deployment, shared: Shared, cell: str) -> Stop:
    farm = agent.ComputeFarm()
    for host, home in deployment.hosts.items():
        if home == cell:
            state_dir = deployment.directory / 'computes' / host
            driver = loader.load(shared.conf, host, state_dir)
            farm.add(shared.conf, host, driver, shared.buses.own, shared.clients, state_dir)
    farm.start()

    def stop() -> None:
        farm.stop()
        shared.stop()
    return stop


def wait_ready(deployment: config.Deployment, files: Files, seconds: float) -> None:
    """Return when every host is mapped to its cell.

    Raises:
        TimeoutError: not within `seconds`.
    """
    db = dbkit.Database(deployment.database('api'))
    deadline = clock.Deadline(seconds)
    while True:
        with db.read() as conn:
            mapped = {mapping.host for mapping in host_mapping.HostMapping.all(conn)}
        missing = set(deployment.hosts) - mapped
        if not missing:
            db.dispose()
            return
        if deadline.passed():
            raise TimeoutError(f'{len(missing)} compute hosts did not come up within {seconds:.0f} s: '
                               f'{", ".join(sorted(missing)[:5])}')
        threads.sleep(0.05)
