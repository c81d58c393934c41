"""A cell in one process for the tests of hosts."""

import uuid

import pytest

from nova import conf as nova_conf
from nova.compute import agent as agents
from nova.rpc import host as rpc_host
from nova.rpc import transport
from nova.tests.compute import cell
from nova.virt.fake.driver import FakeDriver


@pytest.fixture
def gates():
    cell.GATES.__init__()
    yield cell.GATES
    cell.GATES.hold.set()


@pytest.fixture
def conf(tmp_path):
    return nova_conf.new(config_files=[], **{
        'transport_url': f'inproc://{uuid.uuid4().hex}/', 'rpc_response_timeout': 2, 'report_interval': 1,
        'state_path': str(tmp_path), 'max_concurrent_builds': 2, 'compute_driver': 'fake.FakeDriver'})


@pytest.fixture
def bus(conf):
    bus = transport.Bus(conf)
    yield bus
    bus.close()


@pytest.fixture
def heard(bus):
    heard = cell.Heard()
    servers = cell.serve(bus, heard)
    yield heard
    for server in servers:
        server.stop()
        server.wait()


@pytest.fixture
def clients():
    return cell.Clients()


@pytest.fixture
def host(bus):
    """A client of host1."""
    return rpc_host.ComputeHost.client(bus, 'host1')


@pytest.fixture
def driver(tmp_path):
    return FakeDriver('host1', tmp_path / 'host1')


@pytest.fixture
def start(conf, bus, clients, tmp_path):
    started = []

    def begin(driver, **kwargs):
        agent = agents.ComputeAgent(conf, 'host1', driver, bus, clients, tmp_path / 'host1', **kwargs)
        agent.start()
        started.append(agent)
        return agent

    yield begin
    for agent in started:
        agent.stop(5)
