"""tools/realcloud before anything is started: what it writes, and what it says of what is not there."""

import argparse
import configparser
import os
import pathlib
import stat
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[3] / 'tools' / 'lib'))

import cluster_config
from realcloud import __main__ as command
from realcloud import cloud, faults
from realcloud.deployment import Deployment

TOOLS = pathlib.Path(cluster_config.__file__).parent


@pytest.fixture
def deployment(tmp_path):
    found = Deployment.make(tmp_path / 'cloud', 'mariadb', 4, ports={'keystone': 5000})
    found.server, found.broker, found.memcached = '127.0.0.1:1', '127.0.0.1:2', '127.0.0.1:3'
    found.directory.mkdir()
    for one in cloud.NEIGHBOURS:
        one.write(found)
    cluster_config.write_files(found)
    return found


def read(file):
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.read(file)
    return parser


def test_each_neighbour_has_its_own_password_and_demands_service_tokens(deployment):
    passwords = set()
    for name, file in {'glance': 'glance-api.conf', 'neutron': 'neutron.conf', 'cinder': 'cinder.conf'}.items():
        read_back = read(deployment.etc(name) / file)
        token = read_back['keystone_authtoken']
        assert token['service_token_roles_required'] == 'true' and token['username'] == name
        assert f'{name}:' in read_back['database']['connection']
        passwords |= {token['password'], read_back['database']['connection'].partition('@')[0]}
    assert len(passwords) == 6
    assert read(deployment.etc('neutron') / 'ml2_conf.ini')['ml2']['mechanism_drivers'].startswith('anyhost')


def test_our_files_name_the_neighbours_and_send_service_tokens(deployment):
    api = read(deployment.etc('api') / 'nova.conf')
    assert api['keystone_authtoken']['memcached_servers'] == '127.0.0.1:3'
    assert api['service_user']['send_service_user_token'] == 'true'
    assert {api[name]['auth_url'] for name in ('neutron', 'cinder', 'glance', 'placement', 'keystone')} == {
        'http://127.0.0.1:5000/v3'}
    compute = read(deployment.etc('compute2') / 'nova.conf')
    assert 'database' not in compute and '/cell2' in compute['DEFAULT']['transport_url']


def test_ours_and_cinder_have_one_key_of_encrypted_volumes(deployment):
    key = read(deployment.etc('cinder') / 'cinder.conf')['key_manager']['fixed_key']
    assert read(deployment.etc('compute1') / 'nova.conf')['key_manager']['fixed_key'] == key
    assert len(key) == 64 and key not in repr(deployment)


def test_only_the_owner_reads_what_holds_passwords(deployment):
    for file in [*deployment.directory.glob('etc/**/*.conf'), deployment.directory / 'clouds.yaml']:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert not any(password in repr(deployment) for password in deployment.passwords.values())


def test_every_process_has_a_command(deployment):
    processes = cloud.Processes(deployment)
    for service in deployment.services:
        words, env = processes.command(service)
        assert words and all(isinstance(word, str) for word in (*words, *env, *env.values()))
    assert processes.command('api')[1]['PYTHONPATH'] == ''


def test_a_neighbour_is_told_of_its_faults_in_one_piece(deployment):
    faults.tell(deployment, 'neutron', refuse_hosts='host', activate_after=-1)
    assert faults.file(deployment, 'neutron').read_text() == '{"refuse_hosts": "host", "activate_after": -1}'
    faults.tell(deployment, 'neutron')
    assert faults.file(deployment, 'neutron').read_text() == '{}'


def test_a_cloud_is_kept_as_it_was_made(deployment):
    assert not cloud.made(deployment.directory)
    deployment.made = True
    deployment.save()
    assert cloud.made(deployment.directory)
    assert Deployment.load(deployment.directory) == deployment


@pytest.mark.parametrize('text', ['keystone', 'keystone=x', 'nobody=80', '=80'])
def test_a_port_is_of_a_service(text):
    with pytest.raises(argparse.ArgumentTypeError, match='SERVICE=PORT'):
        command.port(text)
    assert command.port('keystone=5000') == ('keystone', 5000)


@pytest.mark.parametrize('words', [['status'], ['env'], ['down'], ['renew']])
def test_what_is_not_there_says_how_to_make_it(tmp_path, words):
    done = subprocess.run([sys.executable, '-m', 'realcloud', *words, '--dir', tmp_path], capture_output=True,
                          text=True, env=os.environ | {'PYTHONPATH': str(TOOLS)})
    assert done.returncode == 1 and f'tools/realcloud up --dir {tmp_path}' in done.stderr


def test_somebody_elses_directory_is_left_alone(tmp_path):
    (tmp_path / 'mine').write_text('precious')
    done = subprocess.run([sys.executable, '-m', 'realcloud', 'up', '--dir', tmp_path], capture_output=True,
                          text=True, env=os.environ | {'PYTHONPATH': str(TOOLS)})
    assert done.returncode == 1 and 'choose another one' in done.stderr
    assert (tmp_path / 'mine').read_text() == 'precious'
