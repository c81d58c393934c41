"""A small deployment on a `Loop`: real services on databases, brokers, neighbours and hypervisors in memory.

``with worlds.world(shape, seed) as world`` makes one; `World.run` lets it live.
"""

import contextlib
import dataclasses
import gc
import pathlib
import random
import re
import tempfile
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from oslo_db import exception as db_exc

from nova import cells, conf, context, errors, heartbeat, objects, ops, release
from nova.clients import fake
from nova.common import clock, threads, uuids
from nova.compute import agent
from nova.conductor import service as conductor_service
from nova.objects import task as rows
from nova.objects.cell_mapping import CELL0_UUID
from nova.ops.delete import flow as deletion
from nova.scheduler import service as scheduler_service
from nova.tests.simulation import backend, bus, databases, neighbours, users, watched
from nova.tests.simulation.loop import Actor, Loop, Machine, Process
from nova.tests.simulation.net import Net, Seen
from nova.tests.simulation.users import PROJECT, USER
from nova.virt.fake import driver as fake_driver
from nova.virt.fake.fabric import Fabric


@dataclasses.dataclass(frozen=True)
class Shape:
    """How big a world is.

    Attributes:
        conductors: of each cell.
        hosts: of each cell.
        skew: most seconds by which the wall clocks of two machines differ.
        older: processes that are of the release before when the world begins.
    """

    cells: int = 1
    conductors: int = 1
    supers: int = 1
    hosts: int = 2
    skew: float = 0.0
    schedulers: int = 1
    older: tuple[str, ...] = ()


SMALL = Shape()
SWEEP = 10
"""Worlds between two looks for garbage."""
_BEATS = re.compile(r'Lease\.beat|Heartbeat\.|conductor\.beat|Reports\.beat')
_SILENT = "SELECT count(*) FROM services WHERE \"binary\" = 'nova-compute' AND last_seen_up < ?"
AT_ONCE = ''
FETCHES = ('spawn', 'rescue')
"""What a hypervisor cannot do without the image."""
_NEXT = """SELECT min(CASE WHEN status = 'ready' THEN coalesce(not_before, '') ELSE '' END) FROM tasks
           WHERE finished_at IS NULL"""
AWAKE = 12.0
"""Seconds before something is due in which all have given signs of life again."""
SOON = 1.0
"""Seconds in which what is on its way arrives when nothing holds it up."""
_OPEN = 'SELECT count(*) FROM tasks WHERE finished_at IS NULL'
BEAT, LEASE, RECAST, REPORT, DOWN, SYNC = 10.0, 40.0, 10.0, 20.0, 70.0, 180
"""Seconds; slower than the defaults, since the time of a world costs nothing but the beats in it."""


class Kept:
    """What the worlds of one test run share, because making it takes long."""

    def __init__(self, quick: bool = True) -> None:
        ops.load()
        self.servers = databases.Servers(quick)
        self.directory = tempfile.TemporaryDirectory(prefix='simulation', dir=_memory())
        self.settings = _settings()
        self._of_hosts: dict[str, Any] = {}
        self.worlds = 0
        gc.collect()
        gc.freeze()  # what is there now is not looked through again for every world

    @contextlib.contextmanager
    def undisturbed(self) -> Iterator[None]:
        """Garbage is looked for between worlds, and only after some, rather than ten times in each."""
        self.worlds += 1
        if self.worlds % SWEEP == 0:
            gc.collect()
        enabled = gc.isenabled()
        gc.disable()
        try:
            yield
        finally:
            if enabled:
                gc.enable()

    def settings_of(self, host: str) -> Any:
        """Of a compute host, which has an address of its own."""
        if host not in self._of_hosts:
            made = self._of_hosts[host] = _settings()
            made.set_override('my_shared_fs_storage_ip', f'192.0.2.{10 + len(self._of_hosts)}')
        return self._of_hosts[host]

    def state_dir(self, host: str) -> pathlib.Path:
        return pathlib.Path(self.directory.name) / str(self.worlds) / host


def _memory() -> str | None:
    """A file system in memory, where there is one."""
    return '/dev/shm' if pathlib.Path('/dev/shm').is_dir() else None


def _settings() -> Any:
    made = conf.new(config_files=[])
    for name, value, group in (
            ('beat_seconds', BEAT, 'task'), ('lease_seconds', LEASE, 'task'),
            ('recast_seconds', RECAST, 'task'), ('report_interval', REPORT, None),
            ('service_down_time', DOWN, None), ('sync_power_state_interval', SYNC, None), ('vcpus', 4, 'fake'),
            ('discover_hosts_in_cells_interval', 30, 'scheduler')):
        made.set_override(name, value, group=group)
    return made


@contextlib.contextmanager
def world(kept: Kept, shape: Shape = SMALL, seed: int | None = None, **options: Any) -> Iterator['World']:
    """A world whose services have started and whose hosts are known.

    Args:
        seed: None lets everything happen in order, without delay.
    """
    rng = random.Random(seed) if seed is not None else None
    before = random.getstate()
    random.seed(seed or 0)
    idents = random.Random(f'uuids {seed}')
    loop = Loop(rng)
    try:
        with kept.undisturbed(), clock.use(loop), threads.use(backend.Backend(loop)), uuids.use(
                lambda: uuid.UUID(int=idents.getrandbits(128), version=4)), release.use(
                lambda: loop.actor.process.release):
            made = World(kept, loop, shape, **options)
            with watched.watched(made.steps):
                try:
                    made.start()
                    yield made
                finally:
                    made.close()
    finally:
        random.setstate(before)


class World:
    """See the module.

    Attributes:
        raw: databases by name, without any way in between.
        up: hosts whose agents run.
        lost: hosts that are gone for good.
        older: processes that are of the release before, also the next time they start.
    """

    def __init__(self, kept: Kept, loop: Loop, shape: Shape) -> None:
        self.kept, self.loop, self.shape = kept, loop, shape
        self.net = Net(loop)
        self.steps = watched.Steps(loop)
        self.conf = kept.settings
        kept.servers.reset()
        self.cells = {'cell0': CELL0_UUID, **{f'cell{n}': f'{n}0000000-0000-4000-8000-000000000001'
                                              for n in range(1, shape.cells + 1)}}
        self.raw = {name: server for name, server in kept.servers.by_name.items()
                    if name == 'api' or name in self.cells}
        self.brokers = {name: bus.Broker(self.net, name)
                        for name in ('top', *(cell for cell in self.cells if cell != 'cell0'))}
        self.clients = fake.build()
        self._reached = neighbours.reached(self.net, self.clients)
        self.context = context.RequestContext(USER, PROJECT, request_id='req-' + uuids.generate())
        self.asking = context.RequestContext(USER, PROJECT, auth_token='users')
        self.machines: dict[str, Machine] = {}
        self.processes: dict[str, Process] = {}
        self._boots: dict[str, Callable[[Process], Any]] = {}
        self._all: list[Process] = []
        self.drivers: dict[str, fake_driver.FakeDriver] = {}
        self.fabric = Fabric()
        self.hosts: dict[str, str] = {}
        self.lost: set[str] = set()
        self.older: set[str] = set(shape.older)
        self._seed()
        self._lay_out()
        self.users = users.Users(self)

    # What is there from the beginning

    def _seed(self) -> None:
        self.flavor = objects.Flavor(flavorid='1', name='small', vcpus=1, memory_mb=512, root_gb=1)
        self.image = objects.ImageMeta(
            id=uuids.generate(), name='image', status='active', properties=objects.ImageProperties())
        self.network = self.clients.network.api.add_network(PROJECT)
        self.mappings: dict[str, Any] = {}
        self.raw['api'].write(self._seed_api)
        self.urls = {mapping.database_connection: name for name, mapping in self.mappings.items()}
        self.bus_urls = {mapping.transport_url: name for name, mapping in self.mappings.items()}

    def _seed_api(self, conn: Any) -> None:
        self.flavor.create(conn)
        for name, ident in self.cells.items():
            mapping = objects.CellMapping(uuid=ident, name=name, transport_url=f'sim://{name}',
                                          database_connection=f'sim:///{name}')
            mapping.create(conn)
            self.mappings[name] = mapping
        for host, cell in self._homes():
            objects.HostMapping(host=host, cell_id=self.mappings[cell].id).create(conn)

    def _homes(self) -> list[tuple[str, str]]:
        """Every host and its cell; they are mapped from the beginning, which saves a world some seconds."""
        cells = [name for name in self.cells if name != 'cell0']
        return [(f'h{number + 1}', cells[number // self.shape.hosts])
                for number in range(len(cells) * self.shape.hosts)]

    def _machine(self, name: str) -> Machine:
        rng, skew = self.loop.rng, self.shape.skew
        if name not in self.machines:
            self.machines[name] = Machine(name, (rng.random() - 0.5) * skew if rng else 0.0,
                                          rng.random() * 1e6 if rng else 1000.0)
        return self.machines[name]

    def _lay_out(self) -> None:
        for n in range(self.shape.supers):
            self._declare(f'super{n + 1}', self._super)
        for n in range(self.shape.schedulers):
            self._declare(f'scheduler{n + 1}', self._scheduler)
        for cell in self.brokers:
            if cell == 'top':
                continue
            for n in range(self.shape.conductors):
                self._declare(f'{cell}-conductor{n + 1}',
                              lambda process, cell=cell: self._conductor(process, cell))
        for name, cell in self._homes():
            self.hosts[name] = cell
            self.drivers[name] = self._driver(name)
            self._declare(name, lambda process, cell=cell: self._agent(process, cell))
        self.api = Process('api', self._machine('api'))
        self._all.append(self.api)
        self.api_dbs = databases.Databases(self.net, self.kept.servers, None, self.urls, self.conf)
        self.api_bus = bus.Buses(self.brokers, 'top', self.bus_urls, self.conf, self.api)

    def _declare(self, name: str, boot: Callable[[Process], Any]) -> None:
        self._machine(name)
        self._boots[name] = boot

    def _driver(self, host: str) -> fake_driver.FakeDriver:
        made = fake_driver.FakeDriver(host, size=fake_driver.Size(vcpus=4, memory_mb=8192, local_gb=100),
                                      fabric=self.fabric)
        service = f'driver {host}'
        under_way: dict[Any, Any] = {}

        def before(name: str, server: str) -> None:
            under_way[self.loop.actor] = self.net.begin(service, name, server[:8])
            if name in FETCHES:
                neighbours.look_up(self.net, 'image')

        def after(name: str, server: str) -> None:
            self.net.end(under_way.pop(self.loop.actor))
        made.faults.before(before)
        made.faults.after(after)
        return made

    def _dbs(self, main: str | None) -> databases.Databases:
        return databases.Databases(self.net, self.kept.servers, main, self.urls, self.conf)

    def _buses(self, process: Process, own: str) -> bus.Buses:
        return bus.Buses(self.brokers, own, self.bus_urls, self.conf, process)

    def _super(self, process: Process) -> Any:
        return conductor_service.ConductorService(
            self.conf, 'super', host=process.name, dbs=self._dbs(None), buses=self._buses(process, 'top'),
            clients=self._reached)

    def _conductor(self, process: Process, cell: str) -> Any:
        dbs = self._dbs(cell)
        if process.name in self.older:  # they do not say over their bus that they live
            heartbeat.Heartbeat(lambda: dbs.main, process.name, cells.CONDUCTOR, REPORT).start()
        return conductor_service.ConductorService(
            self.conf, 'cell', host=process.name, dbs=dbs, buses=self._buses(process, cell),
            clients=self._reached)

    def _scheduler(self, process: Process) -> Any:
        return scheduler_service.SchedulerService(
            self.conf, dbs=self._dbs(None), buses=self._buses(process, 'top'), clients=self._reached,
            host=process.name)

    def _agent(self, process: Process, cell: str) -> Any:
        return agent.ComputeAgent(
            self.kept.settings_of(process.name), process.name, self.drivers[process.name],
            self._buses(process, cell).own,
            self._reached, self.kept.state_dir(process.name))

    # Processes

    def start(self) -> None:
        """Start every process, and wait until the hosts are known."""
        for name in self._boots:
            self.boot(name)
        def known() -> bool:
            joined = sum(self.raw[cell].scalar('SELECT count(*) FROM compute_nodes')
                         for cell in set(self.hosts.values()))
            return joined == len(self.clients.placement.providers) == len(self.hosts)
        if not self.loop.run(known, self.loop.now + 120):
            raise AssertionError('the world did not begin:\n' + self.tail())
        self.nodes = {name: self.clients.placement.provider(name) for name in self.hosts}
        self.net.reset()

    def boot(self, name: str) -> Process:
        """A new incarnation of a process; the one before it, if any, must be dead."""
        process = self.processes[name] = Process(name, self._machine(name))
        if name in self.older:
            process.release = release.PREVIOUS
        self._all.append(process)
        self.loop.know(process)

        def main() -> None:
            process.service = self._boots[name](process)
            process.service.start()
        self.loop.spawn(process, 'main', main)
        return process

    def kill(self, name: str, back: float | None = 1.0) -> None:
        """kill -9; `back` seconds later it is started again, unless it is None."""
        self.loop.kill(self.processes[name])
        if back is not None:
            self.loop.plan(back, lambda: self.revive(name))

    def revive(self, name: str) -> None:
        """Start a process that is dead."""
        if self.processes[name].dead and name not in self.lost:
            self.boot(name)

    def upgrade(self, name: str, back: float = 1.0) -> None:
        """Start a process again, with this release."""
        self.older.discard(name)
        self.kill(name, back)

    def lose(self, host: str) -> None:
        """A host goes down, and that is noticed."""
        self.kill(host, back=None)
        self.run(DOWN + 10.0)
        self.count_from_here()

    def regain(self, host: str) -> None:
        """It returns, and does what it owes; what that begins goes on from here."""
        self.revive(host)
        self.run(120.0, lambda: not self.quiet())

    def kill_current(self, back: float | None = 1.0) -> None:
        """Kill the process that is at work: an act around an effect."""
        process = self.loop.actor.process
        if process.name in self.processes:
            self.kill(process.name, back)

    @property
    def up(self) -> set[str]:
        return {host for host in self.hosts if not self.processes[host].dead}

    def close(self) -> None:
        self.loop.close(self._all)
        for pool in threads.pools():
            pool.close(wait=False)

    # Living

    def run(self, seconds: float, ended: Callable[[], bool] = lambda: False) -> bool:
        """Let time pass until `ended`, at most so long; whether it ended."""
        return self.loop.run(ended, self.loop.now + seconds)

    def wait(self, seconds: float, ended: Callable[[], bool]) -> bool:
        """`run`, but the world sleeps while everything is well and nothing is to be done for a while."""
        def asked() -> bool:
            if ended():
                return True
            self._sleep()
            return False
        return self.run(seconds, asked)

    def _sleep(self) -> None:
        """Leap over the time in which there would be nothing but signs of life."""
        loop = self.loop
        if self.api.actors or not self.net.well() or any(
                process.dead or process.paused for process in self.processes.values()):
            return
        due = [when for when in (server.scalar(_NEXT) for server in self.raw.values()) if when is not None]
        if AT_ONCE in due or not due:
            return
        loop.leap(min(databases.moment_of(when) for when in due) - AWAKE)

    def settle(self, seconds: float = 1200.0) -> None:
        """Let time pass until no task is open, at most so long.

        Raises:
            AssertionError: tasks that do not come to an end.
        """
        if not self.wait(seconds, self.quiet):
            left = [(task.flow, task.step, task.direction, task.status) for task in self.open_tasks()]
            raise AssertionError(f'not quiet after {seconds:.0f} s: {left}, {self._asking()} requests')

    def _asking(self) -> int:
        return len(self.api.actors)

    def quiet(self) -> bool:
        return not self.api.actors and not any(server.scalar(_OPEN) for server in self.raw.values())

    def calm(self, since: float) -> bool:
        """Whether it is quiet, every host was heard after `since`, and nothing is still on its way."""
        before = databases.time_of(since)
        silent = sum(self.raw[cell].scalar(_SILENT, before) for cell in set(self.hosts.values()))
        return self.quiet() and not silent and not self.loop.expects(SOON)

    def open_tasks(self) -> list[Any]:
        return [task for name in self.raw for task in self.tasks(name) if task.finished_at is None]

    def tasks(self, name: str) -> list[Any]:
        """Every task of a database."""
        with self.raw[name].read() as conn:
            return [rows.from_row(row) for row in conn.execute(rows.tables.tasks.select())]

    def tail(self, lines: int = 200, beats: bool = False) -> str:
        """The end of what happened, a line an event; without signs of life, unless they are wanted."""
        wanted = [one for one in self.loop.trace if beats or not _BEATS.search(one[2])]
        return '\n'.join(f'{now:9.3f}  {actor:<34} {text}' for now, actor, text in wanted[-lines:])

    # What users do

    def ask(self, what: str, fn: Callable[[], Any]) -> None:
        """A request to the API, as an actor of its process; refusals end it."""
        def run() -> None:
            try:
                fn()
                self.loop.say(f'{what}: accepted')
            except (errors.NovaError, db_exc.DBError) as error:
                self.loop.say(f'{what}: {type(error).__name__}: {error}')
        self.loop.spawn(self.api, what, run)

    def running(self, **options: Any) -> str:
        """A server that was built, with effects counted from here on."""
        uuid, = self.users.order(**options)
        self.settle()
        self.count_from_here()
        return uuid

    def count_from_here(self) -> None:
        """Effects are numbered from one again."""
        self.net.reset()

    def order(self, **options: Any) -> list[str]:
        return self.users.order(**options)

    def delete(self, uuid: str, kind: Any = deletion.Delete) -> None:
        self.users.delete(uuid, kind)

    def restore(self, uuid: str) -> None:
        self.users.restore(uuid)

    def begin(self, uuid: str, kind: Any, state: Any = None) -> None:
        self.users.begin(uuid, kind, state, checked=False)

    # What is there now

    def mapping(self, uuid: str) -> Any:
        with self.raw['api'].read() as conn:
            return objects.InstanceMapping.find(conn, instance_uuid=uuid)

    def cell_of(self, uuid: str) -> str | None:
        mapping = self.mapping(uuid)
        return next((name for name, cell in self.mappings.items()
                     if mapping is not None and cell.id == mapping.cell_id), None)

    def server(self, uuid: str, **by: Any) -> Any:
        """The server's record in its cell; None when it is deleted or in no cell."""
        cell = self.cell_of(uuid)
        if cell is None:
            return None
        with self.raw[cell].read() as conn:
            return objects.Instance.find(conn, uuid=uuid, **by)

    def change(self, uuid: str, **values: Any) -> None:
        """Change a server's row directly: what a case's world looks like before it begins."""
        def write(conn: Any) -> None:
            instance = objects.Instance.get(conn, uuid=uuid)
            for name, value in values.items():
                setattr(instance, name, value)
            instance.save(conn)
        self.raw[self.cell_of(uuid) or ''].write(write)

    def tasks_of(self, uuid: str) -> list[Any]:
        with self.raw[self.cell_of(uuid) or ''].read() as conn:
            return rows.of_instance(conn, uuid)


def sleeping(world: World, service: str, name: str) -> list[Process]:
    """Have whoever is first about to have such an effect stand still until it is resumed; who that was."""
    slept: list[Process] = []

    def sleep(seen: Seen, actor: Actor, when: str) -> None:
        if (seen.service, seen.name, when) == (service, name, 'before') and not slept:
            slept.append(actor.process)
            world.loop.pause(actor.process)
            world.loop.give_way()
    world.net.watch.append(sleep)
    return slept
