"""From a request spec to what filters look at, and to what Placement is asked."""

import collections
from collections.abc import Collection, Mapping, Sequence

from nova import objects
from nova.common.jsonutil import JsonObject
from nova.domain import numa, pci, placement_request, port_requests
from nova.scheduler.host_state import Flavor, Group, Wanted

_NAMING_HINTS = ('different_host', 'same_host')


def named_servers(spec: objects.RequestSpec) -> list[str]:
    """Servers that the request's hints speak of."""
    hints = spec.scheduler_hints or {}
    found: list[str] = []
    for name in _NAMING_HINTS:
        value = hints.get(name) or []
        found += [value] if isinstance(value, str) else [str(one) for one in value]
    return found


def forced(spec: objects.RequestSpec) -> bool:
    """Whether an administrator named the hosts: filters and what hosts say of themselves do not count."""
    return bool(spec.force_hosts or spec.force_nodes)


def properties(spec: objects.RequestSpec) -> JsonObject:
    """Image properties, flat; empty without an image."""
    return spec.image.properties.to_image() if spec.image is not None else {}


def build(spec: objects.RequestSpec, where: Mapping[str, str], group: objects.InstanceGroup | None,
          members: Mapping[str, str], moving: Collection[str], ignore_cells: Collection[str] = ()) -> Wanted:
    """The request as filters see it.

    Args:
        where: hosts of servers that hints name.
        group: the server group, with its members.
        members: hosts of the group's members.
        moving: the servers that are to be placed; where they are now does not count.
    """
    flavor, target = spec.flavor, spec.requested_destination
    hosts = set(spec.force_hosts) if spec.force_hosts else {target.host} if target and target.host else None
    nodes = set(spec.force_nodes) if spec.force_nodes else {target.node} if target and target.node else None
    return Wanted(
        project_id=spec.project_id, user_id=spec.user_id,
        flavor=Flavor(flavor.name, flavor.vcpus, flavor.memory_mb, flavor.root_gb, flavor.ephemeral_gb,
                      flavor.swap, dict(flavor.extra_specs)),
        image_id=spec.image.id if spec.image is not None else None, image=properties(spec),
        availability_zone=spec.availability_zone, scheduler_hints=spec.scheduler_hints or {},
        group=_group(group, members, moving), where=where,
        from_cell=target.cell if target is not None else None,
        only_cell=target.cell if target is not None and not target.allow_cross_cell_move else None,
        ignore_cells=frozenset(ignore_cells), ignore_hosts=frozenset([*spec.ignore_hosts, *spec.retry]),
        accept=frozenset(hosts) if hosts is not None else None,
        accept_nodes=frozenset(nodes) if nodes is not None else None, forced=forced(spec),
        volume_backed=bool(spec.is_bfv), ports=tuple(kind for _, kind in device_ports(spec)))


def device_ports(spec: objects.RequestSpec) -> list[tuple[str, pci.Kind]]:
    """Ports that are devices of the host: id and kind."""
    found = []
    for request in spec.requested_networks:
        if request.port_id is not None and request.device is not None:
            kind = pci.of_port(request.device['vnic_type'], request.device['physical_network'],
                               request.device['trusted'])
            found += [(request.port_id, kind)] if kind is not None else []
    return found


def cells(asked: Wanted) -> tuple[numa.Cell, ...]:
    """The NUMA nodes that the servers ask for.

    Raises:
        errors.Invalid: they do not add up.
    """
    flavor = asked.flavor
    return numa.wanted(flavor.vcpus, flavor.memory_mb, flavor.extra_specs, asked.image)


def _group(group: objects.InstanceGroup | None, members: Mapping[str, str],
           moving: Collection[str]) -> Group | None:
    if group is None or not group.policy:
        return None
    hosts = [host for uuid, host in members.items() if uuid not in moving]
    return Group(group.uuid, group.policy, dict(group.rules or {}), collections.Counter(hosts))


def resource_request(spec: objects.RequestSpec, limit: int, devices: Mapping[str, pci.Kind] | None = None
                     ) -> placement_request.ResourceRequest:
    """What Placement is asked, before prefilters narrow it.

    Args:
        devices: ``[pci] alias``, where Placement has the hosts' devices.

    Raises:
        placement_request.BadSpec: an extra spec or image property that no request can say.
        errors.Invalid: devices of which it cannot be said what they are.
    """
    flavor = spec.flavor
    amounts = placement_request.flavor_amounts(
        flavor.vcpus, flavor.memory_mb, flavor.root_gb, flavor.ephemeral_gb, flavor.swap,
        volume_backed=bool(spec.is_bfv))
    groups = [placement_request.group_from_json(form) for form in spec.requested_resources]
    if devices is not None:
        groups += [*pci.groups(flavor.extra_specs.get(pci.SPEC, ''), devices),
                   *pci.port_groups(device_ports(spec))]
    request = placement_request.build(amounts, flavor.extra_specs, properties=properties(spec),
                                      extra_groups=groups, limit=limit)
    request.same_subtree += port_requests.subtrees(spec.requested_resources)
    return request


def no_hosts(uuids: Sequence[str], reason: str, explain: list[JsonObject]) -> objects.Selections:
    """The answer when not every server gets a host: then none does."""
    return objects.Selections(
        choices=[objects.HostChoice(instance_uuid=uuid, selections=[]) for uuid in uuids], reason=reason,
        explain=explain)
