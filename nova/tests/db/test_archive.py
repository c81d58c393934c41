"""Archiving and purging on every database."""

import datetime

from nova import objects
from nova.db import archive
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
        cloud.api.write(lambda conn: archive.forget(conn, done.servers))
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
