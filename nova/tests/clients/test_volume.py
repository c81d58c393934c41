"""Volume client: the same promises by the fake and over the sandbox's Cinder."""

import pathlib
from typing import Any

import pytest

from nova import clients, conf, errors
from nova.clients import session
from nova.common import uuids
from nova.steps import volumes

CONNECTOR = {'host': 'host1', 'ip': '127.0.0.1', 'initiator': 'iqn.x', 'multipath': False, 'platform': 'x86_64',
             'os_type': 'linux', 'mountpoint': '/dev/vdb'}


def status(there: Any, volume: str) -> str:
    return str(there.clients.volume.show(there.user, volume)['status'])


def test_show_is_of_the_user(there: Any) -> None:
    volume = there.volume(size=3)
    shown = there.clients.volume.show(there.user, volume)
    assert (shown['id'], shown['size'], shown['status']) == (volume, 3, 'available')
    assert there.clients.volume.show(None, volume)['id'] == volume
    with pytest.raises(errors.block.VolumeNotFound):
        there.clients.volume.show(there.user, uuids.generate())
    with pytest.raises(errors.block.VolumeNotFound):
        there.clients.volume.show(there.stranger, volume)


def test_what_a_host_has_to_know_of_the_path_to_a_volume(there: Any) -> None:
    """MAT-S3, 3.48: whether its backend's targets are shared, and which backend that is."""
    shown = there.clients.volume.show(None, there.volume())
    assert {name: shown[name] for name in volumes.SHARING} == {
        'multiattach': False, 'shared_targets': True, 'service_uuid': None}


def test_a_volume_that_is_not_encrypted_has_no_key(there: Any) -> None:
    assert there.clients.volume.encryption(there.volume())['encryption_key_id'] is None
    with pytest.raises(errors.block.VolumeNotFound):
        there.clients.volume.encryption(uuids.generate())


def test_the_life_of_an_attachment(there: Any, server: Any) -> None:
    """VOL-S1, VOL-S2: reserve, connect, complete, detach; each may be repeated."""
    client, volume = there.clients.volume, there.volume()
    attachment = client.reserve(volume, server.uuid)
    assert client.reserve(volume, server.uuid) == attachment
    assert status(there, volume) == 'reserved'
    for _ in range(2):
        info = client.connect(attachment, CONNECTOR)
    assert info['driver_volume_type']
    assert status(there, volume) == 'attaching'
    for _ in range(2):
        client.complete(attachment)
    assert status(there, volume) == 'in-use'
    assert client.connect(attachment, CONNECTOR)['driver_volume_type'] == info['driver_volume_type']
    client.complete(attachment)
    shown, = client.attachments(server.uuid)
    assert (shown['id'], shown['volume_id'], shown['status']) == (attachment, volume, 'attached')
    for _ in range(2):
        client.detach(attachment)
    assert status(there, volume) == 'available'
    assert client.attachments(server.uuid) == []


def test_a_volume_is_for_one_server(there: Any, server: Any) -> None:
    client, volume = there.clients.volume, there.volume()
    client.reserve(volume, server.uuid)
    with pytest.raises(errors.block.VolumeBusy):
        client.reserve(volume, uuids.generate())
    with pytest.raises(errors.block.VolumeNotFound):
        client.reserve(uuids.generate(), server.uuid)


def test_a_multiattach_volume_is_for_several(there: Any, server: Any) -> None:
    """MAT-S1."""
    client, volume = there.clients.volume, there.volume(multiattach=True)
    one = client.reserve(volume, server.uuid)
    client.connect(one, CONNECTOR)
    client.complete(one)
    two = client.reserve(volume, uuids.generate())
    client.detach(one)
    client.connect(two, CONNECTOR)
    client.complete(two)
    assert status(there, volume) == 'in-use'


def test_a_second_attachment_of_the_same_server(there: Any, server: Any) -> None:
    """VOL-S3: a move has one on each host; the volume stays the server's throughout."""
    client, volume = there.clients.volume, there.volume()
    source = client.reserve(volume, server.uuid)
    client.connect(source, CONNECTOR)
    client.complete(source)
    target = client.reserve(volume, server.uuid)
    assert target != source
    there_too = client.connect(target, {**CONNECTOR, 'host': 'host2'})['attachment_id']
    assert there_too not in (source, target), 'Cinder connects none beside another that was there before'
    assert {one['id'] for one in client.attachments(server.uuid)} == {source, there_too}
    assert client.connect(there_too, {**CONNECTOR, 'host': 'host2'})['attachment_id'] == there_too
    assert client.connect(source, CONNECTOR)['attachment_id'] == source
    client.complete(there_too)
    client.detach(source)
    assert status(there, volume) == 'in-use'


def test_attachments_that_are_not_there(there: Any) -> None:
    client, gone = there.clients.volume, uuids.generate()
    for call in (lambda: client.connect(gone, CONNECTOR), lambda: client.complete(gone),
                 lambda: client.attachment(gone)):
        with pytest.raises(errors.block.AttachmentNotFound):
            call()
    client.detach(gone)


def test_complete_needs_a_connector(there: Any, server: Any) -> None:
    attachment = there.clients.volume.reserve(there.volume(), server.uuid)
    with pytest.raises(errors.block.VolumeBusy):
        there.clients.volume.complete(attachment)


def test_volumes_made_for_a_server_are_found_again(there: Any) -> None:
    client, metadata = there.clients.volume, {'nova_server': uuids.generate()}
    volume = client.create(there.user, {'size': 1, 'name': '', 'metadata': metadata})
    assert [one['id'] for one in client.find(metadata)] == [volume]
    for _ in range(2):
        client.delete(volume)
    assert client.find(metadata) == []


def test_a_task_makes_volumes_as_the_user(there: Any) -> None:
    """Later, in another process: what was entrusted makes the volume the user's."""
    client, trusts = there.clients.volume, there.clients.trust
    trust = trusts.entrust(there.user)
    assert trust
    task = there.user.from_dict(there.user.to_dict())
    volume = client.create(trusts.trusted(task, trust), {'size': 1, 'metadata': {}})
    shown = client.show(there.user, volume)
    assert shown['os-vol-tenant-attr:tenant_id'] == there.user.project_id
    with pytest.raises(errors.block.VolumeNotFound):
        client.show(there.stranger, volume)


def test_a_user_reserves_what_he_sees(there: Any, server: Any) -> None:
    client, volume = there.clients.volume, there.volume()
    with pytest.raises(errors.block.VolumeNotFound):
        client.reserve(volume, uuids.generate(), there.stranger)
    assert client.reserve(volume, server.uuid, there.user) == client.reserve(volume, server.uuid)


def test_types_go_by_id_and_name(there: Any) -> None:
    assert {'id', 'name'} <= set(there.clients.volume.types(there.user)[0])
    assert '__DEFAULT__' in {kind['name'] for kind in there.clients.volume.types(there.user)}


def test_a_snapshot_that_is_not_there(there: Any) -> None:
    with pytest.raises(errors.block.SnapshotNotFound):
        there.clients.volume.snapshot(there.user, uuids.generate())


def test_the_secrets_of_a_section(tmp_path: pathlib.Path) -> None:
    file = tmp_path / 'nova.conf'
    file.write_text('[cinder]\nauth_section = neutron\n[neutron]\nauth_type = password\nauth_url = http://x\n'
                    'username = nova\npassword = precious\n')
    configured = conf.new(config_files=[str(file)])
    clients.build(configured)
    assert session.credentials(configured, 'cinder') == ['precious']
    assert session.credentials(conf.new(config_files=[]), 'cinder') == []


def test_an_attached_volume_is_not_deleted(there: Any, server: Any) -> None:
    volume = there.volume()
    there.clients.volume.reserve(volume, server.uuid)
    with pytest.raises(errors.block.VolumeBusy):
        there.clients.volume.delete(volume)


@pytest.mark.parametrize('error', [False, True])
def test_the_end_of_a_migration(there: Any, server: Any, error: bool) -> None:
    """VOL-S7: what is left has the old id; to say so again changes nothing."""
    client, old = there.clients.volume, there.volume()
    first = client.reserve(old, server.uuid)
    client.connect(first, CONNECTOR)
    client.complete(first)
    new = there.migrating(old)
    second = client.reserve(new, server.uuid)
    client.connect(second, CONNECTOR)
    client.complete(second)
    if not error:
        with pytest.raises(errors.block.VolumeInvalid):
            client.migrated(old, new, error)
        client.detach(first)
    else:
        client.detach(second)
    for _ in range(2):
        assert client.migrated(old, new, error) == old
    shown, = client.attachments(server.uuid)
    assert (shown['id'], shown['volume_id']) == (first if error else second, old)
    assert status(there, old) == 'in-use'
    with pytest.raises(errors.block.VolumeNotFound):
        client.show(None, new)
