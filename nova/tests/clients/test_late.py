"""What came late is found by what it says of itself, and removed; what is somebody's stays."""

import types
from typing import Any

import pytest

from nova import errors
from nova.clients import fake
from nova.common import uuids
from nova.objects.network import NetworkRequest
from nova.steps import late, volumes


def record(server: Any, info: Any = None, devices: Any = (), host: str | None = 'host1') -> Any:
    return types.SimpleNamespace(uuid=server.uuid, project_id=server.project_id, network_info=info, host=host,
                                 block_devices=list(devices), deleted=0, migration_context=None)


def sweep(there: Any, server: Any, instance: Any = None) -> list[str]:
    return late.sweep(there.clients, server.uuid, server.project_id, instance)


@pytest.fixture
def made(there: Any, server: Any) -> Any:
    """A server's port, volume and attachment, and one more of each that came late."""
    clients, wanted = there.clients, [NetworkRequest(network_id=there.network())]
    if there.kind != 'fake':  # the sandbox has no Placement
        there.clients.placement = FakeNothing()
    ports = clients.network.make(there.user, server, wanted, key='task')
    info = clients.network.place(server, ports, wanted, 'host1')
    extra, = clients.network.make(there.user, server, wanted, key='another')
    tags = {volumes.SERVER: server.uuid, volumes.DEVICE: '/dev/vdb', volumes.TASK: uuids.generate()}
    known, twin = (clients.volume.create(there.user, {'size': 1, 'metadata': tags}) for _ in range(2))
    own = clients.volume.reserve(known, server.uuid)
    other = there.volume()
    stray = clients.volume.reserve(other, server.uuid)
    device = types.SimpleNamespace(volume_id=known, attachment_id=own)
    return types.SimpleNamespace(info=info, port=ports[0], extra=extra, known=known, twin=twin, own=own,
                                 stray=stray, other=other, device=device)


class FakeNothing:
    """A Placement in which nobody holds anything."""

    def allocations(self, consumer: str) -> Any:
        return types.SimpleNamespace(allocations={})


def test_of_a_living_server_only_what_is_not_its_own_goes(there: Any, server: Any, made: Any) -> None:
    instance = record(server, made.info, [made.device])
    assert set(sweep(there, server, instance)) == {
        f'port {made.extra}', f'volume {made.twin}', f'volume attachment {made.stray}'}
    assert [port['id'] for port in there.clients.network.ports(server.uuid)] == [made.port]
    assert [one['id'] for one in there.clients.volume.attachments(server.uuid)] == [made.own]
    assert there.clients.volume.show(None, made.known)['status'] == 'reserved'
    assert there.clients.volume.show(None, made.other)['status'] == 'available', "a user's volume is let go"
    assert sweep(there, server, instance) == []


def test_what_cannot_go_yet_is_tried_again(there: Any, server: Any, made: Any) -> None:
    """The known leak: a volume that Cinder still makes for a build that was undone. The rest goes at once."""
    if there.kind == 'fake':
        there.clients.volume.slowness = 3
        late_one = there.clients.volume.create(there.user, {'size': 1, 'metadata': {
            volumes.SERVER: server.uuid, volumes.DEVICE: '/dev/vdc', volumes.TASK: uuids.generate()}})
        for _ in range(2):
            with pytest.raises(errors.task.LeftOver) as found:
                sweep(there, server)
            assert found.value.again
        assert {late_one} == {one['id'] for one in there.clients.volume.find({volumes.SERVER: server.uuid})}
        assert sweep(there, server) == [f'volume {late_one}']


def test_a_volume_that_a_server_was_to_get_and_never_got(there: Any, server: Any, made: Any) -> None:
    """VOL-F1: its attachment is only reserved although the guest is up; without a guest it waits for one."""
    there.clients.volume.connect(made.own, {'host': 'host1'})
    there.clients.volume.complete(made.own)
    made.device.source_type = 'volume'
    never = types.SimpleNamespace(volume_id=made.other, attachment_id=made.stray, source_type='volume')
    unreserved = types.SimpleNamespace(volume_id=uuids.generate(), attachment_id=None, source_type='volume')
    instance = record(server, made.info, [made.device, never, unreserved])
    instance.vm_state = 'active'
    assert late.never_attached(there.clients, instance) == [never, unreserved]
    instance.vm_state = 'shelved_offloaded'
    assert late.never_attached(there.clients, instance) == []


def test_of_a_server_that_is_gone_everything_goes(there: Any, server: Any, made: Any) -> None:
    lent = there.port(there.network())
    there.clients.network.make(there.user, server, [NetworkRequest(port_id=lent)], key='third')
    assert len(sweep(there, server)) == 7
    assert there.clients.network.ports(server.uuid) == []
    assert there.clients.network.api.port(lent)['device_id'] == '', "a user's port is given back"
    assert there.clients.volume.attachments(server.uuid) == []
    assert there.clients.volume.find({volumes.SERVER: server.uuid}) == []
    assert there.clients.volume.show(None, made.other)['status'] == 'available'


@pytest.mark.parametrize('gone', [True, False])
def test_a_snapshot_that_no_image_names_goes(there: Any, server: Any, gone: bool) -> None:
    """One that an image names carries no tag any more, and stays."""
    volume, snapshots = there.volume(), there.clients.volume
    if there.kind != 'fake':  # the sandbox has no Placement
        there.clients.placement = FakeNothing()
    late_one, named = (snapshots.create_snapshot(there.user, {
        'volume_id': volume, 'name': 'of an image', 'metadata': {
            volumes.SERVER: server.uuid, volumes.TASK: uuids.generate()}}) for _ in range(2))
    snapshots.untag_snapshot(named, volumes.TAGS)
    assert sweep(there, server, None if gone else record(server)) == [f'snapshot {late_one}']
    left = [one['id'] for one in snapshots.find_snapshots({})]
    assert named in left and late_one not in left


def test_tags_go_when_the_record_has_the_volume(there: Any, server: Any, made: Any) -> None:
    """A backup that is restored later carries what its volume carried: it must not look like ours."""
    for _ in range(2):
        there.clients.volume.untag(made.known, volumes.TAGS)
    assert there.clients.volume.show(None, made.known)['metadata'] == {}
    there.clients.volume.untag(uuids.generate(), volumes.TAGS)


@pytest.mark.parametrize('host', ['host1', None])
def test_who_is_on_no_host_holds_nothing(host: str | None) -> None:
    there = types.SimpleNamespace(clients=fake.build())
    server = types.SimpleNamespace(uuid=uuids.generate(), project_id='project')
    provider = uuids.generate()
    there.clients.placement.host(provider, 'host1')
    claimed = {'allocations': {provider: {'resources': {'VCPU': 1}}}}
    there.clients.placement.claim(server.uuid, claimed, 'p', 'u')
    assert sweep(there, server, record(server, host=host)) == ([] if host else ['allocation'])
    assert bool(there.clients.placement.allocations(server.uuid).allocations) is bool(host)


def test_what_cannot_be_removed_now_is_left_for_the_next_time() -> None:
    clients, server = fake.build(), types.SimpleNamespace(uuid=uuids.generate(), project_id='project')
    volume = clients.volume
    volume.add(status='creating', metadata={volumes.SERVER: server.uuid})
    there = types.SimpleNamespace(clients=clients)
    with pytest.raises(errors.task.LeftOver):
        sweep(there, server)
    next(iter(volume.volumes.values()))['status'] = 'available'
    assert len(sweep(there, server)) == 1
