"""What stands around a host under test: a conductor that writes down what it hears, a placement, a flow."""

import threading
import uuid

from nova import context, errors, objects, release
from nova.clients import fake
from nova.compute import handle, servers
from nova.objects import fields
from nova.rpc import conductor as rpc_conductor
from nova.rpc import liveness as rpc_liveness
from nova.states import Signal
from nova.task import flow
from nova.tests.fixtures.waiting import PATIENCE

CONTEXT = context.RequestContext('user', 'project', request_id='req-5')


class Heard:
    """A conductor that keeps what hosts say."""

    def __init__(self):
        self.changed = threading.Condition()
        self.results, self.beats, self.ups, self.powers, self.percents = [], [], [], [], []
        self.nodes_of, self.payments = [], []
        self.release = release.CURRENT
        self.orders = objects.HostOrders(open_steps=[], evict=[])
        self.away = False

    def _keep(self, where, what):
        with self.changed:
            where.append(what)
            self.changed.notify_all()

    def wake(self, context, wake):
        raise AssertionError('hosts wake nobody')

    def step_done(self, context, result):
        self._keep(self.results, result)

    def progress(self, context, progress):
        self._keep(self.percents, progress)

    def host_up(self, context, report):
        if self.away:
            raise errors.Unavailable('no host is taken up')
        self._keep(self.ups, report)
        self.orders.conductors = self.release.service
        return self.orders

    def beat(self, context, report):
        self._keep(self.beats, report)

    def paid(self, context, report):
        self._keep(self.payments, report)

    def nodes(self, context, report):
        self._keep(self.nodes_of, report)

    def power_states(self, context, states):
        self._keep(self.powers, states)

    def wait(self, what, count=1, seconds=PATIENCE):
        heard = getattr(self, what)
        with self.changed:
            assert self.changed.wait_for(lambda: len(heard) >= count, seconds), f'{what}: {heard}'
        return heard


def serve(bus, heard):
    """Have a conductor hear what hosts say, signs of life included; its servers, started."""
    servers = [interface.server(bus, 'conductor1', heard)
               for interface in (rpc_conductor.Conductor, rpc_liveness.Liveness)]
    for server in servers:
        server.start()
    return servers


class Placement:
    """Keeps the trees it is told; fails while `error` is set."""

    def __init__(self):
        self.trees, self.error, self.calls = {}, None, 0

    def report(self, tree):
        self.calls += 1
        if self.error is not None:
            raise self.error
        self.trees[tree.root.name] = tree


class Clients:
    def __init__(self):
        self.placement = Placement()


class Gates:
    """What steps of the test flow do: wait at `hold`, raise `error`, and note that they ran."""

    def __init__(self):
        self.ran = []
        self.hold, self.over = threading.Event(), threading.Event()
        self.hold.set()
        self.error = None
        self.leaves = None
        self.entered = threading.Semaphore(0)
        self.running, self.most = 0, 0
        self.lock = threading.Lock()


GATES = Gates()


class WorkState(objects.State):
    passing = ('lent',)

    note: str | None = None
    lent: fields.Secret | None = None


def work(h, state):
    """Step of the test flow."""
    with GATES.lock:
        GATES.ran.append(('do', h.instance.uuid, h.attempt))
        GATES.running += 1
        GATES.most = max(GATES.most, GATES.running)
    GATES.entered.release()
    try:
        while not GATES.hold.wait(0.02):
            if h.cancelled.is_set():
                break
        if GATES.error is not None:
            raise GATES.error
        h.instance.power_state = 1
        h.instance.numa_topology = GATES.leaves
        state.note = 'worked'
    finally:
        with GATES.lock:
            GATES.running -= 1


def unwork(h, state):
    """Its undo."""
    GATES.ran.append(('undo', h.instance.uuid, h.attempt))


def spawn(h, state):
    """Of which a host runs only so many at once."""
    work(h, state)


def report_slowly(h, state):
    """Reports progress for a while."""
    for percent in range(0, 100, 5):
        h.progress(percent)
        h.cancelled.wait(0.15)


def copy_memory(h, state):
    """Copies until it is told to complete or to end, and says how much is left."""
    left = 100
    while Signal.FORCE_COMPLETE not in h.signals:
        if Signal.ABORT in h.signals or GATES.over.is_set() or h.cancelled.wait(0.02):
            raise errors.task.Cancelled(task=h.task)
        left -= 1
        h.progress(objects.MigrationProgress(percent=100 - left, memory_total=100, memory_remaining=left))
    state.note = 'forced'


class HostCopy(flow.Flow[WorkState]):
    name = 'test-host-copy'
    Progress = objects.MigrationProgress
    steps = (flow.Step(copy_memory, at='host', limit='max_concurrent_live_migrations',
                       signals=(Signal.ABORT, Signal.FORCE_COMPLETE)),)


class HostWork(flow.Flow[WorkState]):
    name = 'test-host-work'
    steps = (flow.Step(work, undo=unwork, at='host'),
             flow.Step(spawn, at='host', limit='max_concurrent_builds'),
             flow.Step(report_slowly, at='host'))


class HostLook(flow.Flow[WorkState]):
    """Runs beside anything."""

    name = 'test-host-look'
    exclusion = flow.SHARING
    steps = (flow.Step(work, at='host'),)


def server_of(**values):
    """A server record as conductors send it."""
    instance = objects.Instance.new(**{'project_id': 'project', 'user_id': 'user', 'host': 'host1', **values})
    instance.clean()
    return instance


def call_of(instance, attempt=1, task=None, step='work', direction='do', flow='test-host-work', version='1.0'):
    return objects.StepCall(
        task=task or str(uuid.uuid4()), flow=flow, flow_version=version, step=step, direction=direction,
        attempt=attempt, host='host1', instance=instance, state=WorkState(note=None))


def hosting(conf, driver, clients=None):
    """What the handles of host1 have in common."""
    return handle.Hosting(conf, 'host1', driver, clients or Clients(), servers.ServerJournals())


class Handle:
    """A handle with an instance, and with a journal that is its own unless one is given."""

    def __init__(self, instance, journals=None, clients=None, conf=None):
        self.instance, self.task, self.host, self.conf = instance, 'task', 'host1', conf
        self.clients = clients or fake.build()
        self.context = CONTEXT
        self.cancelled = threading.Event()
        self.journal = (journals or servers.ServerJournals()).of(instance.uuid)
        self.percents, self.signals = [], set()

    def progress(self, percent):
        self.percents.append(percent)
