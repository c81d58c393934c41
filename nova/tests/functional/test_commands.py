"""Every command of the shells of clients that this API serves, against a standalone cloud; on demand.

The commands are listed by the clients themselves, so that none is forgotten: each is typed by the script of its
client (`nova.tests.functional.commands`), or struck there with a reason.
"""

import importlib.metadata

import pytest
from novaclient.v2 import shell as nova_shell

from nova.tests.functional.commands import Script, type_all
from nova.tests.functional.conftest import User, standalone
from nova.tests.functional.volumes import Volumes

SOFT = '[DEFAULT]\nreclaim_instance_interval = 3600\n'
KNOWN = {
    'openstack': {entry.name.replace('_', ' ')
                  for entry in importlib.metadata.entry_points(group='openstack.compute.v2')},
    'nova': {name.removeprefix('do_').replace('_', '-') for name in dir(nova_shell) if name.startswith('do_')}}


@pytest.mark.parametrize('client', KNOWN)
def test_no_command_is_forgotten(client):
    script = Script(client)
    assert not script.forgotten(KNOWN[client])
    assert not script.commands(KNOWN[client]) & set(script.struck)


@pytest.fixture
def cloud(tmp_path_factory, supply):
    """Of its own, in which what is deleted may be restored."""
    with standalone('sqlite', tmp_path_factory, supply, SOFT) as found:
        yield found


def environment(cloud, user):
    """For clients that know no clouds.yaml."""
    deployment = cloud.deployment
    return {'OS_AUTH_URL': deployment.url('identity') + '/v3', 'OS_USERNAME': user, 'OS_PROJECT_NAME': user,
            'OS_PASSWORD': deployment.passwords[user], 'OS_USER_DOMAIN_NAME': 'Default',
            'OS_PROJECT_DOMAIN_NAME': 'Default'}


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_openstack(cloud):
    type_all(cloud, Script('openstack'))


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_nova(cloud):
    demo = User(cloud, 'demo')
    volumes = Volumes(demo)
    group = demo.call('POST', '/v2.0/security-groups', {'security_group': {'name': 'walked'}},
                      service='network')
    known = {'demo': demo.project, 'image': demo.image, 'network': demo.network,
             'volume': volumes.make(), 'group': group.json()['security_group']['id']}
    type_all(cloud, Script('nova'), known, 'nova', lambda user: environment(cloud, user))
