"""Writes down what a release sends and keeps, by running it: every message, task row and record form, once.

    cd CHECKOUT && .venv/bin/python .../nova/tests/upgrade/record.py >forms.json

It is run with the checkout and the environment of that release, never with this one's, so it uses nothing but
what both have: the standalone cloud of the functional tests, and its users.
"""

import json
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path.cwd()))

import sqlalchemy as sa

from nova.common import dbkit, jsonutil
from nova.db import tasks as tables
from nova.objects import task as rows
from nova.rpc import transport
from nova.standalone import app, config
from nova.tests.functional.conftest import User

NAME = 'nova_object.name'


class Found:
    """One sample of each kind."""

    def __init__(self):
        self.messages, self.tasks, self.records = {}, {}, {}

    def message(self, target, method, context, args, answer=None):
        args, answer = jsonutil.loads(jsonutil.dumps(args)), jsonutil.loads(jsonutil.dumps(answer))
        data = args['record']['nova_object.data']
        key = ' '.join(str(data[name]) for name in ('flow', 'step', 'direction', 'outcome') if name in data)
        self.messages.setdefault(f'{target.topic}.{method} {key}'.strip(), {
            'topic': target.topic, 'method': method, 'version': target.version, 'context': context,
            'args': args, 'answer': answer})
        self.walk(args)
        self.walk(answer)

    def task(self, row):
        form = jsonutil.loads(jsonutil.dumps(dict(row._mapping)))
        self.tasks.setdefault(f'{row.flow} {row.flow_version} {row.step} {row.direction} {row.status}', form)
        self.walk(form)

    def walk(self, value):
        """Keep the fullest of each record."""
        if isinstance(value, dict):
            name = value.get(NAME)
            if name is not None:
                known = self.records.get(name)
                if known is None or len(str(known)) < len(str(value)):
                    self.records[name] = value
            for item in value.values():
                self.walk(item)
        elif isinstance(value, list):
            for item in value:
                self.walk(item)

    def database(self, url):
        """Records that lie in columns."""
        db = dbkit.Database(url)
        with db.read() as conn:
            for table in sa.inspect(conn).get_table_names():
                for row in conn.execute(sa.text(f'SELECT * FROM {table}')):
                    for value in row:
                        if isinstance(value, (str, bytes)) and NAME.encode() in (
                                value if isinstance(value, bytes) else value.encode()):
                            self.walk(jsonutil.loads(value))
        db.dispose()


def listen(found):
    """Have every message and every save of a task pass by `found`."""
    cast, call, save, insert = transport.Bus.cast, transport.Bus.call, rows.save, rows.insert

    def heard_cast(self, target, context, method, args, *more, **options):
        found.message(target, method, context, args)
        return cast(self, target, context, method, args, *more, **options)

    def heard_call(self, target, context, method, args, *more, **options):
        answer = call(self, target, context, method, args, *more, **options)
        found.message(target, method, context, args, answer)
        return answer

    def look(conn, uuid):
        row = conn.execute(sa.select(tables.tasks).where(tables.tasks.c.uuid == uuid)).one_or_none()
        if row is not None:
            found.task(row)

    def seen_save(conn, task, *more, **changes):
        won = save(conn, task, *more, **changes)
        look(conn, task.uuid)
        return won

    def seen_insert(conn, task):
        insert(conn, task)
        look(conn, task.uuid)
    transport.Bus.cast, transport.Bus.call = heard_cast, heard_call
    rows.save, rows.insert = seen_save, seen_insert


def soft_deletes(write_files):
    """The configuration in which DELETE is for later."""
    def written(deployment):
        files = write_files(deployment)
        for file in deployment.directory.rglob('*.conf'):
            file.write_text(file.read_text().replace(
                '[DEFAULT]\n', '[DEFAULT]\nreclaim_instance_interval = 3600\n'))
        return files
    return written


def use(demo, admin):
    """Every operation that the first release has, and two builds that go wrong."""
    uuid = demo.booted()['id']
    for action, status in (('pause', 'PAUSED'), ('unpause', 'ACTIVE'), ('suspend', 'SUSPENDED'),
                           ('resume', 'ACTIVE'), ('os-stop', 'SHUTOFF'), ('os-start', 'ACTIVE')):
        demo.act(uuid, action, status=status)
    for kind in ('SOFT', 'HARD'):
        demo.act(uuid, 'reboot', {'type': kind}, 'ACTIVE')
    admin.call('POST', '/os-server-external-events', {'events': [
        {'name': 'network-changed', 'server_uuid': uuid}]})
    demo.call('DELETE', f'/servers/{uuid}')
    demo.wait(uuid, 'SOFT_DELETED')
    demo.act(uuid, 'restore', status='ACTIVE')
    on_volume = demo.booted(imageRef='', block_device_mapping_v2=[{
        'source_type': 'image', 'destination_type': 'volume', 'boot_index': 0, 'volume_size': 1,
        'delete_on_termination': True, 'uuid': demo.image}])['id']
    flavors = admin.call('POST', '/flavors', {'flavor': {
        'name': 'vast', 'id': 'vast', 'vcpus': 1, 'ram': 1 << 24, 'disk': 1}})
    assert flavors.status_code == 200, flavors.text
    lost = demo.boot(flavorRef='vast').json()
    if 'server' in lost:
        demo.wait(lost['server']['id'], 'ERROR', 60)
    early = demo.boot().json()['server']['id']
    for server in (uuid, on_volume, early):
        demo.call('POST', f'/servers/{server}/action', {'forceDelete': None})
    for server in (uuid, on_volume):
        demo.gone(server, 60)


def write(forms):
    """One line a form."""
    parts = []
    for kind, found in sorted(forms.items()):
        lines = [f'  {json.dumps(name)}: {json.dumps(form, sort_keys=True)}'
                 for name, form in sorted(found.items())]
        parts.append(f' {json.dumps(kind)}: {{\n' + ',\n'.join(lines) + '\n }')
    sys.stdout.write('{\n' + ',\n'.join(parts) + '\n}\n')


def main():
    found = Found()
    listen(found)
    config.write_files = soft_deletes(config.write_files)
    with tempfile.TemporaryDirectory() as directory:
        deployment = config.load(pathlib.Path(directory), 2, 4, dict.fromkeys(config.PORTS, 0))
        cloud = app.Cloud(deployment, say=lambda text: None)
        cloud.start()
        try:
            demo, admin = User(cloud, 'demo'), User(cloud, 'admin')
            use(demo, admin)
            for name in ('api', 'cell0', *deployment.cells):
                found.database(deployment.database(name))
        finally:
            cloud.stop()
    write({'messages': found.messages, 'tasks': found.tasks, 'records': found.records})


if __name__ == '__main__':
    main()
