"""Allocations, inventories, and finding a host."""

from nova.errors import base


class NoValidHost(base.Invalid):
    """Nothing fits; `reason` is safe to show to the project that asked."""

    template = 'No valid host was found. {reason}'


class PlacementFailed(base.Unavailable):
    template = 'The placement service cannot be used at this time.'


class ConcurrentUpdate(base.Conflict):
    template = 'Allocations of {consumer} were changed by someone else.'


class AllocationRefused(base.Conflict):
    template = 'Placement refuses the allocation of {consumer}: {reason}'


class ProviderNotFound(base.NotFound):
    template = 'Resource provider {provider} could not be found.'
