"""Notifications on RabbitMQ: what the broker does not take is said, and sent again; consumers find the id."""

import os
import queue
import urllib.parse
import uuid

import oslo_messaging
import pytest

from nova import conf as nova_conf
from nova import errors
from nova.rpc import notifier
from nova.tests.fixtures import tcp

pytestmark = pytest.mark.real


@pytest.fixture
def relay():
    url = os.environ.get('NOVA_TEST_RABBIT_URL')
    assert url, 'NOVA_TEST_RABBIT_URL must name a RabbitMQ server'
    broker = urllib.parse.urlsplit(url)
    made = tcp.Relay((broker.hostname, broker.port))
    made.url = f'rabbit://{broker.username}:{broker.password}@127.0.0.1:{made.port}/'
    made.direct = f'rabbit://{broker.username}:{broker.password}@{broker.hostname}:{broker.port}/'
    yield made
    made.cut()


class Ear:
    def __init__(self, url, topic, exchange):
        self.got = queue.Queue()
        conf = nova_conf.new(config_files=[], transport_url=url, control_exchange=exchange)
        self._listener = oslo_messaging.get_notification_listener(
            oslo_messaging.get_notification_transport(conf), [oslo_messaging.Target(topic=topic)], [self],
            executor='threading')
        self._listener.start()

    def info(self, ctxt, publisher_id, event_type, payload, metadata):
        self.got.put((event_type, publisher_id, payload, metadata['message_id']))

    def close(self):
        self._listener.stop()
        self._listener.wait()


def message(number):
    return {'message_id': f'id-{number}', 'publisher_id': 'nova-compute:h', 'event_type': f'instance.{number}',
            'priority': 'INFO', 'payload': {'number': number}, 'timestamp': '2026-01-01 00:00:00'}


def test_a_broker_that_is_away_is_said_and_what_was_sent_keeps_its_id(relay):
    topic, exchange = f'told-{uuid.uuid4().hex}', f'nova-{uuid.uuid4().hex}'
    conf = nova_conf.new(config_files=[], transport_url=relay.url, control_exchange=exchange, **{
        'oslo_messaging_notifications.driver': ['messagingv2'],
        'notifications.versioned_notifications_topics': [topic]})
    sender, ear = notifier.Notifier(conf), Ear(relay.direct, topic, exchange)
    try:
        sender.send(message(1))
        assert ear.got.get(timeout=20) == ('instance.1', 'nova-compute:h', {'number': 1}, 'id-1')
        relay.cut()
        with pytest.raises(errors.bus.BusAway):
            sender.send(message(2))
        relay.mend()
        sender.send(message(2))
        sender.send(message(3))
        sender.send(message(3))
        assert [ear.got.get(timeout=20)[3] for _ in range(3)] == ['id-2', 'id-3', 'id-3']
    finally:
        ear.close()
        sender.close()


def test_what_nobody_takes_yet_waits_for_who_comes(relay):
    topic, exchange = f'told-{uuid.uuid4().hex}', f'nova-{uuid.uuid4().hex}'
    conf = nova_conf.new(config_files=[], transport_url=relay.url, control_exchange=exchange, **{
        'oslo_messaging_notifications.driver': ['messagingv2'],
        'notifications.versioned_notifications_topics': [topic]})
    sender = notifier.Notifier(conf)
    for number in range(5):
        sender.send(message(number))
    sender.close()
    ear = Ear(relay.direct, topic, exchange)
    try:
        assert [ear.got.get(timeout=20)[3] for _ in range(5)] == [f'id-{number}' for number in range(5)]
    finally:
        ear.close()
