"""Keystone."""

import grp
import os
import pwd

import cluster_config

from realcloud import neighbour
from realcloud.deployment import REGION, Deployment


def files(deployment: Deployment) -> dict[str, cluster_config.Sections]:
    keys = deployment.state('keystone')
    return {'keystone.conf': {
        'DEFAULT': {'log_file': deployment.log('keystone'), 'public_endpoint': deployment.url('identity'),
                    'max_token_size': 512},
        'database': {'connection': deployment.database('keystone'), 'max_pool_size': 20},
        'token': {'provider': 'fernet', 'expiration': 86400},
        'fernet_tokens': {'key_repository': keys / 'fernet', 'max_active_keys': 3},
        'credential': {'key_repository': keys / 'credential'},
        'cache': {'enabled': 'true', 'backend': 'dogpile.cache.memcached',
                  'memcache_servers': deployment.memcached},
        # The fewest rounds there are: tempest makes hundreds of users.
        'identity': {'password_hash_algorithm': 'bcrypt', 'password_hash_rounds': 4},
        'oslo_messaging_notifications': {'driver': 'noop'}}}


def fill(deployment: Deployment) -> list[list[str]]:
    manage = ['keystone-manage', '--config-file', str(deployment.etc('keystone') / 'keystone.conf')]
    url = deployment.url('identity') + '/v3'
    owner = ['--keystone-user', pwd.getpwuid(os.getuid()).pw_name, '--keystone-group',
             grp.getgrgid(os.getgid()).gr_name]
    return [[*manage, 'fernet_setup', *owner], [*manage, 'credential_setup', *owner], [*manage, 'db_sync'],
            [*manage, 'bootstrap', '--bootstrap-password', deployment.passwords['admin'],
             '--bootstrap-region-id', REGION, '--bootstrap-public-url', url, '--bootstrap-internal-url', url]]


def processes(deployment: Deployment) -> dict[str, tuple[list[str], dict[str, str]]]:
    env = {'OS_KEYSTONE_CONFIG_DIR': str(deployment.etc('keystone')),
           'OS_KEYSTONE_CONFIG_FILES': 'keystone.conf'}
    return {'keystone': (neighbour.api(deployment, 'keystone', 'keystone.wsgi.api:application'), env)}


KEYSTONE = neighbour.Neighbour('keystone', files, fill, processes, ('fernet', 'credential'))
