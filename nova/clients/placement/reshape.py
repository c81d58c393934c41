"""CPUs and memory of a host that move between its node and its NUMA cells, with all that is held of them.

Providers that are new are made first, empty; then one write moves inventories and allocations. So a crash
leaves either what was, or what was wanted, and the next report goes on from there.
"""

from collections.abc import Callable, Mapping

from nova import errors
from nova.clients import session
from nova.clients.placement import allocations
from nova.clients.placement.allocations import CONCURRENT, VERSION
from nova.common.jsonutil import JsonObject
from nova.domain import reshaping
from nova.domain.provider_tree import Provider, ProviderTree


def reshape(service: session.Service, tree: ProviderTree, known: Mapping[str, JsonObject],
            make: Callable[[Provider], JsonObject]) -> bool | None:
    """Move what has to move.

    Args:
        known: the providers of the host that there are, by uuid.
        make: makes a provider, and returns it.

    Returns:
        Whether something was moved; None when somebody else wrote in between.

    Raises:
        ReshapeRefused: it cannot be done now; nothing was changed.
    """
    found = {uuid: service.call('GET', f'/resource_providers/{uuid}/inventories', microversion=VERSION,
                                allow=(404,)) for uuid in known}
    if any(answer.status == 404 for answer in found.values()):
        return None
    generations = {uuid: answer.json()['resource_provider_generation'] for uuid, answer in found.items()}
    there = {uuid: answer.json()['inventories'] for uuid, answer in found.items()}
    losing = reshaping.lost(tree, there)
    if not losing:
        return False
    consumers = sorted({consumer for uuid in losing for consumer in allocations.held_by(service, uuid)})
    held = {consumer: allocations.read(service, consumer) for consumer in consumers}
    after = reshaping.inventories(tree, there, losing)
    moved = reshaping.allocations(tree, after, losing, {
        consumer: one.allocations for consumer, one in held.items() if one.allocations})
    for one in tree:
        if one.uuid not in generations:
            generations[one.uuid] = make(one)['generation']
    body = {
        'inventories': {uuid: {'inventories': inventory, 'resource_provider_generation': generations[uuid]}
                        for uuid, inventory in after.items()},
        'allocations': {consumer: allocations.body(each, held[consumer]) for consumer, each in moved.items()}}
    answer = service.call('POST', '/reshaper', body=body, microversion=VERSION, allow=(400, 404, 409))
    if answer.status < 400:
        return True
    if answer.status == 404 or answer.code == CONCURRENT:
        return None
    raise errors.placement.ReshapeRefused(node=tree.root.name, reason=answer.message)
