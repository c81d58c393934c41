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
