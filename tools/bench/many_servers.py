"""A cloud with many servers in many cells, loaded straight into its databases."""

import contextlib
import datetime
import pathlib
import sys
import tempfile
import uuid

import sqlalchemy as sa

from nova import objects
from nova.common import clock, dbkit
from nova.db.api.models import api_metadata
from nova.db.cell.models import cell_metadata
from nova.tests.api import cloud as clouds
from nova.tests.fixtures import databases, nova_db

PROJECTS = 10


class Folders:
    """Makes folders as pytest does."""

    def __init__(self, directory):
        self._directory = directory

    def mktemp(self, name):
        return pathlib.Path(tempfile.mkdtemp(prefix=name, dir=self._directory))


@contextlib.contextmanager
def cloud_of(kind, cells):
    """A cloud with so many cells on new databases."""
    with tempfile.TemporaryDirectory() as directory, contextlib.ExitStack() as stack:
        supply = databases.Supply(Folders(directory), stack)
        made = stack.enter_context(nova_db.deployment(
            lambda schema: supply.take(kind, schema), cells,
            **{'api.auth_strategy': 'noauth2', 'quota.instances': -1}))
        yield clouds.Cloud(made)


def rows_of(db, metadata, server):
    """{table: rows} of one server."""
    found = {}
    with db.read() as conn:
        for table in metadata.sorted_tables:
            column = table.c.get('instance_uuid', table.c.uuid if table.name == 'instances' else None)
            if column is not None:
                rows = [dict(row) for row in conn.execute(sa.select(table).where(column == server)).mappings()]
                if rows:
                    found[table] = rows
    return found


def like(table, row, server, number, when):
    """The row of another server."""
    made = {name: value for name, value in row.items() if name != 'id'}
    if 'uuid' in made:
        made['uuid'] = str(uuid.uuid4())
    made['uuid' if table.name == 'instances' else 'instance_uuid'] = server
    if 'project_id' in made:
        made['project_id'] = project(number)
    if table.name == 'instances':
        made.update(display_name=f'server {number}', hostname=f'server-{number}', created_at=when,
                    launched_at=when, updated_at=when)
    return made


def project(number):
    return f'{number % PROJECTS:032x}'


def fill(cloud, servers):
    """So many servers over the cells, one a second; returns their uuids, the newest first."""
    network = objects.NetworkInfo(vifs=[objects.VIF(
        id='port', address='fa:16:3e:00:00:01', network=objects.Network(id='net', label='private', subnets=[
            objects.Subnet(id='s', cidr='10.0.0.0/24', ips=[objects.IP(address='10.0.0.2')])]))])
    flavor, cells = cloud.flavor(), len(cloud.cells) - 1
    first, made = clock.utcnow() - datetime.timedelta(seconds=servers + 60), []
    for cell in range(1, cells + 1):
        one = cloud.server(cell, flavor=flavor, network_info=network.copy(), metadata={'a': 'b'}, tags=['t'],
                           block_devices=[objects.BlockDeviceMapping(source_type='image', boot_index=0)])
        numbers = range(cell - 1, servers, cells)
        mine = [str(uuid.UUID(int=uuid.uuid4().int)) for _ in numbers]
        made += zip(numbers, mine, strict=True)
        for db, metadata in ((cloud.db(cell), cell_metadata), (cloud.dbs.api, api_metadata)):
            for table, rows in rows_of(db, metadata, one.uuid).items():
                copies = [like(table, row, server, number, first + datetime.timedelta(seconds=number))
                          for number, server in zip(numbers, mine, strict=True) for row in rows]
                for part in dbkit.parts(copies):
                    db.write(lambda conn, table=table, part=part: dbkit.insert(conn, table, part))
        print(f'\r{len(made)} servers in {cell} of {cells} cells', end='', file=sys.stderr, flush=True)
    print(file=sys.stderr)
    analyse(cloud)
    return [server for _, server in sorted(made, reverse=True)]


def analyse(cloud):
    """Have the databases know what they hold, as they do after a while."""
    for db, metadata in ((cloud.dbs.api, api_metadata),
                         *((cloud.db(cell), cell_metadata) for cell in range(1, len(cloud.cells)))):
        with db.engine.connect().execution_options(isolation_level='AUTOCOMMIT') as conn:
            for table in metadata.sorted_tables:
                conn.exec_driver_sql(f'ANALYZE {"TABLE " if db.dialect == "mysql" else ""}{table.name}')
