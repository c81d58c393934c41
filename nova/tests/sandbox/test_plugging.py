"""Ports that are plugged some time after they were bound, and what Compute is told of it."""

import json
import pathlib
import queue
from collections.abc import Iterator
from typing import Any

import httpx
import openstack
import pytest

from nova.sandbox.app import Server
from nova.tests.fixtures.sandbox import Running, running_sandbox

SERVER = '11111111-1111-1111-1111-111111111111'


@pytest.fixture
def told() -> Iterator[tuple[str, queue.Queue[Any]]]:
    """A Compute API that notes what it is told."""
    heard: queue.Queue[Any] = queue.Queue()

    def compute(environ: Any, start_response: Any) -> list[bytes]:
        body = environ['wsgi.input'].read(int(environ['CONTENT_LENGTH']))
        heard.put((environ['PATH_INFO'], environ['HTTP_X_AUTH_TOKEN'], json.loads(body)['events']))
        start_response('200 OK', [('Content-Type', 'application/json')])
        return [b'{}']
    server = Server(compute).start()
    yield server.url, heard
    server.stop()


@pytest.fixture
def sandbox(tmp_path: pathlib.Path, told: Any) -> Iterator[Running]:
    with running_sandbox(tmp_path, services={'compute': told[0]}) as running:
        yield running


def script(sandbox: Running, code: int = 204, **how: Any) -> None:
    assert httpx.put(f'{sandbox.url}/sandbox/plugging', json=how).status_code == code


def bound(sandbox: Running, host: str = 'host1') -> tuple[Any, Any]:
    nova = openstack.connect(**sandbox.cloud('nova'))
    return nova.network, nova.network.create_port(
        network_id=sandbox.made.networks['private'], device_id=SERVER, device_owner='compute:nova',
        binding_host_id=host)


def test_a_port_is_plugged_later_and_compute_is_told(sandbox: Running, told: Any) -> None:
    script(sandbox, delay=0.1, token='secret')
    nova, port = bound(sandbox)
    assert port.status == 'DOWN'
    assert nova.update_port(port, name='named').status == 'DOWN'
    path, token, events = told[1].get(timeout=10)
    assert (path, token) == ('/v2.1/os-server-external-events', 'secret')
    assert events == [{'name': 'network-vif-plugged', 'server_uuid': SERVER, 'tag': port.id,
                       'status': 'completed'}]
    assert nova.get_port(port.id).status == 'ACTIVE'
    assert nova.update_port(port, name='again').status == 'ACTIVE'
    assert 'secret' not in repr(sandbox.sandbox.plugging.script)


def test_compute_is_told_of_floating_addresses(sandbox: Running, told: Any) -> None:
    """As the user that Neutron's own configuration names for it; of ports of servers alone, and of changes."""
    _, port = bound(sandbox)
    admin = openstack.connect(**sandbox.cloud('admin')).network
    changed = [{'name': 'network-changed', 'server_uuid': SERVER, 'tag': port.id}]
    floating = admin.create_ip(floating_network_id=sandbox.made.networks['public'])
    admin.update_ip(floating, description='mine')
    assert told[1].empty()
    for port_id in (port.id, None, port.id):
        admin.update_ip(floating, port_id=port_id)
        assert told[1].get(timeout=10)[2] == changed
    admin.delete_ip(floating)
    _, token, events = told[1].get(timeout=10)
    assert events == changed
    who = sandbox.sandbox.directory.token(token)
    assert who is not None and (who['user']['name'], who['project']['name']) == ('nova', 'service')


def test_a_port_that_moves_is_plugged_again(sandbox: Running, told: Any) -> None:
    script(sandbox, token='secret')
    nova, port = bound(sandbox)
    told[1].get(timeout=10)
    assert nova.update_port(port, binding_host_id='host2').status == 'DOWN'
    assert told[1].get(timeout=10)[2][0]['tag'] == port.id


def test_either_half_can_be_lost(sandbox: Running, told: Any) -> None:
    script(sandbox, plugs=False, token='secret', status='failed')
    nova, port = bound(sandbox)
    assert told[1].get(timeout=10)[2][0]['status'] == 'failed'
    assert nova.get_port(port.id).status == 'DOWN'
    assert httpx.delete(f'{sandbox.url}/sandbox/plugging').status_code == 204
    assert bound(sandbox)[1].status == 'ACTIVE'
    assert told[1].empty()


def test_what_is_no_script_is_refused(sandbox: Running) -> None:
    script(sandbox, 400, delay='soon')
    script(sandbox, 400, soon=True)
