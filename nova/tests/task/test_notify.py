"""Notifications: written down with what they tell of, sent in order, by whoever lives."""

import fnmatch
import json
import pathlib

import pytest

from nova import conf as nova_conf
from nova import errors, objects, ops, states
from nova.common import dbkit
from nova.conductor import relay
from nova.domain.notifications import events, payloads
from nova.objects import notification
from nova.objects import task as rows
from nova.objects.flavor import Flavor
from nova.task import flow, journal, notify
from nova.tests.task import world as worlds
from nova.tests.task.world import EngineState, World, effect

RECORDED = pathlib.Path(__file__).parent / 'recorded'
DOCS = pathlib.Path(__file__).parents[3] / 'doc' / 'source'
LISTENING = {'oslo_messaging_notifications.driver': ['messagingv2'],
             'notifications.notification_format': 'versioned'}


class NotifyPlain(flow.Flow[EngineState]):
    action, fails, name = 'pause', states.VM.ERROR, 'notify_plain'
    steps = (flow.Step(effect('first'), effect('unfirst'), shows=states.Task.PAUSING),
             flow.Step(effect('second')))


class NotifyQueued(flow.Flow[EngineState]):
    exclusion, name = flow.QUEUED, 'notify_queued'
    steps = (flow.Step(effect('in_turn')),)


@pytest.fixture(autouse=True)
def told_of(monkeypatch):
    monkeypatch.setitem(events.EVENTS, 'notify_plain', events.Event('instance.pause'))
    monkeypatch.setitem(events.EVENTS, 'notify_queued', events.Event('instance.reboot', fails=True))


def make(url, **options):
    made = World(url)
    conf = nova_conf.new(config_files=[], **options)
    made.db = dbkit.Database(url, server_clock=dbkit.ServerClock('sqlite'), conf=conf)
    made.journal = journal.Journal(made.db)
    made.db.write(lambda conn: _give_flavor(conn, made.instance.uuid))
    return made


def _give_flavor(conn, uuid):
    server = objects.Instance.get(conn, uuid=uuid)
    server.take_flavor(Flavor(id=1, flavorid='1', name='m1.tiny', memory_mb=512, vcpus=1, root_gb=1))
    server.save(conn)


@pytest.fixture
def world(lend):
    return make(lend('cell'), **LISTENING)


class Listener:
    """A broker that may be away, and whose sender may be killed."""

    def __init__(self, fails_after=None):
        self.got, self.away, self.fails_after = [], False, fails_after

    def send(self, message):
        if self.away:
            raise errors.bus.BusAway('away')
        self.got.append(json.loads(json.dumps(message)))
        if self.fails_after is not None and len(self.got) >= self.fails_after:
            raise KeyboardInterrupt  # the process is killed: nothing that comes after is done

    @property
    def events(self):
        return [message['event_type'] for message in self.got]


def relay_of(world, worker, sender, shards=tuple(range(rows.SHARDS))):
    return relay.Relay(world.db, worker.lease, lambda: shards, sender)


def waiting(world):
    with world.db.read() as conn:
        return [each.event_type for each in notification.waiting(conn, '', None, 1000)]


def test_an_operation_tells_that_it_began_and_ended(world):
    worker, listener = world.worker(), Listener()
    task = world.begin(NotifyPlain)
    assert waiting(world) == ['instance.pause.start']
    worker.wake(task.uuid)
    relay_of(world, worker, listener)()
    assert listener.events == ['instance.pause.start', 'instance.pause.end'] and waiting(world) == []
    start, end = listener.got
    assert start['publisher_id'] == 'nova-compute:h1' and start['priority'] == 'INFO'
    assert start['message_id'] != end['message_id']
    said = start['payload']
    assert (said['nova_object.name'], said['nova_object.version'], said['nova_object.namespace']) == (
        'InstanceActionPayload', '1.9', 'nova')
    assert 'nova_object.changes' not in said
    data = said['nova_object.data']
    assert (data['uuid'], data['task_state'], data['fault']) == (world.instance.uuid, 'pausing', None)
    assert data['flavor']['nova_object.data']['memory_mb'] == 512
    assert data['action_initiator_project'] == 'project'


def test_a_failure_is_told_with_its_reason(world):
    worker, listener = world.worker(), Listener()
    worlds.BROKEN['second'] = errors.task.StepFailed(step='second', reason='no luck')
    task = world.begin(NotifyPlain)
    worker.wake(task.uuid)
    relay_of(world, worker, listener)()
    assert listener.events == ['instance.pause.start', 'compute.exception']
    assert listener.got[-1]['priority'] == 'ERROR'
    assert 'no luck' in listener.got[-1]['payload']['nova_object.data']['exception_message']


def test_what_has_an_event_for_its_failure_uses_it(world):
    worker, listener = world.worker(), Listener()
    worlds.BROKEN['in_turn'] = errors.task.StepFailed(step='in_turn', reason='no luck')
    worker.wake(world.begin(NotifyQueued).uuid)
    relay_of(world, worker, listener)()
    assert listener.events == ['instance.reboot.start', 'instance.reboot.error']
    fault = listener.got[-1]['payload']['nova_object.data']['fault']['nova_object.data']
    assert 'no luck' in fault['exception_message']


def test_what_waits_for_its_turn_has_not_begun(world):
    first, second = world.begin(NotifyQueued), world.begin(NotifyQueued)
    assert waiting(world) == ['instance.reboot.start']
    worker = world.worker()
    worker.wake(first.uuid)
    worker.wake(second.uuid)
    assert waiting(world) == ['instance.reboot.start', 'instance.reboot.end'] * 2


def test_what_is_not_to_run_yet_has_not_begun(world):
    worker = world.worker()
    task = world.begin(NotifyPlain, status=rows.INERT)
    assert waiting(world) == []
    worker.adopt(task.uuid)
    assert waiting(world) == ['instance.pause.start', 'instance.pause.end']


def test_what_is_rolled_back_told_nothing(world):
    with pytest.raises(errors.server.ServerNotFound):
        world.journal.begin(NotifyPlain, EngineState(), world.context, instance_uuid=world.instance.uuid,
                            guard=lambda conn: objects.Instance.get(conn, uuid='gone'))
    assert waiting(world) == []


def test_changes_of_state_are_told_where_they_are_wanted(lend):
    world = make(lend('cell'), **LISTENING, **{'notifications.notify_on_state_change': 'vm_and_task_state'})
    worker, listener = world.worker(), Listener()
    worker.wake(world.begin(NotifyPlain).uuid)
    relay_of(world, worker, listener)()
    assert listener.events == [
        'instance.update', 'instance.pause.start', 'instance.update', 'instance.pause.end']
    changes = [message['payload']['nova_object.data']['state_update']['nova_object.data']
               for message in listener.got if message['event_type'] == 'instance.update']
    assert [(one['old_task_state'], one['new_task_state']) for one in changes] == [
        (None, 'pausing'), ('pausing', None)]


@pytest.mark.parametrize('options', [
    {}, {'notifications.notification_format': 'versioned'},
    {'oslo_messaging_notifications.driver': ['messagingv2']},
    {**LISTENING, 'oslo_messaging_notifications.driver': ['noop']},
], ids=['nothing', 'format', 'driver', 'noop'])
def test_where_nobody_listens_it_costs_nothing(lend, options):
    world = make(lend('cell'), **options)
    bare = World(lend('cell'))
    counts = []
    for each in (world, bare):
        with each.db.counting() as statements:
            each.worker().wake(each.begin(NotifyPlain).uuid)
        counts.append(len(statements))
        assert not [text for text in statements if 'notifications' in text]
    assert counts[0] == counts[1]


def test_what_it_costs_where_somebody_listens(world):
    """Per notification the server in four statements, the task where it begins, and the row."""
    with world.db.counting() as statements:
        world.begin(NotifyPlain)
    inserts = [text for text in statements if text.startswith('INSERT INTO notifications')]
    reads = [text for text in statements[statements.index(inserts[0]) - 5:] if text.startswith('SELECT')]
    assert len(inserts) == 1 and len(reads) <= 6


def many(world, count, subject='s', first=0):
    def write(conn):
        for number in range(first, first + count):
            notification.add(conn, notification.Notification(
                uuid=f'{subject}-{number}', subject=subject, event_type=f'{subject}.{number}', publisher_id='p',
                priority='INFO', payload={}))
    world.db.write(write)


def test_nothing_is_lost_while_the_broker_is_away(world):
    worker, listener = world.worker(), Listener()
    send = relay_of(world, worker, listener)
    many(world, 3)
    listener.away = True
    assert send() is None and send() is None
    assert waiting(world) == ['s.0', 's.1', 's.2']
    listener.away = False
    send()
    assert listener.events == ['s.0', 's.1', 's.2'] and waiting(world) == []


def test_batches_are_bounded_and_follow_at_once(world):
    worker, listener = world.worker(), Listener()
    send = relay_of(world, worker, listener)
    many(world, relay.BATCH + 5)
    assert send() == 0.0 and len(listener.got) == relay.BATCH
    assert send() is None and len(listener.got) == relay.BATCH + 5
    assert listener.events == [f's.{number}' for number in range(relay.BATCH + 5)]


def test_who_is_killed_is_followed_in_order_and_what_comes_twice_has_its_id(world, time, monkeypatch):
    """At least once: the second worker sends again what the first may have sent."""
    one, two = world.worker(), world.worker()
    killed, listener = Listener(fails_after=2), Listener()
    many(world, 4)
    # Killed by a signal no clean-up runs: neither does what the relay would do at the end of a batch.
    monkeypatch.setattr(notification, 'sent', lambda conn, done: None)
    with pytest.raises(KeyboardInterrupt):
        relay_of(world, one, killed)()
    monkeypatch.undo()
    world.introduce(one, two)
    follow = relay_of(world, two, listener)
    assert follow() is None and listener.got == [], 'the first one may still be sending'
    for _ in range(4):
        time.go(worlds.BEAT)
        two.lease.beat()
    follow()
    assert listener.events == ['s.0', 's.1', 's.2', 's.3']
    assert [message['message_id'] for message in killed.got] == ['s-0', 's-1']
    assert [message['message_id'] for message in listener.got] == ['s-0', 's-1', 's-2', 's-3']


def test_a_subject_is_sent_by_one_at_a_time(world):
    """When shards change hands, what the one before has begun it finishes."""
    one, two = world.worker(), world.worker()
    world.introduce(one, two)
    away, listener = Listener(), Listener()
    away.away = True
    many(world, 2, 'a')
    relay_of(world, one, away)()  # has its name on them, and waits for the broker
    many(world, 1, 'a', first=2)
    many(world, 1, 'b')
    second = relay_of(world, two, listener)
    second()
    assert listener.events == ['b.0']
    away.away = False
    relay_of(world, one, away, shards=())()
    assert away.events == ['a.0', 'a.1']
    second()
    assert listener.events == ['b.0', 'a.2']


def test_every_operation_that_clients_see_tells():
    ops.load()
    seen = {made.name for made in flow.FLOWS.values()
            if made.action and not made.__module__.startswith('nova.tests')}
    assert seen - set(events.EVENTS) - events.SILENT == set()


def test_events_are_those_that_are_published():
    """Each is either told, or is not for a reason that operators can read."""
    published = set(json.loads((RECORDED / 'events.json').read_text()))
    told, untold = events.told(), set()
    for name in events.UNTOLD:
        matching = {one for one in published if fnmatch.fnmatch(one, name)}
        assert matching, f'{name} is not published'
        untold |= matching
    assert told | untold == published, (published - told - untold, told - published)
    assert told & untold == set()
    page = (DOCS / 'admin' / 'notifications.rst').read_text()
    assert [name for name in events.UNTOLD if f'``{name.removesuffix(".*")}``' not in page] == []


def test_no_host_for_a_new_server_is_told(world):
    world.db.write(lambda conn: notify.of_unplaced(conn, world.instance.uuid, {
        'code': 500, 'message': 'No valid host was found.', 'type': 'no_valid_host'}))
    listener = Listener()
    relay_of(world, world.worker(), listener)()
    (message,) = listener.got
    assert (message['event_type'], message['priority']) == ('compute_task.build_instances.error', 'ERROR')
    assert message['publisher_id'].startswith('nova-conductor:')
    data = message['payload']['nova_object.data']
    assert (data['instance_uuid'], data['state']) == (world.instance.uuid, 'error')
    assert data['reason']['nova_object.data']['exception_message'] == 'No valid host was found.'


def test_steps_that_tell_are_steps():
    ops.load()
    there = {(made.name, step.name) for made in flow.FLOWS.values() for step in made.steps}
    assert {key[:2] for key in events.STEPS} <= there


def test_steps_tell_of_themselves(world, monkeypatch):
    monkeypatch.setitem(events.EVENTS, 'notify_plain', events.Event('instance.resize', fails=True, phases=()))
    monkeypatch.setitem(events.STEPS, ('notify_plain', 'second', 'do'), events.Event('instance.resize_finish'))
    monkeypatch.setitem(
        events.STEPS, ('notify_plain', 'first', 'undo'), events.Event('instance.resize_revert'))
    worker = world.worker()
    worker.wake(world.begin(NotifyPlain).uuid)
    assert waiting(world) == ['instance.resize_finish.start', 'instance.resize_finish.end']
    worlds.BROKEN['second'] = errors.task.StepFailed(step='second', reason='no luck')
    worker.wake(world.begin(NotifyPlain).uuid)
    assert waiting(world)[2:] == [
        'instance.resize_finish.start', 'instance.resize_revert.start', 'instance.resize_revert.end',
        'instance.resize.error']


def test_payloads_are_those_that_are_published():
    """Names, versions and fields as other services read them (upstream's published payloads)."""
    published = json.loads((RECORDED / 'payloads.json').read_text())
    for kind in all_below(payloads.Payload):
        version, names = published[kind.__name__]
        assert (kind.VERSION, sorted(kind.fields)) == (version, sorted(names)), kind.__name__


def all_below(kind):
    for each in kind.__subclasses__():
        yield each
        yield from all_below(each)
