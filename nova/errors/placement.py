"""Allocations, inventories, and finding a host."""

from nova.common.jsonutil import JsonObject
from nova.errors import base


class NoValidHost(base.Internal):
    """Nothing fits. It is no error of the request: the same one may be met tomorrow.

    `reason` is safe to show to the project that asked; `why` counts what each stage of scheduling removed and
    left: ``[{'stage': ..., 'name': ..., 'removed': n, 'left': n}]``.
    """

    template = 'No valid host was found. {reason}'

    def told_operators(self) -> str:
        return '\n'.join(
            f'{one["stage"]} {one["name"]}: {_count(one["removed"])} removed, {_count(one["left"])} left'
            for one in self.stages())

    def stages(self) -> list[JsonObject]:
        why = self.facts.get('why')
        return why if isinstance(why, list) else []


def _count(number: int | None) -> str:
    return 'unknown' if number is None else str(number)


class PlacementFailed(base.Unavailable):
    template = 'The placement service cannot be used at this time.'


class PlacementAway(PlacementFailed):
    """It does not answer now, or asks for patience."""

    again = True


class ConcurrentUpdate(base.Conflict):
    template = 'Allocations of {consumer} were changed by someone else.'


class AllocationRefused(base.Conflict):
    template = 'Placement refuses the allocation of {consumer}: {reason}'


class ReshapeRefused(base.Conflict):
    template = 'CPUs and memory of node {node} cannot move between it and its NUMA cells now: {reason}.'


class ProviderNotFound(base.NotFound):
    template = 'Resource provider {provider} could not be found.'
