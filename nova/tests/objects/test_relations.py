"""Parts of records that are kept in tables of their own."""

from nova import objects
from nova.common import uuids
from nova.objects import aggregate
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


def test_relations_of_many_records_cost_a_statement_each(cloud):
    for number in range(5):
        made = objects.Aggregate(uuid=uuids.generate(), name=str(number), metadata={'number': str(number)})
        cloud.api.write(made.create)
        cloud.api.write(lambda conn, made=made: made.add_host(conn, 'h'))
    with cloud.api.counting() as statements, cloud.api.read() as conn:
        found = objects.Aggregate.all(conn)
    assert [one.metadata['number'] for one in found] == list('01234') and not found[0].changed()
    assert len([text for text in statements if 'aggregate' in text]) == 3
