"""The bus, in one process and on RabbitMQ: delivery, answers, errors, pins, counts."""

import os
import threading
import time
import uuid

import pytest

from nova import conf as nova_conf
from nova import context, errors
from nova.common import metrics, threads
from nova.rpc import kernel, transport
from nova.tests.fixtures.waiting import until
from nova.tests.rpc.declared import Office, Parcel, Post

CONTEXT = context.RequestContext('user', 'project', roles=['member'], request_id='req-1', auth_token='s3cret')


@pytest.fixture(params=['inproc', pytest.param('rabbit', marks=pytest.mark.real)])
def url(request):
    if request.param == 'inproc':
        return f'inproc://{uuid.uuid4().hex}/'
    url = os.environ.get('NOVA_TEST_RABBIT_URL')
    assert url, 'NOVA_TEST_RABBIT_URL must name a RabbitMQ server'
    return url


in_process = pytest.mark.parametrize('url', ['inproc'], indirect=True)
"""For what only the bus in one process promises."""


@pytest.fixture
def conf(url):
    return nova_conf.new(config_files=[], transport_url=url, rpc_response_timeout=5, long_rpc_timeout=20,
                         control_exchange=f'nova-{uuid.uuid4().hex}')


@pytest.fixture
def bus(conf):
    bus = transport.Bus(conf)
    yield bus
    bus.close()


@pytest.fixture
def serve(bus):
    servers = []

    def start(name, pool=None):
        office = Office(name)
        server = Post.server(bus, name, office, pool)
        server.start()
        assert server.ready(20)
        servers.append(server)
        return office, server

    yield start
    for server in servers:
        server.stop()
        server.wait()


def test_call_answers(bus, serve):
    serve('a')
    answer = Post.client(bus).ask(CONTEXT, Parcel(text='hello', note=None))
    assert (answer.text, answer.who) == ('HELLO', 'a')


def test_context_crosses_without_token(bus, serve):
    office, _ = serve('a')
    Post.client(bus).ask(CONTEXT, Parcel(text='x', note=None))
    seen = office.contexts[0]
    assert (seen.user_id, seen.project_id, seen.roles) == ('user', 'project', ['member'])
    assert seen.request_id == 'req-1'
    assert seen.auth_token is None


def test_cast_goes_to_the_named_server(bus, serve):
    one, two = serve('one')[0], serve('two')[0]
    client = Post.client(bus, 'two')
    for number in range(3):
        client.drop(CONTEXT, Parcel(text=str(number), note=None))
    assert sorted(two.wait(3)) == ['0', '1', '2']
    assert one.got == []


def test_competing_servers_share_a_topic(bus, serve):
    one, two = serve('one')[0], serve('two')[0]
    for number in range(6):
        Post.client(bus).ask(CONTEXT, Parcel(text=str(number), note=None))
    assert (len(one.got), len(two.got)) == (3, 3)


def test_fanout_reaches_everyone(bus, serve):
    offices = [serve(name)[0] for name in ('one', 'two', 'three')]
    Post.client(bus).shout(CONTEXT, Parcel(text='all', note=None))
    for office in offices:
        assert office.wait(1) == ['all']


@in_process
def test_cast_waits_for_a_server_that_is_not_there_yet(bus, serve):
    Post.client(bus, 'late').drop(CONTEXT, Parcel(text='early', note=None))
    office, _ = serve('late')
    assert office.wait(1) == ['early']


@in_process
def test_exchanges_of_two_urls_are_apart(conf, bus, serve):
    here, _ = serve('a')
    other = transport.Bus(conf, f'inproc://{uuid.uuid4().hex}/')
    Post.client(other, 'a').drop(CONTEXT, Parcel(text='elsewhere', note=None))
    Post.client(bus, 'a').drop(CONTEXT, Parcel(text='here', note=None))
    assert here.wait(1) == ['here']
    other.close()


def test_errors_cross_as_themselves(bus, serve):
    serve('a')
    with pytest.raises(errors.server.ServerNotFound, match='there'):
        Post.client(bus).ask(CONTEXT, Parcel(text='refuse', note=None))


def test_unexpected_errors_keep_their_text_to_themselves(bus, serve):
    serve('a')
    with pytest.raises(errors.Internal) as caught:
        Post.client(bus).ask(CONTEXT, Parcel(text='crash', note=None))
    assert 'secret' not in str(caught.value)


def test_call_without_server_is_unavailable_in_time(conf, bus):
    conf.set_override('rpc_response_timeout', 1)
    began = time.monotonic()
    with pytest.raises(errors.Unavailable):
        Post.client(bus).ask(CONTEXT, Parcel(text='anyone?', note=None))
    assert 0.9 < time.monotonic() - began < 3


def test_a_call_given_up_is_never_executed(conf, bus, serve):
    conf.set_override('rpc_response_timeout', 1)
    with pytest.raises(errors.Unavailable):
        Post.client(bus).ask(CONTEXT, Parcel(text='stale', note=None))
    office, _ = serve('a')
    Post.client(bus).ask(CONTEXT, Parcel(text='fresh', note=None))
    assert office.wait(1) == ['fresh']


def test_long_call_lives_on_signs_of_life(conf, bus, serve):
    conf.set_override('rpc_response_timeout', 2)
    office, _ = serve('a')
    office.gate.clear()
    threading.Timer(3.5, office.gate.set).start()
    assert Post.client(bus).slow(CONTEXT, Parcel(text='x', note=None)).text == 'late'


def test_only_declared_methods_are_reachable(bus, serve):
    serve('a')
    with pytest.raises(AttributeError):
        Post.client(bus).secret(CONTEXT, Parcel(text='x', note=None))

    class Sneaky(kernel.Interface):
        topic = Post.topic
        secret = kernel.call(Parcel)

    with pytest.raises(errors.Unavailable, match='does not speak secret'):
        Sneaky.client(bus).secret(CONTEXT, Parcel(text='x', note=None))


def test_newer_version_is_refused_by_an_older_server(bus, serve):
    serve('a')

    class Newer(kernel.Interface):
        topic = Post.topic
        ask = kernel.call(Parcel, since='1.7')

    with pytest.raises(errors.Unavailable, match='version 1.7'):
        Newer.client(bus).ask(CONTEXT, Parcel(text='x', note=None))


def test_version_is_that_of_the_newest_method():
    assert Post.version == '1.1'


def test_pinned_client_sends_old_records(bus, serve):
    """UPG-S5: what an old server does not know is not sent to it."""
    office, _ = serve('a')
    old, new = Post.client(bus, pin='1.0'), Post.client(bus)
    old.drop(CONTEXT, Parcel(text='old', note='hidden'))
    new.drop(CONTEXT, Parcel(text='new', note='shown'))
    office.wait(2)
    parcels = {parcel.text: parcel for _, parcel in office.got}
    assert parcels['old'].note is None
    assert parcels['new'].note == 'shown'


def test_pinned_client_refuses_new_methods(conf, bus, serve):
    serve('a')
    client = Post.client(bus, pin='1.0')
    assert client.can('drop') and not client.can('later')
    with pytest.raises(errors.Unavailable, match='1.1'):
        client.later(CONTEXT, Parcel(text='x', note=None))


def test_pin_of_another_major_version_is_refused(bus):
    with pytest.raises(errors.Invalid):
        Post.client(bus, pin='2.0')
    with pytest.raises(errors.Invalid):
        Post.client(bus, pin='newest')


def test_pin_comes_from_upgrade_levels(conf, bus):
    class Conductor(kernel.Interface):
        topic = 'conductor'
        drop = kernel.cast(Parcel)
        later = kernel.cast(Parcel, since='1.3')

    assert Conductor.client(bus).can('later')
    conf.set_override('conductor', 'auto', 'upgrade_levels')
    assert Conductor.client(bus).can('later')
    conf.set_override('conductor', '1.2', 'upgrade_levels')
    assert not Conductor.client(bus).can('later')


def test_wrong_record_is_a_mistake_of_the_caller(bus):
    with pytest.raises(TypeError):
        Post.client(bus).drop(CONTEXT, {'text': 'x'})


def test_endpoint_must_have_every_method(bus):
    with pytest.raises(TypeError, match='lacks'):
        Post.server(bus, 'a', object())


def test_counting_lists_messages(bus, serve):
    office, _ = serve('a')
    Post.client(bus).drop(CONTEXT, Parcel(text='before', note=None))
    with bus.counting() as sent:
        Post.client(bus).ask(CONTEXT, Parcel(text='x', note=None))
        Post.client(bus, 'a').drop(CONTEXT, Parcel(text='y', note=None))
        Post.client(bus).shout(CONTEXT, Parcel(text='z', note=None))
    Post.client(bus).drop(CONTEXT, Parcel(text='after', note=None))
    office.wait(5)
    assert sent == [('call', Post.topic, 'ask'), ('cast', Post.topic, 'drop'), ('fanout', Post.topic, 'shout')]


def test_stop_waits_for_what_was_taken(bus, serve):
    office, server = serve('a')
    office.gate.clear()
    answers = []
    caller = threading.Thread(target=lambda: answers.append(
        Post.client(bus).slow(CONTEXT, Parcel(text='x', note=None))))
    caller.start()
    office.wait(1)
    server.stop()
    ended = threading.Event()

    def wait():
        server.wait()
        ended.set()

    threading.Thread(target=wait).start()
    assert not ended.wait(0.2)
    office.gate.set()
    assert ended.wait(5)
    caller.join(5)
    assert answers[0].text == 'late'


def test_full_server_refuses(conf, bus, serve):
    """Who calls is told at once; a cast is dropped and counted; what was taken is done."""
    pool = threads.Pool('full', 1, queue=1)
    office, _ = serve('a', pool)
    client = Post.client(bus)
    client.ask(CONTEXT, Parcel(text='first', note=None))  # calls come one at a time until a broker has answered
    before = _refused('drop')
    office.gate.clear()
    callers = [threading.Thread(target=client.slow, args=(CONTEXT, Parcel(text=text, note=None)))
               for text in ('runs', 'waits')]
    for number, caller in enumerate(callers, 1):
        caller.start()
        until(lambda number=number: pool.depth() == number)
    began = time.monotonic()
    with pytest.raises(errors.Unavailable, match='Too much waits'):
        client.ask(CONTEXT, Parcel(text='refused', note=None))
    assert time.monotonic() - began < 2
    client.drop(CONTEXT, Parcel(text='dropped', note=None))
    until(lambda: _refused('drop') == before + 1)
    office.gate.set()
    for caller in callers:
        caller.join(10)
    assert office.wait(3) == ['first', 'runs', 'waits'] and pool.refused == 2
    pool.close()


def _refused(method):
    return metrics.REGISTRY.get_sample_value('nova_refused_total', {'what': f'{Post.topic}.{method}'}) or 0


@in_process
def test_two_hundred_idle_servers_cost_no_threads(bus):
    pool = threads.Pool('shared', 4)
    before = threading.active_count()
    offices = [Office(str(number)) for number in range(200)]
    servers = [Post.server(bus, office.name, office, pool) for office in offices]
    for server in servers:
        server.start()
    client = [Post.client(bus, office.name) for office in offices]
    for one in client:
        one.drop(CONTEXT, Parcel(text='x', note=None))
    for office in offices:
        office.wait(1)
    assert threading.active_count() - before <= 4
    for server in servers:
        server.stop()
        server.wait()
    pool.close()


@in_process
def test_delivery_is_immediate(bus, serve):
    """The quickest of many: where messages were looked for now and then, each would wait for the next look."""
    serve('a')
    client, took = Post.client(bus), []
    for _ in range(50):
        began = time.monotonic()
        client.ask(CONTEXT, Parcel(text='x', note=None))
        took.append(time.monotonic() - began)
    assert min(took) < 0.02


def test_bus_without_broker(conf):
    nowhere = transport.Bus(conf, 'none:///')
    Post.client(nowhere, 'a').drop(CONTEXT, Parcel(text='x', note=None))
    with pytest.raises(errors.Unavailable):
        Post.client(nowhere, 'a').ask(CONTEXT, Parcel(text='x', note=None))
