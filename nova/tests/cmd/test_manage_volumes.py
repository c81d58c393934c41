"""nova-manage volume_attachment: what it prints, and how it exits."""

import functools
import json

import pytest
import sqlalchemy as sa

from nova import objects
from nova.clients import fake
from nova.cmd import manage
from nova.cmd.manage import command
from nova.common import uuids
from nova.db.cell import models
from nova.objects import task as rows
from nova.tests.fixtures import nova_db
from nova.tests.fixtures.deployed import Servers


@pytest.fixture
def cloud(lend):
    with nova_db.deployment(lend, transport_url='inproc://top', compute_driver='fake.FakeDriver',
                            host='host1') as made:
        yield made


@pytest.fixture
def neighbours():
    return fake.build()


@pytest.fixture
def servers(cloud):
    return Servers(cloud, objects.Flavor(id=1, flavorid='1', name='m', memory_mb=512, vcpus=1))


def attached(cloud, neighbours, server):
    """A volume of the server's; its id."""
    volumes = neighbours.volume
    volume = volumes.add()
    attachment = volumes.reserve(volume, server.uuid)
    volumes.connect(attachment, {'host': 'host1'})
    volumes.complete(attachment)
    cloud.db(cloud.cells[0]).write(objects.BlockDeviceMapping(
        uuid=uuids.generate(), instance_uuid=server.uuid, source_type='volume', destination_type='volume',
        device_name='/dev/vdb', volume_id=volume, attachment_id=attachment).create)
    return volume


@pytest.fixture
def put(cloud, neighbours):
    return functools.partial(attached, cloud, neighbours)


@pytest.fixture
def run(cloud, neighbours, capsys):
    def call(*argv):
        code = manage.run(['volume_attachment', *argv], command.Env(
            cloud.conf, cloud.databases, neighbours))
        return code, capsys.readouterr().out
    return call


def test_show(put, servers, run):
    server = servers.in_cell(1, host='host1')
    volume = put(server)
    code, text = run('show', server.uuid, volume, '--json')
    shown = json.loads(text)
    assert (code, shown['volume_id'], shown['device_name']) == (0, volume, '/dev/vdb')
    code, text = run('show', server.uuid, volume)
    assert code == 0 and f'| volume_id             | {volume}' in text
    code, text = run('show', server.uuid, volume, '--connection_info', '--json')
    assert (code, json.loads(text)['driver_volume_type']) == (0, 'fake')
    assert run('show', uuids.generate(), volume)[0] == 2
    assert run('show', server.uuid, uuids.generate())[0] == 3


def test_show_of_a_volume_without_an_attachment(put, servers, cloud, run):
    server = servers.in_cell(1, host='host1')
    volume = put(server)
    cloud.db(cloud.cells[0]).write(lambda conn: conn.execute(
        sa.update(models.block_device_mappings).values(attachment_id=None)))
    code, text = run('show', server.uuid, volume, '--connection_info')
    assert code == 3 and 'has no attachment yet' in text


def test_get_connector(run):
    code, text = run('get_connector', '--json')
    assert (code, json.loads(text)['host']) == (0, 'host1')
    assert run('get_connector')[0] == 0


@pytest.fixture
def connector(run, tmp_path):
    file = tmp_path / 'connector.json'
    file.write_text(run('get_connector', '--json')[1])
    return str(file)


@pytest.mark.parametrize(('values', 'code'), [
    ({'vm_state': 'active'}, 5), ({'locked_by': 'owner'}, 5), ({'task_state': 'powering-on'}, 5),
    ({'host': None}, 5), ({'host': 'host2'}, 7)])
def test_servers_that_cannot_be_refreshed(put, servers, run, connector, values, code):
    server = servers.in_cell(1, **{'host': 'host1', 'vm_state': 'stopped', **values})
    volume = put(server)
    assert run('refresh', server.uuid, volume, connector)[0] == code


def test_what_refresh_cannot_read(cloud, put, servers, run, connector, tmp_path):
    server = servers.in_cell(1, host='host1', vm_state='stopped')
    volume = put(server)
    assert run('refresh', server.uuid, volume, str(tmp_path / 'nothing'))[0] == 2
    for text in ('nonsense', '[]', '{}', '{"host": 7}'):
        (tmp_path / 'odd').write_text(text)
        assert run('refresh', server.uuid, volume, str(tmp_path / 'odd'))[0] == 3
    assert run('refresh', uuids.generate(), volume, connector)[0] == 4
    assert run('refresh', server.uuid, uuids.generate(), connector)[0] == 6
    with cloud.db(cloud.cells[0]).read() as conn:
        assert rows.of_instance(conn, server.uuid) == []
