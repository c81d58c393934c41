"""The Placement service as the rest of the system calls it."""

import collections
from collections.abc import Callable, Mapping, Set

from nova import errors
from nova.clients import session
from nova.clients.placement import allocations, explain, tree
from nova.clients.protocols import Allocations, Candidates, Claim
from nova.common.jsonutil import JsonObject
from nova.domain import placement_request, provider_tree

VERSION = '1.39'


class Client:
    """`protocols.PlacementClient` over HTTP."""

    def __init__(self, service: session.Service, refresh_seconds: float = 300.0) -> None:
        self._service = service
        self._reporter = tree.Reporter(service, refresh_seconds)

    def candidates(self, request: placement_request.ResourceRequest) -> Candidates:
        """See `PlacementClient.candidates`.

        Raises:
            Invalid: the request names a class or trait that Placement does not know.
        """
        answer = self._service.call(
            'GET', '/allocation_candidates', params=request.params(), microversion=VERSION,
            headers=explain.HEADER,
            on={400: lambda message: errors.Invalid(f'Placement cannot read the request: {message}')})
        body = answer.json()
        found = Candidates(body['allocation_requests'], body['provider_summaries'], version=VERSION)
        if not found.allocation_requests:
            entries = body.get('explain')
            found.explain = explain.told(entries) if entries else explain.explain(self._service, request)
        return found

    def claim(self, consumer: str, allocation_request: JsonObject, project_id: str, user_id: str,
              kind: str = 'INSTANCE', replaces: Callable[[Allocations], bool] | None = None) -> bool:
        return allocations.claim(self._service, consumer, allocation_request, project_id, user_id, kind,
                                 replaces)

    def claim_each(self, wanted: Mapping[str, Claim], kind: str = 'INSTANCE') -> bool:
        return allocations.claim_each(self._service, wanted, kind)

    def drop(self, consumer: str, claimed: JsonObject | None = None) -> None:
        if claimed is None:
            allocations.drop(self._service, consumer)
        else:
            allocations.give_back(self._service, consumer, claimed)

    def allocations(self, consumer: str) -> Allocations:
        return allocations.read(self._service, consumer)

    def move(self, source: str, target: str, kind: str, once: bool = False) -> bool:
        return allocations.move(self._service, source, target, kind, once)

    def hold(self, wanted: Mapping[str, tuple[JsonObject, str]], project_id: str, user_id: str) -> bool:
        return allocations.hold(self._service, wanted, project_id, user_id)

    def held(self, root: str) -> dict[str, dict[str, int]]:
        """See `PlacementClient.held`."""
        tree = self._service.call('GET', '/resource_providers', params=[('in_tree', root)],
                                  microversion=VERSION).json()['resource_providers']
        found: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
        for one in tree:
            for consumer, held in allocations.held_by(self._service, one['uuid']).items():
                found[consumer].update(held['resources'])
        return {consumer: dict(amounts) for consumer, amounts in found.items()}

    def report(self, wanted: provider_tree.ProviderTree) -> None:
        self._reporter.report(wanted)

    def delete_provider(self, uuid: str) -> None:
        self._reporter.forget(uuid)
        tree.delete_tree(self._service, uuid)

    def provider(self, name: str) -> str | None:
        found = self._service.call('GET', '/resource_providers', params=[('name', name)],
                                   microversion=VERSION).json()['resource_providers']
        return found[0]['uuid'] if found else None

    def traits(self, provider: str) -> set[str]:
        answer = self._service.call('GET', f'/resource_providers/{provider}/traits', microversion=VERSION,
                                    allow=(404,))
        return set(answer.json()['traits']) if answer.status == 200 else set()

    def add_to_aggregate(self, provider: str, aggregate: str) -> None:
        """See `PlacementClient.add_to_aggregate`.

        Raises:
            ProviderNotFound: no such provider.
        """
        if not self._change_aggregates(provider, add={aggregate}):
            raise errors.placement.ProviderNotFound(provider=provider)

    def remove_from_aggregate(self, provider: str, aggregate: str) -> None:
        self._change_aggregates(provider, remove={aggregate})

    def _change_aggregates(self, provider: str, add: Set[str] = frozenset(),
                           remove: Set[str] = frozenset()) -> bool:
        path = f'/resource_providers/{provider}/aggregates'
        for _ in range(allocations.ATTEMPTS):
            answer = self._service.call('GET', path, microversion=VERSION, allow=(404,))
            if answer.status == 404:
                return False
            now = answer.json()
            wanted = (set(now['aggregates']) | add) - remove
            if wanted == set(now['aggregates']):
                return True
            answer = self._service.call(
                'PUT', path, microversion=VERSION, allow=(409,),
                body={'aggregates': sorted(wanted),
                      'resource_provider_generation': now['resource_provider_generation']})
            if answer.status < 400:
                return True
        raise errors.placement.ConcurrentUpdate(consumer=f'provider {provider}')
