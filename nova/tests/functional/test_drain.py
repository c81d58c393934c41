"""nova-manage host drain and return on a cloud: servers leave while they run, and the host comes back."""

import json

import pytest

from nova import conf as nova_conf
from nova.cmd import manage
from nova.cmd.manage import command
from nova.tests.fixtures.waiting import until
from nova.tests.functional.moving import host_of

pytestmark = pytest.mark.usefixtures('nothing_leaks')


@pytest.fixture
def run(cloud, capsys):
    """``run('drain', host)``: exit code and output."""
    env = command.Env(nova_conf.new(config_files=[str(cloud.deployment.directory / 'nova.conf')]))

    def call(*argv):
        capsys.readouterr()
        code = manage.run(['host', *argv], env)
        return code, capsys.readouterr().out
    yield call
    for host in cloud.deployment.hosts:
        call('drain', host, '--abort')
        until(lambda host=host: call('return', host)[0] == 0, 60)
    env.dbs.dispose()


def status(run, host):
    return json.loads(run('drain', host, '--show', '--json')[1])


def service(admin, host):
    return admin.get(f'/os-services?host={host}&binary=nova-compute')['services'][0]


def test_a_host_is_emptied_and_returns(run, admin, demo):
    servers = [demo.booted(f'drain-{number}')['id'] for number in range(3)]
    host = host_of(admin, servers[0])
    demo.act(servers[1], 'os-stop', status='SHUTOFF')
    here = [uuid for uuid in servers if host_of(admin, uuid) == host]
    code, text = run('drain', host, '--wait', '--at-once', '1')
    assert code == 0, text
    assert f'{host}: drained; {len(here)} servers have left, 0 are on their way' in text
    for uuid in servers:
        demo.wait(uuid, 'SHUTOFF' if uuid == servers[1] else 'ACTIVE')
        assert host_of(admin, uuid) != host
    shown = service(admin, host)
    assert (shown['status'], shown['disabled_reason']) == ('disabled', 'drained for maintenance')
    assert sorted(status(run, host)['moved']) == sorted(here)
    assert run('drain', host, '--abort')[0] == 3
    assert run('return', host) == (0, f'Host {host} is enabled again.\n')
    assert run('return', host) == (0, f'Host {host} was enabled already.\n')
    assert service(admin, host)['status'] == 'enabled'


def test_who_stays_is_named(run, admin, demo):
    server = demo.booted('stays')['id']
    host = host_of(admin, server)
    demo.act(server, 'rescue', {}, status='RESCUE')
    code, text = run('drain', host, '--wait', '--reason', 'new fans')
    assert code == 4 and 'partly drained' in text
    assert f'{server} | A server that is rescued cannot be moved.' in text
    assert service(admin, host)['disabled_reason'] == 'new fans'
    assert status(run, host)['left'] == {server: 'A server that is rescued cannot be moved.'}


@pytest.mark.parametrize('argv', [
    ('--at-once', '0'), ('--at-once', '-1'), ('--reason', ' '), ('--reason', 'x' * 256)])
def test_what_cannot_be_asked(run, cloud, argv):
    host, *_ = cloud.deployment.hosts
    code, text = run('drain', host, *argv)
    assert code == 3 and 'must be' in text


def test_there_is_no_such_host(run):
    for argv in (('drain', 'none'), ('return', 'none'), ('drain', ''), ('drain', 'none', '--abort'),
                 ('drain', 'none', '--show')):
        code, text = run(*argv)
        assert code == 2 and 'could not be found' in text
