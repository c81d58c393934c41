"""A journal on a real database, with workers and flows of its own; hosts are a list of what was cast."""

from nova import context, errors, objects, release, states
from nova.common import dbkit
from nova.objects import task as rows
from nova.task import engine, flow, journal, keeper, lease

BEAT = 10.0
"""Seconds; a worker is sure of itself for twice as long."""
LOG: list[str] = []
BROKEN: dict[str, Exception] = {}
"""Raised once by the step of this name."""
AWAY: set[str] = set()
"""Steps whose neighbour is away."""


class Away(errors.Unavailable):
    again = True
    template = 'The neighbour is away'


def effect(name):
    def function(h, state):
        LOG.append(name)
        state.seen = [*state.seen, name]
        if name in BROKEN:
            raise BROKEN.pop(name)
        if name in AWAY:
            raise Away
    function.__name__ = name
    return function


class EngineState(objects.State):

    seen: list[str] = []


class EngineLocal(flow.Flow[EngineState]):
    action, ends = 'local', states.VM.PAUSED
    steps = (flow.Step(effect('one'), effect('un_one'), shows=states.Task.PAUSING),
             flow.Step(effect('two'), effect('un_two')))


class EngineHosted(flow.Flow[EngineState]):
    action, fails = 'hosted', states.VM.ERROR
    steps = (flow.Step(effect('pick'), effect('unpick'), choice=True),
             flow.Step(effect('spawn'), effect('destroy'), at='host', shows=states.Task.SPAWNING))


class EngineCommitted(flow.Flow[EngineState]):
    steps = (flow.Step(effect('commit'), pivot=True), flow.Step(effect('tidy')))


class EngineSuper(flow.Flow[EngineState]):
    steps = (flow.Step(effect('above'), at='super'), flow.Step(effect('below')))


class EngineDelete(flow.Flow[EngineState]):
    exclusion, ends = flow.PREEMPTING, states.VM.DELETED
    steps = (flow.Step(effect('erase'), shows=states.Task.DELETING),)


class Hosts:
    def __init__(self):
        self.calls, self.cancelled, self.up, self.named = [], [], True, set()
        self.sign, self.dead = None, False

    def run_step(self, ctx, call):
        self.calls.append(call)

    def cancel_step(self, ctx, host, ref):
        self.cancelled.append((host, ref.task))

    def is_up(self, host):
        return self.up

    def is_dead(self, host):
        return self.dead

    def heard(self, host):
        return self.sign

    def holds(self, host, task, attempt):
        return (task, attempt) in self.named

    def oldest(self, host=None):
        return release.CURRENT


class Handle:
    def __init__(self, run, engine):
        self.run, self.engine = run, engine

    def cancel_holder(self):
        return self.engine.cancel_holder(self.run.task.instance_uuid, self.run.instance)


class Inline:
    """A pool that runs what it gets at once."""

    def background(self, fn, *args):
        fn(*args)
        return True


class Looks:
    """A worker's keeper; it asks as often as it comes round, unless told otherwise."""

    def __init__(self, worker, **options):
        self.worker, self.keeper = worker, keeper.Keeper(worker, **{'asks': (0.0,), **options})

    def round(self, times=1):
        for _ in range(times):
            self.worker.lease.beat()
            self.keeper.round()


class World:
    def __init__(self, url):
        LOG.clear()
        BROKEN.clear()
        AWAY.clear()
        # Time is this process's, so that a test can have it pass.
        self.db = dbkit.Database(url, server_clock=dbkit.ServerClock('sqlite'))
        self.hosts = Hosts()
        self.context = context.RequestContext('user', 'project')
        self.instance = objects.Instance.new(
            project_id='project', user_id='user', display_name='s', vm_state='active', host='h1')
        self.db.write(self.instance.copy().create)
        self.journal = journal.Journal(self.db)

    def worker(self, supers=False, pool=None, knows=None, pauses=(0.0,), handle=Handle, after_doubt=None):
        """A worker; it is dead once others have looked three times, every `BEAT` seconds, without a beat of its
        own."""
        own = lease.Lease(self.db, 'test', 'test', BEAT, 3, supers=supers,
                          knows=list(flow.FLOWS) if knows is None else knows)
        made = engine.Engine(self.journal, own, self.hosts, lambda run: handle(run, made), pool or Inline(),
                             supers=supers, pauses=pauses, after_doubt=after_doubt)
        return made

    def introduce(self, *workers):
        """Have workers know of one another, so that each cares for its part only."""
        for _ in range(2):
            for worker in workers:
                worker.lease.beat()

    def begin(self, flow_class, **options):
        return self.journal.begin(
            flow_class, EngineState(), self.context, instance_uuid=self.instance.uuid,
            guard=lambda conn: objects.Instance.get(conn, uuid=self.instance.uuid), **options)

    def task(self, task):
        with self.db.read() as conn:
            return rows.get(conn, task.uuid)

    def server(self):
        with self.db.read() as conn:
            return objects.Instance.get(conn, uuid=self.instance.uuid, deleted=None)

    def answer(self, worker, outcome='done', error=None, call=None, **learnt):
        call = call or self.hosts.calls[-1]
        record = call.instance.copy()
        record.clean()
        for name, value in learnt.items():
            setattr(record, name, value)
        worker.step_done(objects.StepResult(
            task=call.task, step=call.step, direction=call.direction, attempt=call.attempt, host=call.host,
            outcome=outcome, error=error, instance=record, state=call.state))
