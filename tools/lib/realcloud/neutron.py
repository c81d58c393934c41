"""Neutron without agents: the ML2 driver `anyhost` (plugins/anyhost.py) binds each port on each host."""

import cluster_config

from realcloud import faults, neighbour, population
from realcloud.deployment import REGION, VENV, Deployment

PLUGINS = ('router', 'qos', 'trunk', 'port_forwarding', 'segments', 'network_segment_range',
           'network_ip_availability', 'auto_allocate', 'metering', 'revisions', 'tag', 'timestamp', 'flavors')
EXTENSIONS = ('port_security', 'qos', 'dns', 'tag_ports_during_bulk_creation')
"""Drivers of ML2; with the last one, a port says from its beginning that we have made it."""
QUOTA = {'network': 500, 'subnet': 500, 'port': 5000, 'router': 100, 'floatingip': 500, 'security_group': 500,
         'security_group_rule': 5000}


def files(deployment: Deployment) -> dict[str, cluster_config.Sections]:
    server = {
        'DEFAULT': {'log_file': deployment.log('neutron'),
                    'api_paste_config': VENV / 'etc/neutron/api-paste.ini', 'core_plugin': 'ml2',
                    'service_plugins': ','.join(PLUGINS),
                    'transport_url': deployment.bus('neighbours'), 'state_path': deployment.state('neutron'),
                    'notify_nova_on_port_status_changes': 'true', 'notify_nova_on_port_data_changes': 'true',
                    'send_events_interval': 1, 'dhcp_agent_notification': 'false', 'global_physnet_mtu': 1500,
                    'max_allowed_address_pair': 250, 'rpc_workers': 0, 'rpc_state_report_workers': 0},
        'database': {'connection': deployment.database('neutron'), 'max_pool_size': 20},
        'nova': deployment.credentials('nova') | {
            'region_name': REGION, 'endpoint_type': 'public', 'live_migration_events': 'true'},
        'placement': deployment.credentials('placement') | {'region_name': REGION},
        'quotas': {f'quota_{name}': value for name, value in QUOTA.items()},
        'keystone_authtoken': deployment.authtoken('neutron', 'network'),
        **deployment.oslo('neutron')}
    ml2 = {
        'ml2': {'type_drivers': 'local,flat,vlan,vxlan', 'tenant_network_types': 'vxlan',
                # The second never binds anything, but the plugin `trunk` needs a driver that it knows.
                'mechanism_drivers': 'anyhost,openvswitch', 'extension_drivers': ','.join(EXTENSIONS),
                'path_mtu': 1500},
        'ml2_type_flat': {'flat_networks': 'public'},
        'ml2_type_vlan': {'network_vlan_ranges': f'{population.PHYSNET}:100:199'},
        'ml2_type_vxlan': {'vni_ranges': '1:4000'},
        'anyhost': {'faults': faults.file(deployment, 'neutron')}}
    return {'neutron.conf': server, 'ml2_conf.ini': ml2}


def fill(deployment: Deployment) -> list[list[str]]:
    etc = deployment.etc('neutron')
    return [['neutron-db-manage', '--config-file', str(etc / 'neutron.conf'), '--config-file',
             str(etc / 'ml2_conf.ini'), 'upgrade', 'heads']]


def processes(deployment: Deployment) -> dict[str, tuple[list[str], dict[str, str]]]:
    return {'neutron': (neighbour.api(deployment, 'neutron', 'neutron.wsgi.api:application'), {
        'OS_NEUTRON_CONFIG_DIR': str(deployment.etc('neutron')),
        'OS_NEUTRON_CONFIG_FILES': 'neutron.conf;ml2_conf.ini'})}


NEUTRON = neighbour.Neighbour('neutron', files, fill, processes)
