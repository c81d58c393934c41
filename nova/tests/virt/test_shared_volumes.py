"""Volumes that several servers of a host use: the last one disconnects, however many leave at once (MAT-S3)."""

import concurrent.futures
import threading
import types

import pytest

from nova import conf as nova_conf
from nova import objects
from nova.clients.fake.volume import FakeVolume
from nova.common import uuids
from nova.compute import servers
from nova.steps import volumes as steps
from nova.virt.driver import kept
from nova.virt.libvirt import connectors, volumes

BACKEND = {'driver_volume_type': 'iscsi', 'service_uuid': 'backend', 'shared_targets': True}


class Target:
    """A connector that notes who is at work at the same time, and what is on the host."""

    def __init__(self):
        self.here, self.at_work, self.most, self.lock = set(), 0, 0, threading.Lock()

    def connect_volume(self, data):
        self._work(lambda: self.here.add(data['target']))
        return {'path': f'/dev/{data["target"]}'}

    def disconnect_volume(self, data, info, **how):
        self._work(lambda: self.here.remove(data['target']))

    def _work(self, act):
        with self.lock:
            self.at_work += 1
            self.most = max(self.most, self.at_work)
        threading.Event().wait(0.01)
        with self.lock:
            act()
            self.at_work -= 1


@pytest.fixture
def host():
    target, journals = Target(), servers.ServerJournals()
    conf = nova_conf.new(config_files=[])

    def process():
        """What a process of the host has of it; all of them the same journals."""
        return volumes.Volumes(connectors.Connectors(conf, lambda kind, arguments: target), secrets=None)

    def handle():
        uuid = uuids.generate()
        return types.SimpleNamespace(instance=types.SimpleNamespace(uuid=uuid), journal=journals.of(uuid))
    return types.SimpleNamespace(volumes=process(), again=process, target=target, handle=handle)


def test_a_host_is_told_of_the_path():
    """What Cinder says of a backend comes to the host with the connection."""
    cinder, told, server = FakeVolume(), [], uuids.generate()
    volume = cinder.add(multiattach=True, shared_targets=False, service_uuid='backend')
    device = objects.BlockDeviceMapping(
        uuid=uuids.generate(), instance_uuid=server, volume_id=volume, device_name='/dev/vdb',
        attachment_id=cinder.reserve(volume, server))
    driver = types.SimpleNamespace(
        connector=lambda: {'host': 'h1'}, connect_volume=lambda h, device, given: told.append(given))
    steps.connect(types.SimpleNamespace(clients=types.SimpleNamespace(volume=cinder), driver=driver), device)
    assert {name: told[0][name] for name in steps.SHARING} == {
        'multiattach': True, 'shared_targets': False, 'service_uuid': 'backend'}


def at_once(work, things):
    with concurrent.futures.ThreadPoolExecutor(len(things)) as pool:
        list(pool.map(work, things))


def test_the_last_of_a_volume_disconnects_it(host):
    users = [host.handle() for _ in range(8)]
    for _ in range(5):
        at_once(lambda h: host.volumes.bring(h, 'volume', {**BACKEND, 'target': 'one'}), users)
        assert kept.users(users[0], 'volume') == {h.instance.uuid for h in users}
        at_once(lambda h: host.volumes.let_go(h, 'volume', force=False), users[1:])
        assert host.target.here == {'one'}, 'one server still uses it'
        host.volumes.let_go(users[0], 'volume', force=False)
        assert host.target.here == set() and kept.users(users[0], 'volume') == set()
        host.volumes.let_go(users[0], 'volume', force=False)


def test_all_leave_at_once(host):
    """B 2048837."""
    users = [host.handle() for _ in range(8)]
    at_once(lambda h: host.volumes.bring(h, 'volume', {**BACKEND, 'target': 'one'}), users)
    at_once(lambda h: host.volumes.let_go(h, 'volume', force=False), users)
    assert host.target.here == set()


@pytest.mark.parametrize(('shared', 'alone'), [(True, True), (None, True), (False, False)])
def test_who_shares_a_backend_takes_turns(host, shared, alone):
    """3.69: True, unknown, or False: then nothing is shared, and nobody waits."""
    users = [(host.handle(), f'volume-{number}') for number in range(6)]
    at_once(lambda each: host.volumes.bring(each[0], each[1], {
        **BACKEND, 'shared_targets': shared, 'target': each[1]}), users)
    assert len(host.target.here) == 6 and (host.target.most == 1) is alone


@pytest.mark.parametrize('when', ['before', 'after'])
def test_the_process_dies_while_the_last_one_leaves(host, when):
    """Whoever is there after it repeats what was begun; the last one disconnects, and only that."""
    class Killed(BaseException):
        pass

    def dies(*arguments, **how):
        if when == 'after':
            Target.disconnect_volume(host.target, *arguments, **how)
        raise Killed

    users = [host.handle() for _ in range(3)]
    at_once(lambda h: host.volumes.bring(h, 'volume', {**BACKEND, 'target': 'one'}), users)
    at_once(lambda h: host.volumes.let_go(h, 'volume', force=False), users[:2])
    host.target.disconnect_volume = dies
    with pytest.raises(Killed):
        host.volumes.let_go(users[2], 'volume', force=False)
    del host.target.disconnect_volume
    again = host.again()
    assert kept.users(users[2], 'volume') == {users[2].instance.uuid}, 'not forgotten before it is gone'
    newcomer = host.handle()
    again.bring(newcomer, 'volume', {**BACKEND, 'target': 'one'})
    again.let_go(users[2], 'volume', force=False)
    assert host.target.here == {'one'}, 'the newcomer uses it'
    again.let_go(newcomer, 'volume', force=False)
    assert host.target.here == set() and kept.users(newcomer, 'volume') == set()
