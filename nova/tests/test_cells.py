"""Where cells are and who lives there: asked of one module, on databases that answer and that do not."""

import contextlib
import pathlib
import re
import threading

import pytest

import nova
from nova import errors, objects, release
from nova.cells import Cells, Liveness, reading
from nova.common import uuids
from nova.conductor import periodic
from nova.objects import host_mapping
from nova.tests.fixtures import nova_db
from nova.tests.fixtures.waiting import PATIENCE

ROOT = pathlib.Path(nova.__file__).parent
READERS = {
    'cells.py': 'this is the module',
    'api/finder.py': 'a server and its cell are read in one transaction',
    'cmd/manage/cell_v2.py': 'it changes mappings',
    'listing/servers.py': 'a page of a project reads the cells of the project alone',
    'ops/build/late.py': 'a step reads through the fence of its handle',
    'ops/external_events/api.py': 'the cells of many servers are read in one transaction',
    'scheduler/deployment.py': 'hosts, cells and aggregates are read in one transaction',
    'standalone/services.py': 'it makes mappings',
}


@pytest.fixture
def deployed(lend):
    with nova_db.deployment(lend) as found:
        yield found


@pytest.fixture
def cells(deployed):
    return Cells(deployed.databases, timeout=60.0, down_after=60.0)


def test_one_module_reads_where_cells_are():
    """Others ask it, but for those that are named, with a reason."""
    pattern = re.compile(r'CellMapping\.(find|get|all|enabled|of_host|of_server)\(')
    found = {str(path.relative_to(ROOT)) for path in ROOT.rglob('*.py')
             if 'tests' not in path.relative_to(ROOT).parts and pattern.search(path.read_text())}
    assert found == set(READERS)


def test_one_module_judges_who_lives():
    """`Alive` judges signs of life; the scheduler, which reads those of all cells at once, asks it itself."""
    pattern = re.compile(r'\bAlive(\.look)?\(')
    found = {str(path.relative_to(ROOT)) for path in ROOT.rglob('*.py')
             if 'tests' not in path.relative_to(ROOT).parts and pattern.search(path.read_text())}
    assert found == {'cells.py', 'scheduler/cell_hosts.py'}


def test_the_cell_of_a_host_and_of_a_server(deployed, cells):
    one, _ = deployed.cells
    server = uuids.generate()
    deployed.api.write(objects.HostMapping(host='h1', cell_id=one.id).create)
    deployed.api.write(objects.InstanceMapping(
        instance_uuid=server, project_id='p', user_id='u', cell_id=one.id).create)
    assert cells.of_host('h1').uuid == cells.of_server(server).uuid == one.uuid
    assert cells.of_server(uuids.generate()) is None
    with pytest.raises(errors.host.HostMappingNotFound):
        cells.of_host('h2')


def test_mappings_are_as_fresh_as_they_have_to_be(deployed, cells):
    slow = Cells(deployed.databases, keep=600.0)
    assert [cell.name for cell in slow.every()] == ['cell0', 'cell1', 'cell2']
    one = deployed.cells[0]

    def disable(conn):
        found = objects.CellMapping.get(conn, uuid=one.uuid)
        found.disabled = True
        found.save(conn)
    deployed.api.write(disable)
    assert cells.get(one.uuid).disabled
    assert not slow.get(one.uuid).disabled and slow.get(one.uuid, fresh=True).disabled
    with pytest.raises(errors.host.CellMappingNotFound):
        slow.get(uuids.generate())


def test_a_cell_that_does_not_answer_is_told_from_one_that_has_nothing(deployed, cells):
    one, two = deployed.cells

    def count(conn):
        return len(objects.Service.all(conn))
    with deployed.db(two).engine.begin() as conn:
        conn.exec_driver_sql('ALTER TABLE services RENAME TO gone')
    assert dict((cell.name, got) for cell, got in cells.ask(count)) == {'cell1': 0, 'cell2': None}
    assert cells.ask_one(one, count) == 0
    with pytest.raises(errors.host.CellDown):
        cells.ask_one(two, count)


def test_a_node_may_be_in_a_cell_that_is_down(deployed, cells):
    one, two = deployed.cells
    node = objects.ComputeNode(uuid=uuids.generate(), host='h1', hypervisor_hostname='n1')
    deployed.db(one).write(node.create)
    assert not cells.has_node('h1', 'n2')
    with deployed.db(two).engine.begin() as conn:
        conn.exec_driver_sql('ALTER TABLE compute_nodes RENAME TO gone')
    assert cells.has_node('h1', None) and cells.has_node(None, 'n1')
    with pytest.raises(errors.host.CellDown):
        cells.has_node('h2', None)


def test_what_a_question_raises_comes_to_who_asked(cells):
    def refuse(conn):
        raise errors.Conflict('no')
    with pytest.raises(errors.Conflict):
        cells.ask(refuse)


def beat(db, host, binary, version):
    db.write(lambda conn: objects.Service.beat(conn, host, binary, version))


def test_who_lives_in_a_cell_is_remembered_for_a_while(deployed, cells):
    one, other = deployed.cells
    old, new = release.PREVIOUS.service, release.CURRENT.service
    for binary in ('nova-conductor', 'nova-compute'):
        beat(deployed.db(one), 'h1', binary, new)
    alive = cells.liveness(one)
    with deployed.db(one).counting() as statements:
        assert alive.is_up('h1') and not alive.is_up('h2')
        assert alive.conductors().is_current and alive.release_of('h1').is_current
    assert len([text for text in statements if 'services' in text]) == 1
    assert cells.liveness(one) is alive and cells.liveness(other) is not alive
    assert not cells.host_is_up(deployed.db(other), 'h1')
    beat(deployed.db(deployed.cell0), 's', 'nova-scheduler', old)
    assert not cells.liveness(None).schedulers().is_current


def test_nobody_lives_where_no_cell0_is_mapped(deployed, cells):
    deployed.api.write(lambda conn: objects.CellMapping.get(conn, uuid=deployed.cell0.uuid).destroy(conn))
    assert cells.liveness(None).schedulers().is_current


def test_a_cell0_that_is_away_is_of_the_releases_that_were_seen_last(deployed, cells):
    """A boot asks for them; of a cell with hosts nobody may believe what is old."""
    beat(deployed.db(deployed.cell0), 's', 'nova-scheduler', release.PREVIOUS.service)
    beat(deployed.db(deployed.cells[0]), 'c', 'nova-conductor', release.PREVIOUS.service)
    seen, other = cells.liveness(None), cells.liveness(deployed.cells[0])
    assert not seen.schedulers().is_current and not other.conductors().is_current
    for cell in (deployed.cell0, deployed.cells[0]):
        with deployed.db(cell).engine.begin() as conn:
            conn.exec_driver_sql('ALTER TABLE services RENAME TO gone')
    seen.forget()
    other.forget()
    assert not seen.schedulers().is_current
    anew = Cells(deployed.databases, timeout=60.0, down_after=60.0).liveness(None)
    assert not anew.conductors().is_current, 'it has never looked'
    with pytest.raises(errors.host.CellDown):
        other.conductors()


class Silent:
    """A database that takes questions and never answers, until `over`."""

    def __init__(self):
        self.over, self.asked = threading.Event(), 0

    @contextlib.contextmanager
    def read(self):
        self.asked += 1
        self.over.wait(PATIENCE)
        yield None

    def ping(self):
        self.over.wait(PATIENCE)


def test_a_cell0_that_hangs_is_waited_for_once(deployed, monkeypatch):
    """A boot asks who lives there, and goes on with what was seen last."""
    beat(deployed.db(deployed.cell0), 's', 'nova-scheduler', release.PREVIOUS.service)
    cells = Cells(deployed.databases, timeout=1.0, down_after=60.0)
    seen, silent, whole = cells.liveness(None), Silent(), deployed.databases.cell
    assert not seen.schedulers().is_current
    monkeypatch.setattr(deployed.databases, 'cell', lambda url: (
        silent if url == deployed.cell0.database_connection else whole(url)))
    for _ in range(3):
        seen.forget()
        assert not seen.schedulers().is_current
    assert silent.asked == 1
    silent.over.set()


def test_a_look_is_shorter_while_services_are_of_the_release_before(deployed):
    db = deployed.db(deployed.cells[0])
    alive = Liveness(reading(lambda: db), 60.0, keep=600.0, behind=0.0)
    beat(db, 'c', 'nova-conductor', release.PREVIOUS.service)
    assert not alive.conductors().is_current
    beat(db, 'c', 'nova-conductor', release.CURRENT.service)
    assert alive.conductors().is_current
    beat(db, 'c', 'nova-conductor', release.PREVIOUS.service)
    assert alive.conductors().is_current, 'the look is good for long now'


def test_many_hosts_are_discovered_by_few_statements(deployed):
    """CEL-S4: by a super-conductor, and by the command; and the scheduler need not read the nodes again."""
    [cell, other], hosts = deployed.cells, [f'h{number}' for number in range(40)]

    def report(conn):
        for host in hosts:
            objects.ComputeNode(uuid=uuids.generate(), host=host, hypervisor_hostname=host).create(conn)
    db = deployed.db(cell)
    db.write(report)
    found = Cells(deployed.databases)
    deployed.api.write(lambda conn: objects.HostMapping(host='h3', cell_id=cell.id).create(conn))
    with db.read() as conn:
        stamps = {node.host: node.updated_at for node in objects.ComputeNode.all(conn)}

    def check(discover):
        with deployed.api.counting() as above, db.counting() as within:
            discover()
        assert len(above) <= 10 and len(within) <= 10, (above, within)
        with deployed.api.read() as conn:
            mapped = {one.host: one.cell_id for one in objects.HostMapping.all(conn)}
        assert mapped == dict.fromkeys(hosts, cell.id)
        with db.read() as conn:
            nodes = objects.ComputeNode.all(conn)
        assert all(node.mapped for node in nodes) and {node.host: node.updated_at for node in nodes} == stamps
    check(periodic.Discovery(found))

    def forget(conn):
        for one in objects.HostMapping.all(conn):
            one.destroy(conn)
    deployed.api.write(forget)
    db.write(lambda conn: conn.execute(objects.ComputeNode.table.update().values(
        mapped=False, updated_at=objects.ComputeNode.table.c.updated_at)))
    check(lambda: host_mapping.discover(deployed.api, db, cell))
    deployed.db(other).write(lambda conn: objects.ComputeNode(
        uuid=uuids.generate(), host='h3', hypervisor_hostname='h3').create(conn))
    with pytest.raises(errors.Conflict):
        host_mapping.discover(deployed.api, deployed.db(other), other)
