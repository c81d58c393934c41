"""Parts of records that are kept in tables of their own."""

from nova import objects
from nova.common import uuids
from nova.objects import aggregate, relations
from nova.objects import instance as instances


def test_pairs_are_changed_and_replaced(cloud):
    made = objects.Aggregate(uuid=uuids.generate(), name='a', metadata={'a': '1', 'b': '2'})
    cloud.api.write(made.create)
    pairs = aggregate.METADATA
    cloud.api.write(lambda conn: pairs.change(conn, made.id, {'a': None, 'b': '3', 'c': '4'}))
    cloud.api.write(lambda conn: pairs.change(conn, made.id, {}))
    with cloud.api.read() as conn:
        assert pairs.of(conn, [made.id, 77]) == {made.id: {'b': '3', 'c': '4'}, 77: {}}
    with cloud.api.counting() as statements:
        cloud.api.write(lambda conn: pairs.replace(conn, made.id, {'b': '3', 'c': '5'}))
    assert [text.split()[0] for text in statements if 'aggregate_metadata' in text] == [
        'SELECT', 'DELETE', 'INSERT']
    with cloud.api.counting() as statements:
        cloud.api.write(lambda conn: pairs.replace(conn, made.id, {'b': '3', 'c': '5'}))
    assert [text.split()[0] for text in statements if 'aggregate_metadata' in text] == ['SELECT']
    with cloud.api.read() as conn:
        assert pairs.of(conn, [made.id]) == {made.id: {'b': '3', 'c': '5'}}
    assert cloud.api.write(lambda conn: pairs.remove(conn, made.id, ['b', 'no'])) == 1


def test_nothing_is_asked_about_nobody(cloud):
    with cloud.api.counting() as statements, cloud.api.read() as conn:
        assert instances.METADATA.of(conn, []) == instances.TAGS.of(conn, []) == {}
    assert [text for text in statements if 'instance_' in text] == []


def test_relations_of_a_record_are_read_in_one_statement(cloud, servers):
    metadata = {'z': '1', 'a': '\u00e4', 'm': ''}
    rich = servers.in_cell(1, metadata=metadata, tags=['b', 'Z', 'a', '\u00e4'], block_devices=[
        objects.BlockDeviceMapping(source_type='image', boot_index=0),
        objects.BlockDeviceMapping(source_type='volume', volume_id='v2', delete_on_termination=True),
        objects.BlockDeviceMapping(source_type='volume', volume_id='v1')])
    poor = servers.in_cell(1, metadata={}, tags=[])
    db, uuid = cloud.db(cloud.cells[0]), {'uuid': [rich.uuid, poor.uuid]}
    with db.counting() as statements, db.read() as conn:
        found = {server.uuid: server for server in objects.Instance.all(
            conn, prefetch=('volumes', 'tags', 'metadata'), **uuid)}
        alone = instances.METADATA.of(conn, found), instances.TAGS.of(conn, found)
        relations.fill(conn, {}, instances.RELATIONS)
    assert len([text for text in statements if 'FROM instance_' in text]) == 3, 'two of them alone'
    assert ({uuid: server.metadata for uuid, server in found.items()},
            {uuid: server.tags for uuid, server in found.items()}) == alone
    assert list(found[rich.uuid].metadata.items()) == list(metadata.items())
    assert found[rich.uuid].tags == ['Z', 'a', 'b', '\u00e4'] and found[poor.uuid].tags == []
    assert [(volume.volume_id, volume.delete_on_termination)
            for volume in found[rich.uuid].attached_volumes] == [('v2', True), ('v1', False)]
    assert found[poor.uuid].metadata == {} and found[poor.uuid].attached_volumes == []
    assert not any(server.changed() for server in found.values())


def test_volumes_are_told_by_the_devices_where_these_are_loaded(cloud, servers):
    made = servers.in_cell(1, block_devices=[objects.BlockDeviceMapping(source_type='volume', volume_id='v')])
    with cloud.db(cloud.cells[0]).read() as conn:
        seen = objects.Instance.get(conn, ('volumes',), uuid=made.uuid)
        whole = objects.Instance.get(conn, ('volumes', 'block_devices'), uuid=made.uuid)
    assert [volume.volume_id for volume in (*seen.attached_volumes, *whole.attached_volumes)] == ['v', 'v']
    whole.block_devices = []
    assert whole.attached_volumes == []
    gone = made.block_devices[0].uuid
    cloud.db(cloud.cells[0]).write(lambda conn: objects.BlockDeviceMapping.drop(conn, gone))
    with cloud.db(cloud.cells[0]).read() as conn:
        seen.refresh(conn)
    assert seen.attached_volumes == []


def test_relations_of_many_records_cost_one_statement(cloud):
    for number in range(5):
        made = objects.Aggregate(uuid=uuids.generate(), name=str(number), metadata={'number': str(number)})
        cloud.api.write(made.create)
        for host in ('z', 'a'):
            cloud.api.write(lambda conn, made=made, host=host: made.add_host(conn, host))
    with cloud.api.counting() as statements, cloud.api.read() as conn:
        found = objects.Aggregate.all(conn)
    assert [one.metadata['number'] for one in found] == list('01234') and not found[0].changed()
    assert all(one.hosts == ['z', 'a'] for one in found)
    assert len([text for text in statements if 'aggregate' in text]) == 2
