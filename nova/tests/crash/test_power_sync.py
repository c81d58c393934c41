"""What hosts report of their guests' power, however late the report comes."""

import pytest

from nova import objects
from nova.conductor import power_sync
from nova.states import VM, Power
from nova.tests.simulation import cases, invariants


@pytest.fixture
def world(new_world):
    return new_world()


def report(world, uuid, power, host=None):
    """A report reaches the conductor of the server's cell, and what follows is done."""
    server, cell = world.server(uuid), world.cell_of(uuid)
    worker = next(each for each in world.workers if each.name == cell)
    states = objects.GuestStates(host=host or server.host, states={uuid: int(power)})
    power_sync.sync(worker.engines[cell], world.context, states)
    world.settle()
    return world.server(uuid)


def guest(world, uuid, power=None):
    """What the guest does; with `power`, it comes to that by itself."""
    driver = world.drivers[world.server(uuid).host]
    if power is not None:
        driver.set_power(uuid, power)
    return driver.guests()[uuid]


def sync_tasks(world, uuid):
    return [task.flow for task in world.tasks_of(uuid) if task.flow.startswith('sync')]


def test_a_report_that_is_late_stops_nothing(world):
    """The guest was off when the report was made; it was started before the report was read."""
    uuid = world.running()
    server = report(world, uuid, Power.SHUTDOWN)
    assert guest(world, uuid) == Power.RUNNING
    assert (server.vm_state, server.power_state, server.task_state) == (VM.ACTIVE, Power.RUNNING, None)


@pytest.mark.parametrize('power', [Power.PAUSED, Power.NOSTATE])
def test_a_report_that_is_late_changes_no_record(world, power):
    uuid = world.running()
    server = report(world, uuid, power)
    assert (server.vm_state, server.power_state) == (VM.ACTIVE, Power.RUNNING)
    assert sync_tasks(world, uuid) == ['sync_power'], 'asked again, which users do not see'
    invariants.check(world)


def test_what_started_late_is_left_alone_when_stopped_is_meant(world):
    """The other way round: a stopped server's guest was seen running, and is off by now."""
    uuid = world.running()
    cases.put(world, uuid, VM.STOPPED)
    server = report(world, uuid, Power.RUNNING)
    assert (server.vm_state, server.power_state, guest(world, uuid)) == (
        VM.STOPPED, Power.SHUTDOWN, Power.SHUTDOWN)


@pytest.mark.parametrize(('vm', 'power'), [
    (VM.ACTIVE, Power.SHUTDOWN), (VM.ACTIVE, Power.CRASHED), (VM.STOPPED, Power.RUNNING),
    (VM.PAUSED, Power.SHUTDOWN)])
def test_a_server_whose_guest_went_its_own_way_is_stopped(world, vm, power):
    uuid = world.running()
    cases.put(world, uuid, vm)
    guest(world, uuid, power)
    server = report(world, uuid, power)
    assert (server.vm_state, server.power_state, server.task_state) == (VM.STOPPED, Power.SHUTDOWN, None)
    assert guest(world, uuid) == Power.SHUTDOWN
    assert [task.action for task in world.tasks_of(uuid) if task.flow == 'sync_stop'] == ['stop']


def test_a_record_follows_its_guest(world):
    uuid = world.running()
    guest(world, uuid, Power.PAUSED)
    server = report(world, uuid, Power.PAUSED)
    assert (server.vm_state, server.power_state) == (VM.ACTIVE, Power.PAUSED)


def test_nothing_is_asked_where_all_agree_or_somebody_is_at_it(world):
    uuid = world.running()
    report(world, uuid, Power.RUNNING)
    report(world, uuid, Power.SHUTDOWN, host='elsewhere')
    world.change(uuid, task_state='rebooting')
    report(world, uuid, Power.SHUTDOWN)
    assert sync_tasks(world, uuid) == []


def test_who_waits_for_a_server_looks_at_it_when_it_is_free(world):
    """It was deleted for later meanwhile, and stays so: seed 2002 of ``tools/simulate --rounds 10``."""
    uuid = cases.starts()['sync_late'](world)
    world.script.do(1, 'before', lambda: world.change(uuid, vm_state=str(VM.SOFT_DELETED)))
    world.settle()
    assert world.server(uuid).vm_state == VM.SOFT_DELETED
