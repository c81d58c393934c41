"""A cloud with many servers in many cells, loaded straight into its databases."""

import contextlib
import datetime
import pathlib
import sys
import tempfile
import uuid

import sqlalchemy as sa

from nova import objects
from nova.common import clock, dbkit, uuids
from nova.db.api.models import api_metadata
from nova.db.cell.models import cell_metadata
from nova.tests.api import cloud as clouds
from nova.tests.fixtures import databases, nova_db

PROJECTS = 10
HOST = 'host1'


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
    """{(table, the column that names the server): rows} of one server."""
    found = {}
    with db.read() as conn:
        for table in metadata.sorted_tables:
            key = 'uuid' if table.name == 'instances' else next(
                (name for name in ('instance_uuid', 'resource_id') if name in table.c), None)
            if key is not None:
                rows = conn.execute(sa.select(table).where(table.c[key] == server)).mappings().all()
                if rows:
                    found[table, key] = rows
    return found


def like(table, key, row, server, number, first, owner):
    """The row of another server."""
    when = first + datetime.timedelta(seconds=number)
    made = {name: value for name, value in row.items() if name != 'id'}
    if 'uuid' in made:
        made['uuid'] = str(uuid.uuid4())
    made[key] = server
    if 'project_id' in made:
        made['project_id'] = owner(number)
    if table.name == 'instances':
        made.update(display_name=f'server {number}', hostname=f'server-{number}', created_at=when,
                    launched_at=when, updated_at=when)
    return made


def project(number):
    return f'{number % PROJECTS:032x}'


def multiply(places, one, mine, first, owner=project):
    """More servers like one, in each of some databases.

    Args:
        places: (database, its tables) that have rows of it.
        mine: {number: uuid} of the others.
        first: when the one of number 0 was created; each is a second younger than the one before.
        owner: project of a server by its number.
    """
    for db, metadata in places:
        for (table, key), rows in rows_of(db, metadata, one).items():
            copies = [like(table, key, row, server, number, first, owner)
                      for number, server in mine.items() for row in rows]
            for part in dbkit.parts(copies):
                db.write(lambda conn, table=table, part=part: dbkit.insert(conn, table, part))


def spread(servers, cells, copy):
    """So many servers over the cells, by turns; returns their uuids, the newest first.

    Args:
        copy: ``copy(cell, {number: uuid})`` makes those of a cell, from 1.
    """
    made = {}
    for cell in range(1, cells + 1):
        mine = {number: str(uuid.uuid4()) for number in range(cell - 1, servers, cells)}
        copy(cell, mine)
        made |= mine
        print(f'\r{len(made)} servers in {cell} of {cells} cells', end='', file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return [made[number] for number in sorted(made, reverse=True)]


def begin(servers):
    """When the first of so many was created, of which the last one is a minute old."""
    return clock.utcnow() - datetime.timedelta(seconds=servers + 60)


def fill(cloud, servers, first=None, owner=project):
    """So many servers over the cells, one a second; returns their uuids, the newest first."""
    network = objects.NetworkInfo(vifs=[objects.VIF(
        id='port', address='fa:16:3e:00:00:01', network=objects.Network(id='net', label='private', subnets=[
            objects.Subnet(id='s', cidr='10.0.0.0/24', ips=[objects.IP(address='10.0.0.2')])]))])
    flavor, first = cloud.flavor(), first or begin(servers)

    def copy(cell, mine):
        cloud.db(cell).write(lambda conn: objects.Service(
            uuid=uuids.generate(), host=HOST, binary='nova-compute', last_seen_up=clock.utcnow()).create(conn))
        one = cloud.server(cell, flavor=flavor, network_info=network.copy(), metadata={'a': 'b'}, tags=['t'],
                           block_devices=[objects.BlockDeviceMapping(source_type='image', boot_index=0)],
                           host=HOST)
        multiply([(cloud.db(cell), cell_metadata), (cloud.dbs.api, api_metadata)], one.uuid, mine, first, owner)
    made = spread(servers, len(cloud.cells) - 1, copy)
    analyse(cloud)
    return made


def analyse(cloud):
    analyse_each([(cloud.dbs.api, api_metadata),
                  *((cloud.db(cell), cell_metadata) for cell in range(1, len(cloud.cells)))])


def analyse_each(places):
    """Have databases know what they hold, as they do after a while."""
    for db, metadata in places:
        with db.engine.connect().execution_options(isolation_level='AUTOCOMMIT') as conn:
            for table in metadata.sorted_tables:
                conn.exec_driver_sql(f'ANALYZE {"TABLE " if db.dialect == "mysql" else ""}{table.name}')
