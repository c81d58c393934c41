"""nova-compute as a process on RabbitMQ: it dies in the middle of a step and its next incarnation ends it."""

import json
import os
import signal
import subprocess
import sys
import urllib.parse
import uuid

import pytest

from nova import conf as nova_conf
from nova import objects, ops
from nova.rpc import host as rpc_host
from nova.rpc import transport
from nova.states import Power
from nova.tests.compute import cell
from nova.virt.fake.driver import FakeDriver

pytestmark = pytest.mark.real


@pytest.fixture
def file(tmp_path):
    url = os.environ.get('NOVA_TEST_RABBIT_URL')
    assert url, 'NOVA_TEST_RABBIT_URL must name a RabbitMQ server'
    file = tmp_path / 'nova.conf'
    # Nobody answers for the neighbours: a host does not need them to run such a step.
    sections = {'DEFAULT': {
        'transport_url': url, 'control_exchange': f'nova-{uuid.uuid4().hex}', 'host': 'host1',
        'state_path': tmp_path, 'compute_driver': 'fake.FakeDriver', 'report_interval': 1,
        'log_file': tmp_path / 'log', 'debug': True}}
    for name in ('placement', 'neutron', 'cinder', 'glance'):
        sections[name] = {'auth_type': 'none', 'endpoint_override': 'http://127.0.0.1:9'}
    file.write_text('\n'.join(f'[{name}]\n' + '\n'.join(f'{key} = {value}' for key, value in body.items())
                              for name, body in sections.items()))
    return file


@pytest.fixture
def bus(file):
    bus = transport.Bus(nova_conf.new(config_files=[str(file)]))
    yield bus
    bus.close(2)


@pytest.fixture
def heard(bus):
    heard = cell.Heard()
    servers = cell.serve(bus, heard)
    assert all(server.ready(20) for server in servers)
    yield heard
    for server in servers:
        server.stop()
        server.wait()


@pytest.fixture
def start(file):
    running = []

    def begin():
        process = subprocess.Popen([sys.executable, '-W', 'ignore', '-m', 'nova.cmd.compute',
                                    '--config-file', str(file)])
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        process.wait()


def test_step_survives_the_death_of_its_host(bus, heard, start, tmp_path):
    """TSK-S2: the process dies after the effect and before the answer."""
    ops.load()
    state_dir = tmp_path / 'compute' / 'host1'
    instance = cell.server_of()
    FakeDriver('host1', state_dir).spawn(cell.Handle(instance))
    fault = {'power_off': {'do': 'die', 'when': 'after', 'times': 1}}
    (state_dir / 'faults.json').write_text(json.dumps(fault))
    first = start()
    assert heard.wait('ups', 1, 30)[0].guests == [instance.uuid]
    heard.wait('beats', 1, 30)  # before it has joined, it takes no step
    call = objects.StepCall(
        task=str(uuid.uuid4()), flow='stop', flow_version='1.0', step='power_off', attempt=1, direction='do',
        host='host1', instance=instance, state=objects.State())
    rpc_host.ComputeHost.client(bus, 'host1').run_step(cell.CONTEXT, call)
    assert first.wait(30) == 9
    assert heard.results == []
    heard.orders = objects.HostOrders(open_steps=[call], evict=[])
    second = start()
    result = heard.wait('results', 1, 30)[0]
    assert (result.outcome, result.instance.power_state) == ('done', Power.SHUTDOWN)
    assert FakeDriver('host1', state_dir).guests() == {instance.uuid: Power.SHUTDOWN}
    heard.wait('beats', len(heard.beats) + 1, 30)
    second.send_signal(signal.SIGTERM)
    assert second.wait(30) == 0
    text = (tmp_path / 'log').read_text()
    password = urllib.parse.urlsplit(os.environ['NOVA_TEST_RABBIT_URL']).password
    assert 'rabbit://' not in text and password not in text
