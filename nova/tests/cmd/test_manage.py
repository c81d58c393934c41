"""nova-manage: what it does and how it exits."""

import pytest
from oslo_db import exception as db_exc

from nova import conf as nova_conf
from nova import objects
from nova.cmd import manage
from nova.cmd.manage import command
from nova.common import dbkit, uuids
from nova.db import archive, migrate, session
from nova.db.cell import models
from nova.objects.cell_mapping import CELL0_UUID
from nova.tests.fixtures import nova_db
from nova.tests.fixtures.deployed import Servers


@pytest.fixture
def run(capsys):
    """Run nova-manage on a configuration; returns exit code and output."""
    def call(conf, *argv):
        dbs = session.Databases(conf)
        try:
            code = manage.run(list(argv), command.Env(conf, dbs))
        finally:
            dbs.dispose()
        return code, capsys.readouterr().out
    return call


@pytest.fixture
def fresh(tmp_path):
    """Configuration of a deployment that has nothing yet."""
    return nova_conf.new(config_files=[], **{
        'api_database.connection': f'sqlite:///{tmp_path}/api', 'database.connection': f'sqlite:///{tmp_path}/cell',
        'transport_url': 'rabbit://guest:s3cret@broker:5672/'})


@pytest.fixture
def cloud(lend):
    with nova_db.deployment(lend, transport_url='inproc://top') as made:
        yield made


@pytest.fixture
def servers(cloud):
    return Servers(cloud, objects.Flavor(id=1, flavorid='1', name='m', memory_mb=512, vcpus=1))


def add_host(cloud, cell, host):
    node = objects.ComputeNode(uuid=uuids.generate(), host=host, hypervisor_hostname=host)
    cloud.db(cell).write(node.create)
    cloud.db(cell).write(lambda conn: objects.Service.beat(conn, host, 'nova-compute', 1))


def test_a_deployment_from_nothing(fresh, run, tmp_path):
    """The documented order: api_db sync, map_cell0, db sync, create_cell, discover_hosts."""
    assert run(fresh, 'db', 'sync')[0] == 1, 'the API database is not there yet'
    assert run(fresh, 'api_db', 'sync')[0] == 0
    assert run(fresh, 'api_db', 'version') == (0, ' '.join(migrate.newest('api')) + '\n')
    assert run(fresh, 'cell_v2', 'map_cell0')[0] == 0
    assert run(fresh, 'cell_v2', 'map_cell0')[0] == 0
    assert run(fresh, 'db', 'sync')[0] == 0
    assert run(fresh, 'db', 'version') == (0, ' '.join(migrate.newest('cell')) + '\n')
    cell0 = dbkit.Database(f'sqlite:///{tmp_path}/cell_cell0')
    assert migrate.version(cell0, 'cell') == migrate.newest('cell')
    code, text = run(fresh, 'cell_v2', 'create_cell', '--name', 'one', '--verbose')
    assert code == 0 and uuids.is_uuid(text.strip())
    assert run(fresh, 'cell_v2', 'create_cell', '--name', 'again')[0] == 2
    assert run(fresh, 'cell_v2', 'discover_hosts')[0] == 0
    assert run(fresh, 'cell_v2', 'discover_hosts', '--strict')[0] == 1
    text = run(fresh, 'cell_v2', 'list_cells')[1]
    assert 's3cret' not in text and 'rabbit://guest:****@broker:5672/' in text
    assert 's3cret' in run(fresh, 'cell_v2', 'list_cells', '--verbose')[1]


def test_simple_cell_setup(fresh, run):
    for words in (('api_db', 'sync'), ('db', 'sync')):
        assert run(fresh, *words)[0] == 0
    assert run(fresh, 'cell_v2', 'simple_cell_setup')[0] == 1, 'no hosts yet'
    db = dbkit.Database(fresh.database.connection)
    db.write(objects.ComputeNode(uuid=uuids.generate(), host='h', hypervisor_hostname='h').create)
    assert run(fresh, 'cell_v2', 'simple_cell_setup')[0] == 0
    assert run(fresh, 'cell_v2', 'simple_cell_setup')[0] == 0
    assert run(fresh, 'cell_v2', 'list_cells')[1].count('sqlite') == 2
    fresh.set_override('transport_url', None)
    assert run(fresh, 'cell_v2', 'simple_cell_setup')[0] == 1
    assert run(fresh, 'cell_v2', 'map_cell_and_hosts')[0] == 1
    assert run(fresh, 'cell_v2', 'create_cell')[0] == 1


def test_discover_hosts(cloud, run):
    """CEL-S4."""
    one, two = cloud.cells
    add_host(cloud, one, 'h1')
    add_host(cloud, two, 'h2')
    assert run(cloud.conf, 'cell_v2', 'discover_hosts', '--cell_uuid', uuids.generate())[0] == 1
    code, text = run(cloud.conf, 'cell_v2', 'discover_hosts', '--cell_uuid', one.uuid, '--strict', '--verbose')
    assert code == 0 and "for compute host 'h1'" in text and 'h2' not in text
    assert run(cloud.conf, 'cell_v2', 'discover_hosts', '--by-service', '--strict')[0] == 0
    text = run(cloud.conf, 'cell_v2', 'list_hosts')[1]
    assert 'h1' in text and 'h2' in text
    assert 'h2' not in run(cloud.conf, 'cell_v2', 'list_hosts', '--cell_uuid', one.uuid)[1]
    assert run(cloud.conf, 'cell_v2', 'list_hosts', '--cell_uuid', uuids.generate())[0] == 1
    add_host(cloud, one, 'h2')
    code, text = run(cloud.conf, 'cell_v2', 'discover_hosts')
    assert code == 2 and 'Duplicate' in text


def test_delete_host(cloud, run, servers):
    one, two = cloud.cells
    add_host(cloud, one, 'h1')
    run(cloud.conf, 'cell_v2', 'discover_hosts')
    server = servers.in_cell(1, host='h1')

    def delete(cell, host):
        return run(cloud.conf, 'cell_v2', 'delete_host', '--cell_uuid', cell, '--host', host)[0]
    assert delete(uuids.generate(), 'h1') == 1
    assert delete(one.uuid, 'nowhere') == 2
    assert delete(two.uuid, 'h1') == 3
    assert delete(one.uuid, 'h1') == 4
    cloud.db(one).write(server.destroy)
    assert delete(one.uuid, 'h1') == 0
    assert run(cloud.conf, 'cell_v2', 'discover_hosts', '--strict')[0] == 0, 'it can be found again'


def test_update_cell(cloud, run):
    one, two = cloud.cells

    def update(cell, *words):
        return run(cloud.conf, 'cell_v2', 'update_cell', '--cell_uuid', cell, *words)[0]
    urls = ('--transport-url', 'inproc://one', '--database_connection', one.database_connection)
    assert update(uuids.generate()) == 1
    assert update(one.uuid, '--enable', '--disable') == 4
    assert update(CELL0_UUID, '--disable') == 5
    assert update(one.uuid, '--transport-url', 'inproc://cell2', '--database_connection', 'sqlite:///x') == 3
    assert update(one.uuid, '--name', 'first', '--disable', *urls) == 0
    with cloud.api.read() as conn:
        kept = objects.CellMapping.get(conn, uuid=one.uuid)
        assert [cell.uuid for cell in objects.CellMapping.enabled(conn)] == [two.uuid]
    assert (kept.name, kept.disabled, kept.transport_url) == ('first', True, 'inproc://one')
    assert update(one.uuid, '--enable', *urls) == 0


def test_delete_cell(cloud, run, servers):
    one = cloud.cells[0]

    def delete(*words):
        return run(cloud.conf, 'cell_v2', 'delete_cell', '--cell_uuid', one.uuid, *words)[0]
    assert run(cloud.conf, 'cell_v2', 'delete_cell', '--cell_uuid', uuids.generate())[0] == 1
    server = servers.in_cell(1)
    assert delete() == delete('--force') == 3
    cloud.api.write(lambda conn: objects.InstanceMapping.queue_for_delete(conn, server.uuid))
    assert delete() == 4
    add_host(cloud, one, 'h1')
    run(cloud.conf, 'cell_v2', 'discover_hosts')
    assert delete() == 2
    assert delete('--force') == 0
    assert one.uuid not in run(cloud.conf, 'cell_v2', 'list_cells')[1]


def test_map_and_verify_instances(cloud, run, servers):
    cell = cloud.cells[0]
    unmapped = [servers.new() for _ in range(5)]
    for server in unmapped:
        cloud.db(cell).write(server.create)
    mapped, waiting = servers.in_cell(1), servers.in_request()

    def verify(uuid, *words):
        return run(cloud.conf, 'cell_v2', 'verify_instance', '--uuid', uuid, *words)

    def map_some(*words):
        return run(cloud.conf, 'cell_v2', 'map_instances', '--cell_uuid', cell.uuid, *words)[0]
    assert verify(mapped.uuid)[0] == 0
    assert verify(mapped.uuid, '--quiet') == (0, '')
    assert verify(unmapped[0].uuid)[0] == 1
    assert verify(waiting.uuid)[0] == 2
    assert map_some('--max-count', '0') == 127
    assert map_some('--max-count', '3') == 1
    assert map_some('--max-count', '3') == 0
    assert [verify(server.uuid)[0] for server in unmapped] == [0] * 5
    assert run(cloud.conf, 'cell_v2', 'map_instances', '--cell_uuid', uuids.generate())[0] == 255
    cloud.db(cell).write(mapped.destroy)
    assert verify(mapped.uuid)[0] == 3
    cloud.db(cell).write(lambda conn: conn.execute(
        models.instances.delete().where(models.instances.c.uuid == mapped.uuid)))
    assert verify(mapped.uuid)[0] == 4


def test_archive_and_purge(cloud, run, servers):
    cell = cloud.cells[0]
    cloud.conf.set_override('connection', cell.database_connection, 'database')
    gone = [servers.in_cell(1, metadata={'a': 'b'}) for _ in range(5)]
    kept = servers.in_cell(1)
    for server in gone:
        cloud.db(cell).write(server.destroy)
    words = ('db', 'archive_deleted_rows')
    assert run(cloud.conf, *words, '--max_rows', '0')[0] == 2
    assert run(cloud.conf, *words, '--before', 'whenever')[0] == 4
    assert run(cloud.conf, *words, '--before', '2001-01-01')[0] == 0
    assert run(cloud.conf, *words, '--max_rows', '6', '--verbose')[0] == 1
    with cloud.api.read() as conn:
        assert len(objects.InstanceMapping.all(conn)) == 4
    code, text = run(cloud.conf, *words, '--until-complete', '--verbose', '--all-cells', '--max_rows', '4')
    assert code == 0 and 'cell1.instances' in text and 'API_DB.instance_mappings' in text
    assert run(cloud.conf, *words)[0] == 0
    with cloud.api.read() as conn:
        assert [mapping.instance_uuid for mapping in objects.InstanceMapping.all(conn)] == [kept.uuid]
    with cloud.db(cell).read() as conn:
        assert conn.exec_driver_sql('SELECT COUNT(*) FROM shadow_instances').scalar() == 5
        assert conn.exec_driver_sql('SELECT COUNT(*) FROM shadow_instance_metadata').scalar() == 5
        assert conn.exec_driver_sql('SELECT COUNT(*) FROM instance_metadata').scalar() == 0
        assert conn.exec_driver_sql('SELECT COUNT(*) FROM instances').scalar() == 1
    assert run(cloud.conf, 'db', 'purge')[0] == 1
    assert run(cloud.conf, 'db', 'purge', '--before', 'x')[0] == 2
    assert run(cloud.conf, 'db', 'purge', '--before', '2001-01-01')[0] == 3
    code, text = run(cloud.conf, 'db', 'purge', '--all', '--all-cells', '--verbose')
    assert code == 0 and 'cell1.shadow_instances' in text
    assert run(cloud.conf, 'db', 'purge', '--all')[0] == 3


def test_a_server_that_is_still_worked_on_is_not_archived(cloud, run, servers):
    from nova.objects import task

    cell = cloud.cells[0]
    cloud.conf.set_override('connection', cell.database_connection, 'database')
    server = servers.in_cell(1)
    cloud.db(cell).write(server.destroy)
    open_task = task.Task(uuid=uuids.generate(), flow='delete', flow_version='1.0', instance_uuid=server.uuid,
                          exclusive='delete', status=task.RUNNING, state={}, context={})
    cloud.db(cell).write(lambda conn: task.insert(conn, open_task))
    assert run(cloud.conf, 'db', 'archive_deleted_rows')[0] == 0


def test_when_the_api_database_goes_away_no_server_is_archived_unforgotten(cloud, run, servers, monkeypatch):
    cell = cloud.cells[0]
    cloud.conf.set_override('connection', cell.database_connection, 'database')
    cloud.db(cell).write(servers.in_cell(1).destroy)

    def lost(db, uuids):
        raise db_exc.DBConnectionError
    monkeypatch.setattr(archive, 'forget', lost)
    code, text = run(cloud.conf, 'db', 'archive_deleted_rows', '--all-cells')
    assert code == 3 and 'The API database is away' in text and 'cell1' not in text
    with cloud.db(cell).read() as conn:
        assert conn.exec_driver_sql('SELECT COUNT(*) FROM instances').scalar() == 1


def test_the_api_database_has_to_be_there_to_archive(fresh, run):
    run(fresh, 'db', 'sync', '--local_cell')
    fresh.set_override('connection', None, 'api_database')
    assert run(fresh, 'db', 'archive_deleted_rows')[0] == 3
    assert run(fresh, 'db', 'purge', '--all', '--all-cells')[0] == 4


def test_online_data_migrations(cloud, run, monkeypatch):
    """UPG-S3."""
    from nova.db import data_migrations

    left = {'rows': 120, 'bad': 0}

    def move(dbs, count):
        found = min(left['rows'], count)
        left['rows'] -= found
        return found, found

    def broken(dbs, count):
        raise RuntimeError
    words = ('db', 'online_data_migrations')
    assert run(cloud.conf, *words)[0] == 0
    monkeypatch.setattr(data_migrations, 'MIGRATIONS', {'move': move})
    assert run(cloud.conf, *words, '--max-count', '0')[0] == 127
    assert run(cloud.conf, *words, '--max-count', '100')[0] == 1
    code, text = run(cloud.conf, *words)
    assert code == 0 and '20' in text
    assert run(cloud.conf, *words, '--max-count', '100')[0] == 0
    monkeypatch.setattr(data_migrations, 'MIGRATIONS', {'broken': broken, 'move': move})
    assert run(cloud.conf, *words)[0] == 2


def test_help_and_mistakes(capsys):
    for argv in (['--help'], ['cell_v2', '--help'], ['db', 'archive_deleted_rows', '--help']):
        with pytest.raises(SystemExit) as caught:
            manage.run(argv)
        assert caught.value.code == 0
    with pytest.raises(SystemExit) as caught:
        manage.run(['cell_v2', 'nonsense'])
    assert caught.value.code == 2


def test_unexpected_errors_show_no_password(run, tmp_path, capsys):
    conf = nova_conf.new(config_files=[], **{
        'api_database.connection': 'nonsense://user:s3cret@host/db', 'database.connection': 'sqlite://'})
    dbs = session.Databases(conf)
    assert manage.run(['api_db', 'sync'], command.Env(conf, dbs)) == 255
    assert 's3cret' not in capsys.readouterr().err


def break_cell(cloud, cell):
    """Nothing can be done in this cell any more."""
    broken = cell.copy()
    broken.database_connection = 'sqlite:////nowhere/at/all/cell.sqlite'
    cloud.api.write(broken.save)


def test_a_cell_that_is_away_is_named_and_the_others_are_seen_to(cloud, run, servers):
    """16.18: which cell it is, an exit code that says that not all was done, and all the rest done."""
    one, two = cloud.cells
    cloud.conf.set_override('connection', one.database_connection, 'database')
    gone = servers.in_cell(1)
    cloud.db(one).write(gone.destroy)
    add_host(cloud, one, 'h1')
    break_cell(cloud, two)
    code, text = run(cloud.conf, 'db', 'archive_deleted_rows', '--all-cells', '--until-complete', '--purge')
    assert (code, 'cell2 cannot be used' in text, 'API database' in text) == (255, True, False)
    with cloud.db(one).read() as conn:
        assert conn.exec_driver_sql('SELECT COUNT(*) FROM instances').scalar() == 0
    with cloud.db(one).read() as conn:
        assert conn.exec_driver_sql('SELECT COUNT(*) FROM shadow_instances').scalar() == 0
    other = servers.in_cell(1)
    cloud.db(one).write(other.destroy)
    assert run(cloud.conf, 'db', 'archive_deleted_rows', '--until-complete')[0] == 0
    code, text = run(cloud.conf, 'db', 'purge', '--all', '--all-cells', '--verbose')
    assert code == 255 and 'cell2 cannot be used' in text and 'cell1.shadow_instances' in text
    code, text = run(cloud.conf, 'cell_v2', 'discover_hosts', '--verbose')
    assert code == 1 and 'cell2 cannot be used' in text and "for compute host 'h1'" in text
