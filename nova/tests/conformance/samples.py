"""How each route is asked so that it succeeds: what its path names, its body, and what must be done before."""

import dataclasses
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from nova.common.microversion import V
from nova.tests.conformance.world import KEY, NOBODY, World, name


@dataclasses.dataclass(frozen=True)
class Ask:
    """One request.

    Attributes:
        fields: what fills the path.
        after: runs when it has succeeded; gets the answer's body.
        ours: it is about something of the walk's project, so that a stranger is told nothing.
        role: who may, where another service than this API says so.
        expect: codes of refusals that show as much as a success would, where one cannot be had.
    """

    fields: tuple[str, ...] = ()
    body: Any = None
    query: str = ''
    after: Callable[[Any], object] | None = None
    ours: bool = False
    role: str | None = None
    expect: frozenset[int] = frozenset()


Sample = Callable[[World, V], Ask]
SAMPLES: dict[str, Sample] = {}


def sample(*names: str) -> Callable[[Sample], Sample]:
    def keep(made: Sample) -> Sample:
        SAMPLES.update(dict.fromkeys(names, made))
        return made
    return keep


def plain(*fields: str) -> Sample:
    return lambda world, version: Ask(fields)


def about_server(*more: str, body: Any = None) -> Sample:
    return lambda world, version: Ask((world.server, *more), body, ours=True)


def about_flavor(*more: str) -> Sample:
    return lambda world, version: Ask((world.flavor, *more))


for _path in ('/', '/extensions', '/flavors', '/flavors/detail', '/limits', '/os-aggregates',
              '/os-availability-zone', '/os-availability-zone/detail', '/os-hosts', '/os-hypervisors',
              '/os-hypervisors/detail',
              '/os-hypervisors/statistics', '/os-instance_usage_audit_log', '/os-keypairs', '/os-migrations',
              '/os-server-groups', '/os-services', '/os-simple-tenant-usage', '/servers', '/servers/detail',
              '/images', '/images/detail', '/os-floating-ip-pools', '/os-floating-ips', '/os-networks',
              '/os-security-groups', '/os-snapshots', '/os-snapshots/detail', '/os-tenant-networks',
              '/os-volumes',
              '/os-volumes/detail', '/os-volumes_boot', '/os-volumes_boot/detail'):
    SAMPLES[f'GET {_path}'] = plain()
SAMPLES['GET /versions/{id}'] = plain('v2.1')
SAMPLES['GET /extensions/{id}'] = plain('os-keypairs')
SAMPLES['GET /flavors/{id}'] = about_flavor()
SAMPLES['GET /flavors/{flavor_id}/os-extra_specs'] = about_flavor()
SAMPLES['GET /os-instance_usage_audit_log/{id}'] = plain('2026-01-02 00:00:00')
SAMPLES['GET /images/{id}'] = lambda world, version: Ask((world.image,))
SAMPLES['GET /images/{image_id}/metadata'] = SAMPLES['GET /images/{id}']
for _path in ('/servers/{id}', '/servers/{server_id}/diagnostics', '/servers/{server_id}/ips',
              '/servers/{server_id}/metadata', '/servers/{server_id}/migrations',
              '/servers/{server_id}/os-instance-actions', '/servers/{server_id}/os-interface',
              '/servers/{server_id}/os-server-password', '/servers/{server_id}/os-volume_attachments',
              '/servers/{server_id}/os-security-groups', '/servers/{server_id}/shares',
              '/servers/{server_id}/tags', '/servers/{server_id}/topology', '/os-volumes_boot/{id}'):
    SAMPLES[f'GET {_path}'] = about_server()
SAMPLES['GET /servers/{server_id}/ips/{id}'] = about_server('private')
SAMPLES['DELETE /servers/{server_id}/os-server-password'] = about_server()


# Flavors

@sample('POST /flavors')
def new_flavor(world: World, version: V) -> Ask:
    return Ask(body={'flavor': {'name': name(), 'ram': 64, 'vcpus': 1, 'disk': 1}},
               after=lambda body: world.later(f'/flavors/{body["flavor"]["id"]}'))


@sample('PUT /flavors/{id}')
def change_flavor(world: World, version: V) -> Ask:
    return Ask((world.flavor,), {'flavor': {'description': 'for a walk'}})


@sample('DELETE /flavors/{id}')
def drop_flavor(world: World, version: V) -> Ask:
    return Ask((world.new_flavor(),))


@sample('POST /flavors/{id}/action addTenantAccess')
def give_flavor(world: World, version: V) -> Ask:
    private = world.new_flavor(**{'os-flavor-access:is_public': False})
    return Ask((private,), {'addTenantAccess': {'tenant': world.member.project_id}})


def _given(world: World) -> str:
    private = world.new_flavor(**{'os-flavor-access:is_public': False})
    world.ask('POST', f'/flavors/{private}/action', {'addTenantAccess': {'tenant': world.member.project_id}})
    return private


@sample('POST /flavors/{id}/action removeTenantAccess')
def take_flavor(world: World, version: V) -> Ask:
    return Ask((_given(world),), {'removeTenantAccess': {'tenant': world.member.project_id}})


@sample('GET /flavors/{flavor_id}/os-flavor-access')
def who_has_flavor(world: World, version: V) -> Ask:
    return Ask((_given(world),))


@sample('POST /flavors/{flavor_id}/os-extra_specs')
def more_specs(world: World, version: V) -> Ask:
    return Ask((world.new_flavor(),), {'extra_specs': {'hw:numa_nodes': '1'}})


@sample('PUT /flavors/{flavor_id}/os-extra_specs/{id}')
def set_spec(world: World, version: V) -> Ask:
    return Ask((world.new_flavor(), 'hw:numa_nodes'), {'hw:numa_nodes': '1'})


@sample('GET /flavors/{flavor_id}/os-extra_specs/{id}', 'DELETE /flavors/{flavor_id}/os-extra_specs/{id}')
def one_spec(world: World, version: V) -> Ask:
    flavor = world.new_flavor()
    world.ask('POST', f'/flavors/{flavor}/os-extra_specs', {'extra_specs': {'hw:numa_nodes': '1'}})
    return Ask((flavor, 'hw:numa_nodes'))


# Aggregates, hosts, services

@sample('POST /os-aggregates')
def new_aggregate(world: World, version: V) -> Ask:
    return Ask(body={'aggregate': {'name': name()}},
               after=lambda body: world.later(f'/os-aggregates/{body["aggregate"]["id"]}'))


@sample('GET /os-aggregates/{id}', 'DELETE /os-aggregates/{id}')
def one_aggregate(world: World, version: V) -> Ask:
    return Ask((world.aggregate(),))


@sample('PUT /os-aggregates/{id}')
def rename_aggregate(world: World, version: V) -> Ask:
    return Ask((world.aggregate(),), {'aggregate': {'name': name()}})


@sample('POST /os-aggregates/{id}/action add_host')
def add_host(world: World, version: V) -> Ask:
    aggregate, host = world.aggregate(), world.hosts[0]
    return Ask((aggregate,), {'add_host': {'host': host}}, after=lambda body: world.ask(
        'POST', f'/os-aggregates/{aggregate}/action', {'remove_host': {'host': host}}))


@sample('POST /os-aggregates/{id}/action remove_host')
def remove_host(world: World, version: V) -> Ask:
    aggregate, host = world.aggregate(), world.hosts[0]
    world.ask('POST', f'/os-aggregates/{aggregate}/action', {'add_host': {'host': host}})
    return Ask((aggregate,), {'remove_host': {'host': host}})


@sample('POST /os-aggregates/{id}/action set_metadata')
def tell_aggregate(world: World, version: V) -> Ask:
    return Ask((world.aggregate(),), {'set_metadata': {'metadata': {'rack': '7'}}})


@sample('POST /os-aggregates/{id}/images')
def cache_images(world: World, version: V) -> Ask:
    return Ask((world.aggregate(),), {'cache': [{'id': world.image}]})


@sample('GET /os-hosts/{id}', 'GET /os-hosts/{id}/reboot', 'GET /os-hosts/{id}/shutdown',
        'GET /os-hosts/{id}/startup')
def one_host(world: World, version: V) -> Ask:
    return Ask((world.hosts[0],))


@sample('PUT /os-hosts/{id}')
def enable_host(world: World, version: V) -> Ask:
    return Ask((world.hosts[0],), {'status': 'enable'})


def _hypervisor(world: World, version: V) -> str:
    asked = '2.53' if version >= V('2.53') else '2.1'
    return str(world.ask('GET', '/os-hypervisors', version=asked)['hypervisors'][0]['id'])


@sample('GET /os-hypervisors/{id}', 'GET /os-hypervisors/{id}/uptime')
def one_hypervisor(world: World, version: V) -> Ask:
    return Ask((_hypervisor(world, version),))


@sample('GET /os-hypervisors/{id}/search', 'GET /os-hypervisors/{id}/servers')
def find_hypervisor(world: World, version: V) -> Ask:
    return Ask((world.ask('GET', '/os-hypervisors')['hypervisors'][0]['hypervisor_hostname'],))


@sample('PUT /os-services/{id}')
def enable_service(world: World, version: V) -> Ask:
    if version < V('2.53'):
        return Ask(('enable',), {'host': world.hosts[0], 'binary': 'nova-compute'})
    service = world.ask('GET', f'/os-services?host={world.hosts[0]}&binary=nova-compute')['services'][0]
    return Ask((service['id'],), {'status': 'enabled'})


@sample('GET /os-console-auth-tokens/{id}')
def console_token(world: World, version: V) -> Ask:
    made = world.ask('POST', f'/servers/{world.server}/remote-consoles', {
        'remote_console': {'protocol': 'serial', 'type': 'serial'}})
    token = made['remote_console']['url'].rpartition('token=')[2]
    return Ask((token,), expect=frozenset({400}) if version < V('2.31') else frozenset())


# What users have

@sample('POST /os-keypairs')
def new_keypair(world: World, version: V) -> Ask:
    made = name()
    for who in world.people.of.values():
        world.later(f'/os-keypairs/{made}', who)
    return Ask(body={'keypair': {'name': made, 'public_key': KEY}})


@sample('GET /os-keypairs/{id}', 'DELETE /os-keypairs/{id}')
def one_keypair(world: World, version: V) -> Ask:
    return Ask((world.keypair(),))


@sample('GET /os-quota-class-sets/{id}')
def quota_class(world: World, version: V) -> Ask:
    return Ask(('default',))


@sample('PUT /os-quota-class-sets/{id}')
def change_quota_class(world: World, version: V) -> Ask:
    return Ask(('conformance',), {'quota_class_set': {'ram': 100}})


@sample('GET /os-quota-sets/{id}', 'GET /os-quota-sets/{id}/detail')
def quota(world: World, version: V) -> Ask:
    return Ask((world.member.project_id,), ours=True)


@sample('GET /os-quota-sets/{id}/defaults')
def quota_defaults(world: World, version: V) -> Ask:
    return Ask((world.member.project_id,))


@sample('PUT /os-quota-sets/{id}')
def change_quota(world: World, version: V) -> Ask:
    wanted = {'ram': 100000, 'instances': -1, 'cores': -1}
    return Ask((world.member.project_id,), {'quota_set': wanted}, ours=True)


@sample('DELETE /os-quota-sets/{id}')
def drop_quota(world: World, version: V) -> Ask:
    return Ask((world.people.of['stranger'].project_id,))


@sample('POST /os-server-groups')
def new_group(world: World, version: V) -> Ask:
    said = {'policy': 'affinity'} if version >= V('2.64') else {'policies': ['affinity']}
    return Ask(body={'server_group': {'name': name(), **said}},
               after=lambda body: world.ask('DELETE', f'/os-server-groups/{body["server_group"]["id"]}'))


@sample('GET /os-server-groups/{id}')
def one_group(world: World, version: V) -> Ask:
    return Ask((world.group,), ours=True)


@sample('DELETE /os-server-groups/{id}')
def drop_group(world: World, version: V) -> Ask:
    return Ask((world.new_group(),), ours=True)


@sample('GET /os-simple-tenant-usage/{id}')
def usage(world: World, version: V) -> Ask:
    return Ask((world.member.project_id,), query='start=2026-01-01T00:00:00', ours=True)


@sample('POST /os-server-external-events')
def event(world: World, version: V) -> Ask:
    return Ask(body={'events': [{'name': 'network-changed', 'server_uuid': world.server}]})


@sample('POST /os-assisted-volume-snapshots')
def assisted(world: World, version: V) -> Ask:
    server, volume = world.new_server(), world.volume()
    world.ask('POST', f'/servers/{server}/os-volume_attachments', {'volumeAttachment': {'volumeId': volume}})
    return Ask(body={'snapshot': {'volume_id': volume, 'create_info': {
        'snapshot_id': str(uuid.uuid4()), 'type': 'qcow2', 'new_file': 'volume.snapshot'}}})


# Servers

def _networks(world: World) -> list[dict[str, str]]:
    return [{'uuid': world.network}]


@sample('POST /servers', 'POST /os-volumes_boot')
def boot(world: World, version: V) -> Ask:
    return Ask(body={'server': {'name': name(), 'imageRef': world.image, 'flavorRef': world.flavor,
                                'networks': _networks(world)}},
               after=lambda body: world.drop(body['server']['id']))


@sample('PUT /servers/{id}', 'PUT /os-volumes_boot/{id}')
def rename(world: World, version: V) -> Ask:
    return Ask((world.server,), {'server': {'name': name()}}, ours=True)


@sample('DELETE /servers/{id}', 'DELETE /os-volumes_boot/{id}')
def drop(world: World, version: V) -> Ask:
    return Ask((world.new_server(wait=False),), ours=True)


@sample('GET /servers/{server_id}/os-instance-actions/{id}')
def one_action(world: World, version: V) -> Ask:
    actions = world.ask('GET', f'/servers/{world.server}/os-instance-actions')['instanceActions']
    return Ask((world.server, actions[0]['request_id']), ours=True)


@sample('POST /servers/{server_id}/metadata', 'PUT /servers/{server_id}/metadata')
def metadata(world: World, version: V) -> Ask:
    return Ask((world.server,), {'metadata': {'a': 'b'}}, ours=True)


@sample('PUT /servers/{server_id}/metadata/{id}')
def one_meta(world: World, version: V) -> Ask:
    return Ask((world.server, 'a'), {'meta': {'a': 'b'}}, ours=True)


@sample('GET /servers/{server_id}/metadata/{id}', 'DELETE /servers/{server_id}/metadata/{id}')
def had_meta(world: World, version: V) -> Ask:
    world.ask('POST', f'/servers/{world.server}/metadata', {'metadata': {'a': 'b'}})
    return Ask((world.server, 'a'), ours=True)


@sample('PUT /servers/{server_id}/tags')
def tags(world: World, version: V) -> Ask:
    return Ask((world.server,), {'tags': ['a']}, ours=True)


@sample('GET /servers/{server_id}/tags/{id}', 'DELETE /servers/{server_id}/tags/{id}',
        'DELETE /servers/{server_id}/tags')
def had_tag(world: World, version: V) -> Ask:
    world.ask('PUT', f'/servers/{world.server}/tags', {'tags': ['a']})
    return Ask((world.server, 'a'), ours=True)


@sample('PUT /servers/{server_id}/tags/{id}')
def one_tag(world: World, version: V) -> Ask:
    world.ask('PUT', f'/servers/{world.server}/tags', {'tags': []})
    return Ask((world.server, 'b'), ours=True)


@sample('POST /servers/{server_id}/remote-consoles')
def console(world: World, version: V) -> Ask:
    return Ask((world.server,), {'remote_console': {'protocol': 'vnc', 'type': 'novnc'}}, ours=True)


# Interfaces and volumes

@sample('POST /servers/{server_id}/os-interface')
def plug(world: World, version: V) -> Ask:
    return Ask((world.new_server(),), {'interfaceAttachment': {'port_id': world.port()}}, ours=True)


@sample('GET /servers/{server_id}/os-interface/{id}')
def one_interface(world: World, version: V) -> Ask:
    found = world.ask('GET', f'/servers/{world.server}/os-interface')['interfaceAttachments']
    return Ask((world.server, found[0]['port_id']), ours=True)


@sample('DELETE /servers/{server_id}/os-interface/{id}')
def unplug(world: World, version: V) -> Ask:
    server = world.new_server()
    found = world.ask('GET', f'/servers/{server}/os-interface')['interfaceAttachments']
    return Ask((server, found[0]['port_id']), ours=True)


@sample('POST /servers/{server_id}/os-volume_attachments')
def attach(world: World, version: V) -> Ask:
    return Ask((world.new_server(),), {'volumeAttachment': {'volumeId': world.volume()}}, ours=True)


def _attached(world: World) -> tuple[str, str]:
    server, volume = world.new_server(), world.volume()
    path = f'/servers/{server}/os-volume_attachments'
    world.ask('POST', path, {'volumeAttachment': {'volumeId': volume}})
    world.until(lambda: world.ask('GET', path)['volumeAttachments'], f'{volume} attached')
    world.rest(server)
    return server, volume


@sample('GET /servers/{server_id}/os-volume_attachments/{id}',
        'DELETE /servers/{server_id}/os-volume_attachments/{id}')
def attached(world: World, version: V) -> Ask:
    return Ask(_attached(world), ours=True)


@sample('PUT /servers/{server_id}/os-volume_attachments/{id}')
def keep_volume(world: World, version: V) -> Ask:
    """Before 2.85 it only replaces volumes, and of those only what the block storage service migrates."""
    server, volume = _attached(world)
    if version < V('2.85'):
        return Ask((server, volume), {'volumeAttachment': {'volumeId': world.volume()}}, ours=True,
                   expect=frozenset({409}))
    wanted = {'volumeId': volume, 'delete_on_termination': True}
    return Ask((server, volume), {'volumeAttachment': wanted}, ours=True)


# Actions: what is done before, the body, and whether the server is active again by what is done after

def action(key: str, body: Any = None, before: tuple[tuple[str, Any], ...] = (),
           after: tuple[tuple[str, Any], ...] | None = None) -> None:
    """The sample of an action; without `after` the server is not used again."""
    def made(world: World, version: V) -> Ask:
        server = world.actor(*before)
        content = body(world, version) if callable(body) else body

        def restore(answer: Any) -> None:
            world.rest(server)
            for undo, said in after or ():
                world.act(server, undo, said)
            world.spare(server)
        end = _drop(world, server) if after is None else restore
        return Ask((server,), {key: content}, after=end, ours=True)
    SAMPLES[f'POST /servers/{{id}}/action {key}'] = made
    SAMPLES[f'POST /os-volumes_boot/{{id}}/action {key}'] = made


def _drop(world: World, server: str) -> Callable[[Any], object]:
    return lambda answer: world.drop(server)


def _resize(world: World, version: V) -> Mapping[str, str]:
    return {'flavorRef': world.larger}


def _to_larger(key: str) -> None:
    def made(world: World, version: V) -> Ask:
        server = world.actor(('resize', {'flavorRef': world.larger}))
        return Ask((server,), {key: None}, after=_drop(world, server), ours=True)
    SAMPLES[f'POST /servers/{{id}}/action {key}'] = made
    SAMPLES[f'POST /os-volumes_boot/{{id}}/action {key}'] = made


def _live(world: World, version: V) -> Mapping[str, Any]:
    modern = {'block_migration': 'auto'} if version >= V('2.25') else {
        'block_migration': True, 'disk_over_commit': False}  # the simulated hosts share no storage
    return {'host': None, **modern}


def _security_group(world: World, version: V) -> Mapping[str, str]:
    return {'name': world.security_group()}


action('os-stop', after=(('os-start', None),))
action('os-start', before=(('os-stop', None),), after=())
action('pause', after=(('unpause', None),))
action('unpause', before=(('pause', None),), after=())
action('suspend', after=(('resume', None),))
action('resume', before=(('suspend', None),), after=())
action('reboot', {'type': 'HARD'}, after=())
action('lock', after=(('unlock', None),))
action('unlock', before=(('lock', None),), after=())
action('os-resetState', {'state': 'active'}, after=())
action('forceDelete')
action('injectNetworkInfo', after=())
action('trigger_crash_dump', after=())
action('changePassword', {'adminPass': 'a-secret'}, after=())
action('createImage', lambda world, version: {'name': name()}, after=())
action('createBackup', lambda world, version: {'name': name(), 'backup_type': 'daily', 'rotation': 1}, after=())
action('rebuild', lambda world, version: {'imageRef': world.image}, after=())
action('rescue', after=(('unrescue', None),))
action('unrescue', before=(('rescue', None),), after=())
action('shelve', after=(('unshelve', None),))
action('unshelve', before=(('shelve', None),), after=())
action('resize', _resize)
_to_larger('confirmResize')
_to_larger('revertResize')
action('migrate')
action('os-migrateLive', _live)
action('os-getConsoleOutput', {'length': 5}, after=())
action('os-getVNCConsole', {'type': 'novnc'}, after=())
action('os-getSPICEConsole', {'type': 'spice-html5'}, after=())
action('os-getSerialConsole', {'type': 'serial'}, after=())
action('addSecurityGroup', _security_group, after=())
action('addFixedIp', lambda world, version: {'networkId': world.network}, after=())


@sample('POST /servers/{id}/action removeSecurityGroup')
def leave_group(world: World, version: V) -> Ask:
    server, group = world.actor(), world.wall
    world.act(server, 'addSecurityGroup', {'name': group})
    return Ask((server,), {'removeSecurityGroup': {'name': group}}, ours=True,
               after=lambda answer: world.spare(server))


def _own_address(world: World, server: str) -> str:
    return str(next(iter(world.show(server)['addresses'].values()))[0]['addr'])


@sample('POST /servers/{id}/action removeFixedIp')
def drop_address(world: World, version: V) -> Ask:
    server = world.actor()
    return Ask((server,), {'removeFixedIp': {'address': _own_address(world, server)}},
               after=_drop(world, server), ours=True)


# What cannot be done here, and is refused when everything else is right

@sample('DELETE /os-services/{id}')
def drop_service(world: World, version: V) -> Ask:
    return Ask((NOBODY if version >= V('2.53') else '2147483647',), expect=frozenset({404}))


@sample('POST /servers/{id}/action restore')
def restore(world: World, version: V) -> Ask:
    return Ask((world.server,), {'restore': None}, ours=True, expect=frozenset({409}))


@sample('POST /servers/{id}/action evacuate')
def evacuate(world: World, version: V) -> Ask:
    """Its host is up."""
    said = {} if version >= V('2.14') else {'onSharedStorage': True}
    return Ask((world.server,), {'evacuate': said}, ours=True, expect=frozenset({400, 409}))


@sample('POST /servers/{server_id}/shares')
def share(world: World, version: V) -> Ask:
    """The server is on: it gets none now."""
    return Ask((world.server,), {'share': {'share_id': NOBODY}}, ours=True, expect=frozenset({403, 404, 409}))


@sample('GET /servers/{server_id}/shares/{id}', 'DELETE /servers/{server_id}/shares/{id}')
def one_share(world: World, version: V) -> Ask:
    return Ask((world.server, NOBODY), ours=True, expect=frozenset({404}))


@sample('GET /servers/{server_id}/migrations/{id}')
def one_migration(world: World, version: V) -> Ask:
    """Only live migrations that go on are told of, and nothing goes on."""
    return Ask((world.server, '1'), ours=True, expect=frozenset({404, 409}))


@sample('DELETE /servers/{server_id}/migrations/{id}')
def abort_migration(world: World, version: V) -> Ask:
    """The server does not migrate."""
    return Ask((world.server, '1'), ours=True, expect=frozenset({409}))


@sample('POST /servers/{server_id}/migrations/{id}/action force_complete')
def force(world: World, version: V) -> Ask:
    return Ask((world.server, '1'), {'force_complete': None}, ours=True, expect=frozenset({404, 409}))


@sample('DELETE /os-assisted-volume-snapshots/{id}')
def drop_assisted(world: World, version: V) -> Ask:
    """Without a word of which volume."""
    return Ask((NOBODY,), expect=frozenset({400}))


@sample('POST /servers/{id}/action shelveOffload')
def offload(world: World, version: V) -> Ask:
    """Where shelving offloads at once, there is nothing left to do."""
    server = world.actor(('shelve', None))
    return Ask((server,), {'shelveOffload': None}, after=_drop(world, server), ours=True,
               expect=frozenset({409}))


# Proxies

def _own_image(world: World) -> str:
    made = world.other('image', 'POST', '/v2/images', {
        'name': name(), 'disk_format': 'raw', 'container_format': 'bare', 'a': 'b'})
    return str(made['id'])


@sample('GET /images/{image_id}/metadata/{id}')
def one_image_meta(world: World, version: V) -> Ask:
    return Ask((_own_image(world), 'a'), ours=True, role='reader')


@sample('DELETE /images/{image_id}/metadata/{id}')
def drop_image_meta(world: World, version: V) -> Ask:
    return Ask((_own_image(world), 'a'), ours=True, role='member')


@sample('DELETE /images/{id}')
def drop_image(world: World, version: V) -> Ask:
    return Ask((_own_image(world),), ours=True, role='member')


@sample('POST /images/{image_id}/metadata', 'PUT /images/{image_id}/metadata')
def image_metadata(world: World, version: V) -> Ask:
    return Ask((_own_image(world),), {'metadata': {'a': 'c'}}, ours=True, role='member')


@sample('PUT /images/{image_id}/metadata/{id}')
def set_image_meta(world: World, version: V) -> Ask:
    return Ask((_own_image(world), 'a'), {'meta': {'a': 'c'}}, ours=True, role='member')


@sample('POST /os-baremetal-nodes')
def new_node(world: World, version: V) -> Ask:
    return Ask(body={}, expect=frozenset({400}))


@sample('GET /os-baremetal-nodes', 'GET /os-baremetal-nodes/{id}')
def nodes(world: World, version: V) -> Ask:
    """No bare-metal service belongs to most clouds."""
    return Ask((NOBODY,), expect=frozenset({501}))


@sample('DELETE /os-baremetal-nodes/{id}')
def drop_node(world: World, version: V) -> Ask:
    return Ask((NOBODY,), expect=frozenset({400}))


def _refused(key: str) -> Sample:
    return lambda world, version: Ask((NOBODY,), {key: {}}, expect=frozenset({400}))


for _name in ('add_interface', 'remove_interface'):
    SAMPLES[f'POST /os-baremetal-nodes/{{id}}/action {_name}'] = _refused(_name)


@sample('GET /os-networks/{id}', 'GET /os-tenant-networks/{id}')
def one_network(world: World, version: V) -> Ask:
    return Ask((world.network,))


@sample('POST /os-floating-ips')
def new_floating(world: World, version: V) -> Ask:
    return Ask(body={'pool': world.external['name']},
               after=lambda body: world.ask('DELETE', f'/os-floating-ips/{body["floating_ip"]["id"]}',
                                            version='2.1'))


@sample('GET /os-floating-ips/{id}')
def one_floating(world: World, version: V) -> Ask:
    return Ask((world.floating['id'],), ours=True)


@sample('DELETE /os-floating-ips/{id}')
def drop_floating(world: World, version: V) -> Ask:
    return Ask((world.new_floating()['id'],), ours=True)


@sample('POST /servers/{id}/action addFloatingIp')
def give_floating(world: World, version: V) -> Ask:
    said = {'addFloatingIp': {'address': world.floating['ip']}}
    return Ask((world.server,), said, ours=True, after=lambda body: world.ask(
        'POST', f'/servers/{world.server}/action', {'removeFloatingIp': said['addFloatingIp']}, '2.1'))


@sample('POST /servers/{id}/action removeFloatingIp')
def take_floating(world: World, version: V) -> Ask:
    said = {'address': world.floating['ip']}
    world.ask('POST', f'/servers/{world.server}/action', {'addFloatingIp': said}, '2.1')
    return Ask((world.server,), {'removeFloatingIp': said}, ours=True)


@sample('POST /os-security-groups')
def new_security_group(world: World, version: V) -> Ask:
    return Ask(body={'security_group': {'name': name(), 'description': ''}}, after=lambda body: world.ask(
        'DELETE', f'/os-security-groups/{body["security_group"]["id"]}', version='2.1'))


@sample('GET /os-security-groups/{id}')
def one_security_group(world: World, version: V) -> Ask:
    return Ask((world.wall,), ours=True)


@sample('DELETE /os-security-groups/{id}')
def drop_security_group(world: World, version: V) -> Ask:
    return Ask((world.new_security_group(),), ours=True)


@sample('PUT /os-security-groups/{id}')
def rename_security_group(world: World, version: V) -> Ask:
    return Ask((world.wall,), {'security_group': {'name': name(), 'description': 'd'}}, ours=True)


def _rule_of(world: World) -> dict[str, Any]:
    port = next(world.ports)
    return {'parent_group_id': world.wall, 'ip_protocol': 'tcp', 'from_port': port, 'to_port': port,
            'cidr': '192.0.2.0/24'}


@sample('POST /os-security-group-rules')
def new_rule(world: World, version: V) -> Ask:
    return Ask(body={'security_group_rule': _rule_of(world)}, ours=True)


@sample('DELETE /os-security-group-rules/{id}')
def drop_rule(world: World, version: V) -> Ask:
    made = world.ask('POST', '/os-security-group-rules', {'security_group_rule': _rule_of(world)}, '2.1')
    return Ask((made['security_group_rule']['id'],), ours=True)


@sample('POST /os-volumes')
def new_volume(world: World, version: V) -> Ask:
    return Ask(body={'volume': {'size': 1, 'display_name': name()}})


@sample('GET /os-volumes/{id}')
def one_volume(world: World, version: V) -> Ask:
    return Ask((world.shelf,), ours=True)


@sample('DELETE /os-volumes/{id}')
def drop_volume(world: World, version: V) -> Ask:
    return Ask((world.volume(),), ours=True)


@sample('POST /os-snapshots')
def new_snapshot(world: World, version: V) -> Ask:
    return Ask(body={'snapshot': {'volume_id': world.shelf, 'display_name': name()}}, ours=True)


def _snapshot(world: World) -> str:
    made = world.ask('POST', '/os-snapshots', {'snapshot': {'volume_id': world.shelf}}, '2.1')['snapshot']
    path = f'/os-snapshots/{made["id"]}'
    world.until(lambda: world.ask('GET', path, version='2.1')['snapshot']['status'] == 'available', path)
    return str(made['id'])


@sample('GET /os-snapshots/{id}', 'DELETE /os-snapshots/{id}')
def one_snapshot(world: World, version: V) -> Ask:
    return Ask((_snapshot(world),), ours=True)
