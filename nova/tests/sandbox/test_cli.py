"""The unmodified ``openstack`` command against the sandbox."""

import json
import pathlib
import subprocess
import sys

import pytest

from nova.tests.fixtures.sandbox import Running

_BATCH = '''
import contextlib, io, json, sys
from openstackclient import shell
for line in sys.stdin:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            code = shell.main(json.loads(line))
        except SystemExit as stop:
            code = stop.code
    print(json.dumps([code, out.getvalue()]), flush=True)
'''
"""The command's own entry point, called for each line: an interpreter a command would cost a second each."""


class Openstack:
    def __init__(self, running: Running) -> None:
        self._process = subprocess.Popen([sys.executable, '-c', _BATCH], text=True,
                                         env=running.environ(), stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def try_(self, *argv: str) -> tuple[int, str]:
        self._process.stdin.write(json.dumps(argv) + '\n')
        self._process.stdin.flush()
        return tuple(json.loads(self._process.stdout.readline()))

    def __call__(self, *argv: str) -> str:
        code, out = self.try_(*argv)
        assert code == 0, f'{argv}: {out}'
        return out

    def json(self, *argv: str):
        return json.loads(self(*argv, '-f', 'json'))

    def close(self) -> None:
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(10)


@pytest.fixture(scope='module')
def cli(running):
    found = Openstack(running)
    yield found
    found.close()


def names(listed: list[dict]) -> set[str]:
    return {item['Name'] for item in listed}


def test_installed_command_issues_a_token(running: Running) -> None:
    program = pathlib.Path(sys.executable).with_name('openstack')
    done = subprocess.run([str(program), 'token', 'issue', '-f', 'json'], env=running.environ('demo'),
                          capture_output=True, text=True, check=True)
    token = json.loads(done.stdout)
    assert token['project_id'] == running.made.projects['demo']
    assert running.sandbox.directory.token(token['id'])['user']['name'] == 'demo'


def test_wrong_password_is_refused(running: Running, cli: Openstack) -> None:
    code, _ = cli.try_('--os-password', 'wrong', 'token', 'issue')
    assert code != 0


def test_identity_lists(cli: Openstack) -> None:
    assert names(cli.json('project', 'list')) == {'admin', 'service', 'demo'}
    assert names(cli.json('user', 'list')) == {'admin', 'nova', 'placement', 'demo'}
    assert {item['Type'] for item in cli.json('catalog', 'list')} == {
        'identity', 'compute', 'placement', 'image', 'network', 'volumev3', 'block-storage',
        'shared-file-system'}


def test_identity_life(cli: Openstack) -> None:
    project = cli.json('project', 'create', 'lab')
    user = cli.json('user', 'create', 'ann', '--project', 'lab', '--password', 'long enough')
    cli('role', 'create', 'tester')
    cli('role', 'add', '--user', 'ann', '--project', 'lab', 'tester')
    found = cli.json('role', 'assignment', 'list', '--user', 'ann', '--names')
    assert [item['Role'] for item in found] == ['tester']
    assert cli.json('user', 'show', 'ann')['default_project_id'] == project['id']
    credential = cli.json('application', 'credential', 'create', 'robot')
    assert credential['Secret']
    cli('application', 'credential', 'delete', 'robot')
    cli('user', 'delete', user['id'])
    cli('project', 'delete', 'lab')
    cli('role', 'delete', 'tester')
    assert cli.try_('project', 'show', 'lab')[0] != 0


def test_image_life(cli: Openstack, tmp_path: pathlib.Path) -> None:
    source, copy = tmp_path / 'source', tmp_path / 'copy'
    source.write_bytes(bytes(range(256)) * 512)
    made = cli.json('image', 'create', 'picture', '--file', str(source), '--property', 'hw_machine_type=q35')
    assert made['status'] == 'active' and made['size'] == 131072
    assert names(cli.json('image', 'list')) == {'tiny', 'picture'}
    assert cli.json('image', 'show', 'picture')['properties']['hw_machine_type'] == 'q35'
    cli('image', 'save', 'picture', '--file', str(copy))
    assert copy.read_bytes() == source.read_bytes()
    cli('image', 'delete', 'picture')
    assert cli.try_('image', 'show', made['id'])[0] != 0


def test_network_life(cli: Openstack) -> None:
    cli('network', 'create', 'lan')
    cli('subnet', 'create', '--network', 'lan', '--subnet-range', '192.0.2.0/24', 'lan4')
    cli('security', 'group', 'create', 'web')
    cli('security', 'group', 'rule', 'create', 'web', '--protocol', 'tcp', '--dst-port', '80')
    cli('port', 'create', '--network', 'lan', '--fixed-ip', 'subnet=lan4,ip-address=192.0.2.9',
        '--security-group', 'web', 'nic')
    port = cli.json('port', 'show', 'nic')
    assert [item['ip_address'] for item in port['fixed_ips']] == ['192.0.2.9'] and port['status'] == 'DOWN'
    assert names(cli.json('port', 'list', '--network', 'lan')) == {'nic'}
    assert {'lan'} < names(cli.json('network', 'list')) and names(cli.json('subnet', 'list')) > {'lan4'}
    assert names(cli.json('security', 'group', 'list')) == {'default', 'web'}
    assert cli.try_('security', 'group', 'delete', 'web')[0] != 0
    assert cli.try_('network', 'delete', 'lan')[0] != 0
    cli('port', 'delete', 'nic')
    cli('security', 'group', 'delete', 'web')
    cli('subnet', 'delete', 'lan4')
    cli('network', 'delete', 'lan')
    assert cli.try_('network', 'show', 'lan')[0] != 0


def test_volume_life(cli: Openstack) -> None:
    made = cli.json('volume', 'create', '--size', '1', 'disk')
    assert made['type'] == '__DEFAULT__'
    assert [item['Status'] for item in cli.json('volume', 'list')] == ['available']
    cli('volume', 'set', '--size', '2', 'disk')
    assert cli.json('volume', 'show', 'disk')['size'] == 2
    cli('volume', 'delete', 'disk')
    assert cli.try_('volume', 'show', made['id'])[0] != 0
