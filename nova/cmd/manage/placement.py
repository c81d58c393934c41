"""nova-manage placement: what Placement says of servers and aggregates, as the databases have it."""

from argparse import Namespace
from collections.abc import Iterator

from nova import audit, errors, objects
from nova.cmd.manage.command import Env, arg, command, flag
from nova.common import uuids
from nova.common.jsonutil import JsonObject
from nova.db.cell import models
from nova.domain import numa, numa_providers, pci, placement_request, port_requests
from nova.objects.cell_mapping import CellMapping

BATCH = 50
"""Servers that are looked at without --max-count and read at a time."""
HEALED, MORE, NO_NODE, REFUSED, NOTHING, PORTS_UNREAD, UNABLE, INVALID = 0, 1, 2, 3, 4, 5, 8, 127
_ACCELERATORS = ('resources:VGPU', 'accel:device_profile')


class _Stop(Exception):
    """Ends a command: what is said, and its exit code."""

    def __init__(self, code: int, said: str) -> None:
        super().__init__(said)
        self.code, self.said = code, said


# heal_allocations --------------------------------------------------------------------------------

@command('placement', 'heal_allocations',
         arg('--max-count', dest='max_count', metavar='COUNT', help='servers to look at; by default all'),
         flag('--verbose', 'say what is done to each server'),
         flag('--dry-run', 'only say what would be done'),
         arg('--instance', metavar='UUID', help='this server alone'),
         flag('--skip-port-allocations', 'do not look at what ports ask for'),
         arg('--cell', metavar='UUID', help='servers of this cell alone'),
         flag('--force', 'write allocations anew that are there, as the flavor says'))
def heal_allocations(env: Env, options: Namespace) -> int:
    """Make the allocations that servers should have and have not.

    Exit codes: 0, allocations were made; 1, --max-count was reached and there may be more; 2, a server's
    compute node is missing; 3, Placement refuses; 4, nothing was to be done; 5, ports cannot be read; 8, a
    server needs what cannot be healed; 127, bad arguments.
    """
    try:
        most = _most(options)
        seen = healed = 0
        for cell in _cells(env, options.cell):
            for server in _servers(env, cell, options.instance, most - seen if most else None):
                seen += 1
                healed += _heal(env, cell, server, options)
        if options.instance and not seen:
            raise _Stop(INVALID, f'Unable to find server {options.instance}, or it is on no host.')
    except _Stop as stop:
        env.say(stop.said)
        return stop.code
    env.say(f'Processed {seen} instances; healed {healed}.')
    if most and seen >= most and not options.instance:
        return MORE
    return HEALED if healed else NOTHING


def _most(options: Namespace) -> int | None:
    if options.instance and options.cell:
        raise _Stop(INVALID, 'The --cell and --instance options are mutually exclusive.')
    if options.max_count is None:
        return None
    if not options.max_count.isdecimal() or int(options.max_count) == 0:
        raise _Stop(INVALID, 'Must supply a positive integer for --max-count.')
    return int(options.max_count)


def _cells(env: Env, uuid: str | None) -> list[CellMapping]:
    found = [cell for cell in env.cells.every() if not cell.is_cell0 and uuid in (None, cell.uuid)]
    if uuid is not None and not found:
        raise _Stop(INVALID, f'Cell with uuid {uuid} was not found.')
    if not found:
        raise _Stop(NOTHING, 'No cells to process.')
    return found


def _servers(env: Env, cell: CellMapping, uuid: str | None, most: int | None) -> Iterator[objects.Instance]:
    """Servers of a cell that are on a host, in the order in which they were made."""
    db, after, table = env.cells.db(cell), 0, models.instances
    where = {} if uuid is None else {'uuid': uuid}
    left = most
    while left is None or left > 0:
        with db.read() as conn:
            found = objects.Instance.all(
                conn, table.c.id > after, table.c.host.isnot(None), order=[table.c.id],
                limit=min(BATCH, left or BATCH),
                prefetch=('flavor', 'image_meta', 'block_devices', 'numa_topology'), **where)
        yield from found
        if not found:
            return
        after = found[-1].id
        left = None if left is None else left - len(found)


def _heal(env: Env, cell: CellMapping, server: objects.Instance, options: Namespace) -> bool:
    """Whether something was done, or would be."""
    def say(what: str) -> None:
        if options.verbose:
            env.say(f'Instance {server.uuid}: {what}')
    if server.task_state is not None:
        say(f'an operation is open ({server.task_state}); it is left alone.')
        return False
    held = env.clients.placement.allocations(server.uuid)
    if held.allocations and not options.force and held.project_id and held.user_id:
        say('has its allocations.')
        return False
    if any(server.flavor.extra_specs.get(name) for name in _ACCELERATORS):
        raise _Stop(UNABLE, f'Instance {server.uuid} has devices that cannot be told from here.')
    if env.conf.filter_scheduler.pci_in_placement and server.flavor.extra_specs.get(pci.SPEC):
        raise _Stop(UNABLE, f'Instance {server.uuid} has PCI devices that cannot be told from here.')
    if held.allocations or not options.skip_port_allocations:
        _check_ports(env, server, options.skip_port_allocations)
    node = _node(env, cell, server)
    amounts = placement_request.amounts_of(server)
    if options.dry_run:
        env.say(f'[dry-run] Create allocations for instance {server.uuid} on node {node.uuid}: {amounts}')
        return True
    request = _on_cells(env, server, node) or {'allocations': {node.uuid: {'resources': amounts}}}
    if not env.clients.placement.claim(server.uuid, request, server.project_id, server.user_id):
        raise _Stop(REFUSED, f'Placement refuses the allocations of instance {server.uuid} on node '
                             f'{node.uuid}: it has no room for them.')
    say(f'Successfully created allocations on node {node.uuid}.')
    return True


def _on_cells(env: Env, server: objects.Instance, node: objects.ComputeNode) -> JsonObject | None:
    """What a server shall hold where the node reports NUMA cells: of those that its guest has, else of any.

    Returns:
        None where it reports none, or they have no room.
    """
    def uuid(cell: int) -> str:
        return numa_providers.cell_uuid(node.host or '', node.hypervisor_hostname or '', cell)
    there = [each['id'] for each in (node.numa_topology or {}).get('cells', ())]
    if not there or env.clients.placement.provider(
            numa_providers.cell_name(node.hypervisor_hostname or '', there[0])) is None:
        return None
    image, flavor = server.image_meta, server.flavor
    cells = numa.wanted(flavor.vcpus, flavor.memory_mb, flavor.extra_specs,
                        image.properties.to_image() if image is not None else {})
    request = placement_request.request_of(server)
    request.main.in_tree = node.uuid
    has = [uuid(each['host_node']) for each in (server.numa_topology or {}).get('cells', ())]
    found = env.clients.placement.candidates(numa_providers.questions(request, cells)[0]).allocation_requests
    return next((each for each in found if numa_providers.serving(each, cells) in (None, has)), None)


def _check_ports(env: Env, server: objects.Instance, skip: bool) -> None:
    """Nothing is lost that ports have claimed; unless that is skipped, none asks for anything."""
    try:
        ports = env.clients.network.ports(server.uuid)
    except errors.NovaError as error:
        raise _Stop(PORTS_UNREAD, f'Unable to read the ports of {server.uuid}: {error.message}') from error
    claiming = [port['id'] for port in ports if port_requests.ALLOCATION in (port.get('binding:profile') or {})]
    if claiming:
        raise _Stop(UNABLE, f'Instance {server.uuid} holds what its ports {", ".join(claiming)} ask for, which '
                            'cannot be told from here.')
    wanting = [] if skip else [port['id'] for port in ports if port_requests.claims(port)]
    if wanting:
        raise _Stop(UNABLE, f'Ports {", ".join(wanting)} of instance {server.uuid} ask for resources of their '
                            'own, which cannot be healed; see --skip-port-allocations.')


def _node(env: Env, cell: CellMapping, server: objects.Instance) -> objects.ComputeNode:
    with env.cells.db(cell).read() as conn:
        node = objects.ComputeNode.find(conn, host=server.host, hypervisor_hostname=server.node)
    if node is None:
        raise _Stop(NO_NODE, f'The compute node {server.node} of host {server.host}, where instance '
                             f'{server.uuid} is, was not found.')
    return node


# audit -------------------------------------------------------------------------------------------

@command('placement', 'audit',
         flag('--verbose', 'name each allocation'),
         arg('--resource_provider', metavar='UUID', help='of this compute node alone'),
         flag('--delete', 'remove what is of nobody'))
def placement_audit(env: Env, options: Namespace) -> int:
    """Find allocations on compute nodes of which no server and no move is the owner.

    Exit codes: 0, there are none; 1, a cell or Placement cannot be asked; 3, some were found; 4, all that were
    found are removed; 127, no such provider.
    """
    if options.resource_provider is not None and not uuids.is_uuid(options.resource_provider):
        env.say(f'{options.resource_provider} is no uuid.')
        return INVALID
    seen = audit.gather(env.deployment(guests=False))
    silent = sorted(seen.silent & ({audit.ALLOCATIONS} | set(seen.databases)))
    if silent:  # a cell that is away may know the owner
        env.say(f'{", ".join(silent)} cannot be asked.')
        return 1
    if options.resource_provider not in (None, *seen.nodes):
        env.say(f'Resource provider with UUID {options.resource_provider} does not exist.')
        return INVALID
    found = sorted({consumer for consumer, node in seen.allocations
                    if options.resource_provider in (None, node) and audit.is_orphan(seen, consumer)})
    for consumer in found:
        if options.verbose:
            env.say(f'Allocations of consumer {consumer} are of no server and of no move.')
        if options.delete:
            env.clients.placement.drop(consumer)
    env.say(f'Processed {len(found)} allocations.')
    return 0 if not found else 4 if options.delete else 3


# sync_aggregates ---------------------------------------------------------------------------------

@command('placement', 'sync_aggregates', flag('--verbose', 'say what is done'))
def sync_aggregates(env: Env, options: Namespace) -> int:
    """Put the resource providers of hosts into the aggregates that the hosts are in.

    Exit codes: 0, they are in; 1, a host has several nodes; 2, Placement cannot be asked; 3, it refuses a
    change; 4, a host is mapped to no cell; 5, a host has no node; 6, a node has no provider. Whatever can be
    done is done first.
    """
    with env.dbs.api.read() as conn:
        aggregates = objects.Aggregate.all(conn)
    code = 0
    nodes: dict[str, str] = {}
    for aggregate in aggregates:
        for host in sorted(aggregate.hosts):
            try:
                if host not in nodes:
                    nodes[host] = _only_node(env, host)
                _put(env, nodes[host], aggregate.uuid, host)
            except _Stop as stop:
                env.say(stop.said)
                if stop.code == 2:
                    return stop.code
                code = code or stop.code
                continue
            if options.verbose:
                env.say(f'Host {host} with node {nodes[host]} is in aggregate {aggregate.uuid}.')
    return code


def _put(env: Env, node: str, aggregate: str, host: str) -> None:
    try:
        env.clients.placement.add_to_aggregate(node, aggregate)
    except errors.placement.ProviderNotFound:
        raise _Stop(6, f'Host {host} has no resource provider {node}.') from None
    except errors.Unavailable as error:
        raise _Stop(2, f'The placement service cannot be asked: {error.message}') from error
    except errors.NovaError as error:
        raise _Stop(3, f'The aggregates of host {host} cannot be changed: {error.message}') from error


def _only_node(env: Env, host: str) -> str:
    """uuid of the only compute node of a host."""
    try:
        cell = env.cells.of_host(host)
    except errors.host.HostMappingNotFound:
        raise _Stop(4, f'Host {host} is mapped to no cell.') from None
    with env.cells.db(cell).read() as conn:
        found = [node.uuid for node in objects.ComputeNode.all(conn, host=host)]
    if not found:
        raise _Stop(5, f'Host {host} has no compute node.')
    if len(found) > 1:
        raise _Stop(1, f'Host {host} has several compute nodes: {", ".join(found)}.')
    return found[0]
