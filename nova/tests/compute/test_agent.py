"""A host: what it says about itself, and what it does when its neighbours are away, or it was away itself."""

import json
import threading
import time

import pytest

from nova import errors, objects, version
from nova.common import health
from nova.compute import agent as agents
from nova.compute import inventory, recovery
from nova.domain import provider_tree
from nova.states import Power
from nova.tests.compute import cell
from nova.tests.fixtures.waiting import PATIENCE, until
from nova.virt.fake.driver import FakeDriver


def test_host_tells_that_it_is_up_and_beats(heard, start, driver):
    agent = start(driver)
    up = heard.wait('ups')[0]
    assert (up.host, up.binary, up.version) == ('host1', 'nova-compute', version.SERVICE_VERSION)
    assert up.nodes[0].hypervisor_hostname == 'host1' and up.nodes[0].vcpus == 64
    assert agent.wait_joined(5) and health.reasons(agent.checks()) == {}
    beat = heard.wait('beats', 2)[0]
    assert beat.host == 'host1'


def test_nodes_are_told_only_when_they_changed(heard, start, driver, conf):
    conf.set_override('update_resources_interval', 600)
    start(driver)
    heard.wait('nodes_of')  # once more after the inventory was reported, since a message may be lost
    heard.wait('beats', len(heard.beats) + 2)
    assert [told.nodes[0].vcpus_used for told in heard.nodes_of] == [0]
    driver.spawn(cell.Handle(cell.server_of(vcpus=4, memory_mb=512)))
    assert heard.wait('nodes_of', 2)[1].nodes[0].vcpus_used == 4


def test_nodes_that_are_as_they_were_are_told_again_seldom(heard, start, driver, clients, conf):
    """A message may have been lost; ten thousand hosts that say everything each minute are a load."""
    conf.set_override('update_resources_interval', 1)
    start(driver)
    heard.wait('nodes_of')
    calls = clients.placement.calls
    until(lambda: clients.placement.calls >= calls + 3)
    heard.wait('beats', len(heard.beats) + 2)
    assert len(heard.nodes_of) == 1
    driver.spawn(cell.Handle(cell.server_of(vcpus=4, memory_mb=512)))
    heard.wait('nodes_of', 2)


def test_nodes_are_told_again_when_that_is_due(heard, start, driver, conf, monkeypatch):
    monkeypatch.setattr(agents, 'RETELL', 0.5)
    conf.set_override('update_resources_interval', 1)
    start(driver)
    heard.wait('nodes_of', 3)
    assert [told.nodes[0].vcpus_used for told in heard.nodes_of[:3]] == [0, 0, 0]


def test_inventory_reaches_placement(heard, start, driver, clients, conf):
    """CLM-S3: what the host itself needs is reserved."""
    conf.set_override('reserved_host_memory_mb', 1024)
    conf.set_override('cpu_allocation_ratio', 8.0)
    start(driver)
    until(lambda: 'host1' in clients.placement.trees)
    root = clients.placement.trees['host1'].root
    assert root.uuid == provider_tree.uuid_of('host1', 'host1')
    assert root.inventory['VCPU'] == {'total': 64, 'reserved': 0, 'min_unit': 1, 'max_unit': 64, 'step_size': 1,
                                      'allocation_ratio': 8.0}
    assert root.inventory['MEMORY_MB']['reserved'] == 1024
    assert {'COMPUTE_NODE', 'COMPUTE_VOLUME_MULTI_ATTACH', 'COMPUTE_IMAGE_TYPE_QCOW2'} <= root.traits


def _disabled_in(clients, seconds=PATIENCE):
    """Wait for the next tree that Placement is told: whether it says that the host is disabled."""
    end = time.monotonic() + seconds
    seen = clients.placement.calls
    while clients.placement.calls == seen and time.monotonic() < end:
        threading.Event().wait(0.02)
    return inventory.DISABLED in clients.placement.trees['host1'].root.traits


def test_disabled_host_is_so_in_placement(heard, start, driver, clients, host):
    """Known from the start, since the conductor said so; then as it is told."""
    heard.orders = objects.HostOrders(open_steps=[], evict=[], disabled=True)
    start(driver)
    assert _disabled_in(clients)
    assert heard.ups[0].disabled is None and heard.wait('beats')[0].disabled is True
    host.set_status(cell.CONTEXT, objects.HostStatus(disabled=False))
    assert not _disabled_in(clients)
    host.set_status(cell.CONTEXT, objects.HostStatus(disabled=True))
    assert _disabled_in(clients)
    heard.wait('beats', len(heard.beats) + 2)
    assert heard.beats[-1].disabled is True


def test_host_without_a_conductor_leaves_its_trait_alone(start, driver, clients, monkeypatch, request):
    monkeypatch.setattr(agents, 'JOIN_FIRST', 0.0)
    start(driver)
    assert not _disabled_in(clients)
    root = clients.placement.trees['host1'].root
    assert root.kept_traits == {inventory.DISABLED} and root.inventory['VCPU']
    # Who answers at last, so that nobody has to wait for the host to give up asking.
    request.getfixturevalue('heard')


def test_placement_away_at_the_start(heard, start, driver, clients):
    clients.placement.error = errors.Unavailable('Placement is away')
    agent = start(driver)
    assert agent.wait_joined(5)
    clients.placement.error = None
    until(lambda: 'host1' in clients.placement.trees)


def test_no_conductor_at_the_start(bus, conf, start, driver):
    """A host that nobody answers goes on asking; it is up when a conductor is."""
    agent = start(driver)
    assert not agent.wait_joined(0.5)
    assert health.reasons(agent.checks()) == {'conductor': 'no conductor has answered yet'}
    late = cell.Heard()
    servers = cell.serve(bus, late)
    assert agent.wait_joined(25)
    for server in servers:
        server.stop()
        server.wait()


def test_returning_host_runs_what_it_owes(heard, start, driver, gates):
    """TSK-S2: a step that was cast while the host was away is run when it comes back."""
    call = cell.call_of(cell.server_of())
    heard.orders = objects.HostOrders(open_steps=[call], evict=[])
    start(driver)
    result = heard.wait('results')[0]
    assert (result.task, result.outcome) == (call.task, 'done')


def test_killed_host_runs_again_what_it_had_begun(heard, start, driver, gates, host):
    """TSK-S2: kill -9 in the middle of a step; the next incarnation runs the same attempt once more."""
    first = start(driver)
    assert first.wait_joined(PATIENCE)
    call = cell.call_of(cell.server_of())
    gates.hold.clear()
    host.run_step(cell.CONTEXT, call)
    assert gates.entered.acquire(timeout=5)
    first.kill()
    gates.hold.set()
    heard.orders = objects.HostOrders(open_steps=[call], evict=[])
    start(driver)
    result = heard.wait('results')[0]
    assert result.outcome == 'done'
    assert gates.ran == [('do', call.instance.uuid, 1)] * 2
    assert len(heard.results) == 1


def test_killed_host_answers_again_what_it_had_done(heard, start, driver, gates, host):
    first = start(driver)
    assert first.wait_joined(PATIENCE)
    call = cell.call_of(cell.server_of())
    host.run_step(cell.CONTEXT, call)
    heard.wait('results')
    first.kill()
    heard.orders = objects.HostOrders(open_steps=[call], evict=[])
    start(driver)
    heard.wait('results', 2)
    assert gates.ran == [('do', call.instance.uuid, 1)]
    assert heard.results[1].instance.power_state == 1 and heard.results[1].state.note == 'worked'


def test_guests_outlive_the_agent(heard, start, tmp_path):
    driver = FakeDriver('host1', tmp_path / 'host1')
    instance = cell.server_of()
    driver.spawn(cell.Handle(instance))
    start(FakeDriver('host1', tmp_path / 'host1'))
    assert heard.wait('ups')[0].guests == [instance.uuid]


def test_guest_of_a_deleted_server_is_removed(heard, start, driver):
    """EVA-S1: a guest goes on a record's word only."""
    kept, gone = cell.server_of(), cell.server_of()
    for instance in (kept, gone):
        driver.spawn(cell.Handle(instance))
    heard.orders = objects.HostOrders(open_steps=[], evict=[gone.uuid])
    assert start(driver).wait_joined(5)
    assert set(driver.guests()) == {kept.uuid}


@pytest.mark.parametrize('failures', [1, recovery.TRIES])
def test_one_that_cannot_be_removed_yet_is_tried_again_before_the_host_takes_servers(
        heard, start, driver, monkeypatch, failures):
    """A hypervisor may fail once; for ever it keeps no host away."""
    monkeypatch.setattr(agents, 'BACKOFF', (0.0,))
    gone, tries, real = cell.server_of(), [], driver.destroy
    driver.spawn(cell.Handle(gone))

    def destroy(h):
        tries.append(h)
        if len(tries) <= failures:
            raise errors.virt.DriverFailed(reason='told to fail')
        real(h)
    monkeypatch.setattr(driver, 'destroy', destroy)
    heard.orders = objects.HostOrders(open_steps=[], evict=[gone.uuid])
    assert start(driver).wait_joined(5)
    stays = failures == recovery.TRIES
    assert len(tries) == (failures if stays else failures + 1)
    assert list(driver.guests()) == ([gone.uuid] if stays else [])


def test_power_states_are_reported(heard, start, driver):
    instance = cell.server_of()
    driver.spawn(cell.Handle(instance))
    agent = start(driver)
    assert heard.wait('powers')[0].states == {instance.uuid: Power.RUNNING}
    driver.set_power(instance.uuid, Power.CRASHED)
    agent.sync_power()
    assert heard.wait('powers', 2)[1].states == {instance.uuid: Power.CRASHED}


def test_power_of_a_busy_server_is_not_reported(heard, start, driver, gates, host):
    idle, busy = cell.server_of(), cell.server_of()
    for instance in (idle, busy):
        driver.spawn(cell.Handle(instance))
    agent = start(driver)
    heard.wait('powers')
    gates.hold.clear()
    host.run_step(cell.CONTEXT, cell.call_of(busy))
    assert gates.entered.acquire(timeout=5)
    agent.sync_power()
    assert set(heard.wait('powers', 2)[1].states) == {idle.uuid}


@pytest.mark.parametrize('wanted', [True, False])
def test_guests_are_resumed_after_a_boot_of_the_host(conf, tmp_path, driver, wanted):
    conf.set_override('resume_guests_state_on_host_boot', wanted)
    ran, stopped = cell.server_of(), cell.server_of()
    for instance in (ran, stopped):
        driver.spawn(cell.Handle(instance))
    driver.power_off(cell.Handle(stopped))
    boot = tmp_path / 'boot_id'
    boot.write_text('first')
    powers = recovery.Powers(tmp_path, boot)
    powers.note(driver.guests())
    hosting = cell.hosting(conf, driver)
    driver.set_power(ran.uuid, Power.SHUTDOWN)
    assert recovery.resume_guests(hosting, powers, set()) == []
    boot.write_text('second')
    assert recovery.resume_guests(hosting, powers, set()) == ([ran.uuid] if wanted else [])
    assert driver.state(cell.Handle(ran)) == (Power.RUNNING if wanted else Power.SHUTDOWN)
    assert driver.state(cell.Handle(stopped)) == Power.SHUTDOWN


def test_graceful_stop_answers_what_runs(heard, start, driver, gates, host):
    agent = start(driver)
    assert agent.wait_joined(PATIENCE)
    gates.hold.clear()
    host.run_step(cell.CONTEXT, cell.call_of(cell.server_of()))
    assert gates.entered.acquire(timeout=5)
    threading.Timer(0.3, gates.hold.set).start()
    agent.stop(10)
    assert heard.wait('results')[0].outcome == 'done'


def test_two_hundred_hosts_are_cheap(conf, bus, clients, heard, tmp_path):
    """200 hosts in a process share a few threads, and all of them work."""
    conf.set_override('report_interval', 10)
    before = threading.active_count()
    farm = agents.ComputeFarm(size=16)
    for number in range(200):
        name = f'host{number}'
        farm.add(conf, name, FakeDriver(name), bus, clients, tmp_path / name)
    began = time.monotonic()
    farm.start()
    heard.wait('ups', 200, 30)
    assert all(agent.wait_joined(10) for agent in farm.agents)
    assert time.monotonic() - began < 20
    assert threading.active_count() - before < 40
    farm.stop(5)
    assert {report.host for report in heard.ups} == {f'host{number}' for number in range(200)}


def test_faults_from_outside_the_process(tmp_path):
    driver = FakeDriver('host1', tmp_path)
    (tmp_path / 'faults.json').write_text(json.dumps({'spawn': {'do': 'refuse', 'times': 1}}))
    instance = cell.server_of()
    with pytest.raises(errors.task.Refused):
        driver.spawn(cell.Handle(instance))
    driver.spawn(cell.Handle(instance))
    assert driver.state(cell.Handle(instance)) == Power.RUNNING
