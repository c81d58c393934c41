"""What every move of a server from one host to another begins and ends with.

While a move is open, what the source gives belongs to the migration and what the destination gives to the
server: two consumers, each with one owner. So no amount is ever halved or subtracted: success drops the
migration's, failure gives them back in one write.

A flavor may change without a change of host. Then the server holds the new amounts, and the migration what the
old ones have more: so much of both as the host must have to go either way.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from nova import errors, objects
from nova.common import jsonutil
from nova.common.jsonutil import JsonObject
from nova.domain import numa, numa_providers, placement_request, port_requests
from nova.domain import quota as counting
from nova.objects import move as moves
from nova.objects import quota
from nova.objects.demand import Demand
from nova.objects.migration import Migration
from nova.steps import destination, schedule
from nova.task.handles import Conductor, Handle, SuperConductor

if TYPE_CHECKING:
    from nova.clients import Clients

LOG = logging.getLogger(__name__)

CONSUMER, SERVER = 'MIGRATION', 'INSTANCE'

Held = JsonObject
"""What a consumer holds: ``{provider: {"resources": {class: amount}}}``."""


M = TypeVar('M', bound=objects.Move)


def started(instance: objects.Instance, kind: str, record: type[M], **values: Any  # type: ignore[explicit-any]
            ) -> M:
    """The state with which a move of a server begins."""
    values.setdefault('new_flavor', instance.flavor)
    return record(
        kind=kind, source=instance.host or '', source_node=instance.node, source_id=instance.compute_id,
        source_zone=instance.availability_zone, old_flavor=instance.flavor, **values)


# The record --------------------------------------------------------------------------------------

def open_migration(h: SuperConductor, state: objects.Move) -> None:
    """At a super-conductor: write the migration that operators see, and count the larger of both flavors."""
    record = Migration(
        uuid=state.migration, instance_uuid=h.instance.uuid, migration_type=state.kind,
        status=Migration.FIRST[state.kind], user_id=h.context.user_id, project_id=h.context.project_id,
        source_compute=state.source, source_node=state.source_node, dest_compute=state.wanted_host,
        old_instance_type_id=h.instance.instance_type_id,
        new_instance_type_id=state.new_flavor.id)
    h.db.write(record.open_once)
    if state.kind == moves.RESIZE:
        _count(h, counting.demand(h.instance).or_more(counting.demand(h.instance, state.new_flavor)))


def close_failed(h: SuperConductor, state: objects.Move) -> None:
    """Undo of `open_migration`: end the migration as failed, and count the flavor that the server has."""
    mark(h, state, 'cancelled' if h.task.unwinds and state.kind == moves.LIVE else 'error')
    if state.kind == moves.RESIZE:
        count_only(h)


def mark(h: Conductor, state: objects.Move, status: str, **values: object) -> None:
    """Write the migration's status, and other values of it."""
    h.db.write(lambda conn: Migration.mark(conn, state.migration, status, **values))


def _count(h: SuperConductor, demand: Demand) -> None:
    h.api_db.write(lambda conn: quota.count_exactly(conn, h.instance.uuid, demand))


def count_only(h: SuperConductor) -> None:
    """At a super-conductor: count the server by the flavor that it has."""
    _count(h, counting.demand(h.instance))


# What the source gives ---------------------------------------------------------------------------

def own_source(h: SuperConductor, state: objects.Move) -> None:
    """Hand the allocation of the server on its source to the migration, in one write, and once: who slept over
    it would hand over what the server has got on its destination meanwhile."""
    placement = h.clients.placement
    held = placement.allocations(h.instance.uuid).allocations
    if held:
        placement.move(h.instance.uuid, state.migration, CONSUMER, once=True)
    state.held = held or placement.allocations(state.migration).allocations
    state.served = dict(port_requests.served(h.instance.network_info))
    if not state.held and any(placement.move(former.uuid, state.migration, CONSUMER, once=True)
                              for former in _former(h, state)):
        state.held = placement.allocations(state.migration).allocations


def _former(h: Conductor, state: objects.Move) -> list[Migration]:
    """Moves of the server before this one that may hold something on this host for it still."""
    with h.db.read() as conn:
        return [each for each in Migration.unfinished(conn, h.instance.uuid)
                if each.uuid != state.migration and each.source_compute == state.source]


def give_back(h: Conductor, state: objects.Move) -> None:
    """Undo of `own_source`: give the migration's allocation back to the server.

    The source may have shrunk meanwhile below what is in use there, and a Placement may refuse every change of
    that. Then the migration, although it has ended, holds it on behalf of the server: until `return_source`
    succeeds, the next move takes it along, or the server is deleted.
    """
    placement = h.clients.placement
    if state.held:
        wanted = {h.instance.uuid: (state.held, SERVER), state.migration: ({}, CONSUMER)}
        if not _hold(h, wanted):
            LOG.warning('Host %s has no room any more for what server %s has there; migration %s holds it',
                        state.source, h.instance.uuid, state.migration)
            if not state.same_host:
                placement.drop(h.instance.uuid)
    elif state.selections or state.dest:
        placement.drop(h.instance.uuid)
    else:
        placement.move(state.migration, h.instance.uuid, SERVER)


def return_source(clients: 'Clients', server: objects.Instance, former: Sequence[Migration]) -> None:
    """Have a server hold what one of its former moves holds on its behalf, where its host has room again."""
    placement = clients.placement
    former = [each for each in former if each.source_compute == server.host]
    if not former or placement.allocations(server.uuid).allocations:
        return
    for each in former:
        try:
            if placement.move(each.uuid, server.uuid, SERVER):
                return
        except errors.placement.AllocationRefused as error:
            LOG.warning('Migration %s holds what server %s has on its host still: %s', each.uuid, server.uuid,
                        error.message)


def drop_source(h: Conductor, state: objects.Move) -> None:
    """Delete the migration's allocation on the source."""
    h.clients.placement.drop(state.migration)


def _hold(h: Handle, wanted: Mapping[str, tuple[Held, str]]) -> bool:
    return bool(h.clients.placement.hold(wanted, h.instance.project_id, h.instance.user_id))


# The destination ---------------------------------------------------------------------------------

def choose_dest(h: SuperConductor, state: objects.Move) -> None:
    """At a super-conductor: a host and alternates; or the one where the server is, if it may stay and must.

    Raises:
        errors.placement.NoValidHost: none will do.
    """
    try:
        destination.choose(h, state)
    except errors.placement.NoValidHost:
        may = state.kind == moves.RESIZE and state.source not in state.ignored and (
            state.wanted_host in (None, state.source))
        stays = _staying(h, state, destination.cell_of(h).uuid) if may else None
        if stays is None:
            raise
        state.selections, state.claimed = [stays], False


def take_dest(h: Conductor, state: objects.Move) -> None:
    """Take the next host that was chosen, and write it into the record.

    Raises:
        errors.task.RetriesExceeded: none is left.
    """
    def claim(selection: objects.Selection) -> bool:
        if _stays(state, selection):
            return _share(h, state, selection)
        return schedule.claim(h, selection)
    first = state.claimed
    selection = destination.take(h, state, how=claim)
    if _stays(state, selection):
        state.serving = state.serving or state.served
    if first and _stays(state, selection):
        _share(h, state, selection)
    state.dest_ip = _address(h, state.dest_id)
    mark(h, state, 'queued' if state.kind == moves.LIVE else 'pre-migrating', dest_compute=state.dest,
         dest_node=state.dest_node, dest_compute_id=state.dest_id, dest_host=state.dest_ip)


def _address(h: Conductor, node: str | None) -> str | None:
    with h.db.read() as conn:
        found = objects.ComputeNode.find(conn, uuid=node)
    return found.host_ip if found is not None else None


def leaves(state: objects.Move) -> bool:
    """Whether the server goes to another host."""
    return not state.same_host


def _stays(state: objects.Move, selection: objects.Selection) -> bool:
    return (selection.service_host, selection.nodename) == (state.source, state.source_node)


def _share(h: Conductor, state: objects.Move, selection: objects.Selection) -> bool:
    """On the host where it is, the server holds the new amounts and the migration what the old have more."""
    new = jsonutil.loads(selection.allocation_request)['allocations']
    return _hold(h, {h.instance.uuid: (new, SERVER), state.migration: (_surplus(state.held, new), CONSUMER)})


def _surplus(old: Held, new: Held) -> Held:
    """How much more of each class `old` has of each provider than `new`."""
    more = {provider: {name: amount - new.get(provider, {}).get('resources', {}).get(name, 0)
                       for name, amount in held['resources'].items()} for provider, held in old.items()}
    more = {provider: {name: amount for name, amount in rest.items() if amount > 0}
            for provider, rest in more.items()}
    return {provider: {'resources': rest} for provider, rest in more.items() if rest}


def _staying(h: SuperConductor, state: objects.Move, cell: str) -> objects.Selection | None:
    """The host where the server is, as the one it is resized on, although the scheduler has left it out.

    Placement names no host that has no room for the new amounts beside the old. Only where nothing but amounts
    changes is the host known to be right without the scheduler.
    """
    old, new = h.instance.flavor, state.new_flavor
    if old.extra_specs != new.extra_specs or not state.held:
        return None
    image = h.instance.image_meta
    properties = image.properties.to_image() if image is not None else {}
    request = placement_request.build(
        placement_request.flavor_amounts(new.vcpus, new.memory_mb, new.root_gb, new.ephemeral_gb, new.swap,
                                         volume_backed=h.instance.is_volume_backed),
        new.extra_specs, properties=properties)
    if set(request.groups) != {''}:
        return None
    counted = placement_request.amounts_of(h.instance)
    # What its flavor does not speak of, devices and the bandwidth of ports, it holds as before.
    wanted = {provider: {'resources': kept} for provider, held in state.held.items()
              if (kept := {name: amount for name, amount in held['resources'].items() if name not in counted})}
    before, after = (numa_providers.wanted(numa.wanted(
        each.vcpus, each.memory_mb, each.extra_specs, properties)) for each in (old, new))
    for provider, amounts in numa_providers.grown(
            state.held, state.source_id or '', request.amounts(), before, after).items():
        wanted.setdefault(provider, {'resources': {}})['resources'].update(amounts)
    return objects.Selection(
        compute_node_uuid=state.source_id or '', service_host=state.source, nodename=state.source_node or '',
        cell_uuid=cell, allocation_request=jsonutil.text({'allocations': wanted}),
        allocation_request_version='1.39', availability_zone=state.source_zone)
