"""nova-manage volume_attachment: looking at the volumes of servers, and connecting them anew."""

from argparse import Namespace

import sqlalchemy as sa

from nova import context, errors, objects
from nova.cmd.manage.command import Env, arg, command, flag, table
from nova.common import clock, dbkit, jsonutil, threads
from nova.common.jsonutil import JsonObject
from nova.objects import task as rows
from nova.objects import wire
from nova.ops import refresh_volume_attachment as refreshing
from nova.task import journal

_SERVER = arg('instance_uuid', help='uuid of the server')
_VOLUME = arg('volume_id', help='id of the volume')
_JSON = flag('--json', 'print JSON')
_PATIENCE = 120.0
"""Seconds within which a conductor and the host refresh an attachment."""


def _server(env: Env, uuid: str) -> tuple[objects.Instance, dbkit.Database] | None:
    """The server with its devices, and its cell's database; None after saying that there is none."""
    cell = env.cells.of_server(uuid)
    if cell is not None:
        db = env.cells.db(cell)
        with db.read() as conn:
            found = objects.Instance.find(conn, ('block_devices',), uuid=uuid)
        if found is not None:
            return found, db
    env.say(f'Instance {uuid} could not be found.')
    return None


def _device(env: Env, server: objects.Instance, volume_id: str) -> objects.BlockDeviceMapping | None:
    found = next((one for one in server.block_devices if one.volume_id == volume_id), None)
    if found is None:
        env.say(f'Volume {volume_id} is not attached to instance {server.uuid}.')
    return found


def _print(env: Env, facts: JsonObject, as_json: bool) -> None:
    if as_json:
        env.say(jsonutil.text(facts))
    else:
        env.say(table(('Property', 'Value'), sorted(facts.items())))


@command('volume_attachment', 'show', _SERVER, _VOLUME, _JSON,
         flag('--connection_info', "print only how the volume is connected, as the volume service says it"))
def show(env: Env, options: Namespace) -> int | None:
    """Show a volume of a server: 2 means that there is no such server, 3 that it has no such volume."""
    found = _server(env, options.instance_uuid)
    if found is None:
        return 2
    device = _device(env, found[0], options.volume_id)
    if device is None:
        return 3
    if options.connection_info:
        if device.attachment_id is None:
            env.say(f'Volume {options.volume_id} has no attachment yet.')
            return 3
        known = env.clients.volume.attachment(device.attachment_id)['connection_info']
        _print(env, dict(known), options.json)
        return None
    facts = wire.plain(device.to_wire())
    _print(env, {name: str(value) if name.endswith('_at') and value else value
                 for name, value in facts.items()}, options.json)
    return None


@command('volume_attachment', 'get_connector', _JSON)
def get_connector(env: Env, options: Namespace) -> int | None:
    """Show what this host tells the volume service of itself: give it to `refresh`."""
    _print(env, dict(env.driver().connector()), options.json)
    return None


@command('volume_attachment', 'refresh', _SERVER, _VOLUME,
         arg('connector_path', help='file with the output of get_connector --json of the host of the server'))
def refresh(env: Env, options: Namespace) -> int | None:
    """Connect a volume of a stopped server anew, by an operation that its conductor and its host carry out.

    2: no such file; 3: it cannot be read; 4: no such server; 5: it is not stopped, or locked; 6: it has no such
    volume; 7: the connector is another host's.
    """
    try:
        with open(options.connector_path, 'rb') as file:
            connector = jsonutil.loads(file.read())
    except OSError as error:
        env.say(f'Connector file not found at {options.connector_path}: {error.strerror}')
        return 2
    except ValueError:
        connector = None
    if not isinstance(connector, dict) or not isinstance(connector.get('host'), str):
        env.say(f'{options.connector_path} is not what get_connector --json prints.')
        return 3
    found = _server(env, options.instance_uuid)
    if found is None:
        return 4
    server, db = found
    try:
        refreshing.START.check_lock(server, context.RequestContext())
        refreshing.START.check(server, 'refresh_volume_attachment')
    except errors.Conflict as error:
        env.say(error.message)
        return 5
    device = _device(env, server, options.volume_id)
    if device is None or device.uuid is None:
        return 6
    if connector['host'] != server.host:
        env.say(f'The connector is that of host {connector["host"]}; the server is on {server.host}.')
        return 7
    return _refresh(env, db, server, refreshing.RefreshState(device=device.uuid, connector=connector))


def _refresh(env: Env, db: dbkit.Database, server: objects.Instance, state: refreshing.RefreshState) -> int:
    def still(conn: sa.Connection) -> objects.Instance:
        fresh = objects.Instance.get(conn, (), uuid=server.uuid)
        refreshing.START.check(fresh, 'refresh_volume_attachment')
        return fresh
    try:
        task = journal.begin(db, refreshing.RefreshVolumeAttachment, state, context.admin(),
                             instance_uuid=server.uuid, guard=still)
    except errors.Conflict as error:
        env.say(error.message)
        return 5
    deadline = clock.Deadline(_PATIENCE)
    while not deadline.passed():
        with db.read() as conn:
            now = rows.get(conn, task.uuid)
        if now is not None and now.ended:
            if now.status == rows.DONE:
                return 0
            env.say(f'The attachment is as it was: {(now.error or {}).get("message")}')
            return 1
        threads.sleep(0.5)
    env.say('The operation has begun and has not ended yet; openstack server event list shows how it ends.')
    return 1
