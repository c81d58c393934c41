"""Records: rows, changes, wire forms, what belongs to a server."""

import datetime
import time
from concurrent import futures

import pytest
from oslo_db import exception as db_exc

from nova import errors, heartbeat, objects
from nova.common import clock, uuids
from nova.db.cell import models
from nova.objects import base, instance, tag
from nova.tests.fixtures.waiting import until


def reload(cloud, server, **options):
    with cloud.db(cloud.cells[0]).read() as conn:
        return objects.Instance.get(conn, uuid=server.uuid, **options)


@pytest.fixture
def server(cloud, servers):
    return servers.in_cell(
        1, metadata={'a': '1', 'b': '2'}, tags=['x'], system_metadata={'note': 'n'},
        image_meta=objects.ImageMeta.from_image({'id': 'i', 'hw_cpu_cores': '2', 'mine': 'kept'}),
        network_info=objects.NetworkInfo(vifs=[objects.VIF(
            id='port', address='fa:16:3e:00:00:01', network=objects.Network(id='net', label='private', subnets=[
                objects.Subnet(id='s', ips=[objects.IP(address='10.0.0.2')])]))]),
        block_devices=[objects.BlockDeviceMapping(source_type='image', boot_index=0, device_name='/dev/vda')])


def test_a_server_comes_back_as_it_was(cloud, server):
    found = reload(cloud, server, prefetch=instance.FULL)
    assert found.changes() == {}
    for name in objects.Instance.fields:
        if name not in ('flavor', 'image_meta', 'network_info', 'block_devices'):
            assert getattr(found, name) == getattr(server, name), name
    assert found.flavor.name == 'm1.tiny'
    assert found.image_meta.properties.to_image() == {'hw_cpu_cores': 2, 'mine': 'kept'}
    assert [ip.address for ip in found.network_info.fixed_ips()] == ['10.0.0.2']
    assert found.root_device.device_name == '/dev/vda' and not found.is_volume_backed


def test_loading_takes_as_few_statements_as_it_says(cloud, server):
    for prefetch, count in (((), 1), (('flavor',), 1), (instance.WORK, 3), (instance.FULL, 3)):
        with cloud.db(cloud.cells[0]).counting() as statements:
            reload(cloud, server, prefetch=prefetch)
        assert len([text for text in statements if text.startswith('SELECT')]) == count


def test_nothing_is_loaded_behind_ones_back(cloud, server):
    found = reload(cloud, server, prefetch=('flavor',))
    with pytest.raises(objects.NotLoaded, match="prefetch 'tags'"):
        found.tags  # noqa: B018  reading is what is tested
    assert found.known('flavor') and not found.known('image_meta')


def test_only_what_changed_is_written(cloud, server):
    db = cloud.db(cloud.cells[0])
    found = reload(cloud, server)
    with db.counting() as statements:
        assert db.write(found.save) == set()
    assert [text for text in statements if not text.startswith('BEGIN')] == []
    found.host, found.network_info, found.metadata = 'h', None, {'a': '1', 'c': '3'}
    found.block_devices = [*found.block_devices, objects.BlockDeviceMapping(volume_id=uuids.generate())]
    found.block_devices[0].attachment_id = 'at'
    assert db.write(found.save) == {'host', 'network_info', 'metadata', 'block_devices'}
    again = reload(cloud, server)
    assert (again.host, again.network_info, again.metadata) == ('h', None, {'a': '1', 'c': '3'})
    assert [device.attachment_id for device in again.block_devices] == ['at', None]
    assert again.flavor.name == 'm1.tiny' and again.updated_at > again.created_at


def test_conditions_on_saving(cloud, server):
    db = cloud.db(cloud.cells[0])
    found = reload(cloud, server)
    found.task_state = 'pausing'
    with pytest.raises(errors.server.ServerNotFound):
        db.write(lambda conn: found.copy().save(conn, models.instances.c.task_state == 'rebooting'))
    db.write(lambda conn: found.save(conn, models.instances.c.task_state.is_(None)))
    assert reload(cloud, server).task_state == 'pausing'


def test_what_a_host_learnt_travels_as_changes(cloud, server):
    """A step's result carries the record; only its changes count."""
    mine, sent = reload(cloud, server), reload(cloud, server).to_wire()
    theirs = base.Record.from_wire(sent)
    assert theirs.changes() == {}
    theirs.power_state, theirs.launched_at = 1, datetime.datetime(2026, 2, 3, 4, 5, 6, 789)
    theirs.block_devices[0].attachment_id = 'at'
    back = base.Record.from_wire(theirs.to_wire())
    mine.host = 'decided here meanwhile'
    assert mine.learn(back) == {'power_state', 'launched_at', 'block_devices'}
    cloud.db(cloud.cells[0]).write(mine.save)
    kept = reload(cloud, server)
    assert kept.launched_at.microsecond == 789 and kept.host == 'decided here meanwhile'
    assert kept.block_devices[0].attachment_id == 'at' and len(kept.block_devices) == 1


def test_a_deleted_server_is_gone_but_for_its_row(cloud, server):
    db = cloud.db(cloud.cells[0])
    db.write(reload(cloud, server).destroy)
    with pytest.raises(errors.server.ServerNotFound, match=server.uuid):
        reload(cloud, server)
    gone = reload(cloud, server, deleted=None, prefetch=instance.FULL)
    assert gone.deleted == gone.id and gone.vm_state == 'deleted' and gone.status == 'DELETED'
    assert gone.terminated_at and gone.flavor and gone.tags == [] and gone.block_devices == []


def test_two_devices_of_a_server_cannot_have_one_volume_or_name(cloud, server):
    """VOL-F3."""
    db, volume = cloud.db(cloud.cells[0]), uuids.generate()
    found = reload(cloud, server)
    found.block_devices = [*found.block_devices, objects.BlockDeviceMapping(volume_id=volume)]
    db.write(found.save)
    for values in ({'volume_id': volume}, {'device_name': '/dev/vda'}):
        twice = objects.BlockDeviceMapping(uuid=uuids.generate(), instance_uuid=server.uuid, **values)
        with pytest.raises(db_exc.DBDuplicateEntry):
            db.write(twice.create)


def test_a_build_request_holds_the_whole_server(cloud, servers):
    server = servers.in_request(tags=['t'], metadata={'k': 'v'})
    with cloud.api.read() as conn:
        found = objects.BuildRequest.get(conn, instance_uuid=server.uuid).instance
    assert (found.tags, found.metadata, found.flavor.flavorid) == (['t'], {'k': 'v'}, '1')
    cell = cloud.db(cloud.cells[0])
    cell.write(found.create)
    assert reload(cloud, server, prefetch=instance.FULL).tags == ['t']
    assert cloud.api.write(lambda conn: objects.BuildRequest.take(conn, server.uuid))
    assert not cloud.api.write(lambda conn: objects.BuildRequest.take(conn, server.uuid))


def test_handing_over_loses_against_a_delete(cloud, servers):
    """CEL-F1."""
    server, cell = servers.in_request(), cloud.cells[0]
    cloud.api.write(lambda conn: objects.InstanceMapping.queue_for_delete(conn, server.uuid))
    assert not cloud.api.write(lambda conn: objects.InstanceMapping.hand_over(conn, server.uuid, cell.id))


def test_request_spec_keeps_what_holds_for_life(cloud, flavor):
    spec = objects.RequestSpec(
        instance_uuid=uuids.generate(), project_id='p', user_id='u', flavor=flavor, ignore_hosts=['bad'],
        scheduler_hints={'same_host': ['x']}, retry=['tried'], image=objects.ImageMeta.from_image({}),
        requested_networks=[objects.NetworkRequest(network_id='n')],
        instance_group=objects.InstanceGroup(uuid=uuids.generate(), user_id='u', project_id='p', name='g',
                                             members=['m'], hosts=['h']))
    cloud.api.write(spec.create)
    spec.availability_zone = 'az'
    cloud.api.write(spec.save)
    with cloud.api.read() as conn:
        kept = objects.RequestSpec.get(conn, instance_uuid=spec.instance_uuid)
        with pytest.raises(errors.server.RequestSpecNotFound):
            objects.RequestSpec.get(conn, instance_uuid=uuids.generate())
    assert (kept.ignore_hosts, kept.retry, kept.instance_group.hosts) == ([], [], [])
    assert kept.availability_zone == 'az' and kept.scheduler_hints == {'same_host': ['x']}
    assert spec.ignore_hosts == ['bad'], 'the caller keeps his own'


def test_flavors(cloud):
    made = objects.Flavor(flavorid='f', name='n', memory_mb=1, vcpus=1, is_public=False, extra_specs={'a': 'b'})
    cloud.api.write(made.create)
    cloud.api.write(lambda conn: made.set_extra_specs(conn, {'a': 'c', 'd': 'e'}))
    cloud.api.write(lambda conn: made.add_access(conn, 'mine'))
    with cloud.api.read() as conn:
        assert objects.Flavor.get(conn, flavorid='f').extra_specs == {'a': 'c', 'd': 'e'}
        assert len(objects.Flavor.all(conn, objects.Flavor.visible('mine'))) == 1
        assert objects.Flavor.all(conn, objects.Flavor.visible('other')) == []
        with pytest.raises(errors.server.FlavorNotFound, match='Flavor x could not be found'):
            objects.Flavor.get(conn, flavorid='x')
    with pytest.raises(errors.server.FlavorAccessExists):
        cloud.api.write(lambda conn: made.add_access(conn, 'mine'))
    with pytest.raises(errors.server.FlavorExtraSpecNotFound):
        cloud.api.write(lambda conn: made.remove_extra_spec(conn, 'z'))
    cloud.api.write(made.destroy)
    with cloud.api.read() as conn:
        assert conn.exec_driver_sql('SELECT COUNT(*) FROM flavor_extra_specs').scalar() == 0


def test_aggregates_and_groups(cloud):
    made = objects.Aggregate(uuid=uuids.generate(), name='a', metadata={'availability_zone': 'z'})
    cloud.api.write(made.create)
    cloud.api.write(lambda conn: made.add_host(conn, 'h'))
    cloud.api.write(lambda conn: made.set_metadata(conn, {'ssd': 'true', 'availability_zone': 'y'}))
    group = objects.InstanceGroup(uuid=uuids.generate(), user_id='u', project_id='p', name='g',
                                  policy='anti-affinity', rules={'max_server_per_host': 2})
    cloud.api.write(group.create)
    cloud.api.write(lambda conn: group.add_members(conn, ['s1', 's2', 's1']))
    with cloud.api.read() as conn:
        found = objects.Aggregate.of_host(conn, 'h')[0]
        assert (found.hosts, found.availability_zone, found.metadata['ssd']) == (['h'], 'y', 'true')
        same = objects.InstanceGroup.of_instance(conn, 's2')
        assert (same.policy, same.rules, same.members) == (
            'anti-affinity', {'max_server_per_host': 2}, ['s1', 's2'])
    going = uuids.generate()
    cloud.api.write(lambda conn: group.add_members(conn, [going]))
    cloud.api.write(objects.InstanceMapping(
        instance_uuid=going, project_id='p', user_id='u', queued_for_delete=True).create)
    with cloud.api.read() as conn:
        assert objects.InstanceGroup.get(conn, uuid=group.uuid).members == ['s1', 's2']
    with pytest.raises(errors.host.AggregateHostExists):
        cloud.api.write(lambda conn: made.add_host(conn, 'h'))


def beat(db, version=1, **believed):
    return db.write(lambda conn: objects.Service.beat(conn, 'h', 'nova-compute', version, **believed))


def service_of(db):
    with db.read() as conn:
        return objects.Service.get(conn, host='h')


def test_a_service_that_is_wrong_about_itself_is_told(cloud):
    db = cloud.db(cloud.cells[0])
    assert beat(db, disabled=False) is None, 'a new one is enabled'
    assert beat(db, disabled=True).disabled is False
    disabled = service_of(db)
    disabled.disabled = True
    db.write(disabled.save)
    assert beat(db, disabled=False).disabled is True
    assert beat(db, disabled=True) is None and beat(db) is None
    assert service_of(db).report_count == 5, 'each of them counted'


class Ahead:
    """A clock that is an hour fast."""

    def timestamp(self):
        return time.time() + 3600

    def monotonic(self):
        return time.monotonic()


def test_a_service_is_judged_by_the_clock_of_its_database(cloud):
    """Where that has one of its own: the clocks of the machines that ask make no difference."""
    db = cloud.db(cloud.cells[0])
    beat(db)
    assert service_of(db).is_up(60)
    with clock.use(Ahead()), db.read() as conn:
        shown, = objects.Service.all(conn, host='h')
        assert shown.is_up(60) is objects.Service.get(conn, host='h').is_up(60) is (db.dialect != 'sqlite')


def test_workers_of_a_service_begin_at_the_same_time(cloud):
    db = cloud.db(cloud.cells[0])
    with futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: beat(db), range(8)))
    with db.read() as conn:
        assert len(objects.Service.all(conn, host='h')) == 1


def test_heartbeat(cloud, caplog):
    """A row by (host, binary), the same one for every incarnation; a database that is away is said once."""
    db, away = cloud.db(cloud.cells[0]), [True]

    def where():
        if away[0]:
            raise errors.Unavailable('the database is away')
        return db

    def incarnation():
        return heartbeat.Heartbeat(where, 'h', 'nova-scheduler', 0.02)
    first = incarnation()
    first.start()
    until(lambda: 'cannot note that it lives' in caplog.text)
    away[0] = False
    until(lambda: _listed(db))
    first.stop()
    assert caplog.text.count('cannot note that it lives') == 1 and 'secret' not in caplog.text
    before, = _listed(db)
    second = incarnation()
    second.start()
    until(lambda: _listed(db)[0].report_count > before.report_count)
    second.stop()
    after, = _listed(db)
    assert (after.uuid, after.binary, after.topic) == (before.uuid, 'nova-scheduler', 'scheduler')
    assert not after.is_up(60, after.last_seen_up + datetime.timedelta(seconds=61)), 'it goes down by its age'


def _listed(db):
    with db.read() as conn:
        return objects.Service.all(conn, binary='nova-scheduler')


def test_services_and_nodes(cloud):
    db = cloud.db(cloud.cells[0])
    beat(db, 3)
    first = service_of(db)
    with db.counting() as statements:
        beat(db, 4)
    second = service_of(db)
    assert (first.uuid, second.version, second.report_count) == (second.uuid, 4, 2)
    assert len([text for text in statements if 'services' in text]) == 1, 'an UPDATE, and nothing else'
    assert second.is_up(60)
    assert not second.is_up(60, second.last_seen_up + datetime.timedelta(seconds=61))
    second.forced_down = True
    assert not second.is_up(60)
    node = objects.ComputeNode(uuid=uuids.generate(), host='h', hypervisor_hostname='n', vcpus=4)
    db.write(lambda conn: objects.ComputeNode.report(conn, node))
    node.vcpus = 8
    assert db.write(lambda conn: objects.ComputeNode.report(conn, node)).vcpus == 8
    stranger = objects.ComputeNode(uuid=node.uuid, host='copied', hypervisor_hostname='n')
    with pytest.raises(errors.Conflict, match='belongs to host h'):
        db.write(lambda conn: objects.ComputeNode.report(conn, stranger))


def test_tags(cloud, server):
    db = cloud.db(cloud.cells[0])
    assert db.write(lambda conn: tag.add(conn, server.uuid, 'y'))
    assert not db.write(lambda conn: tag.add(conn, server.uuid, 'y'))
    db.write(lambda conn: tag.remove(conn, server.uuid, 'x'))
    with pytest.raises(errors.server.TagNotFound):
        db.write(lambda conn: tag.remove(conn, server.uuid, 'x'))
    assert reload(cloud, server, prefetch=('tags',)).tags == ['y']


def test_secrets_are_not_shown(cloud):
    assert 'sqlite' not in repr(cloud.cells[0]) and 'inproc' not in repr(cloud.cells[0])


def test_image_properties():
    known = objects.ImageProperties.from_image(
        {'architecture': 'x86_64', 'trait:HW_X': 'required', 'hw_numa_nodes': '2', 'os_require_quiesce': 'yes'})
    assert (known.hw_architecture, known.traits_required, known.hw_numa_nodes, known.os_require_quiesce) == (
        'x86_64', ['HW_X'], 2, True)
    for wrong in ({'hw_numa_nodes': 'two'}, {'trait:HW_X': 'maybe'}, {'os_require_quiesce': 'perhaps'}):
        with pytest.raises(errors.image.ImagePropertyInvalid):
            objects.ImageProperties.from_image(wrong)
