"""What a cloud has before its first server: users, endpoints, networks, images, volume types, bandwidth."""

import guest_hosts
import openstack
from openstack.exceptions import raise_from_response

from realcloud.deployment import NEIGHBOURS, REGION, Deployment

ROLES = ('admin', 'manager', 'member', 'reader', 'service')
PROJECTS = ('service', 'demo', 'alt_demo')
SERVICE_USERS = ('nova', 'placement', *(name for name in NEIGHBOURS if name != 'keystone'))
GRANTS = {'demo': ('demo', ('member', 'reader')), 'alt_demo': ('alt_demo', ('member', 'reader')),
          'reader': ('demo', ('reader',))}
"""User to a project and roles there."""
IMAGES = {'tiny': 8192, 'tiny-alt': 4096}
TYPES = {'file': {}, 'multiattach': {'multiattach': '<is> True'}, 'other': {'volume_backend_name': 'other'},
         'encrypted': {}}
PHYSNET = 'physnet1'
BANDWIDTH = {'NET_BW_EGR_KILOBIT_PER_SEC': 1000000, 'NET_BW_IGR_KILOBIT_PER_SEC': 1000000}
"""Of the network card of each host."""
BANDWIDTH_TRAITS = [f'CUSTOM_PHYSNET_{PHYSNET.upper()}', 'CUSTOM_VNIC_TYPE_NORMAL']


def connect(deployment: Deployment, user: str = 'admin') -> openstack.connection.Connection:
    """A connection for `user` and the project of the same name."""
    return openstack.connect(
        auth_url=deployment.url('identity') + '/v3', username=user, password=deployment.passwords[user],
        project_name=user, user_domain_name='Default', project_domain_name='Default', region_name=REGION,
        load_yaml_config=False, load_envvars=False)


def make_identities(deployment: Deployment) -> None:
    """Users with their roles, and the catalog; Keystone alone has to run."""
    identity = connect(deployment).identity
    roles = {role.name: role for role in identity.roles()}
    for name in ROLES:
        if name not in roles:
            roles[name] = identity.create_role(name=name)
    projects = {project.name: project for project in identity.projects()}
    for name in PROJECTS:
        if name not in projects:
            projects[name] = identity.create_project(name=name, domain_id='default')
    users = {user.name: user for user in identity.users()}
    grants = GRANTS | {name: ('service', ('admin', 'service')) for name in SERVICE_USERS}
    for name, (project, granted) in grants.items():
        if name not in users:
            users[name] = identity.create_user(
                name=name, password=deployment.passwords[name], domain_id='default',
                default_project_id=projects[project].id)
        for role in granted:
            identity.assign_project_role_to_user(projects[project], users[name], roles[role])
    # Unified limits belong to no project.
    identity.assign_system_role_to_user(users['nova'], roles['reader'], 'all')
    _make_catalog(deployment, identity)


def _make_catalog(deployment: Deployment, identity) -> None:
    volume = deployment.url('volume') + '/v3/%(project_id)s'
    catalog = {'image': ('glance', deployment.url('image')), 'network': ('neutron', deployment.url('network')),
               'block-storage': ('cinder', volume), 'volumev3': ('cinderv3', volume),
               'compute': ('nova', deployment.url('compute') + '/v2.1'),
               'placement': ('placement', deployment.url('placement'))}
    there = {service.type for service in identity.services()}
    for kind, (name, url) in catalog.items():
        if kind not in there:
            service = identity.create_service(type=kind, name=name)
            for interface in ('public', 'internal'):
                identity.create_endpoint(
                    service_id=service.id, region_id=REGION, interface=interface, url=url)


def make_resources(deployment: Deployment) -> None:
    """What users find when they come; every neighbour has to run, and the guest be built where one can run."""
    cloud = connect(deployment)
    _make_networks(cloud.network, cloud.identity.find_project('demo').id)
    images = {name: ('raw', name.encode().ljust(size, b'\0')) for name, size in IMAGES.items()}
    if deployment.guests:
        images[guest_hosts.IMAGE.stem] = ('qcow2', guest_hosts.IMAGE.read_bytes())
    for name, (kind, data) in images.items():
        if not cloud.image.find_image(name):
            cloud.image.create_image(name=name, data=data, disk_format=kind, container_format='bare',
                                     visibility='public', min_disk=0, min_ram=0)
    there = {kind.name for kind in cloud.block_storage.types()}
    for name, specs in TYPES.items():
        if name not in there:
            cloud.block_storage.create_type(
                name=name, is_public=True, extra_specs={'volume_backend_name': 'file', **specs})
    if 'encrypted' not in there:
        cloud.block_storage.create_type_encryption(
            cloud.block_storage.find_type('encrypted'), provider='luks', control_location='front-end',
            cipher='aes-xts-plain64', key_size=256)


def _make_networks(network, demo: str) -> None:
    """``public`` outside, ``private`` of demo behind a router, ``shared`` for everybody."""
    if network.find_network('shared'):
        return
    public = network.create_network(name='public', is_router_external=True, is_default=True,
                                    provider_network_type='flat', provider_physical_network='public')
    network.create_subnet(name='public-subnet', network_id=public.id, ip_version=4, cidr='172.24.0.0/20',
                          enable_dhcp=False, gateway_ip='172.24.0.1')
    private = network.create_network(name='private', project_id=demo)
    subnet = network.create_subnet(name='private-subnet', network_id=private.id, ip_version=4,
                                   cidr='10.0.0.0/22', project_id=demo)
    router = network.create_router(name='router', project_id=demo,
                                   external_gateway_info={'network_id': public.id})
    network.add_interface_to_router(router, subnet_id=subnet.id)
    # Of it, and behind `public`, are networks that a project gets for a server that asks for one, and has none.
    network.create_subnet_pool(name='automatic', is_shared=True, is_default=True, default_prefix_length=26,
                               prefixes=['10.64.0.0/16'])
    shared = network.create_network(name='shared', is_shared=True)
    network.create_subnet(name='shared-subnet', network_id=shared.id, ip_version=4, cidr='192.168.64.0/18')


def make_bandwidth(deployment: Deployment) -> None:
    """Each host, all of which are known, has a provider of bandwidth, as Neutron reports those of agents."""
    placement = connect(deployment).placement

    def put(path: str, body: dict[str, object] | None = None) -> None:
        raise_from_response(placement.put(path, json=body, microversion='1.39'))
    there = {provider.name: provider for provider in placement.resource_providers()}
    for trait in BANDWIDTH_TRAITS:
        put(f'/traits/{trait}')
    for host in deployment.hosts:
        name = f'{host}:{PHYSNET}'
        if host not in there or name in there:
            continue
        made = placement.create_resource_provider(name=name, parent_provider_uuid=there[host].id)
        path, generation = f'/resource_providers/{made.id}', made.generation
        put(f'{path}/inventories', {'resource_provider_generation': generation, 'inventories': {
            kind: {'total': total} for kind, total in BANDWIDTH.items()}})
        put(f'{path}/traits', {'resource_provider_generation': generation + 1, 'traits': BANDWIDTH_TRAITS})
