"""nova-manage audit: what it finds, what it leaves alone, and what it mends (TSK-*, invariants of 1.13)."""

import json

import pytest
import sqlalchemy as sa

from nova import context, objects
from nova.clients import fake
from nova.cmd import manage
from nova.cmd.manage import command
from nova.common import uuids
from nova.db import tasks as tables
from nova.objects import task as rows
from nova.ops import pause
from nova.task import journal
from nova.tests.fixtures import nova_db
from nova.tests.objects.conftest import Servers

NEW = {'resources': {'VCPU': 1}}


class World:
    """A deployment with one host, and neighbours that know of its servers."""

    def __init__(self, cloud, capsys):
        self.cloud, self._capsys = cloud, capsys
        self.neighbours = fake.build()
        self.servers = Servers(cloud, objects.Flavor(id=1, flavorid='1', name='m', memory_mb=512, vcpus=1))
        self.node = uuids.generate()
        self.cell = cloud.db(cloud.cells[0])
        self.cell.write(objects.ComputeNode(
            uuid=self.node, host='host1', hypervisor_hostname='host1', hypervisor_type='fake').create)
        self.neighbours.placement.host(self.node, 'host1', vcpus=64)
        self.network = self.neighbours.network.api.add_network('p')

    def server(self, **values):
        """One that has all that it should have; its uuid."""
        server = self.servers.in_cell(1, host='host1', node='host1', compute_id=self.node, **values)
        self.claim(server.uuid)
        self.port(server.uuid)
        self.attach(server.uuid, known=True)
        return server.uuid

    def claim(self, consumer):
        assert self.neighbours.placement.claim(consumer, {'allocations': {self.node: NEW}}, 'p', 'u')

    def port(self, server):
        return self.neighbours.network.api.add_port(
            self.network, 'p', device_id=server, device_owner='compute:nova')

    def attach(self, server, known):
        volumes = self.neighbours.volume
        volume = volumes.add()
        attachment = volumes.reserve(volume, server)
        if known:
            self.cell.write(objects.BlockDeviceMapping(
                uuid=uuids.generate(), instance_uuid=server, source_type='volume',
                destination_type='volume', volume_id=volume, attachment_id=attachment).create)
        return attachment

    def delete(self, server):
        """Its row says that it is deleted; nothing else was done."""
        self.cell.write(lambda conn: conn.execute(sa.text(
            'UPDATE instances SET deleted = id, host = NULL, compute_id = NULL WHERE uuid = :uuid'),
            {'uuid': server}))

    def audit(self, *argv):
        """Exit code, and what was found: ``(kind, server, repairable, repaired)``."""
        env = command.Env(self.cloud.conf, self.cloud.databases, self.neighbours)
        code = manage.run(['audit', '--json', '--settle', '0', *argv], env)
        said = json.loads(self._capsys.readouterr().out)
        return code, sorted((one['kind'], one['server'], one['repairable'], one['repaired'])
                            for one in said['found'])


@pytest.fixture
def world(lend, capsys):
    with nova_db.deployment(lend, transport_url='inproc://top') as made:
        yield World(made, capsys)


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
    assert world.audit() == (3, [('allocation', over, True, False)])
    assert world.audit('--repair') == (4, [('allocation', over, True, True)])
    assert world.audit() == (0, [])
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
    away = f'sqlite:///{uuids.generate()}/nowhere.sqlite'
    world.cloud.api.write(lambda conn: conn.execute(sa.text(
        "UPDATE cell_mappings SET database_connection = :url WHERE name = 'cell2'"), {'url': away}))
    assert world.audit() == (1, [])
