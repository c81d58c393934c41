"""Buses: what waits for a broker, where URLs come from, and that no password is told."""

import threading
import time

import oslo_messaging
import pytest

from nova import conf as nova_conf
from nova import context, errors
from nova.rpc import inproc, transport, urls
from nova.rpc import outbox as outbox_module
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

    def wait(self, ready, seconds=10):
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


def test_outbox_tries_again_what_is_to_be_kept(outbox, broker):
    broker.up = False
    outbox.put(broker.take('kept'), 30, 'test')
    outbox.put(broker.take('behind'), 0, 'test')
    broker.wait(lambda one: one.tries >= 2)
    broker.up = True
    broker.wait(lambda one: one.sent == ['kept', 'behind'])


def test_outbox_is_bounded(outbox, broker):
    """A broker that is away for long costs memory for a bounded number of messages."""
    hold, begun = threading.Event(), threading.Event()

    def stuck():
        begun.set()
        hold.wait(10)

    outbox.put(stuck, 0, 'test')
    assert begun.wait(5)
    began = time.monotonic()
    for _ in range(outbox_module.LIMIT + 50):
        outbox.put(broker.take('x'), 0, 'test')
    assert time.monotonic() - began < 5
    hold.set()
    broker.wait(lambda one: len(one.sent) == outbox_module.LIMIT - 1, 20)


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
