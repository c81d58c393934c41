"""nova-manage task: what it lists, shows and decides, and how it exits."""

import json

import pytest

from nova import context, objects
from nova.cmd import manage
from nova.cmd.manage import command
from nova.common import clock, uuids
from nova.objects import task as rows
from nova.ops import pause
from nova.task import journal
from nova.tests.fixtures import nova_db
from nova.tests.fixtures.deployed import Servers

ERROR = {'code': 500, 'message': 'the undo failed', 'type': 'internal', 'details': 'Traceback: secret',
         'vm_state': 'active'}


@pytest.fixture
def cloud(lend):
    with nova_db.deployment(lend, transport_url='inproc://top', **{'api.cell_timeout': 20}) as made:
        yield made


@pytest.fixture
def run(cloud, capsys):
    def call(*argv):
        code = manage.run(['task', *argv], command.Env(cloud.conf, cloud.databases))
        return code, capsys.readouterr().out
    return call


@pytest.fixture
def servers(cloud):
    return Servers(cloud, objects.Flavor(id=1, flavorid='1', name='m', memory_mb=512, vcpus=1))


@pytest.fixture
def begin(cloud, servers):
    """``begin(cell=1, **changes)``: a task, and what its row is changed to."""
    def call(cell=1, **changes):
        server = servers.in_cell(cell, host='host1')
        db = cloud.db(cloud.cells[cell - 1])
        task = journal.begin(db, pause.Pause, pause.Pause.State(), context.admin(), instance_uuid=server.uuid)
        note = rows.Note('pause_guest', 'do', 1, 'done', host='host1')
        if changes:
            assert db.write(lambda conn: rows.save(conn, rows.get(conn, task.uuid), note, **changes))
        return task
    return call


@pytest.fixture
def stuck(begin):
    return lambda **more: begin(status=rows.STUCK, exclusive=None, direction='undo', finished_at=clock.utcnow(),
                                error=ERROR, **more)


def test_nothing_to_list(run):
    assert run('list', '--json') == (0, '{"tasks":[],"down":{}}\n')
    assert run('list')[0] == 0


def test_tasks_of_every_database(run, begin, stuck, cloud):
    one, two = begin(1), stuck(cell=2)
    begin(1, status=rows.DONE, exclusive=None, finished_at=clock.utcnow())
    code, text = run('list', '--json')
    found = json.loads(text)
    assert code == 0 and {task['uuid']: (task['database'], task['status']) for task in found['tasks']} == {
        one.uuid: ('cell1', 'ready'), two.uuid: ('cell2', 'stuck')}
    assert 'secret' not in text
    code, text = run('list')
    assert code == 0 and one.uuid in text and 'pause_guest (undo)' in text and 'the undo failed' in text
    assert len(json.loads(run('list', '--json', '--all')[1])['tasks']) == 3
    assert len(json.loads(run('list', '--json', '--all', '--limit', '1')[1])['tasks']) == 2
    assert [task['uuid'] for task in json.loads(run('list', '--json', '--server', two.instance_uuid)[1])[
        'tasks']] == [two.uuid]


def test_a_cell_that_is_away_is_named(run, begin, cloud):
    task, gone = begin(1), begin(2)
    broken = cloud.cells[1].copy()
    broken.database_connection = 'sqlite:////nowhere/at/all.sqlite'
    cloud.api.write(broken.save)
    code, text = run('list', '--json')
    found = json.loads(text)
    assert code == 1 and [one['uuid'] for one in found['tasks']] == [task.uuid]
    assert set(found['down']) == {'cell2'}
    code, text = run('list')
    assert code == 1 and 'Cell cell2 cannot be asked' in text
    assert run('show', task.uuid)[0] == 0
    code, text = run('show', gone.uuid)
    assert code == 1 and 'could not be found' in text and 'Cell cell2 cannot be asked' in text
    assert run('resume', gone.uuid)[0] == run('abandon', gone.uuid, '--reason', 'x')[0] == 1


def test_show(run, stuck, begin):
    task = stuck()
    code, text = run('show', task.uuid)
    assert code == 0 and 'the undo failed' in text and '| pause_guest |' in text
    assert 'Step pause_guest was done on host host1 and is not undone.' in text
    ended = begin(status=rows.DONE, exclusive=None, finished_at=clock.utcnow())
    assert 'not undone' not in run('show', ended.uuid)[1]
    code, text = run('show', task.uuid, '--json')
    shown = json.loads(text)
    assert (shown['uuid'], shown['flow'], shown['status'], shown['error']['message']) == (
        task.uuid, 'pause', 'stuck', 'the undo failed')
    assert shown['steps'][0]['step'] == 'pause_guest' and 'secret' not in text


@pytest.mark.parametrize('uuid', ['x', '', '7825a86d-d639-452f-bb5c-f7dad48c3165'])
def test_there_is_none(run, uuid):
    assert run('show', uuid)[0] == run('resume', uuid)[0] == run('abandon', uuid, '--reason', 'x')[0] == 2


def test_resume(run, stuck, begin, cloud):
    task = stuck()
    code, text = run('resume', task.uuid)
    assert code == 0 and 'goes on at step pause_guest (undo)' in text
    with cloud.db(cloud.cells[0]).read() as conn:
        now = rows.get(conn, task.uuid)
    assert (now.status, now.exclusive) == (rows.READY, 'main')
    code, text = run('resume', begin().uuid)
    assert code == 3 and 'it goes on' in text
    code, text = run('resume', begin(status=rows.DONE, exclusive=None, finished_at=clock.utcnow()).uuid)
    assert code == 3 and 'it has ended' in text


def test_abandon(run, stuck, begin):
    task, other = stuck(), begin()
    code, text = run('abandon', task.uuid, '--reason', 'the disk is gone')
    assert code == 0 and 'is not undone' in text and 'nova-manage audit' in text
    assert run('abandon', task.uuid, '--reason', 'again')[0] == 3
    assert 'the disk is gone' in run('show', task.uuid)[1]
    code, text = run('abandon', other.uuid, '--reason', 'x')
    assert code == 3 and '--force' in text
    assert run('abandon', other.uuid, '--reason', '  ', '--force')[0] == 3
    assert run('abandon', other.uuid, '--reason', 'x', '--force')[0] == 0
    assert json.loads(run('list', '--json')[1])['tasks'] != []  # what looks for what came late
    with pytest.raises(SystemExit):
        run('abandon', uuids.generate())
