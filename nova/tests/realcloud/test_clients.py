"""Clients that are not openstacksdk, unmodified, against the real cloud; each leaves nothing behind."""

import json
import os
import pathlib
import subprocess
import sys

import pytest
import yaml
from libcloud.compute import providers, types

from nova.tests.fixtures.ansible import Ansible
from nova.tests.fixtures.waiting import until
from nova.tests.functional import leaks

pytestmark = [pytest.mark.realcloud, pytest.mark.timeout(300)]

REQUESTS = yaml.safe_load(pathlib.Path(__file__).with_name('requests.yaml').read_text())
KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f user@host\n'
REMOVE = {'keypair': '/os-keypairs/{name}'}


@pytest.fixture(autouse=True)
def nothing_left(cloud, admin):
    yield
    leaks.check(cloud, admin, 30)


def environment(cloud, user):
    deployment = cloud.deployment
    return {name: value for name, value in os.environ.items() if not name.startswith('OS_')} | {
        'OS_AUTH_URL': deployment.url('identity') + '/v3', 'OS_IDENTITY_API_VERSION': '3', 'OS_USERNAME': user,
        'OS_PASSWORD': deployment.passwords[user], 'OS_PROJECT_NAME': user, 'OS_USER_DOMAIN_NAME': 'Default',
        'OS_PROJECT_DOMAIN_NAME': 'Default', 'OS_REGION_NAME': 'RegionOne', 'PYTHONWARNINGS': 'ignore'}


# What SDKs of other languages send ---------------------------------------------------------------

@pytest.fixture(scope='module')
def subject(demo):
    server = demo.booted('subject')['id']
    yield server
    demo.delete(server)


@pytest.fixture
def volume(demo):
    """One of an image, which goes with the server that boots from it."""
    made = demo.call('POST', '/v3/volumes', {'volume': {'size': 1, 'imageRef': demo.image}}, service='volume')
    assert made.status_code == 202, made.text
    uuid = made.json()['volume']['id']
    _until(lambda: demo.get(f'/v3/volumes/{uuid}', service='volume')['volume']['status'] == 'available')
    return uuid


@pytest.mark.parametrize('case', REQUESTS, ids=lambda case: f'{case["client"]}: {case["name"]}')
def test_requests_of_other_languages(case, demo, subject, request):
    words = {'IMAGE': demo.image, 'FLAVOR': '1', 'NETWORK': demo.network, 'SERVER': subject, 'GROUP': subject,
             'LARGER': '3' if demo.show(subject)['flavor']['original_name'] == 'm1.small' else '2'}
    if 'VOLUME' in json.dumps(case):
        words['VOLUME'] = request.getfixturevalue('volume')
    send, body, before, back = (_told(case.get(part), words) for part in ('send', 'body', 'before', 'back'))
    method, _, path = send.partition(' ')
    _lead(demo, subject, before, case.get('between'))
    answer = demo.call(method, path, body, version=case.get('version', '2.1'))
    assert answer.status_code == case['status'], answer.text
    if method == 'POST':
        _remove_what_it_made(demo, answer, body)
    demo.wait(subject, case.get('becomes', 'ACTIVE'), 60)
    _lead(demo, subject, back, 'ACTIVE')


def _told(part, words):
    """A part of a case, with our values for its words."""
    text = json.dumps(part)
    for word, value in words.items():
        text = text.replace(word, value)
    return json.loads(text)


def _lead(demo, subject, actions, status):
    for name, body in (actions or {}).items():
        demo.act(subject, name, body)
        demo.wait(subject, status, 60)


def _remove_what_it_made(demo, answer, body):
    if image := answer.headers.get('Location', '').partition('/images/')[2]:
        _until(lambda: demo.get(f'/v2/images/{image}', service='image')['status'] == 'active')
        assert demo.call('DELETE', f'/v2/images/{image}', service='image').status_code == 204
    for kind, made in answer.json().items() if answer.content else ():
        if kind in REMOVE:
            assert demo.call('DELETE', REMOVE[kind].format(**made)).status_code in (202, 204)
        elif kind == 'reservation_id' or (kind == 'server' and 'server' in body):
            _remove_servers(demo, body['server'].get('min_count', 1))


def _remove_servers(demo, wanted):
    """Delete those that one request has made, once each is ACTIVE; their names begin alike."""
    servers = [one['id'] for one in demo.get('/servers')['servers'] if one['name'].startswith('derp')]
    assert len(servers) == wanted
    for uuid in servers:
        demo.wait(uuid, 'ACTIVE', 60)
        demo.delete(uuid, 60)


# apache-libcloud ---------------------------------------------------------------------------------

@pytest.fixture
def libcloud(cloud):
    deployment = cloud.deployment
    return providers.get_driver(types.Provider.OPENSTACK)(
        'demo', deployment.passwords['demo'], ex_force_auth_url=deployment.url('identity'),
        ex_force_auth_version='3.x_password', ex_tenant_name='demo', ex_domain_name='Default',
        ex_force_service_region='RegionOne', api_version='2.2')


def test_libcloud(libcloud):
    sizes = {size.name: size for size in libcloud.list_sizes()}
    images = {image.name: image for image in libcloud.list_images()}
    networks = {network.name: network for network in libcloud.ex_list_networks()}
    pair = libcloud.create_key_pair('libcloud')
    node = libcloud.create_node(
        name='libcloud', size=sizes['m1.nano'], image=images['tiny'], networks=[networks['private']],
        ex_keyname=pair.name, ex_metadata={'colour': 'red'}, ex_userdata='#!/bin/sh')
    volume = libcloud.create_volume(1, 'libcloud')
    try:
        [(node, addresses)] = libcloud.wait_until_running(
            [node], wait_period=1, timeout=60, ssh_interface='private_ips')
        assert addresses and node.extra['key_name'] == 'libcloud'
        assert node.id in {one.id for one in libcloud.list_nodes()}
        assert libcloud.ex_get_metadata(node) == {'colour': 'red'}
        assert libcloud.ex_set_metadata(node, {'colour': 'blue'}) == {'colour': 'blue'}
        assert libcloud.reboot_node(node)
        _until(lambda: libcloud.ex_get_node_details(node.id).extra['task_state'] is None)
        assert libcloud.ex_stop_node(node)
        _until(lambda: libcloud.ex_get_node_details(node.id).state == types.NodeState.STOPPED)
        assert libcloud.ex_start_node(node)
        _until(lambda: libcloud.ex_get_node_details(node.id).state == types.NodeState.RUNNING)
    finally:
        assert libcloud.destroy_node(node)
        _until(lambda: libcloud.ex_get_node_details(node.id) is None)
        _until(lambda: libcloud.ex_get_volume(volume.id).extra['state'] == 'available')
        assert libcloud.destroy_volume(volume) and libcloud.delete_key_pair(pair)


def _until(true):
    until(true, 60, 0.5)


# The shell of novaclient -------------------------------------------------------------------------

def test_shell_of_novaclient(cloud, demo, tmp_path):
    def nova(*words, user='demo'):
        done = subprocess.run([pathlib.Path(sys.executable).parent / 'nova', *words], capture_output=True,
                              text=True, env=environment(cloud, user))
        assert done.returncode == 0, f'nova {" ".join(words)}: {done.stdout}{done.stderr}'
        return done.stdout
    assert 'm1.nano' in nova('flavor-list')
    key = tmp_path / 'key.pub'
    key.write_text(KEY)
    nova('keypair-add', '--pub-key', str(key), 'novaclient')
    nova('boot', '--flavor', 'm1.nano', '--image', demo.image, '--nic', f'net-id={demo.network}', '--key-name',
         'novaclient', '--meta', 'colour=red', '--poll', 'novaclient')
    try:
        assert 'ACTIVE' in nova('list')
        shown = nova('show', 'novaclient')
        assert 'private network' in shown and '"colour": "red"' in shown
        nova('meta', 'novaclient', 'set', 'size=big')
        nova('reboot', '--poll', 'novaclient')
        nova('stop', 'novaclient')
        _until(lambda: 'SHUTOFF' in nova('list'))
        nova('start', 'novaclient')
        _until(lambda: 'ACTIVE' in nova('list'))
        nova('update', '--name', 'renamed', 'novaclient')
        nova('limits')
        nova('instance-action-list', 'renamed')
        nova('server-tag-add', 'renamed', 'tagged')
    finally:
        name = 'renamed' if 'renamed' in nova('list') else 'novaclient'
        nova('delete', name)
        _until(lambda: name not in nova('list'))
        nova('keypair-delete', 'novaclient')
    assert 'nova-compute' in nova('service-list', user='admin')


# Ansible -----------------------------------------------------------------------------------------

@pytest.mark.slow
@pytest.mark.timeout(900)
def test_modules_of_ansible(cloud, tmp_path):
    Ansible(cloud.deployment.directory / 'clouds.yaml', tmp_path).play_twice_and_take_back()
