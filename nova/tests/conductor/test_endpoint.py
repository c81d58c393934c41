"""What arrives at a conductor is put in line; and whatever hangs there, signs of life are taken."""

import threading
import time
import types
import uuid

import pytest

from nova import conf as nova_conf
from nova import context, objects
from nova.common import metrics, threads, uuids
from nova.conductor import service
from nova.rpc import conductor as rpc_conductor
from nova.rpc import liveness as rpc_liveness
from nova.rpc import transport
from nova.tests.fixtures.waiting import PATIENCE, until

CONTEXT = context.admin()


class Engine:
    """Tasks that wait for a neighbour until let go."""

    def __init__(self):
        self.go, self.woken, self.lock = threading.Event(), [], threading.Lock()

    def wake(self, task):
        with self.lock:
            self.woken.append(task)
        self.go.wait(30)

    def step_done(self, result):
        self.go.wait(30)

    progress = step_done

    def submit(self, fn, *args):
        self.pool.background(fn, *args)


class Verbs:
    """Keeps who beats; what hosts report otherwise hangs."""

    def __init__(self, go):
        self.go, self.heard, self.changed = go, [], threading.Condition()
        self.writing, self.written = threading.Event(), []
        self.writing.set()

    def beats(self, heard):
        self.written.append(len(heard))
        with self.changed:
            self.heard += [beat.host for _, beat in heard]
            self.changed.notify_all()
        self.writing.wait(30)

    def nodes(self, context, report):
        self.go.wait(30)

    power_states = host_up = paid = nodes

    def wait(self, count, seconds=PATIENCE):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.heard) >= count, seconds), self.heard


@pytest.fixture
def engine():
    engine = Engine()
    yield engine
    engine.go.set()


@pytest.fixture
def verbs(engine):
    return Verbs(engine.go)


@pytest.fixture
def pools():
    made = types.SimpleNamespace(tasks=threads.Pool('tasks', 4, 20), reports=threads.Pool('reports', 2, 20),
                                 signs=threads.Pool('signs', 2, 100))
    yield made
    for pool in vars(made).values():
        pool.close()


@pytest.fixture
def bus(engine, verbs, pools):
    bus = transport.Bus(nova_conf.new(config_files=[]), f'inproc://{uuid.uuid4().hex}/')
    endpoint = service.Endpoint([types.SimpleNamespace(engine=engine)], verbs, None, pools.tasks, pools.reports)
    servers = [rpc_conductor.Conductor.server(bus, 'c', endpoint),
               rpc_liveness.Liveness.server(bus, 'c', service.Signs(verbs), pools.signs)]
    for server in servers:
        server.start()
    yield bus
    engine.go.set()
    for server in servers:
        server.stop()
        server.wait()
    bus.close()


def storm(bus, count=300):
    """Everything that hosts, the API and events say, many times over."""
    client = rpc_conductor.Conductor.client(bus)
    for _ in range(count):
        client.wake(CONTEXT, objects.Wake(task=uuids.generate()))
        client.step_done(CONTEXT, objects.StepResult(
            task=uuids.generate(), step='work', host='h', outcome='done'))
        client.progress(CONTEXT, objects.StepProgress(task=uuids.generate(), step='work', host='h'))
        client.power_states(CONTEXT, objects.GuestStates(host='h', states={}))
        client.nodes(CONTEXT, objects.HostNodes(host='h', nodes=[]))


def test_signs_of_life_are_taken_while_everything_else_hangs(bus, verbs):
    """Tasks that wait for a neighbour, and reports that wait for a database, hold up no beat."""
    storm(bus)
    client, began = rpc_liveness.Liveness.client(bus), time.monotonic()
    for number in range(50):
        client.beat(CONTEXT, objects.HostBeat(host=f'h{number}', binary='nova-compute', version=1,
                                              disabled=None, epoch=0, steps={}))
    verbs.wait(50)
    assert time.monotonic() - began < 5


def test_signs_that_come_while_others_are_written_are_written_together(verbs):
    """The newest of each host; none is forgotten, and one that fails keeps no later one from being written."""
    signs = service.Signs(verbs)

    def beat(host, epoch=0):
        signs.beat(CONTEXT, objects.HostBeat(
            host=host, binary='nova-compute', version=1, epoch=epoch, steps={}))
    verbs.writing.clear()
    first = threading.Thread(target=beat, args=('first',))
    first.start()
    verbs.wait(1)
    for number in range(2 * signs.MOST + 10):
        beat(f'h{number}')
        beat(f'h{number}', epoch=1)
    verbs.writing.set()
    first.join(PATIENCE)
    assert verbs.written == [1, signs.MOST, signs.MOST, 10]
    assert sorted(verbs.heard) == sorted(['first', *(f'h{number}' for number in range(2 * signs.MOST + 10))])

    written = time.monotonic()
    beat('soon')
    assert verbs.heard[-1] == 'soon' and time.monotonic() - written < 5
    broken, verbs.beats = verbs.beats, None
    with pytest.raises(TypeError):
        beat('lost')
    verbs.beats = broken
    beat('later')
    assert verbs.heard[-1] == 'later'


@pytest.fixture
def refused(pools):
    """``refused(LINE)``: how many messages for a line were refused, there or by the bus before it."""
    methods = {'tasks': ('wake', 'step_done'), 'reports': ('progress', 'power_states', 'nodes')}

    def by_bus(line):
        return sum(metrics.REGISTRY.get_sample_value('nova_refused_total', {'what': f'conductor.{method}'}) or 0
                   for method in methods[line])
    before = {line: by_bus(line) for line in methods}
    return lambda line: getattr(pools, line).refused + by_bus(line) - before[line]


def test_lines_are_bounded_and_refuse(bus, pools, engine, refused):
    """The thread that takes messages works on none of them, and what is too much is dropped and counted."""
    storm(bus)
    until(lambda: refused('tasks') >= 600 - 24 and refused('reports') >= 900 - 22)
    assert refused('tasks') == 600 - 24 and pools.tasks.depth() == 24
    assert refused('reports') == 900 - 22
    engine.go.set()
    until(lambda: not pools.tasks.depth())
    assert len(engine.woken) <= 24, 'what was refused is for the keeper'
    before = len(engine.woken)
    rpc_conductor.Conductor.client(bus).wake(CONTEXT, objects.Wake(task=uuids.generate()))
    until(lambda: len(engine.woken) > before)
