"""Pools are bounded, refuse what is too much, and say so."""

import threading

import prometheus_client
import pytest

from nova.common import metrics, threads


@pytest.fixture
def gate():
    gate = threading.Event()
    yield gate
    gate.set()


def test_a_full_pool_refuses(gate):
    pool = threads.Pool('bounded-test', 2, queue=1)
    for _ in range(3):
        pool.submit(gate.wait, 10)
    with pytest.raises(threads.Full):
        pool.submit(gate.wait, 10)
    assert pool.background(gate.wait, 10) is False
    told = prometheus_client.generate_latest(metrics.REGISTRY).decode()
    assert 'nova_pool_refused_total{pool="bounded-test"} 2.0' in told
    assert 'nova_pool_calls{pool="bounded-test"} 3.0' in told
    assert 'nova_pool_threads{pool="bounded-test"} 2.0' in told
    gate.set()
    pool.close()
    assert 'bounded-test' not in prometheus_client.generate_latest(metrics.REGISTRY).decode()


def test_there_is_room_again_when_calls_have_ended(gate):
    pool = threads.Pool('bounded-test', 1, queue=0)
    running = pool.submit(gate.wait, 10)
    assert pool.background(print) is False
    gate.set()
    running.result(10)
    done = threading.Event()
    while not pool.background(done.set):
        threading.Event().wait(0.01)
    assert done.wait(10)
    pool.close()
