"""Buses: what waits for a broker, where URLs come from, and that no password is told."""

import threading
import time
from unittest import mock

import oslo_messaging
import pytest
from oslo_messaging._drivers import impl_rabbit

from nova import conf as nova_conf
from nova import context, errors
from nova.common import metrics
from nova.rpc import conductor as rpc_conductor
from nova.rpc import host as rpc_host
from nova.rpc import inproc, questions, transport, urls
from nova.rpc import outbox as outbox_module
from nova.tests.fixtures.waiting import PATIENCE, until
from nova.tests.rpc.declared import Office, Parcel, Post

CONTEXT = context.RequestContext('user', 'project')


class Broker:
    """Takes messages while it is `up`."""

    def __init__(self):
        self.up, self.sent, self.tries = True, [], 0
        self.changed = threading.Condition()

    def take(self, text):
        def send():
            with self.changed:
                self.tries += 1
                self.changed.notify_all()
                if not self.up:
                    raise oslo_messaging.MessageDeliveryFailure('away')
                self.sent.append(text)
        return send

    def wait(self, ready, seconds=PATIENCE):
        with self.changed:
            assert self.changed.wait_for(lambda: ready(self), seconds), (self.sent, self.tries)


@pytest.fixture
def broker():
    return Broker()


@pytest.fixture
def outbox():
    outbox = outbox_module.Outbox('test')
    yield outbox
    outbox.close(1)


def test_outbox_keeps_the_order(outbox, broker):
    texts = [str(number) for number in range(100)]
    for text in texts:
        outbox.put(broker.take(text), 0, 'test')
    broker.wait(lambda one: len(one.sent) == 100)
    assert broker.sent == texts


def test_outbox_drops_what_is_not_to_be_kept(outbox, broker):
    broker.up = False
    outbox.put(broker.take('lost'), 0, 'test')
    broker.wait(lambda one: one.tries == 1)
    broker.up = True
    outbox.put(broker.take('next'), 0, 'test')
    broker.wait(lambda one: one.sent == ['next'])


def test_outbox_knows_whether_its_broker_takes_messages(outbox, broker):
    broker.up = False
    outbox.put(broker.take('kept'), 30, 'test')
    broker.wait(lambda one: one.tries >= 2)
    assert outbox.failing
    broker.up = True
    outbox.put(broker.take('next'), 0, 'test')
    outbox.close(5)
    assert broker.sent == ['kept', 'next'] and not outbox.failing


def test_outbox_does_not_hold_against_its_broker_what_nobody_sends_any_more(outbox, broker, monkeypatch):
    """A kind that is sent now and then was lost with the last message; the process is well without another."""
    monkeypatch.setattr(outbox_module, 'IDLE', 0.2)
    broker.up = False
    outbox.put(broker.take('lost'), 0, 'now and then')
    until(lambda: outbox.failing)
    broker.up = True
    until(lambda: not outbox.failing, told=lambda: 'it counts as failing for ever')
    assert broker.sent == []


def test_outbox_tries_again_what_is_to_be_kept(outbox, broker):
    broker.up = False
    outbox.put(broker.take('kept'), 30, 'test')
    outbox.put(broker.take('behind'), 0, 'test')
    broker.wait(lambda one: one.tries >= 2)
    broker.up = True
    broker.wait(lambda one: one.sent == ['kept', 'behind'])


class Stuck:
    """A message in whose sending the broker's library stays."""

    def __init__(self):
        self.begun, self.hold = threading.Event(), threading.Event()

    def __call__(self):
        self.begun.set()
        self.hold.wait(30)


@pytest.fixture
def stuck(outbox):
    stuck = Stuck()
    outbox.put(stuck, 0, 'test')
    assert stuck.begun.wait(5)
    yield stuck
    stuck.hold.set()


def test_full_outbox_drops_the_oldest(outbox, broker, stuck):
    """A broker that is away for long costs memory for a bounded number of messages: the newest."""
    before = _dropped('test')
    began = time.monotonic()
    for number in range(outbox_module.LIMIT + 50):
        outbox.put(broker.take(number), 0, 'test')
    assert time.monotonic() - began < 5
    assert outbox.depths() == {'test': outbox_module.LIMIT}
    stuck.hold.set()
    broker.wait(lambda one: len(one.sent) == outbox_module.LIMIT, 20)
    assert broker.sent[0] == 50 and broker.sent[-1] == outbox_module.LIMIT + 49
    assert _dropped('test') - before == 50


def test_one_kind_of_message_holds_up_no_other(outbox, broker, stuck):
    """Neither one that hangs, nor one that is tried again and again."""
    def refused():
        raise oslo_messaging.MessageDeliveryFailure('not this one')
    outbox.put(refused, 60, 'conductor.step_done')
    began = time.monotonic()
    outbox.put(broker.take('beat'), 0, 'liveness.beat')
    broker.wait(lambda one: one.sent == ['beat'])
    assert time.monotonic() - began < 0.5


def test_stale_messages_are_not_sent(outbox, broker, stuck, monkeypatch):
    """A sign of life that was held up for a minute says nothing about now."""
    monkeypatch.setattr(outbox_module, 'STALE', 0.1)
    outbox.put(broker.take('old'), 0, 'test')
    outbox.put(broker.take('kept'), 30, 'test')
    threading.Event().wait(0.2)
    outbox.put(broker.take('new'), 0, 'test')
    stuck.hold.set()
    broker.wait(lambda one: one.sent == ['kept', 'new'])


def test_a_lane_without_messages_has_no_thread(outbox, broker, monkeypatch):
    monkeypatch.setattr(outbox_module, 'IDLE', 0.1)
    for _ in range(2):
        outbox.put(broker.take('x'), 0, 'idle-lane')
        end = time.monotonic() + 5
        while any('idle-lane' in thread.name for thread in threading.enumerate()) and time.monotonic() < end:
            threading.Event().wait(0.02)
    assert broker.sent == ['x', 'x'] and time.monotonic() < end


def _dropped(what):
    return metrics.REGISTRY.get_sample_value('nova_rpc_dropped_total', {'what': what}) or 0


@pytest.mark.parametrize('url', ['inproc://encode/', 'rabbit://nobody@127.0.0.1:9/'])
@pytest.mark.parametrize('method', ['drop', 'ask'])
def test_what_cannot_be_encoded_fails_where_it_is_said(url, method):
    bus = transport.Bus(nova_conf.new(config_files=[], transport_url=url, rpc_response_timeout=1))
    parcel = Parcel(text='x', note=None)
    # Whatever the field lets through, a message cannot.
    target = oslo_messaging.Target(topic=Post.topic, server='a')
    args = {'speaks': '1.0', 'record': {**parcel.to_wire(), 'more': threading.Lock()}}
    with pytest.raises(errors.Internal, match=f'{method} cannot be put into a message'):
        if method == 'drop':
            bus.cast(target, CONTEXT.to_dict(), method, args, keep=60)
        else:
            bus.call(target, CONTEXT.to_dict(), method, args, 1)
    assert bus.health() is None or 'does not take' not in bus.health()
    bus.close(0)


def test_closing_sends_what_waits(broker):
    outbox = outbox_module.Outbox('test')
    for number in range(20):
        outbox.put(broker.take(number), 0, 'test')
    outbox.close(5)
    assert len(broker.sent) == 20
    outbox.put(broker.take('late'), 0, 'test')
    assert len(broker.sent) == 20


def test_closing_does_not_wait_for_ever(broker):
    outbox = outbox_module.Outbox('test')
    broker.up = False
    outbox.put(broker.take('kept'), 3600, 'test')
    broker.wait(lambda one: one.tries == 1)
    began = time.monotonic()
    outbox.close(0.5)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(('template', 'url'), [
    ('rabbit://a:b@c/', 'rabbit://a:b@c/'),
    ('rabbit://{username}:{password}@cell1:{port}/{path}?{query}', 'rabbit://me:pw@cell1:5673/vhost?ssl=1'),
    ('{scheme}://{username}:{password}@{hostname}/x', 'rabbit://me:pw@one/x'),
    ('rabbit://{username1}@h1,{username2}@h2/', 'rabbit://me@h1,you@h2/'),
])
def test_cell_urls_are_filled_in(template, url):
    own = 'rabbit://me:pw@one:5673,you:pw2@two:5674/vhost?ssl=1'
    assert urls.fill(template, own) == url


def test_template_that_cannot_be_filled():
    with pytest.raises(errors.Invalid, match='nonsense'):
        urls.fill('rabbit://{nonsense}@x/', 'rabbit://me:pw@one/')
    with pytest.raises(errors.Invalid):
        urls.fill('rabbit://{username}@x/', None)


def test_buses_are_made_once():
    conf = nova_conf.new(config_files=[], transport_url='inproc://top/')
    buses = transport.Buses(conf)
    assert buses.top is buses.own
    assert buses.cell('inproc://cell1/') is buses.cell('inproc://cell1/')
    assert buses.cell('inproc://cell1/') is not buses.cell('inproc://cell2/')
    buses.close()


def test_counting_over_all_buses():
    buses = transport.Buses(nova_conf.new(config_files=[], transport_url='inproc://top-count/'))
    with buses.counting() as sent:
        Post.client(buses.top, 'a').drop(CONTEXT, Parcel(text='x', note=None))
        Post.client(buses.cell('inproc://cell-count/'), 'a').shout(CONTEXT, Parcel(text='x', note=None))
    assert sent == [('cast', Post.topic, 'drop'), ('fanout', Post.topic, 'shout')]
    buses.close()


@pytest.mark.parametrize('url', ['rabbit://user:s3cret@[broken/', 'nonsense://user:s3cret@host/', 's3cret'])
def test_unusable_urls_are_not_told(url, caplog):
    bus = transport.Bus(nova_conf.new(config_files=[]), url, 'bus of cell 1')
    client = Post.client(bus)
    client.drop(CONTEXT, Parcel(text='x', note=None))
    with pytest.raises(errors.Unavailable) as caught:
        client.ask(CONTEXT, Parcel(text='x', note=None))
    assert 's3cret' not in str(caught.value) + repr(bus) + caplog.text
    assert 'bus of cell 1' in str(caught.value)


def test_messages_for_nobody_are_bounded():
    conf = nova_conf.new(config_files=[], transport_url='inproc://bounded/')
    bus, office = transport.Bus(conf), Office('a')
    for number in range(inproc.BACKLOG + 10):
        Post.client(bus, 'a').drop(CONTEXT, Parcel(text=str(number), note=None))
    server = Post.server(bus, 'a', office)
    server.start()
    texts = office.wait(inproc.BACKLOG)
    assert '9' not in texts and '10' in texts
    server.stop()
    server.wait()
    bus.close()


def test_exchange_ends_with_its_last_user():
    conf = nova_conf.new(config_files=[], transport_url='inproc://ends/')
    first = transport.Bus(conf)
    Post.client(first, 'a').drop(CONTEXT, Parcel(text='x', note=None))
    first.close()
    office, second = Office('a'), transport.Bus(conf)
    server = Post.server(second, 'a', office)
    server.start()
    Post.client(second, 'a').drop(CONTEXT, Parcel(text='y', note=None))
    assert office.wait(1) == ['y']
    server.stop()
    server.wait()
    second.close()


class Declared:
    """A connection that keeps what is declared on it."""

    def __init__(self, conf, url, purpose, retry=None):
        self.queues = QUEUES

    def declare_topic_consumer(self, exchange_name, topic, callback=None, queue_name=None):
        self.queues.append(queue_name or topic)

    def declare_fanout_consumer(self, topic, callback):
        self.queues.append(f'{topic}_fanout')

    def consume(self, timeout=None):
        time.sleep(0.01)

    def stop_consuming(self):
        pass

    def close(self):
        pass


QUEUES: list[str] = []


@pytest.mark.parametrize(('interface', 'queues'), [
    (rpc_host.ComputeHost, ['compute.h']), (questions.Questions, ['compute-questions.h']),
    (rpc_conductor.Conductor, ['conductor', 'conductor.h', 'conductor_fanout'])])
def test_who_is_addressed_by_name_has_one_queue(monkeypatch, interface, queues):
    """Ten thousand hosts are ten thousand queues of each kind, and no consumer of a queue that nobody uses."""
    monkeypatch.setattr(impl_rabbit, 'Connection', Declared)
    QUEUES.clear()
    bus = transport.Bus(nova_conf.new(config_files=[]), 'rabbit://nobody@127.0.0.1:9/')
    server = interface.server(bus, 'h', mock.Mock())
    server.start()
    assert server.ready(PATIENCE) and queues == QUEUES
    server.stop()
    server.wait()
    bus.close()
