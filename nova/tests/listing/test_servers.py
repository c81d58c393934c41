"""Listing over cells: one order, paging without gaps, filters, cells that are away."""

import datetime
import random
import threading

import pytest

from nova import errors, objects
from nova.common import clock
from nova.common import uuids as uuids_of
from nova.listing.servers import list_servers
from nova.tests.fixtures.deployed import EPOCH


def listed(cloud, filters=None, **options):
    return list_servers(
        cloud.databases, cloud.conf, {'project_id': 'p'} if filters is None else filters, **options)


def selects(statements):
    return [text for text in statements if text.startswith('SELECT')]


def uuids(result):
    return [row.uuid for row in result.rows]


def scatter(servers):
    """Servers all over the place, several created at the same moment, some without a host."""
    dice = random.Random(7)
    return [
        servers.in_request(minute=dice.randrange(8)) if place == 3 else
        servers.in_cell(place, minute=dice.randrange(8), display_name=f'n{dice.randrange(5)}',
                        host=dice.choice([None, 'h1', 'h2']), launched_at=EPOCH)
        for place in (dice.randrange(4) for _ in range(40))]


@pytest.fixture
def many(servers):
    return scatter(servers)


def rank(server, sort):
    def key(name, value):
        return (value is not None, value)
    return tuple(key(name, getattr(server, name)) for name, _ in sort)


ORDERS = [
    [('created_at', 'desc')], [('created_at', 'asc')], [('display_name', 'asc'), ('host', 'desc')],
    [('host', 'asc'), ('created_at', 'desc')], [('uuid', 'asc')], [('power_state', 'asc')],
    [('launched_at', 'desc')], [('locked', 'asc')], [('vm_mode', 'asc')],
]


def check_pages(cloud, many, sort, limit):
    seen, marker = [], None
    while page := listed(cloud, sort=sort, limit=limit, marker=marker).rows:
        seen += page
        marker = page[-1].uuid
    assert len(seen) == len({row.uuid for row in seen}) == len(many)
    columns = [(name, direction) for name, direction in sort if name not in ('locked', 'vm_mode')]
    for one, two in zip(seen, seen[1:], strict=False):
        for name, direction in columns:
            a, b = rank(one, [(name, direction)]), rank(two, [(name, direction)])
            if a != b:
                assert (a < b) is (direction == 'asc')
                break
        else:
            assert 'uuid' in dict(columns) or (one.uuid > two.uuid) is (sort[0][1] == 'desc')


@pytest.mark.parametrize('sort', ORDERS)
@pytest.mark.parametrize('limit', [3, 40])
def test_pages_are_the_whole_list_in_order(cloud, many, sort, limit):
    """LST-S1, LST-S2, invariant 8: any order, any page size, no gap and no double."""
    check_pages(cloud, many, sort, limit)


def test_databases_and_python_agree_on_the_order(cloud, servers):
    """LST-S1, LST-S2: case, punctuation and letters beyond ASCII included."""
    many = [servers.in_cell(place, display_name=name) for place in (1, 2)
            for name in ('n1', 'N1', 'n_1', 'N\u00e41', 'n-1')]
    for direction in ('asc', 'desc'):
        check_pages(cloud, many, [('display_name', direction)], 3)


def test_more_rows_than_a_batch(cloud, servers):
    """LST-S4: a cell with more than one batch is asked again, and only as far as the page reaches."""
    made = [servers.in_cell(1) for _ in range(230)]
    for limit, batches in ((230, 2), (10, 2), (3, 1), (1000, 1)):  # 130 at first, 9, 3, 388
        with cloud.db(cloud.cells[0]).counting() as statements:
            result = listed(cloud, limit=limit)
        assert uuids(result) == [server.uuid for server in reversed(made)][:limit]
        assert len(selects(statements)) == batches + 1, 'and one for the servers themselves'


def test_a_page_takes_two_statements_a_cell_and_one_for_its_relations(cloud, servers):
    for place in (1, 2):
        servers.in_cell(place, metadata={'a': 'b'}, tags=['x'])
    with cloud.db(cloud.cells[0]).counting() as statements, cloud.api.counting() as of_api:
        rows = listed(cloud, prefetch=('flavor', 'image_meta', 'network_info', 'metadata', 'tags')).rows
    assert len(selects(statements)) == 3, statements
    assert len(selects(of_api)) == 2, of_api
    assert rows[0].flavor.name == 'm1.tiny' and rows[0].metadata == {'a': 'b'} and rows[0].tags == ['x']


def test_services_of_hosts_come_with_the_page(cloud, servers):
    for place, host in ((1, 'h1'), (1, 'h1'), (2, 'h2'), (2, None)):
        servers.in_cell(place, host=host)
    for place, host in ((0, 'h1'), (0, 'h3'), (1, 'h2')):
        cloud.db(cloud.cells[place]).write(objects.Service(
            uuid=uuids_of.generate(), host=host, binary='nova-compute', disabled=host == 'h2').create)
    with cloud.db(cloud.cells[0]).counting() as statements:
        found = listed(cloud, prefetch=('services',))
    assert {host: service.disabled for host, service in found.services.items()} == {'h1': False, 'h2': True}
    assert sum('FROM services' in text for text in statements) == 1
    assert not listed(cloud).services


@pytest.mark.parametrize('kind', ['sqlite'], indirect=True)
def test_default_order_comes_from_an_index_alone(cloud, servers):
    servers.in_cell(1)
    with cloud.db(cloud.cells[0]).counting() as statements:
        listed(cloud)
    with cloud.db(cloud.cells[0]).read() as conn:
        plan = conn.exec_driver_sql(
            f'EXPLAIN QUERY PLAN {selects(statements)[0]}', (0, 'soft-delete', 'p', 10, 0)).all()
    assert any('COVERING INDEX ix_instances_listing' in row[3] for row in plan)
    assert not any('TEMP B-TREE' in row[3] for row in plan)


def test_a_server_on_its_way_into_a_cell_is_there_once(cloud, servers):
    """LST-S3, CEL-S1: rows are in the cell already, the build request is still there."""
    server = servers.in_request()
    cell = cloud.cells[0]
    cloud.db(cell).write(server.copy().create)
    assert uuids(listed(cloud)) == [server.uuid]
    cloud.api.write(lambda conn: objects.BuildRequest.take(conn, server.uuid))
    assert uuids(listed(cloud)) == [], 'a row that was never handed over is not shown'
    cloud.api.write(lambda conn: objects.InstanceMapping.hand_over(conn, server.uuid, cell.id))
    assert uuids(listed(cloud)) == [server.uuid]


def test_of_many_build_requests_as_many_are_read_as_the_page_holds(cloud, servers):
    """In the order of time; a batch at a time, and none is seen twice or missed."""
    made = [servers.in_request(minute=number // 3).uuid for number in range(450)]
    with cloud.api.counting() as statements:
        page = uuids(listed(cloud, limit=5))
    assert sum('build_requests' in text for text in selects(statements)) == 1 and len(page) == 5
    for sort in ([('created_at', 'desc')], [('created_at', 'asc')], [('display_name', 'asc')]):
        seen, marker = [], None
        while page := uuids(listed(cloud, limit=170, marker=marker, sort=sort)):
            seen += page
            marker = page[-1]
        assert sorted(seen) == sorted(made), sort
    assert uuids(listed(cloud, {'project_id': 'p', 'name': '^server-7$'}, limit=5)) == [made[6]]


def test_hidden_rows_do_not_shorten_a_page(cloud, servers):
    older = [servers.in_cell(1) for _ in range(3)]
    orphan = servers.new(vm_state='building', launched_at=None)
    cloud.db(cloud.cells[0]).write(orphan.create)
    assert uuids(listed(cloud, limit=2)) == [older[2].uuid, older[1].uuid]


def test_markers(cloud, servers):
    """LST-S3: in a build request, in cell0 (B 1689692), deleted (B 1849409), unknown."""
    in_cell, buried, building = servers.in_cell(1), servers.in_cell(0), servers.in_request()
    gone = servers.in_cell(2)
    cloud.db(cloud.cells[1]).write(gone.destroy)
    assert uuids(listed(cloud)) == [building.uuid, buried.uuid, in_cell.uuid]
    assert uuids(listed(cloud, marker=building.uuid)) == [buried.uuid, in_cell.uuid]
    assert uuids(listed(cloud, marker=buried.uuid)) == [in_cell.uuid]
    assert uuids(listed(cloud, marker=gone.uuid)) == [building.uuid, buried.uuid, in_cell.uuid]
    with pytest.raises(errors.server.MarkerNotFound):
        listed(cloud, marker='7b5bcfab-0000-4f21-a5e5-d9047a9bc169')


@pytest.mark.parametrize(('filters', 'found'), [
    ({'name': '^web'}, {'web1', 'web2'}),
    ({'status': 'active'}, {'web1', 'busy'}),
    ({'status': ['SHUTOFF', 'BUILD']}, {'web2', 'new'}),
    ({'status': 'reboot'}, {'busy'}),
    ({'status': 'nonsense'}, set()),
    ({'vm_state': 'active'}, {'web1', 'busy'}),
    ({'task_state': [None]}, {'web1', 'web2'}),
    ({'host': 'h1'}, {'web1', 'busy'}),
    ({'flavor': '1'}, {'web1', 'web2', 'busy', 'new'}),
    ({'flavor': '2'}, set()),
    ({'tags': ['a', 'b']}, {'web1', 'new'}),
    ({'tags-any': ['b', 'c']}, {'web1', 'web2', 'new'}),
    ({'not-tags': ['a', 'b']}, {'web2', 'busy'}),
    ({'not-tags-any': ['a']}, {'web2', 'busy'}),
    ({'locked': True}, {'web2'}),
    ({'locked': False}, {'web1', 'busy', 'new'}),
    ({'power_state': 1}, {'web1'}),
    ({'deleted': True}, {'gone'}),
    ({'deleted': None}, {'web1', 'web2', 'busy', 'new', 'gone', 'soft'}),
    ({'soft_deleted': True}, {'web1', 'web2', 'busy', 'new', 'soft'}),
    ({'status': 'SOFT_DELETED'}, {'soft'}),
    ({'key_name': 'k.y'}, {'web1'}),
    ({'project_id': 'other'}, {'theirs'}),
    ({'reservation_id': 'r-1', 'name': 'w'}, {'web2', 'new'}),
])
def test_filters(cloud, servers, filters, found):
    """Filters mean the same for servers in cells and for those still being scheduled."""
    servers.in_cell(1, display_name='web1', host='h1', tags=['a', 'b'], power_state=1, key_name='key')
    servers.in_cell(2, display_name='web2', vm_state='stopped', tags=['c'], locked_by='owner',
                    reservation_id='r-1')
    servers.in_cell(2, display_name='busy', task_state='rebooting', host='h1')
    servers.in_request(display_name='new', tags=['a', 'b'], reservation_id='r-1')
    servers.in_cell(1, display_name='soft', vm_state='soft-delete')
    servers.in_cell(1, display_name='theirs', project_id='other')
    gone = servers.in_cell(1, display_name='gone')
    cloud.db(cloud.cells[0]).write(gone.destroy)
    result = listed(cloud, {'project_id': 'p', **filters})
    assert {row.display_name for row in result.rows} == found


def test_changes(cloud, servers):
    """changes-since and changes-before include deleted servers."""
    old, young = servers.in_cell(1, minute=1), servers.in_cell(2, minute=20)
    gone = servers.in_cell(1, minute=2)
    cloud.db(cloud.cells[0]).write(gone.destroy)
    edge = EPOCH + datetime.timedelta(minutes=10)
    assert set(uuids(listed(cloud, {'changes-since': edge}))) == {young.uuid, gone.uuid}
    assert uuids(listed(cloud, {'changes-before': edge})) == [old.uuid]


def test_mistakes_of_the_caller(cloud, servers):
    servers.in_request()
    with pytest.raises(errors.Invalid):
        listed(cloud, {'name': '('})
    with pytest.raises(errors.Invalid):
        listed(cloud, {'unheard_of': 1})
    with pytest.raises(errors.Invalid):
        listed(cloud, sort=[('uuid', 'sideways')])


# Cells that are away

class Stall:
    """A cell whose database answers nobody until released."""

    def __init__(self, cloud, monkeypatch, cell):
        self.released, self.asked = threading.Event(), 0
        real = cloud.databases.cell

        def slow(url):
            if url == cell.database_connection:
                self.asked += 1
                self.released.wait(20)
            return real(url)
        monkeypatch.setattr(cloud.databases, 'cell', slow)


def test_a_cell_that_does_not_answer_is_left_out(cloud, servers, monkeypatch):
    """LST-F1, LST-F2: one deadline, then a breaker; stubs of what it has; back again after a probe."""
    near, far = servers.in_cell(1), servers.in_cell(2)
    listed(cloud)
    stall = Stall(cloud, monkeypatch, cloud.cells[1])
    cloud.conf.set_override('cell_timeout', 4.0, 'api')
    try:
        result = listed(cloud, stubs=True)
        assert uuids(result) == [near.uuid]
        assert [cell.name for cell in result.down_cells] == ['cell2']
        assert [(stub.uuid, stub.project_id, stub.created_at) for stub in result.stubs] == [
            (far.uuid, 'p', far.created_at)]
        asked = stall.asked
        assert listed(cloud).down_cells and stall.asked == asked, 'the next request does not ask it at all'
        with pytest.raises(errors.host.CellDown):
            listed(cloud, marker=far.uuid)
        cloud.conf.set_override('list_records_by_skipping_down_cells', False, 'api')
        with pytest.raises(errors.host.CellDown):
            listed(cloud)
        assert [stub.uuid for stub in listed(cloud, stubs=True).stubs] == [far.uuid], 'nothing is missing there'
        cloud.conf.clear_override('list_records_by_skipping_down_cells', 'api')
    finally:
        stall.released.set()


def unplugged(db):
    raise ConnectionError


def test_a_cell_that_is_back_takes_part_again(cloud, servers):
    far = servers.in_cell(2)
    cloud.databases.scatter = type(cloud.databases.scatter)(0.2)
    down = cloud.databases.ask({cloud.cells[1].uuid: unplugged}, {cloud.cells[1].uuid: cloud.cells[1]},
                               clock.Deadline(5)).down
    assert down and uuids(listed(cloud)) == []
    probed = threading.Event()
    for _ in range(2000):
        if uuids(listed(cloud)) == [far.uuid]:
            break
        probed.wait(0.01)
    assert uuids(listed(cloud)) == [far.uuid]


def test_a_cell_without_a_database_is_down(cloud, servers):
    """CEL-F2."""
    near = servers.in_cell(1)
    cell = cloud.cells[1]
    cell.database_connection = 'sqlite:////nonexistent/cell2.sqlite'
    cloud.api.write(cell.save)
    result = listed(cloud)
    assert uuids(result) == [near.uuid]
    assert [down.name for down in result.down_cells] == ['cell2']


def test_only_the_projects_cells_are_asked_when_wanted(cloud, servers):
    """LST-S4."""
    servers.in_cell(1)
    servers.in_cell(2, project_id='other')
    cloud.conf.set_override('instance_list_per_project_cells', True, 'api')
    with cloud.db(cloud.cells[1]).counting() as statements:
        assert len(listed(cloud).rows) == 1
    assert statements == []
