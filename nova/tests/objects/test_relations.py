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


def test_pairs_and_words_are_read_together(cloud, servers):
    metadata = {'z': '1', 'a': '\u00e4', 'm': ''}
    rich = servers.in_cell(1, metadata=metadata, tags=['b', 'Z', 'a', '\u00e4'])
    poor = servers.in_cell(1, metadata={}, tags=[])
    owners = [rich.uuid, poor.uuid]
    with cloud.db(cloud.cells[0]).counting() as statements, cloud.db(cloud.cells[0]).read() as conn:
        paired, worded = relations.both(conn, instances.METADATA, instances.TAGS, owners)
        alone = instances.METADATA.of(conn, owners), instances.TAGS.of(conn, owners)
        assert relations.both(conn, instances.METADATA, instances.TAGS, []) == ({}, {})
    assert (paired, worded) == alone == ({rich.uuid: metadata, poor.uuid: {}},
                                         {rich.uuid: ['Z', 'a', 'b', '\u00e4'], poor.uuid: []})
    assert list(paired[rich.uuid]) == list(metadata)
    assert len([text for text in statements if 'instance_' in text]) == 3


def test_relations_of_many_records_cost_a_statement_each(cloud):
    for number in range(5):
        made = objects.Aggregate(uuid=uuids.generate(), name=str(number), metadata={'number': str(number)})
        cloud.api.write(made.create)
        cloud.api.write(lambda conn, made=made: made.add_host(conn, 'h'))
    with cloud.api.counting() as statements, cloud.api.read() as conn:
        found = objects.Aggregate.all(conn)
    assert [one.metadata['number'] for one in found] == list('01234') and not found[0].changed()
    assert len([text for text in statements if 'aggregate' in text]) == 3
