"""The fake hypervisor: as strict and as repeatable as the protocols say."""

import dataclasses
import inspect
import json
import pathlib
import subprocess
import sys
import threading

import os_traits
import pytest

from nova import conf as nova_conf
from nova import errors, objects
from nova.states import Power
from nova.tests.compute.cell import Handle, server_of
from nova.tests.fixtures.waiting import until
from nova.virt import driver as drivers
from nova.virt import loader
from nova.virt.fake.driver import FakeDriver, Size
from nova.virt.fake.shelf import Shelf


@pytest.fixture
def driver():
    return FakeDriver('host1')


@pytest.fixture
def running(driver):
    handle = Handle(server_of(vcpus=2, memory_mb=512, root_gb=10))
    driver.spawn(handle)
    return handle


def test_fake_has_every_method_of_the_protocols():
    for name, method in inspect.getmembers(drivers.Driver, inspect.isfunction):
        if not name.startswith('_'):
            wanted = list(inspect.signature(method).parameters)
            assert list(inspect.signature(getattr(FakeDriver, name)).parameters) == wanted, name


def test_capabilities_are_standard_traits():
    every = drivers.Capabilities(**{
        name: True for name in drivers.Capabilities.__slots__ if name != 'image_types'},
        image_types=FakeDriver.capabilities.image_types)
    assert every.traits() <= set(os_traits.get_traits())
    assert len(every.traits()) == len(drivers.Capabilities.__slots__) - 1 + len(every.image_types)
    assert drivers.Capabilities().traits() == set()


def test_spawn_of_a_running_guest_changes_nothing(driver, running):
    driver.spawn(running)
    assert driver.guest(running).spawned == 1


def test_spawn_of_a_stopped_guest_makes_it_anew(driver, running):
    driver.power_off(running)
    driver.spawn(running)
    assert (driver.state(running), driver.guest(running).spawned) == (Power.RUNNING, 2)


def test_a_guest_may_begin_paused(driver, running):
    driver.destroy(running)
    for _ in range(2):
        driver.spawn(running, paused=True)
        assert (driver.state(running), driver.guest(running).spawned) == (Power.PAUSED, 1)
    driver.unpause(running)
    driver.spawn(running, paused=True)
    assert driver.state(running) == Power.RUNNING


def test_spawn_stops_when_cancelled(driver):
    handle = Handle(server_of())
    handle.cancelled.set()
    with pytest.raises(errors.task.Cancelled):
        driver.spawn(handle)
    assert driver.guests() == {}


def test_destroy_of_nothing_is_done(driver, running):
    driver.destroy(running)
    driver.destroy(running)
    assert driver.state(running) is None


@pytest.mark.parametrize(('methods', 'power'), [
    (['power_off'], Power.SHUTDOWN), (['power_off', 'power_off', 'power_on'], Power.RUNNING),
    (['pause', 'pause'], Power.PAUSED), (['pause', 'unpause', 'unpause'], Power.RUNNING),
    (['suspend', 'suspend'], Power.SUSPENDED), (['suspend', 'resume', 'resume'], Power.RUNNING),
])
def test_power_is_repeatable(driver, running, methods, power):
    for method in methods:
        getattr(driver, method)(running)
    assert driver.state(running) == power


def test_strictness(driver, running):
    driver.power_off(running)
    for method in (driver.pause, driver.suspend, driver.crash_dump):
        with pytest.raises(errors.virt.DriverFailed):
            method(running)
    with pytest.raises(errors.virt.DriverFailed):
        driver.reboot(running, 'SOFT')
    driver.reboot(running, 'HARD')
    assert driver.state(running) == Power.RUNNING
    with pytest.raises(errors.virt.GuestNotFound):
        driver.power_on(Handle(server_of()))


def test_hard_reboot_builds_a_lost_guest(driver, running):
    driver.destroy(running)
    driver.reboot(running, 'HARD')
    assert driver.state(running) == Power.RUNNING


def test_volumes_and_interfaces(driver, running):
    device = objects.BlockDeviceMapping(volume_id='volume', destination_type='volume')
    vif = objects.VIF(id='port', network=objects.Network(id='net'))
    for _ in range(2):
        driver.connect_volume(running, device, {})
        driver.attach_volume(running, device)
        driver.attach_interface(running, vif)
    assert (driver.guest(running).volumes, driver.guest(running).interfaces) == (['volume'], ['port'])
    assert driver.connected == {'volume': {running.instance.uuid}}
    driver.extend_volume(running, device, 5)
    for _ in range(2):
        driver.detach_volume(running, device)
        driver.disconnect_volume(running, device)
        driver.detach_interface(running, vif)
    assert (driver.guest(running).volumes, driver.guest(running).interfaces) == ([], [])
    with pytest.raises(errors.virt.DriverFailed):
        driver.extend_volume(running, device, 5)


def test_files_of_volumes_come_and_go_while_a_guest_is_off(driver, running):
    device = objects.BlockDeviceMapping(volume_id='volume', destination_type='volume')
    merge = {'file_to_merge': None, 'merge_target_file': None}
    with pytest.raises(errors.virt.DriverFailed, match='not attached'):
        driver.delete_volume_snapshot(running, device, merge)
    driver.connect_volume(running, device, {})
    driver.attach_volume(running, device)
    driver.power_off(running)
    driver.snapshot_volume(running, device, {'new_file': 'volume.1'})
    driver.delete_volume_snapshot(running, device, merge)
    driver.power_on(running)
    driver.suspend(running)
    for method, asked in ((driver.snapshot_volume, {'new_file': 'volume.2'}),
                          (driver.delete_volume_snapshot, merge)):
        with pytest.raises(errors.virt.DriverFailed, match='SUSPENDED'):
            method(running, device, asked)


def test_resources_follow_guests(running, driver):
    found = driver.resources('host1')
    assert (found.vcpus_used, found.memory_mb_used, found.local_gb_used, found.running_vms) == (2, 512, 10, 1)
    driver.destroy(running)
    assert driver.resources('host1').vcpus_used == 0


def test_guests_survive_the_object(tmp_path):
    instance, other = server_of(), server_of()
    first = FakeDriver('host1', tmp_path)
    for one in (instance, other):
        first.spawn(Handle(one))
    first.pause(Handle(instance))
    first.destroy(Handle(other))
    assert FakeDriver('host1', tmp_path).guests() == {instance.uuid: Power.PAUSED}
    assert FakeDriver('host2', tmp_path / 'elsewhere').guests() == {}


@dataclasses.dataclass
class Slow:
    """Takes its time to be read from its file, once, while somebody else does something."""

    name: str
    meanwhile = None

    def __post_init__(self):
        act, Slow.meanwhile = Slow.meanwhile, None
        if act is not None:
            thread = threading.Thread(target=act)
            thread.start()
            thread.join(0.3)


def test_what_goes_while_another_thread_looks_is_gone(tmp_path):
    """It had come back, or its file was not there any more to who wanted to read it."""
    for name in ('one', 'two'):
        Shelf(Slow, tmp_path)[name] = Slow(name)
    shelf, done = Shelf(Slow, tmp_path), threading.Event()

    def take():
        del shelf['one'], shelf['two']
        done.set()
    Slow.meanwhile = take
    list(shelf)
    assert done.wait(10)
    assert not shelf and not list(tmp_path.iterdir())


def test_what_another_process_takes_away_is_gone(tmp_path):
    shelf = Shelf(Slow, tmp_path)
    shelf['here'] = Slow('here')
    (tmp_path / 'away.json').symlink_to(tmp_path / 'nothing')  # it is listed, and cannot be opened any more
    assert list(shelf) == ['here'] and shelf.get('away') is None


def test_what_is_asked_for_by_name_is_found_without_a_look_at_all(tmp_path, monkeypatch):
    """A host with thousands of guests looked at all of their files for each new one."""
    shelf = Shelf(Slow, tmp_path)
    shelf['here'] = Slow('here')
    Shelf(Slow, tmp_path)['came'] = Slow('came')
    with monkeypatch.context() as patch:
        patch.setattr(pathlib.Path, 'glob', lambda *_: pytest.fail('it looked at all'))
        assert shelf['came'] == Slow('came') and shelf.get('never') is None
        Shelf(Slow, tmp_path)['came too'] = Slow('came too')
        del shelf['came too'], shelf['came']
    assert list(shelf) == ['here']


def test_passwords_are_shown_nowhere(driver, running):
    with pytest.raises(errors.virt.AgentUnavailable):
        driver.set_password(running, 's3cret')
    driver.guest(running).agent = True
    driver.set_password(running, 's3cret')
    assert driver.passwords[running.instance.uuid] == 's3cret'
    assert 's3cret' not in repr(driver.guest(running))


def test_console_and_diagnostics(driver, running):
    assert driver.console_output(running, 1) == 'LAST LINE'
    assert driver.console_output(running).startswith('FAKE')
    assert driver.console(running, 'novnc').port == 6080
    with pytest.raises(errors.virt.ConsoleTypeUnavailable):
        driver.console(running, 'telepathy')
    assert driver.diagnostics(running)['num_cpus'] == 2


def test_faults_by_hand(driver):
    instance, other = server_of(), server_of()
    driver.faults.fail('spawn', errors.task.Refused('full'), times=2, server=instance.uuid)
    driver.spawn(Handle(other))
    for _ in range(2):
        with pytest.raises(errors.task.Refused):
            driver.spawn(Handle(instance))
    assert driver.state(Handle(instance)) is None
    driver.spawn(Handle(instance))
    driver.faults.fail('destroy', errors.virt.DriverFailed(reason='late'), late=True)
    with pytest.raises(errors.virt.DriverFailed):
        driver.destroy(Handle(instance))
    assert driver.state(Handle(instance)) is None


@pytest.mark.parametrize('check', ['check_destination', 'check_source'])
def test_checks_before_a_live_migration_fail_as_effects_do(driver, check):
    """And may take long, as those of real hosts."""
    driver.faults.fail(check, errors.virt.DriverFailed(reason='told to'))
    with pytest.raises(errors.virt.DriverFailed, match='told to'):
        getattr(driver, check)(*[Handle(server_of()), None, None][:2 + (check == 'check_source')])


def test_hooks_see_every_effect(driver):
    seen = []
    driver.faults.before(lambda name, uuid: seen.append(('before', name)))
    driver.faults.after(lambda name, uuid: seen.append(('after', name)))
    instance = server_of()
    driver.spawn(Handle(instance))
    driver.guests()
    driver.destroy(Handle(instance))
    assert seen == [('before', 'spawn'), ('after', 'spawn'), ('before', 'destroy'), ('after', 'destroy')]


@pytest.mark.parametrize('when', ['before', 'after'])
def test_process_dies_in_the_middle(tmp_path, when):
    """kill -9 around an effect: the process is gone; the effect happened, or not, as the fault says."""
    (tmp_path / 'faults.json').write_text(json.dumps({'spawn': {'do': 'die', 'when': when, 'times': 1}}))
    script = ('from nova.tests.compute.cell import Handle, server_of\n'
              'from nova.virt.fake.driver import FakeDriver\n'
              f'FakeDriver("host1", {str(tmp_path)!r}).spawn(Handle(server_of()))')
    assert subprocess.run([sys.executable, '-W', 'ignore', '-c', script], check=False).returncode == 9
    again = FakeDriver('host1', tmp_path)
    assert len(again.guests()) == (1 if when == 'after' else 0)
    again.spawn(Handle(server_of()))


def test_who_is_held_goes_on_when_the_file_is_gone(tmp_path):
    file = tmp_path / 'faults.json'
    file.write_text(json.dumps({'spawn': {'do': 'hold', 'times': 1}}))
    driver, h = FakeDriver('host1', tmp_path), Handle(server_of())
    spawning = threading.Thread(target=driver.spawn, args=(h,))
    spawning.start()
    until(lambda: json.loads(file.read_text())['spawn']['times'] == 0)
    assert driver.state(h) is None and spawning.is_alive()
    file.unlink()
    spawning.join(20)
    assert driver.state(h) == Power.RUNNING


def test_faults_of_one_operation_on_several_servers(tmp_path):
    file, (one, two, three) = tmp_path / 'faults.json', [Handle(server_of()) for _ in range(3)]
    file.write_text(json.dumps({'spawn': [
        {'do': 'refuse', 'times': 1, 'server': one.instance.uuid},
        {'do': 'fail', 'when': 'after', 'times': 1, 'server': two.instance.uuid}]}))
    driver = FakeDriver('host1', tmp_path)
    driver.spawn(three)
    with pytest.raises(errors.task.Refused):
        driver.spawn(one)
    with pytest.raises(errors.virt.DriverFailed):
        driver.spawn(two)
    assert [driver.state(h) for h in (one, two, three)] == [None, Power.RUNNING, Power.RUNNING]
    driver.spawn(one)
    assert [fault['times'] for fault in json.loads(file.read_text())['spawn']] == [0, 0]


def test_loader(tmp_path):
    conf = nova_conf.new(config_files=[], **{'compute_driver': 'fake.FakeDriver', 'fake.vcpus': 3})
    driver = loader.load(conf, 'host9', tmp_path)
    assert (driver.nodes(), driver.size) == (['host9'], Size(vcpus=3))
    for name in ('', 'fake', 'fake.Nonsense', 'nowhere.Driver'):
        conf.set_override('compute_driver', name)
        with pytest.raises(errors.Invalid):
            loader.load(conf, 'host9', tmp_path)
