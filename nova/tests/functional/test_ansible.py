"""Ansible's own modules for OpenStack, unmodified, against a standalone cloud: ``slow``, since they are large.

``NOVA_TEST_ANSIBLE`` names an ``ansible-playbook`` that has them already; without it one is installed.
"""

import os
import pathlib
import re
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

PLAY = pathlib.Path(__file__).with_name('ansible.yaml')
SDK = 'openstacksdk==4.14.0'
"""The modules ask it for ``openstack.version``, which later releases do not have."""

KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f user@host'


@pytest.fixture(scope='module')
def playbook(tmp_path_factory):
    given = os.environ.get('NOVA_TEST_ANSIBLE')
    if given:
        return pathlib.Path(given)
    folder = tmp_path_factory.mktemp('ansible')
    subprocess.run([sys.executable, '-m', 'venv', str(folder)], check=True)
    subprocess.run([str(folder / 'bin/pip'), 'install', '-q', 'ansible', SDK], check=True)
    return folder / 'bin/ansible-playbook'


def play(playbook, cloud, folder, **variables):
    """Run the play; returns how many tasks have changed something."""
    words = [word for name, value in variables.items() for word in ('-e', f'{name}={value}')]
    done = subprocess.run(
        [str(playbook), '-i', 'localhost,', '-e', f'ansible_python_interpreter={playbook.parent / "python"}',
         '-e', f'key="{KEY}"', *words, str(PLAY)],
        env={**os.environ, 'OS_CLIENT_CONFIG_FILE': str(cloud.clouds_file), 'ANSIBLE_HOME': str(folder),
             'ANSIBLE_NOCOLOR': '1', 'LC_ALL': 'C.UTF-8'},
        capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return int(re.search(r'changed=(\d+)', done.stdout).group(1)), done.stdout


def test_a_play_is_run_twice_and_taken_back(playbook, cloud, tmp_path, demo, admin):
    changed, _ = play(playbook, cloud, tmp_path, wanted='present')
    assert changed == 5
    changed, said = play(playbook, cloud, tmp_path, wanted='present')
    assert changed == 0, said
    play(playbook, cloud, tmp_path, wanted='present', act='true')
    changed, _ = play(playbook, cloud, tmp_path, wanted='absent')
    assert changed == 5
    assert demo.get('/servers')['servers'] == []
    assert 'ansible.small' not in [one['name'] for one in admin.get('/flavors')['flavors']]
