"""Claim, drop and move: what consumers hold, by compare-and-swap on the consumer's generation.

The first try of a claim supposes that the consumer is new, which saves a read on the path of every boot. A
conflict of generations is read and tried again; a conflict of capacity is an answer.
"""

import functools
import random
from collections.abc import Callable, Mapping

from nova import errors
from nova.clients import session
from nova.clients.protocols import Allocations, Claim
from nova.common import threads
from nova.common.jsonutil import JsonObject

VERSION = '1.38'
CONCURRENT = 'placement.concurrent_update'
ATTEMPTS = 6


def _back_off(attempt: int) -> None:
    threads.sleep(random.uniform(0, min(0.4, 0.02 * 2 ** attempt)))


def _body(allocations: JsonObject, generation: int | None, project_id: str, user_id: str, kind: str
          ) -> JsonObject:
    return {'allocations': {uuid: {'resources': held['resources']} for uuid, held in allocations.items()},
            'consumer_generation': generation, 'project_id': project_id, 'user_id': user_id,
            'consumer_type': kind}


def _claimed(request: JsonObject, generation: int | None, project_id: str, user_id: str, kind: str
             ) -> JsonObject:
    """What is sent for an allocation request, which says which of its groups are where, too."""
    mappings = {'mappings': request['mappings']} if request.get('mappings') else {}
    return {**_body(request['allocations'], generation, project_id, user_id, kind), **mappings}


def body(wanted: Mapping[str, JsonObject], now: Allocations) -> JsonObject:
    """That a consumer which exists shall hold this, if it is what it was."""
    assert now.project_id is not None and now.user_id is not None and now.kind is not None
    return _body(dict(wanted), now.generation, now.project_id, now.user_id, now.kind)


def _amounts(allocations: JsonObject) -> JsonObject:
    return {uuid: dict(held['resources']) for uuid, held in allocations.items()}


def _provider_gone(consumer: str, message: str) -> Exception:
    return errors.placement.AllocationRefused(consumer=consumer, reason=message)


def read(service: session.Service, consumer: str) -> Allocations:
    """What a consumer holds."""
    found = service.call('GET', f'/allocations/{consumer}', microversion=VERSION).json()
    return Allocations(allocations={uuid: {'resources': held['resources']}
                                    for uuid, held in found['allocations'].items()},
                       generation=found.get('consumer_generation'), project_id=found.get('project_id'),
                       user_id=found.get('user_id'), kind=found.get('consumer_type'))


def claim(service: session.Service, consumer: str, wanted: JsonObject, project_id: str, user_id: str,
          kind: str, replaces: Callable[[Allocations], bool] | None = None) -> bool:
    """Make the consumer hold exactly `wanted`, an allocation request.

    Args:
        replaces: asked whether something else that it holds is replaced, when that was read: so who says
            yes knows of every change that the write does not find out by itself.

    Returns:
        False when it does not fit, a provider of it is gone, or others kept changing the consumer.
    """
    generation: int | None = None
    for attempt in range(ATTEMPTS):
        answer = service.call('PUT', f'/allocations/{consumer}', microversion=VERSION, allow=(400, 409),
                              body=_claimed(wanted, generation, project_id, user_id, kind))
        if answer.status < 400:
            return True
        if answer.status == 400 or answer.code != CONCURRENT:
            return False
        if attempt:
            _back_off(attempt)
        held = read(service, consumer)
        if held.allocations and _amounts(held.allocations) == _amounts(wanted['allocations']):
            return True
        if replaces is not None and not replaces(held):
            return False
        generation = held.generation
    return False


def claim_each(service: session.Service, wanted: Mapping[str, Claim], kind: str) -> bool:
    """Have new consumers hold what is claimed for them, in one write; see `PlacementClient.claim_each`."""
    answer = service.call('POST', '/allocations', microversion=VERSION, allow=(400, 409), body={
        consumer: _claimed(one.allocation_request, None, one.project_id, one.user_id, kind)
        for consumer, one in wanted.items()})
    return answer.status < 400


def drop(service: session.Service, consumer: str) -> None:
    """Make the consumer hold nothing.

    Raises:
        ConcurrentUpdate: others kept changing it.
    """
    for attempt in range(ATTEMPTS):
        answer = service.call('DELETE', f'/allocations/{consumer}', microversion=VERSION, allow=(404, 409))
        if answer.status < 400 or answer.status == 404:
            return
        _back_off(attempt)
    raise errors.placement.ConcurrentUpdate(consumer=consumer)


def give_back(service: session.Service, consumer: str, claimed: JsonObject) -> None:
    """Make the consumer hold nothing, if it holds what was claimed; if it does not, others have seen to it."""
    held = read(service, consumer)
    if held.allocations and _amounts(held.allocations) == _amounts(claimed['allocations']):
        service.call('PUT', f'/allocations/{consumer}', body=body({}, held), microversion=VERSION, allow=(409,))


def move(service: session.Service, source: str, target: str, kind: str, once: bool = False) -> bool:
    """Give all that `source` holds to `target` in one write; what `target` held is given up by it.

    A POST whose answer was lost is looked up, not sent blindly again: when `source` holds nothing and `target`
    something, it has happened.

    Args:
        once: see `PlacementClient.move`; both are changed only as they were read.

    Raises:
        ConcurrentUpdate: others kept changing one of the two.
        AllocationRefused: Placement does not allow it.
    """
    for attempt in range(ATTEMPTS):
        held, taker = read(service, source), read(service, target)
        if not held.allocations or (once and taker.allocations):
            return bool(taker.allocations)
        assert held.project_id is not None and held.user_id is not None and held.kind is not None
        owner = (held.project_id, held.user_id)
        body = {source: _body({}, held.generation, *owner, held.kind),
                target: _body(held.allocations, taker.generation, *owner, kind)}
        answer = service.call('POST', '/allocations', body=body, microversion=VERSION, allow=(409,),
                              on={400: functools.partial(_provider_gone, source)})
        if answer.status < 400:
            return True
        if answer.code != CONCURRENT:
            raise errors.placement.AllocationRefused(consumer=target, reason=answer.message)
        _back_off(attempt)
    raise errors.placement.ConcurrentUpdate(consumer=source)


def hold(service: session.Service, wanted: Mapping[str, tuple[JsonObject, str]], project_id: str, user_id: str
         ) -> bool:
    """Make each of several consumers hold exactly what is said, in one write.

    Args:
        wanted: by consumer, what it is to hold, by provider, and what kind of consumer it is.

    Returns:
        False when it does not fit.

    Raises:
        ConcurrentUpdate: others kept changing one of them.
    """
    for attempt in range(ATTEMPTS):
        held = {consumer: read(service, consumer) for consumer in wanted}
        if all(_amounts(held[consumer].allocations) == _amounts(allocations)
               for consumer, (allocations, _) in wanted.items()):
            return True
        body = {consumer: _body(allocations, held[consumer].generation, held[consumer].project_id or project_id,
                                held[consumer].user_id or user_id, kind)
                for consumer, (allocations, kind) in wanted.items()
                if allocations or held[consumer].allocations}
        answer = service.call('POST', '/allocations', body=body, microversion=VERSION, allow=(400, 409))
        if answer.status < 400:
            return True
        if answer.status == 400 or answer.code != CONCURRENT:
            return False
        _back_off(attempt)
    raise errors.placement.ConcurrentUpdate(consumer=', '.join(wanted))


def held_by(service: session.Service, provider: str) -> JsonObject:
    """Consumers of a provider; none when there is no such provider."""
    answer = service.call('GET', f'/resource_providers/{provider}/allocations', microversion=VERSION,
                          allow=(404,))
    if answer.status == 404:
        return {}
    found = answer.json()['allocations']
    return {consumer: {'resources': held['resources']} for consumer, held in found.items()}
