"""The global invariants (acceptance 1.13), checked from outside at a quiet point."""


from nova.common import dbkit
from nova.db import tasks as tables
from nova.db.api import models as api_models
from nova.db.cell import models as cell_models
from nova.objects import task as rows
from nova.tests.fixtures.waiting import PATIENCE, until


def _all(url, query):
    db = dbkit.Database(url)
    try:
        with db.read() as conn:
            return list(conn.execute(query))
    finally:
        db.dispose()


def _open_tasks(url, name):
    """Those of a database that do not just rest, to see what comes late."""
    return [f'task {row.flow} of {row.instance_uuid} in {name} is {row.status} at {row.step}'
            for row in _all(url, tables.tasks.select().where(tables.tasks.c.status.in_(rows.OPEN)))
            if not (row.flow.startswith('remove_late') and row.status in (rows.READY, rows.RUNNING))]


def find(cloud, admin):
    """What breaks an invariant now."""
    deployment = cloud.deployment
    problems = []
    api = deployment.database('api')
    cells = {name: deployment.database(name) for name in ['cell0', *deployment.cells]}
    mapped = {row.instance_uuid: row for row in _all(api, api_models.instance_mappings.select())}
    building = {row.instance_uuid for row in _all(api, api_models.build_requests.select())}
    here: dict[str, list[str]] = {}
    living: dict[str, str | None] = {}
    giving: dict[str, str] = {}
    """Migrations that hold the source's part still, until somebody decides or the source returns."""
    devices = []
    for name, url in cells.items():
        for row in _all(url, cell_models.instances.select()):
            here.setdefault(row.uuid, []).append(name)
            if not row.deleted:
                living[row.uuid] = row.host
                if row.task_state is not None:
                    problems.append(f'{row.uuid} is left in task_state {row.task_state}')
        giving |= {row.uuid: row.instance_uuid for row in _all(url, cell_models.migrations.select().where(
            cell_models.migrations.c.status.in_(('finished', 'done'))))}
        devices += _all(url, cell_models.block_device_mappings.select())
        problems += _open_tasks(url, name)
    problems += _open_tasks(api, 'the API database')
    for uuid in set(here) | building:                                             # invariant 3
        places = [*here.get(uuid, []), *(['build request'] if uuid in building else [])]
        if len(places) != 1 or uuid not in mapped:
            problems.append(f'{uuid} is in {places}, mapped: {uuid in mapped}')
    held = {}
    for provider in admin.get('/resource_providers', service='placement')['resource_providers']:
        url = f'/resource_providers/{provider["uuid"]}/allocations'
        for consumer in admin.get(url, service='placement')['allocations']:
            held[consumer] = provider['name']
    placed = {uuid for uuid, host in living.items() if host}
    sources = {migration for migration, uuid in giving.items() if uuid in living}
    for uuid in (set(held) - sources) ^ placed:                                   # invariant 1
        problems.append(f'{uuid}: allocation on {held.get(uuid)}, host {living.get(uuid)}')
    ports = admin.get('/v2.0/ports', service='network')['ports']
    for port in ports:
        if port['device_owner'].startswith('compute:') and port['device_id'] not in living:
            problems.append(f'port {port["id"]} is left of server {port["device_id"]}')
    return problems + _volumes(admin, living, devices)


def _volumes(admin, living, devices):
    """Invariant 4 for volumes: an attachment has its row; what was made with a server is gone when that is."""
    def every(what):
        return admin.get(f'/v3/{what}/detail?all_tenants=1', service='volume',
                         headers={'OpenStack-API-Version': 'volume 3.59'})[what]
    problems = []
    rows_of = {row.attachment_id: row for row in devices if row.attachment_id}
    attachments = every('attachments')
    for one in attachments:
        row = rows_of.get(one['id'])
        if row is None or row.instance_uuid not in living:
            problems.append(f'attachment {one["id"]} of volume {one["volume_id"]} is left of {one["instance"]}')
    for ident in set(rows_of) - {one['id'] for one in attachments}:
        problems.append(f'attachment {ident} of {rows_of[ident].instance_uuid} is not there')
    named = {(row.instance_uuid, row.volume_id) for row in devices}
    used = {one['volume_id'] for one in attachments}
    for volume in every('volumes'):
        if volume['status'] in ('attaching', 'detaching') or (
                volume['status'] in ('reserved', 'in-use') and volume['id'] not in used):
            problems.append(f'volume {volume["id"]} is left in status {volume["status"]}')
        owner = volume['metadata'].get('nova_server')
        if owner is not None and (owner not in living or (owner, volume['id']) not in named):
            problems.append(f'volume {volume["id"]} ({volume["status"]}) is left of server {owner}')
    return problems


def check(cloud, admin, seconds=PATIENCE):
    """Nothing is left over, or will be within a moment."""
    until(lambda: not find(cloud, admin), seconds, 0.2, lambda: '\n'.join(find(cloud, admin)))


def end(cloud, admin, demo):
    """Delete the servers of a test; invariants 1.13 hold at the quiet point after it."""
    for server in demo.get('/servers')['servers']:
        demo.delete(server['id'])
    check(cloud, admin)
