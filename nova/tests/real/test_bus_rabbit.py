"""The bus on RabbitMQ: what is promised about a broker that is away; the rest is in nova/tests/rpc."""

import os
import threading
import time
import urllib.parse
import uuid

import pytest

from nova import conf as nova_conf
from nova import context, errors
from nova.common import threads
from nova.rpc import transport
from nova.tests.fixtures import tcp
from nova.tests.rpc.declared import Office, Parcel, Post

pytestmark = pytest.mark.real

CONTEXT = context.RequestContext('user', 'project', roles=['member'], auth_token='s3cret')


@pytest.fixture
def broker():
    """The URL of the broker under test."""
    url = os.environ.get('NOVA_TEST_RABBIT_URL')
    assert url, 'NOVA_TEST_RABBIT_URL must name a RabbitMQ server'
    return urllib.parse.urlsplit(url)


@pytest.fixture
def relay(broker):
    relay = tcp.Relay((broker.hostname, broker.port))
    yield relay
    relay.cut()


@pytest.fixture
def conf(broker, relay):
    netloc = f'{broker.username}:{broker.password}@127.0.0.1:{relay.port}'
    return nova_conf.new(config_files=[], transport_url=f'rabbit://{netloc}/', rpc_response_timeout=5,
                         long_rpc_timeout=20, control_exchange=f'nova-{uuid.uuid4().hex}')


@pytest.fixture
def bus(conf):
    bus = transport.Bus(conf)
    yield bus
    bus.close(2)


@pytest.fixture
def serve(conf):
    started = []

    def start(name):
        bus, office = transport.Bus(conf, name=f'bus of {name}'), Office(name)
        server = Post.server(bus, name, office)
        server.start()
        assert server.ready(20)
        started.append((server, bus))
        return office, server

    yield start
    for server, bus in started:
        server.stop()
        server.wait()
        bus.close(1)


def parcel(text, note=None):
    return Parcel(text=text, note=note)


def test_call_cast_and_fanout(bus, serve):
    one, two = serve('one')[0], serve('two')[0]
    answer = Post.client(bus, 'one').ask(CONTEXT, parcel('hello'))
    assert (answer.text, answer.who) == ('HELLO', 'one')
    Post.client(bus, 'two').drop(CONTEXT, parcel('cast'))
    assert two.wait(1) == ['cast']
    Post.client(bus).shout(CONTEXT, parcel('all'))
    assert one.wait(2)[-1] == 'all' and two.wait(2)[-1] == 'all'
    assert one.contexts[0].user_id == 'user' and one.contexts[0].auth_token is None


def test_casts_keep_their_order(bus, conf, serve):
    conf.set_override('executor_thread_pool_size', 1)
    office, _ = serve('a')
    texts = [str(number) for number in range(30)]
    for text in texts:
        Post.client(bus, 'a').drop(CONTEXT, parcel(text))
    assert office.wait(30) == texts


def test_broker_down_from_the_start(bus, conf, relay, caplog):
    """A cast neither hangs nor raises; a call fails when its time is over; no text tells the password."""
    relay.cut()
    conf.set_override('rpc_response_timeout', 2)
    client = Post.client(bus, 'a')
    began = time.monotonic()
    for _ in range(20):
        client.drop(CONTEXT, parcel('x'))
    assert time.monotonic() - began < 0.5
    began = time.monotonic()
    with pytest.raises(errors.Unavailable):
        client.ask(CONTEXT, parcel('x'))
    assert time.monotonic() - began < 4
    password = urllib.parse.urlsplit(conf.transport_url).password
    assert password not in caplog.text and password not in repr(bus) + repr(client)


def _held_by_calls():
    return [thread.name for thread in threading.enumerate() if thread.name.startswith('call-')]


@pytest.mark.parametrize('before', ['the first call', 'after a call'])
def test_broker_that_accepts_and_says_nothing(before, bus, conf, relay, serve):
    """Every call ends in its time, and a thread is held by at most one of them, not by each."""
    serve('a')
    client = Post.client(bus, 'a')
    if before == 'after a call':
        assert client.ask(CONTEXT, parcel('before')).text == 'BEFORE'
    relay.hold()
    conf.set_override('rpc_response_timeout', 2)
    began = time.monotonic()
    client.drop(CONTEXT, parcel('x'))
    assert time.monotonic() - began < 0.5
    for _ in range(4):
        began = time.monotonic()
        with pytest.raises(errors.Unavailable):
            client.ask(CONTEXT, parcel('x'))
        assert time.monotonic() - began < 4
    assert len(_held_by_calls()) <= 2, "one that is held, and one that rests"
    relay.release()
    conf.set_override('rpc_response_timeout', 30)
    assert client.ask(CONTEXT, parcel('after')).text == 'AFTER'


def test_service_starts_before_its_broker(conf, bus, relay):
    """A service whose broker is away neither ends nor blocks; it is served when the broker is there."""
    relay.cut()
    office = Office('a')
    server_bus = transport.Bus(conf)
    server = Post.server(server_bus, 'a', office)
    began = time.monotonic()
    server.start()
    assert time.monotonic() - began < 0.5
    assert not server.ready(1)
    assert server_bus.health(), 'it says what does not work'
    relay.mend()
    assert server.ready(20)
    assert server_bus.health() is None
    assert Post.client(bus, 'a').ask(CONTEXT, parcel('x')).who == 'a'
    server.stop()
    server.wait()
    server_bus.close(1)


def test_broker_that_comes_back(bus, conf, relay, serve):
    """After an outage calls and casts work again; a cast worth keeping is delivered late."""
    office, _ = serve('a')
    client = Post.client(bus, 'a')
    assert client.ask(CONTEXT, parcel('before')).text == 'BEFORE'
    relay.cut()
    client.keep(CONTEXT, parcel('kept'))
    conf.set_override('rpc_response_timeout', 2)
    began = time.monotonic()
    with pytest.raises(errors.Unavailable):
        client.ask(CONTEXT, parcel('during'))
    assert time.monotonic() - began < 5
    relay.mend()
    conf.set_override('rpc_response_timeout', 30)
    assert client.ask(CONTEXT, parcel('after')).text == 'AFTER'
    end = time.monotonic() + 20
    while 'kept' not in office.wait(1) and time.monotonic() < end:
        office.wait(len(office.got) + 1, 20)
    assert 'kept' in [one.text for _, one in office.got]


def test_a_cast_that_is_kept_waits_for_who_listens_later(bus, serve):
    """As for the queue of a host that has not found the broker again."""
    Post.client(bus, 'late').keep(CONTEXT, parcel('kept'))
    time.sleep(2)  # as long as servers pause between two looks at the broker
    office, _ = serve('late')
    office.wait(1, 10)
    assert [one.text for _, one in office.got] == ['kept']


def test_a_broker_that_was_away_for_long_is_soon_found_again(bus, conf, relay, serve):
    """TSK-S3: however long it was away; servers look every two seconds, and say so to who calls."""
    serve('a')
    client = Post.client(bus, 'a')
    assert client.ask(CONTEXT, parcel('before')).text == 'BEFORE'
    relay.cut()
    time.sleep(20)  # pauses that grew with each try would be longer than what is allowed below
    relay.mend()
    began = time.monotonic()
    conf.set_override('rpc_response_timeout', 30)
    assert client.ask(CONTEXT, parcel('after')).text == 'AFTER'
    assert time.monotonic() - began < 6


def test_shared_pool(conf, bus):
    pool = threads.Pool('shared', 2)
    server_bus = transport.Bus(conf)
    offices = [Office(f'host{number}') for number in range(5)]
    servers = [Post.server(server_bus, office.name, office, pool) for office in offices]
    for server in servers:
        server.start()
    for office, server in zip(offices, servers, strict=True):
        assert server.ready(20)
        Post.client(bus, office.name).drop(CONTEXT, parcel(office.name))
    for office in offices:
        assert office.wait(1) == [office.name]
    for server in servers:
        server.stop()
        server.wait()
    pool.close()
    server_bus.close(1)
