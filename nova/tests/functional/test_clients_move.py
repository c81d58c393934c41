"""Operators and users move servers with the ``openstack`` command."""

import contextlib
import functools
import json

import pytest

from nova.tests.fixtures import osc
from nova.tests.fixtures.waiting import until

pytestmark = pytest.mark.parametrize('cloud', ['sqlite'], indirect=True)
NEW = '--os-compute-api-version 2.96'


@pytest.fixture
def cli(cloud):
    """Type an ``openstack`` command as a user; JSON where the command prints a document."""
    with contextlib.ExitStack() as stack:
        @functools.cache
        def client(user):
            return stack.enter_context(contextlib.closing(osc.Client(cloud.clouds_file, user)))

        def run(line, user='demo', raw=False):
            code, out, err = client(user)([*line.split(), *(() if raw else ('-f', 'json'))])
            assert code == 0, (line, out, err)
            return out if raw else json.loads(out)
        yield run


@pytest.fixture
def server(cli):
    """The id of a server named ``moved``, which is gone in the end."""
    made = cli('server create --image tiny --flavor m1.tiny --network private --wait moved')
    yield made['id']
    cli('server delete --wait moved', raw=True)


def rests(cli, status):
    def reached():
        shown = cli('server show moved')
        return shown['status'] == status and shown['OS-EXT-STS:task_state'] is None
    until(reached, told=lambda: cli('server show moved'))


def host_of(cli, server):
    return cli(f'server show {server}', user='admin')['OS-EXT-SRV-ATTR:host']


def test_resize(cli, server):
    cli('flavor create --ram 1024 --disk 2 --vcpus 2 cli.large', user='admin')
    cli('server resize --flavor cli.large --wait moved', raw=True)
    assert cli('server show moved')['status'] == 'VERIFY_RESIZE'
    cli('server resize revert moved', raw=True)
    rests(cli, 'ACTIVE')
    cli('server resize --flavor cli.large --wait moved', raw=True)
    cli('server resize confirm moved', raw=True)
    rests(cli, 'ACTIVE')
    assert cli('server show moved')['flavor']['name'] == 'cli.large'
    cli('flavor delete cli.large', user='admin', raw=True)


def test_migrate(cli, server):
    before = host_of(cli, server)
    cli(f'server migrate --wait {server}', user='admin', raw=True)
    cli(f'server migration confirm {server}', user='admin', raw=True)
    rests(cli, 'ACTIVE')
    cli(f'{NEW} server migrate --host {before} --wait {server}', user='admin', raw=True)
    cli(f'server migration revert {server}', user='admin', raw=True)
    rests(cli, 'ACTIVE')
    assert host_of(cli, server) != before
    cli(f'{NEW} server migrate --live-migration --wait {server}', user='admin', raw=True)
    assert host_of(cli, server) == before
    found = cli(f'{NEW} server migration list --server {server}', user='admin')
    assert [(row['Type'], row['Status']) for row in found] == [
        ('live-migration', 'completed'), ('migration', 'reverted'), ('migration', 'confirmed')]


def test_abort(cli, server, cloud):
    files = [cloud.deployment.directory / 'computes' / host / 'faults.json' for host in cloud.deployment.hosts]
    for file in files:
        file.write_text(json.dumps({'live_migrate': {'do': 'last', 'seconds': 60}}))
    cli(f'{NEW} server migrate --live-migration {server}', user='admin', raw=True)

    def running():
        found = cli(f'{NEW} server migration list --server {server}', user='admin')
        return [row['Id'] for row in found if row['Status'] == 'running']
    number, = until(running)
    cli(f'{NEW} server migration abort {server} {number}', user='admin', raw=True)
    rests(cli, 'ACTIVE')
    for file in files:
        file.unlink()


def test_shelve_and_unshelve(cli, server):
    """``openstack server shelve|unshelve``."""
    cli('server shelve --wait moved', raw=True)
    until(lambda: cli('server show moved')['status'] == 'SHELVED_OFFLOADED')
    cli('server unshelve --wait moved', raw=True)
    rests(cli, 'ACTIVE')


def test_rebuild_and_rescue(cli, server):
    """``openstack server rebuild|rescue|unrescue``."""
    cli('server rebuild --image tiny --wait moved', raw=True)
    rests(cli, 'ACTIVE')
    cli('server rescue --image tiny moved', raw=True)
    rests(cli, 'RESCUE')
    cli('server unrescue moved', raw=True)
    rests(cli, 'ACTIVE')


def test_images_of_a_server(cli, server):
    """``openstack server image create|backup create``."""
    for line in ('image create --name taken', 'backup create --name kept --type daily --rotate 1'):
        made = cli(f'server {line} --wait moved')['id']
        until(lambda made=made: cli(f'image show {made}')['status'] == 'active')
        rests(cli, 'ACTIVE')
        cli(f'image delete {made}', raw=True)


def test_interfaces(cli, server):
    """``openstack server add|remove port``, ``add fixed ip``, ``add|remove security group``."""
    def addresses():
        return sorted(each for some in cli('server show moved')['addresses'].values() for each in some)
    before = addresses()
    port = cli('port create --network private added')
    cli('server add port moved added', raw=True)
    until(lambda: len(addresses()) == len(before) + 1)
    cli('server remove port moved added', raw=True)
    until(lambda: addresses() == before)
    cli(f"port delete {port['id']}", raw=True)
    cli('server add fixed ip moved private', raw=True)
    until(lambda: len(addresses()) == len(before) + 1)
    cli('security group create extra')
    cli('server add security group moved extra', raw=True)
    assert {'name': 'extra'} in cli('server show moved')['security_groups']
    cli('server remove security group moved extra', raw=True)
    cli('security group delete extra', raw=True)


def test_evacuate(cli, server):
    before = host_of(cli, server)
    cli(f'{NEW} compute service set --down {before} nova-compute', user='admin', raw=True)
    cli(f'{NEW} server evacuate {server}', user='admin', raw=True)
    rests(cli, 'SHUTOFF')
    assert host_of(cli, server) != before

    def up():
        with contextlib.suppress(AssertionError):
            cli(f'{NEW} compute service set --up {before} nova-compute', user='admin', raw=True)
            return True
    until(up)
