"""nova-manage audit: what it finds, what it leaves alone, and what it mends (TSK-*, invariants of 1.13)."""

import types

import sqlalchemy as sa

from nova import audit, context, objects
from nova.audit import compare, facts
from nova.common import metrics, uuids
from nova.conductor import audits
from nova.db import tasks as tables
from nova.objects import task as rows
from nova.ops import pause
from nova.task import journal


def test_nothing_is_found_where_all_is_as_it_should_be(world):
    world.server()
    world.servers.in_cell(0, vm_state='error', host=None)
    world.servers.in_request()
    assert world.audit() == (0, [])


def test_what_is_left_of_a_deleted_server_can_be_repaired(world):
    server = world.server()
    world.delete(server)
    found = [(kind, server, True, False) for kind in ('allocation', 'attachment', 'port')]
    assert world.audit() == (3, found)
    assert world.audit('--repair', '--dry-run') == (3, found)
    assert not _begun(world)
    assert world.audit('--repair') == (4, [(*one[:3], True) for one in found])
    assert _begun(world) == [('remove_late', server)]
    assert world.audit() == (0, [])  # an operation is open: what the server has changes


def _begun(world):
    with world.cell.read() as conn:
        return [tuple(row) for row in conn.execute(sa.select(
            tables.tasks.c.flow, tables.tasks.c.instance_uuid).where(tables.tasks.c.status.in_(rows.OPEN)))]


def test_what_is_of_nobody_we_know_is_told_and_stays(world):
    """Another deployment may share the neighbours."""
    stranger = uuids.generate()
    world.claim(stranger)
    world.port(stranger)
    world.attach(stranger, known=False)
    found = [(kind, stranger, False, False) for kind in ('allocation', 'attachment', 'port')]
    assert world.audit('--repair') == (3, found)
    assert len(world.neighbours.network.api.all_ports) == 1


def test_an_attachment_that_its_server_does_not_know(world):
    server = world.server()
    world.attach(server, known=False)
    assert world.audit() == (3, [('attachment', server, True, False)])


def test_what_a_server_should_have_and_has_not(world):
    server = world.server()
    world.neighbours.placement.drop(server)
    for ident in list(world.neighbours.volume.held):
        world.neighbours.volume.detach(ident)
    assert world.audit('--repair') == (3, [
        ('allocation', server, False, False), ('attachment', server, False, False)])


def test_a_move_that_has_ended_holds_nothing(world):
    server = world.server()
    moves = {status: objects.Migration(
        uuid=uuids.generate(), instance_uuid=server, migration_type='migration', status=status)
        for status in ('confirmed', 'migrating')}
    for move in moves.values():
        world.cell.write(move.create)
        world.claim(move.uuid)
    over = moves['confirmed'].uuid
    stuck = ('state', server, False, False)  # one that goes on, and nobody brings it on
    assert world.audit() == (3, sorted([('allocation', over, True, False), stuck]))
    assert world.audit('--repair') == (3, sorted([('allocation', over, True, True), stuck]))
    assert world.audit() == (3, [stuck])
    assert world.neighbours.placement.allocations(moves['migrating'].uuid).allocations


def test_a_server_in_two_cells_or_in_none(world):
    twice = world.servers.in_cell(1)
    world.cloud.db(world.cloud.cells[1]).write(twice.copy().create)
    unmapped = world.servers.in_cell(1)
    world.cloud.api.write(lambda conn: conn.execute(sa.text(
        'DELETE FROM instance_mappings WHERE instance_uuid = :uuid'), {'uuid': unmapped.uuid}))
    lost = world.servers.new()
    world.servers.mapped(lost, world.cloud.cells[0])
    assert world.audit('--repair') == (3, sorted(
        ('place', one.uuid, False, False) for one in (twice, unmapped, lost)))


def test_a_task_state_without_operation(world):
    server = world.server(task_state='pausing')
    assert world.audit() == (3, [('state', server, False, False)])
    journal.begin(world.cell, pause.Pause, objects.State(), context.RequestContext(project_id='p'),
                  instance_uuid=server)
    assert world.audit() == (0, [])


def test_an_operation_that_is_late(world):
    server = world.server()
    journal.begin(world.cell, pause.Pause, objects.State(), context.RequestContext(project_id='p'),
                  instance_uuid=server)
    world.cell.write(lambda conn: conn.execute(sa.text("UPDATE tasks SET deadline = '2020-01-01 00:00:00'")))
    assert world.audit('--repair') == (3, [('operation', server, False, False)])


def test_who_cannot_be_asked_is_named_and_nobody_is_judged_by_that(world, monkeypatch):
    """A cell that is away may know the server whose port it is."""
    stranger = uuids.generate()
    world.port(stranger)
    world.cut_cell2()
    assert world.audit() == (1, [])


def test_what_a_former_move_holds_for_its_server_is_given_back(world):
    """MIG-S5: its host shrank while the move was taken back; one operation of the cell sees to it."""
    server = world.server()
    former = objects.Migration(uuid=uuids.generate(), instance_uuid=server, migration_type='resize',
                               status='error', source_compute='host1')
    world.cell.write(former.create)
    world.neighbours.placement.move(server, former.uuid, 'MIGRATION')
    assert world.audit() == (3, [('allocation', server, True, False)])
    assert world.audit('--repair') == (4, [('allocation', server, True, True)])
    assert world.neighbours.placement.allocations(former.uuid).allocations
    assert _begun(world) == [('remove_late', server)]


def test_an_allocation_is_what_its_flavor_stands_for(world):
    """Invariant 1; what extra specs say counts."""
    server = world.server()
    world.neighbours.placement.claim(
        server, {'allocations': {world.node: {'resources': {'VCPU': 2, 'MEMORY_MB': 512}}}}, 'p', 'u')
    assert world.audit() == (3, [('allocation', server, False, False)])
    flavor = objects.Flavor(id=1, flavorid='1', name='m', memory_mb=512, vcpus=1,
                            extra_specs={'resources:VCPU': '2'})
    world.cell.write(lambda conn: _give_flavor(conn, server, flavor))
    assert world.audit() == (0, [])


def _give_flavor(conn, server, flavor):
    found = objects.Instance.get(conn, uuid=server)
    found.flavor = flavor
    found.save(conn)


def test_guests_without_rows_and_rows_without_guests(world):
    here, missing, gone = (world.server() for _ in range(3))
    world.delete(gone)
    for what in ('port', 'attachment', 'allocation'):
        world.forget(what, gone)
    stranger = uuids.generate()
    world.live(host1=[here, gone, stranger], host2=[here])
    assert world.audit() == (3, sorted([
        ('guest', gone, True, False), ('guest', stranger, False, False), ('guest', missing, False, False),
        ('guest', here, False, False)]))
    assert world.audit('--no-guests') == (0, [])


def test_a_guest_of_a_deleted_server_goes_when_its_host_joins_anew(world):
    gone = world.server()
    world.delete(gone)
    for what in ('port', 'attachment', 'allocation'):
        world.forget(what, gone)
    world.live(host1=[gone])
    assert world.audit('--repair') == (4, [('guest', gone, True, True)])
    with world.cell.read() as conn:
        assert objects.Service.get(conn, host='host1', binary='nova-compute').epoch == 1


def test_a_host_that_does_not_answer_is_named_and_its_servers_are_not_judged(world):
    world.server()
    world.live(host1=None)
    assert world.audit() == (1, [])


def test_operations_that_nobody_looks_after(world):
    """TSK-S2: a task in the hands of a worker that tells nothing, in a cell where nobody else lives."""
    server = world.server()
    journal.begin(world.cell, pause.Pause, objects.State(), context.RequestContext(project_id='p'),
                  instance_uuid=server)
    deployment = audit.Deployment(world.cloud.databases, world.neighbours)
    first = facts.gather(deployment)
    found = sorted(compare.abandoned(first, first))
    assert [(one.kind, one.server) for one in found] == [('operation', server)]
    world.cell.write(lambda conn: conn.execute(tables.workers.insert(), {
        'uuid': 'w', 'binary': 'nova-conductor', 'host': 'c', 'beat': 1}))
    before = facts.gather(deployment)
    world.cell.write(lambda conn: conn.execute(tables.workers.update().values(beat=2)))
    assert not list(compare.abandoned(before, facts.gather(deployment)))
    world.cell.write(lambda conn: conn.execute(tables.tasks.update().values(status='running', owner='dead')))
    before = facts.gather(deployment)
    world.cell.write(lambda conn: conn.execute(tables.workers.update().values(beat=3)))
    found = list(compare.abandoned(before, facts.gather(deployment)))
    assert [(one.kind, one.server) for one in found] == [('operation', server)]


def test_the_conductors_look_by_themselves(world):
    """What is found is counted; only who cares for the first shard looks."""
    server = world.server(task_state='pausing')
    keeper = types.SimpleNamespace(shards=lambda: (0, 1))
    own = types.SimpleNamespace(keeper=keeper)
    look = audits.Audit(lambda: audit.Deployment(world.cloud.databases, world.neighbours), own, 0.0, False, 0.0)
    assert look() is None

    def counted(kind):
        return metrics.REGISTRY.get_sample_value('nova_audit_differences', {'kind': kind})
    assert (counted('state'), counted('port')) == (1, 0)
    assert metrics.REGISTRY.get_sample_value('nova_audit_servers') == 1
    world.cell.write(lambda conn: conn.execute(sa.text(
        'UPDATE instances SET task_state = NULL WHERE uuid = :uuid'), {'uuid': server}))
    keeper.shards = lambda: (1,)
    assert look() is not None and counted('state') == 1
    keeper.shards = lambda: (0,)
    assert look() is None and counted('state') == 0
