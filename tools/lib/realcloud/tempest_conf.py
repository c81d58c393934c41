"""tempest.conf for a cloud that runs."""

import pathlib
from typing import Any

import cluster_config
import guest_hosts

from realcloud import cloud, population
from realcloud.deployment import REGION, Deployment

PATIENCE = 300
"""Seconds that tempest waits for a server or a volume, on a machine that has other things to do, too."""
FEATURES: dict[str, Any] = {
    'resize': True, 'pause': True, 'suspend': True, 'shelve': True, 'console_output': True,
    'cold_migration': True, 'live_migration': True, 'block_migration_for_live_migration': True,
    'live_migrate_back_and_forth': True,
    'rescue': True, 'interface_attach': True, 'swap_volume': True, 'volume_backed_live_migration': True,
    'volume_multiattach': True, 'config_drive': True, 'hostname_fqdn_sanitization': True,
    'snapshot': True, 'personality': True, 'change_password': True, 'stable_rescue': True,
    # There is no console that could be looked at.
    'vnc_console': False, 'spice_console': False, 'serial_console': False,
    'rdp_console': False, 'block_migrate_cinder_iscsi': False,
    'xenapi_apis': False, 'unified_limits': False, 'shelve_migrate': False,
    'nova_policy_roles': 'admin,manager,member,reader,service',
    'scheduler_enabled_filters': cloud.OPTIONS['filter_scheduler.enabled_filters']}


def _compute(deployment: Deployment, images: dict[str, str], hosts: int) -> cluster_config.Sections:
    image, flavor = (guest_hosts.IMAGE.stem, cloud.GUEST[0]) if deployment.guests else ('tiny', '42')
    return {
        'compute': {'region': REGION, 'image_ref': images[image], 'image_ref_alt': images['tiny-alt'],
                    'flavor_ref': flavor, 'flavor_ref_alt': 84, 'build_interval': 1, 'build_timeout': PATIENCE,
                    'min_compute_nodes': hosts, 'max_microversion': 'latest', 'fixed_network_name': 'shared',
                    'compute_volume_common_az': 'nova'},
        # The fake driver encrypts nothing.
        'compute-feature-enabled': FEATURES | {'attach_encrypted_volume': bool(deployment.guests)},
        'enforce_scope': {'nova': True, 'placement': True},
        'placement': {'region': REGION, 'max_microversion': 'latest'},
        # There is no guest that could be logged in to.
        'validation': {'run_validation': False}}


def _neighbours(public: str) -> cluster_config.Sections:
    waits = {'region': REGION, 'build_interval': 1, 'build_timeout': PATIENCE}
    return {
        'network': {'region': REGION, 'public_network_id': public, 'floating_network_name': 'public',
                    'shared_physical_network': False, 'build_interval': 1},
        'network-feature-enabled': {'ipv6': True, 'floating_ips': True, 'port_security': True,
                                    'qos_placement_physnet': population.PHYSNET},
        'image': waits,
        'image-feature-enabled': {'import_image': True},
        'volume': waits | {'catalog_type': 'block-storage', 'volume_size': 1, 'volume_type': 'file',
                           'volume_type_multiattach': 'multiattach', 'storage_protocol': 'nfs',
                           'vendor_name': 'Open Source', 'backend_names': 'file', 'max_microversion': 'latest'},
        'volume-feature-enabled': {'backup': False, 'snapshot': True, 'clone': True,
                                   'extend_attached_volume': True, 'extend_attached_encrypted_volume': False,
                                   'multi_backend': False}}


def write(deployment: Deployment, directory: pathlib.Path) -> pathlib.Path:
    """Write tempest.conf, readable by its owner only; returns the file."""
    found = population.connect(deployment)
    images = {image.name: image.id for image in found.image.images()}
    hosts = sum(service.binary == 'nova-compute' and service.status == 'enabled'
                for service in found.compute.services())
    sections: cluster_config.Sections = {
        'DEFAULT': {'log_file': directory / 'tempest.log'},
        'oslo_concurrency': {'lock_path': directory / 'lock'},
        'auth': {'use_dynamic_credentials': True, 'create_isolated_networks': True, 'admin_username': 'admin',
                 'admin_password': deployment.passwords['admin'], 'admin_project_name': 'admin',
                 'admin_domain_name': 'Default', 'admin_user_domain_name': 'Default',
                 'tempest_roles': 'member'},
        'identity': {'uri_v3': deployment.url('identity') + '/v3', 'auth_version': 'v3', 'region': REGION,
                     'v3_endpoint_type': 'public'},
        'identity-feature-enabled': {'api_v2': False},
        'service_available': {'cinder': True, 'glance': True, 'neutron': True, 'nova': True, 'placement': True,
                              'swift': False, 'horizon': False},
        **_compute(deployment, images, hosts), **_neighbours(found.network.find_network('public').id)}
    file = directory / 'tempest.conf'
    cluster_config.write(file, cluster_config.ini(sections))
    return file
