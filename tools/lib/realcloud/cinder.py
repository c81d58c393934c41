"""Cinder: volumes are files, by its NFS driver on a directory of this machine (plugins/volume_files.py)."""

import cluster_config

from realcloud import faults, neighbour
from realcloud.deployment import REGION, VENV, Deployment

BACKENDS = {'file': '/volumes', 'other': '/others'}
"""Of both a volume can be migrated to the other one; volume types are named after them."""


def files(deployment: Deployment) -> dict[str, cluster_config.Sections]:
    state = deployment.state('cinder')
    server = {
        'DEFAULT': {'transport_url': deployment.bus('neighbours'), 'auth_strategy': 'keystone',
                    'api_paste_config': VENV / 'etc/cinder/api-paste.ini',
                    'rootwrap_config': VENV / 'etc/cinder/rootwrap.conf',
                    'resource_query_filters_file': VENV / 'etc/cinder/resource_filters.json',
                    'state_path': state, 'image_conversion_dir': state / 'conversion', 'host': 'storage',
                    'my_ip': '127.0.0.1', 'glance_api_servers': deployment.url('image'),
                    'enabled_backends': ','.join(BACKENDS), 'default_volume_type': 'file',
                    'volume_clear': 'none',
                    'allow_availability_zone_fallback': 'true', 'default_availability_zone': 'nova',
                    'storage_availability_zone': 'nova', 'cloned_volume_same_az': 'false',
                    'quota_volumes': 1000, 'quota_snapshots': 1000, 'quota_gigabytes': 100000,
                    'periodic_interval': 30, 'report_interval': 10, 'service_down_time': 60},
        'database': {'connection': deployment.database('cinder')},
        'coordination': {'backend_url': f'file://{state / "coordination"}'},
        'nova': deployment.credentials('nova') | {'region_name': REGION, 'interface': 'public'},
        'service_user': deployment.credentials('cinder') | {'send_service_user_token': 'true'},
        **{name: {'volume_driver': 'volume_files.Driver', 'volume_backend_name': name, 'nas_host': '127.0.0.1',
                  'nas_share_path': path, 'nfs_mount_point_base': state / 'mount',
                  'nfs_snapshot_support': 'true', 'nfs_sparsed_volumes': 'true',
                  'nas_secure_file_operations': 'false', 'nas_secure_file_permissions': 'false',
                  'max_over_subscription_ratio': 200, 'faults': faults.file(deployment, 'cinder')}
           for name, path in BACKENDS.items()},
        'key_manager': {'backend': 'cinder.keymgr.conf_key_mgr.ConfKeyManager',
                        'fixed_key': deployment.options['key_manager.fixed_key']},
        'keystone_authtoken': deployment.authtoken('cinder', 'block-storage'),
        **deployment.oslo('cinder')}
    return {'cinder.conf': server}


def _file(deployment: Deployment) -> list[str]:
    return ['--config-file', str(deployment.etc('cinder') / 'cinder.conf')]


def fill(deployment: Deployment) -> list[list[str]]:
    return [['cinder-manage', *_file(deployment), 'db', 'sync']]


def processes(deployment: Deployment) -> dict[str, tuple[list[str], dict[str, str]]]:
    # The application finds its file on the command line or in /etc alone. Each process has a log of its own.
    def logged(process: str) -> list[str]:
        return [*_file(deployment), '--log-file', str(deployment.log(process))]
    return {
        'cinder-api': (neighbour.api(deployment, 'cinder-api', 'cinder.wsgi.api:application',
                                     *logged('cinder-api')), {}),
        **{name: (neighbour.script(name, *logged(name)), {}) for name in ('cinder-scheduler', 'cinder-volume')}}


CINDER = neighbour.Neighbour('cinder', files, fill, processes, ('conversion', 'coordination', 'mount'))
