"""nova-manage cell_v2: cells, and which hosts and servers are in them."""

from argparse import Namespace

import sqlalchemy as sa
from oslo_db import exception as db_exc

from nova import errors
from nova.cmd.manage.command import Env, arg, command, flag, masked, table
from nova.common import dbkit, uuids
from nova.db.api import models
from nova.db.cell import models as cell_models
from nova.objects import host_mapping
from nova.objects.cell_mapping import CELL0_UUID, CellMapping
from nova.objects.host_mapping import HostMapping
from nova.objects.instance_mapping import InstanceMapping

_CELL = arg('--cell_uuid', required=True, help='uuid of the cell')
_ANY_CELL = arg('--cell_uuid', help='uuid of the cell; by default every cell')
_TRANSPORT = arg('--transport-url', dest='transport_url',
                 help="the cell's bus; by default [DEFAULT] transport_url")
_DATABASE = arg('--database_connection', help="the cell's database; by default [database] connection")
_VERBOSE = flag('--verbose', 'print more')


def _find_cell(env: Env, uuid: str) -> CellMapping | None:
    try:
        return env.cells.get(uuid)
    except errors.host.CellMappingNotFound:
        env.say(f'Cell with uuid {uuid} was not found.')
        return None


def _transport(env: Env, given: str | None) -> str | None:
    """The transport URL, or None after saying what is wrong with it."""
    url = given or env.conf.transport_url
    if not url:
        env.say('Must specify --transport-url if [DEFAULT]/transport_url is not set in the configuration file.')
        return None
    if '://' not in url:
        env.say(f'Not a transport URL: {masked(url)}')
        return None
    return str(url)


def _database(env: Env, given: str | None) -> str | None:
    url = given or env.conf.database.connection
    if not url:
        env.say('Must specify --database_connection if [database]/connection is not set in the configuration '
                'file.')
    return url or None


def _taken(env: Env, transport: str, database: str, but: str | None = None) -> bool:
    """Whether another cell has this bus or this database."""
    for cell in env.cells.every():
        if cell.uuid != but and (cell.transport_url == transport or cell.database_connection == database):
            env.say('The specified transport_url and/or database_connection combination already exists for '
                    f'cell {cell.name or cell.uuid}.')
            return True
    return False


# Cells -------------------------------------------------------------------------------------------

@command('cell_v2', 'map_cell0', arg('--database_connection', help='its database; by default that of '
                                     '[database] connection with _cell0 at the end of its name'))
def map_cell0(env: Env, options: Namespace) -> int | None:
    """Map cell0, where servers are kept that found no host."""
    if any(cell.is_cell0 for cell in env.cells.every()):
        env.say('Cell0 is already setup.')
        return 0
    url = options.database_connection or _cell0_url(env)
    env.dbs.api.write(CellMapping(uuid=CELL0_UUID, name='cell0', transport_url='none:///',
                                  database_connection=url).create)
    return 0


def _cell0_url(env: Env) -> str:
    connection = env.conf.database.connection
    if not connection:
        raise errors.Invalid('Set [database] connection, or give --database_connection.')
    url = sa.make_url(connection)
    return url.set(database=f'{url.database}_cell0').render_as_string(hide_password=False)


@command('cell_v2', 'create_cell', arg('--name', help='for people; need not be unique'), _DATABASE, _TRANSPORT,
         _VERBOSE, flag('--disabled', 'no new servers go there'))
def create_cell(env: Env, options: Namespace) -> int | None:
    """Add a cell.

    Exit codes: 0 created, 1 a URL is missing or bad, 2 another cell has this bus or database.
    """
    transport, database = _transport(env, options.transport_url), _database(env, options.database_connection)
    if transport is None or database is None:
        return 1
    if _taken(env, transport, database):
        return 2
    cell = _create(env, options.name, transport, database, options.disabled)
    if options.verbose:
        env.say(cell.uuid)
    return 0


def _create(env: Env, name: str | None, transport: str, database: str, disabled: bool = False) -> CellMapping:
    cell = CellMapping(uuid=uuids.generate(), name=name, transport_url=transport, database_connection=database,
                       disabled=disabled)
    env.dbs.api.write(cell.create)
    return cell


@command('cell_v2', 'list_cells', flag('--verbose', 'show passwords in URLs'))
def list_cells(env: Env, options: Namespace) -> int | None:
    """List cells."""
    show = str if options.verbose else masked
    env.say(table(['Name', 'UUID', 'Transport URL', 'Database Connection', 'Disabled'], [
        (cell.name or '', cell.uuid, show(cell.transport_url), show(cell.database_connection), cell.disabled)
        for cell in sorted(env.cells.every(), key=lambda cell: (cell.name or '', cell.uuid))]))
    return 0


@command('cell_v2', 'update_cell', _CELL, arg('--name'),
         arg('--transport-url', dest='transport_url', help='by default [DEFAULT] transport_url'),
         arg('--database_connection', help='by default [database] connection'),
         flag('--disable', 'no new servers go there'), flag('--enable', 'new servers go there again'))
def update_cell(env: Env, options: Namespace) -> int | None:
    """Change a cell's name, URLs, or whether it takes new servers.

    Exit codes: 0 changed, 1 no such cell, 2 it could not be saved, 3 another cell has this bus or database, 4
    --enable and --disable at once, 5 cell0 cannot be disabled.
    """
    cell = _find_cell(env, options.cell_uuid)
    if cell is None:
        return 1
    if options.enable and options.disable:
        env.say('Cell cannot be disabled and enabled at the same time.')
        return 4
    if (options.enable or options.disable) and cell.is_cell0:
        env.say('Cell0 cannot be disabled.')
        return 5
    transport = options.transport_url or env.conf.transport_url or cell.transport_url
    database = options.database_connection or env.conf.database.connection or cell.database_connection
    if cell.is_cell0:
        transport = options.transport_url or cell.transport_url
        database = options.database_connection or cell.database_connection
    if (transport, database) != (cell.transport_url, cell.database_connection) and _taken(
            env, transport, database, but=cell.uuid):
        return 3
    cell.name = options.name or cell.name
    cell.transport_url, cell.database_connection = transport, database
    if options.enable or options.disable:
        cell.disabled = options.disable
    try:
        env.dbs.api.write(cell.save)
    except db_exc.DBError as error:
        env.say(f'Unable to update the cell: {type(error).__name__}')
        return 2
    return 0


@command('cell_v2', 'delete_cell', flag('--force', 'also drop its hosts and the mappings of deleted servers'),
         _CELL)
def delete_cell(env: Env, options: Namespace) -> int | None:
    """Drop a cell's mapping.

    Exit codes: 0 dropped, 1 no such cell, 2 it has hosts, 3 it has living servers, 4 it has mappings of deleted
    servers. --force overcomes 2 and 4.
    """
    cell = _find_cell(env, options.cell_uuid)
    if cell is None:
        return 1

    def write(conn: sa.Connection) -> int:
        hosts = HostMapping.all(conn, cell_id=cell.id)
        if hosts and not options.force:
            env.say(f'There are existing hosts mapped to cell with uuid {cell.uuid}.')
            return 2
        table = models.instance_mappings
        servers = InstanceMapping.all(conn, cell_id=cell.id)
        if any(not server.queued_for_delete for server in servers):
            env.say(f'There are existing instances mapped to cell with uuid {cell.uuid}.')
            return 3
        if servers and not options.force:
            env.say(f'There are mappings of deleted instances to cell with uuid {cell.uuid}. Archive those '
                    'instances first, or use --force.')
            return 4
        conn.execute(table.delete().where(table.c.cell_id == cell.id))
        for host in hosts:
            host.destroy(conn)
        cell.destroy(conn)
        return 0
    return env.dbs.api.write(write)


@command('cell_v2', 'simple_cell_setup', _TRANSPORT)
def simple_cell_setup(env: Env, options: Namespace) -> int | None:
    """Map cell0, one cell for this configuration, and its hosts and servers.

    Exit codes: 0 done, 1 there are no hosts yet, or the transport URL is missing or bad.
    """
    transport = _transport(env, options.transport_url)
    if transport is None:
        return 1
    options.database_connection = None
    map_cell0(env, options)
    options.name, options.verbose, options.transport_url = None, False, transport
    cell, hosts = _map_cell_and_hosts(env, options, transport)
    if cell is None:
        return 1
    _map_servers(env, cell, None)
    if not hosts:
        env.say('No hosts found to map to cell, exiting.')
        return 1
    return 0


@command('cell_v2', 'map_cell_and_hosts', _TRANSPORT, arg('--name'), _VERBOSE)
def map_cell_and_hosts(env: Env, options: Namespace) -> int | None:
    """Map a cell for this configuration's database, and its hosts.

    Exit codes: 0 done, 1 the transport URL is missing or bad.
    """
    transport = _transport(env, options.transport_url)
    if transport is None:
        return 1
    cell, hosts = _map_cell_and_hosts(env, options, transport)
    if cell is not None and not hosts:
        env.say('No hosts found to map to cell, exiting.')
    return 0 if cell is not None else 1


def _map_cell_and_hosts(env: Env, options: Namespace, transport: str) -> tuple[CellMapping | None, list[str]]:
    database = _database(env, None)
    if database is None:
        return None, []
    cell = next((cell for cell in env.cells.every() if cell.database_connection == database), None)
    cell = cell or _create(env, options.name, transport, database)
    hosts = host_mapping.discover(env.dbs.api, env.cells.db(cell), cell)
    with env.dbs.api.read() as conn:
        known = HostMapping.all(conn, cell_id=cell.id)
    if options.verbose:
        env.say(cell.uuid)
    return cell, hosts or [mapping.host for mapping in known]


# Hosts -------------------------------------------------------------------------------------------

@command('cell_v2', 'discover_hosts', _ANY_CELL, _VERBOSE,
         flag('--strict', 'finding no new host is a failure'),
         flag('--by-service', 'look for compute services that have no node yet'))
def discover_hosts(env: Env, options: Namespace) -> int | None:
    """Map hosts that are not mapped yet.

    Exit codes: 0 done (with --strict: at least one was new), 1 no such cell, a cell that cannot be used (the
    others are seen to), or nothing new with --strict, 2 a host is mapped to another cell, or was mapped by
    someone else at the same time.
    """
    cells = [cell for cell in env.cells.every()
             if not cell.is_cell0 and options.cell_uuid in (None, cell.uuid)]
    if options.cell_uuid and not cells:
        env.say(f'Cell with uuid {options.cell_uuid} was not found.')
        return 1
    found: list[str] = []
    away = False
    for cell in cells:
        try:
            fresh = host_mapping.discover(env.dbs.api, env.cells.db(cell), cell,
                                          options.by_service)
        except (errors.Conflict, db_exc.DBDuplicateEntry) as error:
            env.say(f'ERROR: Duplicate host mapping was encountered. {_first_line(error)}')
            return 2
        except Exception as error:
            if not dbkit.is_away(error):
                raise
            away = True
            env.say(f'The database of cell {cell.name or cell.uuid} cannot be used ({type(error).__name__}); '
                    'its hosts are not discovered.')
            continue
        found += fresh
        if options.verbose:
            env.say(f'Found {len(fresh)} unmapped computes in cell: {cell.uuid}')
            for host in fresh:
                env.say(f"Creating host mapping for compute host '{host}'")
    return 1 if away or (options.strict and not found) else 0


def _first_line(error: Exception) -> str:
    return error.message if isinstance(error, errors.NovaError) else 'Run this again.'


@command('cell_v2', 'list_hosts', _ANY_CELL)
def list_hosts(env: Env, options: Namespace) -> int | None:
    """List mapped hosts.

    Exit codes: 0 listed, 1 no such cell.
    """
    if options.cell_uuid and _find_cell(env, options.cell_uuid) is None:
        return 1
    cells = {cell.id: cell for cell in env.cells.every() if options.cell_uuid in (None, cell.uuid)}
    with env.dbs.api.read() as conn:
        mappings = HostMapping.all(conn, cell_id=list(cells))
    env.say(table(['Cell Name', 'Cell UUID', 'Hostname'], sorted(
        (cells[mapping.cell_id].name or '', cells[mapping.cell_id].uuid, mapping.host)
        for mapping in mappings)))
    return 0


@command('cell_v2', 'delete_host', _CELL, arg('--host', required=True))
def delete_host(env: Env, options: Namespace) -> int | None:
    """Drop a host's mapping.

    Exit codes: 0 dropped, 1 no such cell, 2 no such host, 3 the host is in another cell, 4 it has servers.
    """
    cell = _find_cell(env, options.cell_uuid)
    if cell is None:
        return 1
    with env.dbs.api.read() as conn:
        mapping = HostMapping.find(conn, host=options.host)
    if mapping is None:
        env.say(f'The host {options.host} was not found.')
        return 2
    if mapping.cell_id != cell.id:
        env.say(f'The host {options.host} was not found in the cell {cell.uuid}.')
        return 3
    servers, nodes = cell_models.instances, cell_models.compute_nodes
    db = env.cells.db(cell)
    with db.read() as conn:
        count = conn.execute(sa.select(sa.func.count()).where(
            servers.c.host == options.host, servers.c.deleted == 0)).scalar_one()
    if count:
        env.say(f'There are instances on the host {options.host}.')
        return 4
    db.write(lambda conn: conn.execute(
        nodes.update().where(nodes.c.host == options.host).values(mapped=False)))
    env.dbs.api.write(mapping.destroy)
    return 0


# Servers -----------------------------------------------------------------------------------------

@command('cell_v2', 'map_instances', _CELL, arg('--max-count', type=int, help='most servers to map now'),
         flag('--reset', 'accepted for compatibility: every run starts at the beginning'))
def map_instances(env: Env, options: Namespace) -> int | None:
    """Map servers of a cell that are not mapped.

    Exit codes: 0 all are mapped, 1 there are more, 127 --max-count is no positive number.
    """
    if options.max_count is not None and options.max_count < 1:
        env.say('Must supply a positive value for max_count')
        return 127
    return 1 if _map_servers(env, env.cells.get(options.cell_uuid), options.max_count) else 0


def _map_servers(env: Env, cell: CellMapping, most: int | None) -> bool:
    """Map servers, oldest first; True when there may be more."""
    servers, last, mapped = cell_models.instances, 0, 0
    db = env.cells.db(cell)
    columns = (servers.c.id, servers.c.uuid, servers.c.project_id, servers.c.user_id, servers.c.vcpus,
               servers.c.memory_mb, servers.c.deleted, servers.c.created_at)
    while True:
        with db.read() as conn:
            rows = conn.execute(sa.select(*columns).where(servers.c.id > last)
                                .order_by(servers.c.id).limit(50)).all()
        if not rows:
            return False
        last = rows[-1].id
        with env.dbs.api.read() as conn:
            known = {mapping.instance_uuid for mapping in InstanceMapping.all(
                conn, instance_uuid=[row.uuid for row in rows])}
        fresh = [{'instance_uuid': row.uuid, 'cell_id': cell.id, 'project_id': row.project_id,
                  'user_id': row.user_id, 'vcpus': row.vcpus, 'memory_mb': row.memory_mb,
                  'queued_for_delete': row.deleted != 0, 'created_at': row.created_at}
                 for row in rows if row.uuid not in known]
        stop = most is not None and mapped + len(fresh) > most
        fresh = fresh[:most - mapped] if stop and most is not None else fresh
        env.dbs.api.write(lambda conn, fresh=fresh: dbkit.insert_missing(  # type: ignore[misc]
            conn, models.instance_mappings, fresh))
        mapped += len(fresh)
        if stop:
            return True


@command('cell_v2', 'verify_instance', arg('--uuid', required=True, help='uuid of the server'),
         flag('--quiet', 'print nothing'))
def verify_instance(env: Env, options: Namespace) -> int | None:
    """Tell whether a server is mapped to a cell.

    Exit codes: 0 mapped, 1 not mapped, 2 its mapping names no cell, 3 it is deleted and still mapped, 4 it is
    archived and still mapped.
    """
    code, text = _verify(env, options.uuid)
    if not options.quiet:
        env.say(text)
    return code


def _verify(env: Env, uuid: str) -> tuple[int, str]:
    with env.dbs.api.read() as conn:
        mapping = InstanceMapping.find(conn, instance_uuid=uuid)
        if mapping is None:
            return 1, (f'Instance {uuid} is not mapped to a cell (upgrade is incomplete or instance does not '
                       'exist)')
        if mapping.cell_id is None:
            return 2, f'Instance {uuid} is not mapped to a cell'
        cell = CellMapping.get(conn, id=mapping.cell_id)
    servers = cell_models.instances
    with env.cells.db(cell).read() as conn:
        deleted = conn.execute(sa.select(servers.c.deleted).where(servers.c.uuid == uuid)).scalar_one_or_none()
    where = f'cell: {cell.name or ""} ({cell.uuid})'
    if deleted is None:
        return 4, f'The instance with uuid {uuid} has been archived. Its mapping remains in {where}'
    if deleted:
        return 3, f'The instance with uuid {uuid} has been deleted. Its mapping remains in {where}'
    return 0, f'Instance {uuid} is in {where}'
