"""Archiving and purging on every database."""

import datetime

import pytest
import sqlalchemy as sa

from nova import objects
from nova.common import dbkit
from nova.db import archive
from nova.db.api import models as api
from nova.db.cell import models
from nova.tests.fixtures import nova_db
from nova.tests.fixtures.deployed import Servers


def test_a_server_goes_as_a_whole(lend):
    with nova_db.deployment(lend) as cloud:
        servers = Servers(cloud, objects.Flavor(id=1, flavorid='1', name='m', memory_mb=512, vcpus=1))
        db = cloud.db(cloud.cells[0])
        gone = [servers.in_cell(1, metadata={'a': 'b', 'c': 'd'}) for _ in range(3)]
        servers.in_cell(1)
        for server in gone:
            db.write(server.destroy)
        assert archive.archive(db, 100, before=datetime.datetime(2000, 1, 1)).servers == []
        assert archive.archive(db, 1).servers == [gone[0].uuid], 'at least one'
        done = archive.archive(db, 100)
        assert done.servers == [gone[1].uuid, gone[2].uuid]
        assert done.rows['instances'] == 2 and done.rows['instance_metadata'] == 4
        archive.forget(cloud.api, done.servers)
        with db.read() as conn:
            kept = conn.execute(models.shadows['instances'].select()).all()
        assert {row.uuid for row in kept} == {server.uuid for server in gone}
        assert kept[0].display_name == gone[0].display_name
        assert archive.purge(db, datetime.datetime(2000, 1, 1))['shadow_instances'] == 0
        assert archive.purge(db, datetime.datetime(2100, 1, 1)) == {
            'shadow_task_steps': 0, 'shadow_instance_extra': 3, 'shadow_instance_metadata': 6,
            'shadow_migrations': 0, 'shadow_tasks': 0, 'shadow_instances': 3}


def test_many_servers_are_purged_in_small_transactions(lend):
    """No row is held for longer than a hundred servers take; those that were deleted later stay."""
    with nova_db.deployment(lend) as cloud:
        servers = Servers(cloud, objects.Flavor(id=1, flavorid='1', name='m', memory_mb=512, vcpus=1))
        db, shadows = cloud.db(cloud.cells[0]), models.shadows
        servers.in_cell(1)
        gone = servers.in_cell(1)
        db.write(gone.destroy)
        archive.archive(db, 100)
        with db.read() as conn:
            row = dict(conn.execute(shadows['instances'].select()).mappings().one())
        late, day = datetime.datetime(2090, 1, 1), datetime.timedelta(days=1)
        db.write(lambda conn: conn.execute(shadows['instances'].insert(), [
            {**row, 'id': number, 'uuid': f'server {number}', 'deleted_at': late + day * (number % 3 - 1)}
            for number in range(1000, 1450)]))
        with db.counting() as seen:
            assert archive.purge(db, late)['shadow_instances'] == 151
        batches = [text for text in seen if text.startswith('DELETE FROM shadow_instances')]
        assert len(batches) == 2
        assert archive.purge(db)['shadow_instances'] == 300
        with db.read() as conn:
            assert conn.execute(shadows['instances'].select()).all() == []


FLAVOR = objects.Flavor(id=1, flavorid='1', name='m', memory_mb=512, vcpus=1)


def add_tasks(db, server, count, **values):
    """Operations on a server, with two steps each."""
    made = [{'uuid': f'{server.uuid[:8]} {number}', 'flow': 'f', 'flow_version': '1', 'status': 'done',
             'instance_uuid': server.uuid, 'finished_at': server.created_at, **values}
            for number in range(count)]
    db.write(lambda conn: dbkit.insert(conn, archive.tasks, made))
    db.write(lambda conn: dbkit.insert(conn, archive.task_steps, [
        {'task_uuid': task['uuid'], 'name': name, 'direction': 'do', 'status': 'done'}
        for task in made for name in ('one', 'two')]))


def count(db, table):
    with db.read() as conn:
        return conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def test_what_the_api_database_says_goes_before_the_server(lend):
    """Who is interrupted between finds the server again, rather than leave its mapping for ever."""
    with nova_db.deployment(lend) as cloud:
        db = cloud.db(cloud.cells[0])
        servers = Servers(cloud, FLAVOR)
        gone, kept = servers.in_cell(1), servers.in_cell(1)
        spec = {'spec': {}}
        cloud.api.write(lambda conn: conn.execute(api.request_specs.insert(), [
            {'instance_uuid': server.uuid, **spec} for server in (gone, kept)]))
        db.write(gone.destroy)

        def killed(uuids):
            archive.forget(cloud.api, uuids)
            raise SystemExit
        with pytest.raises(SystemExit):
            archive.Archiver(db, forget=killed).some(100)
        assert count(db, models.instances) == 2
        with cloud.api.read() as conn:
            assert [mapping.instance_uuid for mapping in objects.InstanceMapping.all(conn)] == [kept.uuid]
        assert count(cloud.api, api.request_specs) == 1
        done = archive.Archiver(db, forget=lambda uuids: archive.forget(cloud.api, uuids)).some(100)
        assert (done.servers, done.forgotten['instance_mappings']) == ([gone.uuid], 0)


def test_what_is_begun_after_the_look_keeps_a_server(lend):
    with nova_db.deployment(lend) as cloud:
        db = cloud.db(cloud.cells[0])
        servers = Servers(cloud, FLAVOR)
        gone = [servers.in_cell(1) for _ in range(2)]
        for server in gone:
            db.write(server.destroy)

        def begun(uuids):
            add_tasks(db, gone[0], 1, finished_at=None)
            return {}
        assert archive.Archiver(db, forget=begun).some(100).servers == [gone[1].uuid]
        assert count(db, models.shadows['tasks']) == 0


def test_many_servers_are_archived_in_small_transactions(lend, monkeypatch):
    """A transaction takes as many servers as have so many rows; a look begins behind those of the last one."""
    monkeypatch.setattr(archive, '_ROWS', 20)
    with nova_db.deployment(lend) as cloud:
        db = cloud.db(cloud.cells[0])
        servers = Servers(cloud, FLAVOR)
        gone = [servers.in_cell(1) for _ in range(6)]
        for server in gone:
            add_tasks(db, server, 2)
            db.write(server.destroy)
        with db.counting() as seen:
            done = archive.archive(db, 1000)
        assert done.servers == [server.uuid for server in gone]
        assert (done.rows['tasks'], done.rows['task_steps'], done.total) == (12, 24, 48)
        deletions = [text for text in seen if text.startswith('DELETE')]
        assert sum(text.startswith('DELETE FROM instances') for text in deletions) == 3, 'of eight rows each'
        assert not [text for text in deletions if 'SELECT' in text], 'MariaDB would read all steps'
        archiver = archive.Archiver(db)
        assert archiver.some(100).servers == []


def test_a_server_with_many_tasks_is_purged_bit_by_bit(lend, monkeypatch):
    monkeypatch.setattr(archive, '_TASKS', 5)
    with nova_db.deployment(lend) as cloud:
        db = cloud.db(cloud.cells[0])
        server = Servers(cloud, FLAVOR).in_cell(1)
        add_tasks(db, server, 12)
        db.write(server.destroy)
        archive.archive(db, 1000)
        with db.counting() as seen:
            gone = archive.purge(db)
        assert (gone['shadow_tasks'], gone['shadow_task_steps'], gone['shadow_instances']) == (12, 24, 1)
        assert len([text for text in seen if text.startswith('DELETE FROM shadow_task_steps')]) == 3
