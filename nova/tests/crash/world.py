"""A small deployment in one thread, in which every effect can be counted, broken, interrupted or cut off.

Two cells and cell0 on real journals; one super-conductor, a conductor and two hosts a cell; databases (SQLite),
neighbours and hypervisors in memory. Nothing runs by itself: what a worker hands to its pool, what is cast to a
host and what a host answers are entries of one queue, and `settle` works it off until the world is quiet.
"""

import collections
import contextlib
import dataclasses
import datetime
import functools
import threading
import types

from oslo_db import exception as db_exc

from nova import conf, context, errors, objects, ops, release
from nova.clients import fake
from nova.common import clock, jsonutil, uuids
from nova.compute import servers
from nova.conductor import handle, reports, share
from nova.objects import owed
from nova.objects import task as rows
from nova.objects.cell_mapping import CELL0_UUID
from nova.ops.build import place, schedule
from nova.ops.delete import api as delete_api
from nova.ops.delete import flow as deletion
from nova.ops.delete import wire as deletion_wire
from nova.task import engine, flow, journal, keeper, lease
from nova.tests.crash.script import JOURNAL, Killed, Script
from nova.tests.simulation import databases, users
from nova.tests.simulation.users import PROJECT, USER
from nova.virt.fake import driver as fake_driver
from nova.virt.fake.fabric import Fabric

HOSTS = {'h1': 'cell1', 'h2': 'cell1', 'h3': 'cell2', 'h4': 'cell2'}
NO_TIME, ROUND = datetime.timedelta(), datetime.timedelta(seconds=0.1)
"""How much time a round of everybody who looks after things takes."""
CELLS = {'cell0': CELL0_UUID, 'cell1': '10000000-0000-4000-8000-000000000001',
         'cell2': '10000000-0000-4000-8000-000000000002'}


class Watched:
    """A database whose writes are effects; it cannot be used while its name is in `away`."""

    def __init__(self, db, script, label, name, away):
        self.db, self.script, self.label, self._name, self._away = db, script, label, name, away

    def _reach(self):
        if self._name in self._away:
            raise db_exc.DBConnectionError()

    def read(self, snapshot=False):
        self._reach()
        return self.db.read(snapshot)

    def now(self):
        return self.db.now()

    def write(self, fn, attempts=20, landed=None):
        self._reach()
        self.script.strike('before', self.label)
        result = self.db.write(fn, attempts, landed)
        self.script.strike('after', self.label)
        return result


class Lease(lease.Lease):
    """No time passes here between two beats, so nobody need doubt that he is alive."""

    def sure(self):
        return True


@dataclasses.dataclass
class Worker:
    """A conductor process: an engine on each journal it looks after. Restarting makes all of them anew."""

    name: str
    journals: list
    engines: dict = dataclasses.field(default_factory=dict)
    keepers: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class HostHandle:
    """`handles.Host`."""

    context: context.RequestContext
    task: str
    attempt: int
    instance: objects.Instance
    host: str
    conf: object
    driver: object
    clients: object
    journal: object
    cancelled: threading.Event = dataclasses.field(default_factory=threading.Event)
    signals: set = dataclasses.field(default_factory=set)

    def progress(self, percent):
        assert 0 <= percent <= 100


class Kept(databases.Servers):
    """What the worlds of one test run share, because making it takes long: databases, and a configuration.

    Attributes:
        ahead: by how much the databases' clock is ahead of ours: time that was skipped.
    """

    def __init__(self):
        super().__init__()
        self.settings = conf.new(config_files=[])
        self.overridden, self.ahead = [], NO_TIME
        for server in self.by_name.values():
            server.now = lambda: clock.utcnow() + self.ahead

    def reset(self):
        """Empty the databases, and forget what a world has set."""
        super().reset()
        self.ahead = NO_TIME
        while self.overridden:
            self.settings.clear_override(*self.overridden.pop())


_AT_ONCE = rows.tables.tasks.update().where(
    rows.tables.tasks.c.flow.startswith('remove_late'), rows.tables.tasks.c.status == rows.READY,
    rows.tables.tasks.c.not_before.is_not(None)).values(not_before=None)


@functools.cache
def _of(statuses):
    return rows.tables.tasks.select().where(rows.tables.tasks.c.status.in_(statuses))


class World:
    """See the module. Use `order`, `delete`, `begin`; then `settle`; then `check` of `simulation.invariants`.

    Attributes:
        drivers: by host, whose guests and connections outlive it.
        attempts: by host, the highest that it has seen of each task; it outlives the host, too.
        after_doubt: see `engine.Engine`; without it nobody looks for what comes late.
        release: what API, conductors and hosts take the oldest among themselves for.
    """

    def __init__(self, kept: Kept, after_doubt: type[flow.AnyFlow] | None = None):
        ops.load()
        kept.reset()
        self._kept = kept
        self.conf = kept.settings
        self._after_doubt = after_doubt
        self.script = Script()
        self.raw = kept.by_name
        self.release = release.CURRENT
        self.away = set()
        self.dbs = {name: Watched(db, self.script, f'write {name}', name, self.away)
                    for name, db in self.raw.items()}
        self.context = context.RequestContext(USER, PROJECT, request_id='req-' + uuids.generate())
        self.asking = context.RequestContext(USER, PROJECT, auth_token='users')
        self.queue = collections.deque()
        self.up = set(HOSTS)
        self.refusing = set()
        self.clients = fake.build()
        self.cells = CELLS
        self.cpus_of = {}
        """Providers of CPUs and memory, by host, where they are not its node."""
        self.agents = {}
        """Providers of what ports ask for, by host."""
        fabric = Fabric()
        self.drivers = {name: fake_driver.FakeDriver(name, fabric=fabric) for name in HOSTS}
        self.journals = {name: servers.ServerJournals() for name in HOSTS}
        self.attempts = {name: {} for name in HOSTS}
        self._seed()
        for each in (self.clients.placement, self.clients.network, self.clients.volume, self.clients.share,
                     self.clients.keys, self.clients.image):
            each.before(lambda name, args: self.script.strike('before', name))
            each.after(lambda name, args: self.script.strike('after', name))
        for driver in self.drivers.values():
            driver.faults.before(lambda name, server: self.script.strike('before', name))
            driver.faults.after(lambda name, server: self.script.strike('after', name))
        self.workers = [Worker('super', list(self.dbs)), Worker('cell1', ['cell1']), Worker('cell2', ['cell2'])]
        for worker in self.workers:
            self.restart(worker)

    # What is there from the beginning

    def _seed(self):
        self.flavor = objects.Flavor(flavorid='1', name='small', vcpus=1, memory_mb=512, root_gb=1)
        self.image = objects.ImageMeta(
            id=uuids.generate(), name='image', status='active', properties=objects.ImageProperties())
        self.network = self.clients.network.api.add_network(PROJECT)
        self.mappings = {}
        self.known = {}
        """Mappings as super-conductors know them, of cells that have moved since, by name."""
        self.raw['api'].write(self._seed_api)
        self.nodes = {}
        for host, cell in HOSTS.items():
            self.nodes[host] = uuids.generate()
            self.clients.placement.host(self.nodes[host], host, vcpus=4, memory_mb=4096, disk_gb=40)
            self.raw[cell].write(lambda conn, host=host: objects.Service.beat(conn, host, 'nova-compute', 1))

    def _seed_api(self, conn):
        self.flavor.create(conn)
        for name, uuid in CELLS.items():
            mapping = objects.CellMapping(uuid=uuid, name=name, transport_url=f'fake://{name}',
                                          database_connection=f'sqlite:///{name}')
            mapping.create(conn)
            self.mappings[name] = mapping
        for host, cell in HOSTS.items():
            objects.HostMapping(host=host, cell_id=self.mappings[cell].id).create(conn)

    # Processes

    def restart(self, worker):
        """A new incarnation: nothing of the old one is left but its rows."""
        self.queue = collections.deque(entry for entry in self.queue if entry[0] is not worker)
        worker.engines, worker.keepers = {}, []
        for name in worker.journals:
            supers = worker.name == 'super'
            made = engine.Engine(
                journal.Journal(Watched(self.raw[name], self.script, JOURNAL, name, self.away)),
                Lease(self.raw[name], worker.name, worker.name, 0.0, supers=supers, knows=list(flow.FLOWS)),
                _Reach(self, name),
                self._handles(worker, name), _Pool(self, worker), supers=supers, pauses=(0.0,),
                after_doubt=self._after_doubt)
            made.lease.beat()
            worker.engines[name] = made
            worker.keepers.append(keeper.Keeper(made, recast=0.0, asks=(0.0,)))

    def _handles(self, worker, name):
        def make(run):
            self.script.at(run.flow.name, run.task.step, run.task.direction)
            made = worker.engines[name]
            if worker.name == 'super':
                return handle.SuperConductor(run, made, self.conf, self.clients, _Cells(self, worker),
                                             Scheduler(self))
            return handle.Conductor(run, made, self.conf, self.clients)
        return make

    def _act(self, owner, fn, *args):
        try:
            fn(*args)
        except Killed:
            if isinstance(owner, Worker):
                self.restart(owner)

    def settle(self, rounds=80, between=None):
        """Work everything off until no task is open.

        Args:
            between: called after each thing that is worked off.

        Raises:
            AssertionError: tasks that do not come to an end.
        """
        for _ in range(rounds):
            while self.queue:
                owner, fn, args = self.queue.popleft()
                self._act(owner, fn, *args)
                if between is not None:
                    between()
            if not self.open_tasks():
                return
            self._let_looks_begin()
            self._kept.ahead += ROUND
            for worker in self.workers:
                self.look_round(worker)
        left = [(task.flow, task.step, task.direction, task.status) for task in self.open_tasks()]
        raise AssertionError(f'not quiet: {left}')

    def look_round(self, worker):
        """What a worker does by the clock."""
        for made in worker.engines.values():
            made.lease.beat()
        for each in list(worker.keepers):
            self._act(worker, each.round)

    def _let_looks_begin(self):
        """What looks for late effects waits a minute, which does not go by here."""
        for name in self.raw:
            self.raw[name].write(lambda conn: conn.execute(_AT_ONCE))

    def open_tasks(self):
        return [task for name in self.raw for task in self._tasks(name, rows.OPEN + (rows.INERT,))]

    def failed_tasks(self):
        return [task for name in self.raw for task in self._tasks(name, (rows.UNDONE, rows.STUCK))]

    def _tasks(self, name, statuses):
        with self.raw[name].read() as conn:
            return [rows.from_row(row) for row in conn.execute(_of(statuses))]

    # Hosts

    def host_step(self, cell, call):
        """What an agent does with a step; a killed one forgets it, and is asked again."""
        attempts = self.attempts[call.host]
        if call.host not in self.up or call.attempt < attempts.get(call.task, 0):
            return
        attempts[call.task] = call.attempt
        step = flow.find(call.flow).step(call.step)
        self.script.at(call.flow, call.step, call.direction)
        made = HostHandle(self.context, call.task, call.attempt, call.instance, call.host, self.conf,
                          self.drivers[call.host], self.clients,
                          self.journals[call.host].of(call.instance.uuid))
        outcome, error = 'done', None
        try:
            if call.direction == 'do' and call.host in self.refusing:
                raise errors.task.Refused('told to')
            (step.do if call.direction == 'do' else step.undo)(made, call.state)
        except errors.NovaError as raised:
            verdict = step.verdict(raised) if call.direction == 'do' else raised
            refused = isinstance(verdict, errors.task.Refused)
            outcome, error = 'refused' if refused else 'failed', errors.to_dict(verdict)
        if call.host not in self.up:  # it went down meanwhile, and nobody hears of it any more
            return
        self.answer(cell, objects.StepResult(
            task=call.task, step=call.step, direction=call.direction, attempt=call.attempt, host=call.host,
            outcome=outcome, error=error, instance=call.instance, state=call.state.returned()))

    def answer(self, cell, result):
        worker = next(each for each in self.workers if each.name == cell)
        wired = objects.Record.from_wire(result.to_wire())
        self.queue.append((worker, lambda: worker.engines[cell].step_done(wired), ()))

    def lose(self, host):
        """A host goes down."""
        self.up.discard(host)

    def regain(self, host):
        """It returns, and does what it owes before anything else."""
        cell = HOSTS[host]
        self.up.add(host)
        with self.raw[cell].read() as conn:
            calls = owed.owed_by(conn, host)
        for call in calls:
            self.host_step(cell, call)
        self.count_from_here()
        worker, reach = next(each for each in self.workers if each.name == cell), _Reach(self, cell)
        reports.Reports(self.raw[cell], worker.engines[cell], reach, reach).paid(self.context, objects.HostPaid(
            host=host, steps=[objects.StepRef(task=call.task, attempt=call.attempt) for call in calls]))

    def override(self, name, value, group=None):
        """Set an option; the next world does not have it so."""
        self.conf.set_override(name, value, group)
        self._kept.overridden.append((name, group))

    # What users do

    def order(self, count=1, volumes=(), flavor=None, new=(), files=(), networks=(), **fields):
        """POST /servers, past its checks: uuids of the new servers.

        Args:
            volumes: ids of volumes to attach.
            networks: what to ask for instead of a port on the only network.
            new: sources (``image``, ``blank``) of volumes to be made; they go with their server.
            fields: of the servers' records.
        """
        servers = [users.a_server(self, index, volumes, new, networks, flavor, fields)
                   for index in range(count)]
        task = self.raw['api'].write(lambda conn: place.insert(
            conn, self.context, servers, trust=self.clients.trust.entrust(self.asking),
            files=users.injected(files), flow=flow.at(schedule.Schedule, self.release)))
        top = self.workers[0]
        self.queue.append((top, lambda: top.engines['api'].wake(task.uuid), ()))
        return [instance.uuid for instance, _ in servers]

    def running(self, **options):
        """A server that was built, with the script's counters at zero."""
        uuid, = self.order(**options)
        self.settle()
        self.count_from_here()
        return uuid

    def count_from_here(self):
        self.script.reset()

    def delete(self, uuid, kind=deletion.Delete):
        """DELETE /servers/{id}: False when there is no such server (any more)."""
        if self.raw['api'].write(lambda conn: delete_api.withdraw(conn, uuid)):
            return True
        cell = self.cell_of(uuid)
        if cell is None or self.server(uuid) is None:
            return False
        with contextlib.suppress(errors.task.Busy):
            self.begin(uuid, kind, deletion_wire.DeleteState())
        return True

    def restore(self, uuid):
        """Back from a soft delete: the project's quota has room, so the server counts before it begins."""
        self.raw['api'].write(lambda conn: objects.InstanceMapping.queue_for_delete(conn, uuid, queued=False))
        self.begin(uuid, deletion.Restore)

    def begin(self, uuid, kind, state=None):
        """An operation on a server in a cell, as the API begins it."""
        cell, kind = self.cell_of(uuid), flow.at(kind, self.release)
        task = journal.Journal(self.raw[cell]).begin(
            kind, state or kind.State(), self.context, instance_uuid=uuid,
            guard=lambda conn: objects.Instance.get(conn, (), uuid=uuid))
        worker = next((each for each in self.workers if each.name == cell), self.workers[0])
        self.queue.append((worker, lambda: worker.engines[cell].wake(task.uuid), ()))
        return task

    # What is there now

    def mapping(self, uuid):
        with self.raw['api'].read() as conn:
            return objects.InstanceMapping.find(conn, instance_uuid=uuid)

    def cell_of(self, uuid):
        mapping = self.mapping(uuid)
        return next((name for name, cell in self.mappings.items()
                     if mapping is not None and cell.id == mapping.cell_id), None)

    def server(self, uuid, **by):
        """The server's record in its cell; None when it is deleted or in no cell."""
        cell = self.cell_of(uuid)
        if cell is None:
            return None
        with self.raw[cell].read() as conn:
            return objects.Instance.find(conn, uuid=uuid, **by)

    def change(self, uuid, **values):
        """Change a server's row directly: what a case's world looks like before it begins."""
        def write(conn):
            instance = objects.Instance.get(conn, uuid=uuid)
            for name, value in values.items():
                setattr(instance, name, value)
            instance.save(conn)
        self.raw[self.cell_of(uuid)].write(write)

    def tasks_of(self, uuid):
        with self.raw[self.cell_of(uuid)].read() as conn:
            return rows.of_instance(conn, uuid)


class _Pool:
    def __init__(self, world, worker):
        self._world, self._worker = world, worker

    def background(self, fn, *args):
        self._world.queue.append((self._worker, fn, args))


class _Reach:
    """`engine.Reach` over the world's queue; what is cast is copied as a bus does."""

    def __init__(self, world, cell):
        self._world, self._cell = world, cell

    def run_step(self, ctx, call):
        wired = objects.Record.from_wire(call.to_wire())
        self._world.queue.append((None, self._world.host_step, (self._cell, wired)))

    def cancel_step(self, ctx, host, ref):
        self._world.attempts[host][ref.task] = ref.attempt + 1

    def is_up(self, host):
        return host in self._world.up

    def is_dead(self, host):
        return False

    def heard(self, host):
        return None

    def holds(self, host, task, attempt):
        return False

    def oldest(self, host=None):
        return self._world.release


class _Cells:
    """`conductor.cell_works.CellWorks`."""

    def __init__(self, world, worker):
        self._world, self._worker = world, worker
        self.api_db = world.dbs['api']

    def every(self):
        return list(self._world.mappings.values())

    def get(self, uuid, fresh=False):
        cell = next(cell for cell in self.every() if cell.uuid == uuid)
        return cell if fresh else self._world.known.get(cell.name, cell)

    def db(self, mapping):
        if mapping.database_connection != self._world.mappings[mapping.name].database_connection:
            raise db_exc.DBConnectionError
        return self._world.dbs[mapping.name]

    def share(self, mapping):
        return share.Share(1)

    def work(self, mapping):
        return types.SimpleNamespace(engine=self._worker.engines[mapping.name])


class Scheduler:
    """Hosts in order of their names, claimed one by one; alternates are the others of the same cell."""

    def __init__(self, world):
        self._world = world

    def select(self, ctx, request):
        choices, chosen = [], []
        for uuid in request.instance_uuids:
            allowed = [host for host in sorted(HOSTS) if self._allows(host, request)]
            first = next((host for host in allowed if self._claim(uuid, host, request.spec)), None)
            if first is None:
                for host_uuid in chosen:
                    self._world.clients.placement.drop(host_uuid)
                return objects.Selections(choices=[], reason='There are not enough hosts available.')
            chosen.append(uuid)
            others = [host for host in allowed if HOSTS[host] == HOSTS[first] and host != first]
            choices.append(objects.HostChoice(
                instance_uuid=uuid,
                selections=[self._selection(host, request.spec) for host in [first, *others][:3]]))
        return objects.Selections(choices=choices)

    @staticmethod
    def _allows(host, request):
        spec, cell = request.spec, CELLS[HOSTS[host]]
        asked = spec.requested_destination or objects.Destination()
        named = [*spec.force_hosts, *([asked.host] if asked.host else [])]
        return (cell not in request.ignore_cells and host not in spec.ignore_hosts
                and asked.cell in (None, cell) and (not named or host in named))

    def _amounts(self, host, spec):
        flavor, node = spec.flavor, self._world.nodes[host]
        found = {node: {'resources': {'DISK_GB': flavor.root_gb}}}
        found.setdefault(self._world.cpus_of.get(host, node), {'resources': {}})['resources'].update(
            {'VCPU': flavor.vcpus, 'MEMORY_MB': flavor.memory_mb})
        claims = [claim for claim in spec.requested_resources if 'port' in claim]
        if not claims:
            return {'allocations': found}
        agent = self._world.agents[host]
        found[agent] = {'resources': sum(map(collections.Counter, (each['resources'] for each in claims)),
                                         collections.Counter())}
        return {'allocations': found, 'mappings': {claim['suffix']: [agent] for claim in claims}}

    def _claim(self, uuid, host, spec):
        return host in self._world.up and self._world.clients.placement.claim(
            uuid, self._amounts(host, spec), spec.project_id, spec.user_id)

    def _selection(self, host, spec):
        return objects.Selection(
            compute_node_uuid=self._world.nodes[host], service_host=host, nodename=host,
            cell_uuid=CELLS[HOSTS[host]], allocation_request=jsonutil.text(self._amounts(host, spec)),
            allocation_request_version='1.39', availability_zone='nova')
