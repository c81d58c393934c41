"""Glance: images are files."""

import cluster_config

from realcloud import neighbour
from realcloud.deployment import VENV, Deployment


def files(deployment: Deployment) -> dict[str, cluster_config.Sections]:
    state = deployment.state('glance')
    return {'glance-api.conf': {
        'DEFAULT': {'log_file': deployment.log('glance'), 'enabled_backends': 'local:file',
                    'worker_self_reference_url': deployment.url('image'),
                    'node_staging_uri': f'file://{state / "staging"}', 'image_cache_dir': state / 'cache',
                    'transport_url': deployment.bus('neighbours'), 'show_multiple_locations': 'true',
                    # Without the brackets every new image is a 500.
                    'enabled_import_methods': '[glance-direct,web-download,copy-image]'},
        'database': {'connection': deployment.database('glance')},
        'glance_store': {'default_backend': 'local'},
        'local': {'filesystem_store_datadir': state / 'images'},
        'os_glance_staging_store': {'filesystem_store_datadir': state / 'staging'},
        'os_glance_tasks_store': {'filesystem_store_datadir': state / 'tasks'},
        'paste_deploy': {'flavor': 'keystone', 'config_file': VENV / 'etc/glance/glance-api-paste.ini'},
        'keystone_authtoken': deployment.authtoken('glance', 'image'),
        **deployment.oslo('glance')}}


def fill(deployment: Deployment) -> list[list[str]]:
    return [['glance-manage', '--config-file', str(deployment.etc('glance') / 'glance-api.conf'), 'db_sync']]


def processes(deployment: Deployment) -> dict[str, tuple[list[str], dict[str, str]]]:
    return {'glance': (neighbour.api(deployment, 'glance', 'glance.wsgi.api:application'), {
        'OS_GLANCE_CONFIG_DIR': str(deployment.etc('glance')), 'OS_GLANCE_CONFIG_FILES': 'glance-api.conf'})}


GLANCE = neighbour.Neighbour('glance', files, fill, processes, ('images', 'staging', 'tasks', 'cache'))
