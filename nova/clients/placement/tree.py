"""Make Placement's provider tree what a host says it is, as far as that is the host's to say.

Agents hang providers of bandwidth beneath a host, accelerators' managers their devices; operators give traits
and aggregates. All of that stays: a report takes away only providers that a report has made, and traits of the
namespaces that are ours.

Each write carries the provider's generation; a conflict means that somebody else wrote, and the comparison
starts again from what is there now. A tree that has not changed since the last report costs nothing until it is
time to look again.
"""

import functools
import operator
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TypeVar

import os_resource_classes
import os_traits
from oslo_log import log

from nova import errors
from nova.clients import session
from nova.clients.placement import reshape
from nova.clients.placement.allocations import ATTEMPTS, CONCURRENT, VERSION
from nova.common import clock, threads
from nova.common.jsonutil import JsonObject
from nova.domain import numa_providers, provider_tree

LOG = log.getLogger(__name__)

T = TypeVar('T')


class _Again(Exception):
    """A generation moved under us."""


class Reporter:
    """Reports trees; remembers what it reported and which custom names it made."""

    def __init__(self, service: session.Service, refresh_seconds: float = 300.0) -> None:
        self._service, self._refresh = service, refresh_seconds
        self._reported: dict[str, tuple[object, float]] = {}
        self._names: set[str] = set()
        self._lock = threads.lock()

    def report(self, tree: provider_tree.ProviderTree) -> None:
        """See `PlacementClient.report`.

        Raises:
            ConcurrentUpdate: others kept changing the tree.
            Conflict: a name is taken, or an inventory that is in use would vanish.
            ReshapeRefused: CPUs or memory would have to move to or from cells, and cannot now.
        """
        facts, now = tree.facts(), clock.monotonic()
        known = self._reported.get(tree.root.uuid)
        if known and known[0] == facts and now - known[1] < self._refresh:
            return
        self._make_names(tree)
        for _ in range(ATTEMPTS):
            try:
                self._bring(tree)
                break
            except _Again:
                continue
        else:
            raise errors.placement.ConcurrentUpdate(consumer=f'provider {tree.root.name}')
        with self._lock:
            self._reported[tree.root.uuid] = (facts, now)

    def forget(self, uuid: str) -> None:
        """Report this root in full the next time."""
        with self._lock:
            self._reported.pop(uuid, None)

    def _write(self, method: str, path: str, body: object) -> JsonObject:
        answer = self._service.call(method, path, body=body, microversion=VERSION, allow=(404, 409))
        if answer.status == 404 or (answer.status == 409 and answer.code == CONCURRENT):
            raise _Again
        if answer.status == 409:
            raise errors.Conflict(f'Placement refuses {method} {path}: {answer.message}')
        return answer.json()

    def _make_names(self, tree: provider_tree.ProviderTree) -> None:
        classes = {name for one in tree for name in one.inventory} - set(os_resource_classes.STANDARDS)
        traits = {name for one in tree for name in one.traits} - set(os_traits.get_traits())
        for name in sorted(classes - self._names):
            self._service.call('PUT', f'/resource_classes/{name}', microversion=VERSION)
        for name in sorted(traits - self._names):
            self._service.call('PUT', f'/traits/{name}', microversion=VERSION)
        self._names |= classes | traits

    def _bring(self, tree: provider_tree.ProviderTree) -> None:
        """One comparison and the writes that it asks for."""
        there = self._there(tree)
        surplus = [one for one in _children_first([one for one in there.values() if one['uuid'] not in tree])
                   if self._is_ours(tree, one)]
        if tree.guests is not None and tree.root.uuid in there and self._reshape(tree, there, surplus):
            there = self._there(tree)
        of_root: set[str] = set()
        for wanted in tree:
            traits = self._bring_one(wanted, there.get(wanted.uuid), of_root)
            of_root = traits if wanted is tree.root else of_root
        for one in surplus:
            self._delete(one['uuid'])

    def _there(self, tree: provider_tree.ProviderTree) -> dict[str, JsonObject]:
        found = self._service.call('GET', '/resource_providers', params=[('in_tree', tree.root.uuid)],
                                   microversion=VERSION).json()['resource_providers']
        return {one['uuid']: one for one in found}

    def _is_ours(self, tree: provider_tree.ProviderTree, one: JsonObject) -> bool:
        """Whether a provider that is not wanted was made by a report; a cell may have no traits yet."""
        return numa_providers.is_cell(tree.root.name, one['name']) or provider_tree.is_ours(
            self._traits(one['uuid']))

    def _reshape(self, tree: provider_tree.ProviderTree, there: Mapping[str, JsonObject],
                 surplus: Sequence[JsonObject]) -> bool:
        """Let CPUs and memory move where some providers are, or were, cells; whether they did."""
        if not surplus and not any(one.is_part for one in tree):
            return False
        known = {uuid: there[uuid] for uuid in (*(one.uuid for one in tree), *(one['uuid'] for one in surplus))
                 if uuid in there}
        moved = reshape.reshape(self._service, tree, known, self._make)
        if moved is None:
            raise _Again
        return moved

    def _make(self, wanted: provider_tree.Provider) -> JsonObject:
        body = {'uuid': wanted.uuid, 'name': wanted.name}
        if wanted.parent:
            body['parent_provider_uuid'] = wanted.parent
        return self._write('POST', '/resource_providers', body)

    def _bring_one(self, wanted: provider_tree.Provider, there: JsonObject | None, of_root: Collection[str]
                   ) -> set[str]:
        """Returns its traits.

        Args:
            of_root: those of the root.
        """
        uuid, known = wanted.uuid, there is not None
        if there is None:
            there = self._make(wanted)
        elif there['name'] != wanted.name or there['parent_provider_uuid'] != wanted.parent:
            there = self._write('PUT', f'/resource_providers/{uuid}',
                                {'name': wanted.name, 'parent_provider_uuid': wanted.parent})
        assert there is not None
        generation = there['generation']
        found = set[str]()

        def traits(now: list[str]) -> list[str]:
            found.update(provider_tree.complete_traits(wanted, now, of_root))
            return sorted(found)
        no_inventory: dict[str, JsonObject] = {}
        no_traits: list[str] = []
        inventory = functools.partial(provider_tree.complete, wanted.inventory)
        generation = self._bring_part(
            uuid, 'inventories', inventory, no_inventory, operator.eq, generation, known)
        self._bring_part(uuid, 'traits', traits, no_traits, _same_set, generation, known)
        return found

    def _bring_part(self, uuid: str, kind: str, complete: Callable[[T], T], nothing: T,
                    same: Callable[[T, T], bool], generation: int, known: bool) -> int:
        """Write one part where it differs; returns the provider's generation after it.

        Args:
            complete: what to write given what is there.
            nothing: what a new provider has.
            same: whether two are equal.
        """
        path = f'/resource_providers/{uuid}/{kind}'
        value = complete(nothing)
        if known:
            answer = self._service.call('GET', path, microversion=VERSION, allow=(404,))
            if answer.status == 404:
                raise _Again
            now = answer.json()
            value = complete(now[kind])
            if same(now[kind], value):
                return int(now['resource_provider_generation'])
            generation = now['resource_provider_generation']
        elif not value:
            return generation
        body = {kind: value, 'resource_provider_generation': generation}
        return int(self._write('PUT', path, body)['resource_provider_generation'])

    def _traits(self, uuid: str) -> list[str]:
        answer = self._service.call('GET', f'/resource_providers/{uuid}/traits', microversion=VERSION,
                                    allow=(404,))
        return list(answer.json()['traits']) if answer.status < 400 else []

    def _delete(self, uuid: str) -> None:
        answer = self._service.call('DELETE', f'/resource_providers/{uuid}', microversion=VERSION,
                                    allow=(404, 409))
        if answer.status == 409:
            LOG.warning('Resource provider %(uuid)s is reported no more but cannot be deleted: %(why)s',
                        {'uuid': uuid, 'why': answer.message})


def _same_set(there: list[str], wanted: Iterable[str]) -> bool:
    return set(there) == set(wanted)


def _children_first(providers: list[JsonObject]) -> list[JsonObject]:
    """Order such that no provider comes before one of its descendants."""
    parents = {one['uuid']: one['parent_provider_uuid'] for one in providers}

    def depth(uuid: str | None) -> int:
        steps = 0
        while uuid in parents:
            uuid, steps = parents[uuid], steps + 1
        return steps

    return sorted(providers, key=lambda one: -depth(one['uuid']))


def delete_tree(service: session.Service, uuid: str) -> None:
    """Delete a provider with all beneath it; one that does not exist is deleted.

    Raises:
        Conflict: something is allocated on one of them; the ones beneath it may be gone.
    """
    found = service.call('GET', '/resource_providers', params=[('in_tree', uuid)],
                         microversion=VERSION).json()['resource_providers']
    parents = {one['uuid']: one['parent_provider_uuid'] for one in found}

    def beneath(one: str | None) -> bool:
        while one is not None and one != uuid:
            one = parents.get(one)
        return one == uuid

    for one in _children_first([one for one in found if beneath(one['uuid'])]):
        service.call('DELETE', f'/resource_providers/{one["uuid"]}', microversion=VERSION, allow=(404,),
                     on={409: errors.Conflict})
