"""What hosts say to their conductor."""

import pytest

from nova import cells, context, errors, objects, release
from nova.common import uuids
from nova.conductor import reports
from nova.objects import owed
from nova.objects import task as rows
from nova.ops.power_sync import SyncPower
from nova.task import journal
from nova.tests.compute import cell

CONTEXT = context.admin()


class Reach:
    """Keeps what hosts are told."""

    def __init__(self):
        self.told = []

    def set_status(self, context, host, status):
        self.told.append((host, status.disabled))

    def rejoin(self, context, host, wanted):
        self.told.append((host, 'rejoin', wanted.epoch))


class Engine:
    """Has the steps that hosts are waited for, and tasks that nobody runs."""

    def __init__(self, db):
        self.open, self.journal, self.woken = [], journal.Journal(db), []

    def open_steps(self, host):
        return self.open

    def wake(self, uuid):
        self.woken.append(uuid)

    def submit(self, care, uuid):
        care(uuid)


class Nothing:
    """A look at who lives of which nothing is kept."""

    release = release.CURRENT

    def forget(self):
        pass

    def conductors(self):
        return self.release

    def conductors_now(self, conn):
        return self.release


@pytest.fixture
def engine(db):
    return Engine(db)


@pytest.fixture
def reach():
    return Reach()


@pytest.fixture
def verbs(db, engine, reach):
    return reports.Reports(db, engine, Nothing(), reach)


def report(disabled=None, **more):
    return objects.HostReport(host='h', binary='nova-compute', version=1, disabled=disabled, **more)


def beat(disabled=None, epoch=0, steps=None):
    return objects.HostBeat(host='h', binary='nova-compute', version=1, disabled=disabled, epoch=epoch,
                            steps=steps or {})


def service(db):
    with db.read() as conn:
        return objects.Service.get(conn, host='h')


def test_a_host_learns_whether_it_is_disabled(db, verbs, reach):
    """When it joins; and by its heartbeat when a message was lost, once it says otherwise."""
    assert verbs.host_up(CONTEXT, report()).disabled is False
    verbs.beat(CONTEXT, beat(False))
    assert reach.told == []

    def disable(conn):
        service = objects.Service.get(conn, host='h')
        service.disabled = True
        service.save(conn)
    db.write(disable)
    verbs.beat(CONTEXT, beat(False))
    assert reach.told == [('h', True)]
    with db.counting() as statements:
        verbs.beat(CONTEXT, beat(True))
    assert reach.told == [('h', True)]
    assert [text.split()[0] for text in statements if 'services' in text] == ['UPDATE']
    assert verbs.host_up(CONTEXT, report()).disabled is True


def test_signs_of_many_hosts_are_one_statement(db, verbs, reach):
    """Those that are as they believe; another one is told, and it alone is no sign of life."""
    names = [f'h{number}' for number in range(30)]
    for name in names:
        verbs.host_up(CONTEXT, objects.HostReport(host=name, binary='nova-compute', version=1))
    db.write(lambda conn: objects.Service.beat(conn, 'conductor', 'nova-conductor', 1))

    def beats(**steps):
        return [(CONTEXT, objects.HostBeat(
            host=name, binary='nova-compute', version=1, disabled=False, epoch=0, steps=steps.get(name, {})))
            for name in names]

    def up():
        with db.read() as conn:
            return {one.host for one in objects.Service.all(conn, binary='nova-compute') if one.is_up(60)}
    with db.counting() as statements:
        verbs.beats(beats())
    assert [text.split()[0] for text in statements if 'services' in text] == ['UPDATE']
    assert up() == set(names) and reach.told == []
    with db.counting() as statements:
        verbs.beats(beats(h3={'a task': 1}))
    assert [text.split()[0] for text in statements if 'services' in text] == ['UPDATE', 'UPDATE']
    with db.read() as conn:
        assert objects.service.Alive.look(conn, 60, attempts=True).attempts == {'h3': {'a task': 1}}

    def forget(conn):
        for one in objects.Service.all(conn, binary='nova-compute'):
            one.last_seen_up = None
            one.epoch = int(one.host == 'h7')
            one.save(conn)
        objects.Service.get(conn, host='h9').destroy(conn)
    db.write(forget)
    verbs.beats(beats())
    assert up() == set(names) - {'h7', 'h9'}
    assert sorted(reach.told, key=str) == [('h7', 'rejoin', 1), ('h9', 'rejoin', None)]


def test_who_joins_has_no_other_host_read(db, engine, reach):
    """Ten thousand may join at the same time."""
    alive = cells.Liveness(lambda: db, 60)
    verbs = reports.Reports(db, engine, alive, reach)
    db.write(lambda conn: objects.Service.beat(conn, 'conductor', 'nova-conductor', release.PREVIOUS.service))
    verbs.host_up(CONTEXT, report())
    with db.counting() as statements:
        orders = verbs.host_up(CONTEXT, report())
    assert orders.conductors == release.PREVIOUS.service
    read = [text for text in statements if text.startswith('SELECT') and 'FROM services' in text]
    assert read and all('services.host = ' in text for text in read), read


def test_a_host_that_joins_lives_once_it_beats(db, verbs):
    verbs.host_up(CONTEXT, report())
    assert service(db).last_seen_up is None and not service(db).is_up(60)
    verbs.beat(CONTEXT, beat())
    assert service(db).is_up(60)


def test_a_host_that_was_given_up_is_told_before_its_beats_count(db, verbs, reach):
    """TSK-S2: what it owes comes first; what is given up while it joins has it join once more."""
    verbs.host_up(CONTEXT, report())
    verbs.beat(CONTEXT, beat(False))
    seen = service(db).last_seen_up
    undo = cell.call_of(cell.server_of(), attempt=4, direction='undo')
    db.write(lambda conn: owed.owe(conn, 'h', undo))
    verbs.beat(CONTEXT, beat(False))
    assert reach.told == [('h', 'rejoin', 1)] and service(db).last_seen_up == seen
    orders = verbs.host_up(CONTEXT, report())
    assert [(call.task, call.attempt, call.direction) for call in orders.owed] == [(undo.task, 4, 'undo')]
    assert orders.epoch == 1 and service(db).last_seen_up == seen
    db.write(lambda conn: owed.owe(conn, 'h', cell.call_of(cell.server_of())))
    verbs.beat(CONTEXT, beat(False, epoch=1))
    assert reach.told[1:] == [('h', 'rejoin', 2)] and service(db).last_seen_up == seen
    verbs.beat(CONTEXT, beat(False, epoch=2))
    assert service(db).last_seen_up > seen


def test_what_a_host_has_done_it_owes_no_more(db, verbs):
    calls = [cell.call_of(cell.server_of(), attempt=number) for number in (1, 2)]
    for call in calls:
        db.write(lambda conn, call=call: owed.owe(conn, 'h', call))
    verbs.paid(CONTEXT, objects.HostPaid(host='h', steps=[objects.StepRef(task=calls[0].task, attempt=1)]))
    assert [call.task for call in verbs.host_up(CONTEXT, report()).owed] == [calls[1].task]


def test_what_a_host_has_done_late_is_looked_at(db, verbs, engine):
    """Its answer was for a task that has ended. A server that is elsewhere by now is none of its business."""
    servers = [cell.server_of(host=host) for host in ('h', 'h', 'elsewhere')]
    calls = [cell.call_of(server, direction=direction)
             for server, direction in zip(servers, ('undo', 'do', 'undo'), strict=True)]

    def write(conn):
        for server, call in zip(servers, calls, strict=True):
            server.create(conn)
            owed.owe(conn, 'h', call)
    db.write(write)
    steps = [objects.StepRef(task=call.task, attempt=call.attempt) for call in calls]
    for _ in range(2):
        verbs.paid(CONTEXT, objects.HostPaid(host='h', steps=steps))
    with db.read() as conn:
        begun = conn.execute(rows.tables.tasks.select()).all()
    assert {(task.flow, task.instance_uuid) for task in begun} == {
        ('sync_late', server.uuid) for server in servers[:2]}
    assert sorted(engine.woken) == sorted(task.uuid for task in begun)


def test_what_is_left_of_deleted_servers_is_removed(db, verbs):
    """Also where a move had begun to bring it, or had just taken it away; nobody else's guest."""
    gone, strange, there = (cell.server_of(host='elsewhere') for _ in range(3))

    def write(conn):
        for server in (gone, strange, there):
            server.create(conn)
            task = journal.insert(conn, SyncPower, SyncPower.State(), CONTEXT, instance_uuid=server.uuid)
            if server is not strange:
                conn.execute(rows.tables.task_steps.insert(), {
                    'task_uuid': task.uuid, 'name': 'settle', 'direction': 'do', 'attempt': 1,
                    'status': 'done', 'host': 'h'})
        for server in (gone, strange):
            server.destroy(conn)
    db.write(write)
    uuids = [server.uuid for server in (gone, strange, there)]
    assert verbs.host_up(CONTEXT, report(guests=uuids)).evict == [gone.uuid]
    assert verbs.host_up(CONTEXT, report(remains=uuids)).evict == [gone.uuid]


def test_a_host_stops_what_nobody_waits_for(db, verbs, engine):
    waited, outdated, undo = (cell.call_of(cell.server_of(), attempt=2) for _ in range(3))
    engine.open = [waited]
    db.write(lambda conn: owed.owe(conn, 'h', undo))
    orders = verbs.host_up(CONTEXT, report(steps={waited.task: 2, outdated.task: 2, undo.task: 2}))
    assert [(ref.task, ref.attempt) for ref in orders.stop] == [(outdated.task, 2)]


def test_a_host_whose_service_was_removed_joins_anew(db, verbs, reach):
    verbs.host_up(CONTEXT, report())
    db.write(lambda conn: objects.Service.get(conn, host='h').destroy(conn))
    verbs.beat(CONTEXT, beat())
    assert reach.told == [('h', 'rejoin', None)]
    with db.read() as conn, pytest.raises(errors.host.ServiceNotFound):
        objects.Service.get(conn, host='h')


def test_news_of_nodes_are_written_down(db, verbs):
    node = objects.ComputeNode(uuid=uuids.generate(), host='h', hypervisor_hostname='n', vcpus=4)
    verbs.host_up(CONTEXT, report(nodes=[node]))
    newer = node.copy()
    newer.vcpus = 8
    verbs.nodes(CONTEXT, objects.HostNodes(host='h', nodes=[newer]))
    with db.read() as conn:
        assert objects.ComputeNode.get(conn, uuid=node.uuid).vcpus == 8
