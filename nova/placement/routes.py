"""Every URL of the Placement API, on one page.

`TABLE` is the only place that says what exists from which microversion to which, who may use it and what it
takes; dispatch, policy documentation and the OpenAPI document are made from it.
"""

import dataclasses
import functools
from collections.abc import Callable

from nova.common.microversion import V
from nova.placement import history, openapi
from nova.placement.handlers import (
    aggregate,
    allocation,
    allocation_candidate,
    inventory,
    reshaper,
    resource_class,
    resource_provider,
    root,
    trait,
    usage,
)
from nova.placement.schema import Versions

ADMIN_OR_SERVICE = 'rule:admin_or_service_api'
SERVICE = 'rule:service_api'
READER_OF_PROJECT = 'rule:admin_or_project_reader_or_service_api'


@dataclasses.dataclass(frozen=True)
class Route:
    """One method of one URL over a range of microversions.

    Args:
        rule: policy rule without its ``placement:``; None leaves the route open to everybody.
        role: who the rule admits unless an operator says otherwise.
        body: schema of the JSON body; None for routes that take none.
        query: schema of the query; None where any key is ignored.
        of_project: the rule is asked about the project that the query names.
    """

    method: str
    path: str
    handler: Callable
    rule: str | None
    since: str = '1.0'
    until: str = str(history.MAX)
    role: str = ADMIN_OR_SERVICE
    body: Versions | None = None
    query: Versions | None = None
    of_project: bool = False

    def serves(self, version: V) -> bool:
        return V(self.since) <= version <= V(self.until)


_RC, _RP = 'resource_classes', 'resource_providers'
_ONE = '/resource_providers/{uuid}'
_INVENTORIES, _INVENTORY = f'{_ONE}/inventories', f'{_ONE}/inventories/{{resource_class}}'

_RESOURCE_CLASSES = (
    Route('GET', '/resource_classes', resource_class.index, f'{_RC}:list', '1.2'),
    Route('POST', '/resource_classes', resource_class.create, f'{_RC}:create', '1.2', body=resource_class.BODY),
    Route('GET', '/resource_classes/{name}', resource_class.show, f'{_RC}:show', '1.2'),
    Route('PUT', '/resource_classes/{name}', resource_class.rename, f'{_RC}:update', '1.2', '1.6',
          body=resource_class.BODY),
    Route('PUT', '/resource_classes/{name}', resource_class.ensure, f'{_RC}:update', '1.7'),
    Route('DELETE', '/resource_classes/{name}', resource_class.delete, f'{_RC}:delete', '1.2'),
)

_PROVIDERS = (
    Route('GET', '/resource_providers', resource_provider.index, f'{_RP}:list', query=resource_provider.QUERY),
    Route('POST', '/resource_providers', resource_provider.create, f'{_RP}:create',
          body=resource_provider.CREATE),
    Route('GET', _ONE, resource_provider.show, f'{_RP}:show'),
    Route('PUT', _ONE, resource_provider.update, f'{_RP}:update', body=resource_provider.UPDATE),
    Route('DELETE', _ONE, resource_provider.delete, f'{_RP}:delete'),

    Route('GET', _INVENTORIES, inventory.index, f'{_RP}:inventories:list'),
    Route('POST', _INVENTORIES, inventory.create, f'{_RP}:inventories:create', body=inventory.CREATE),
    Route('PUT', _INVENTORIES, inventory.replace, f'{_RP}:inventories:update', body=inventory.REPLACE),
    Route('DELETE', _INVENTORIES, inventory.delete, f'{_RP}:inventories:delete', '1.5'),
    Route('GET', _INVENTORY, inventory.show, f'{_RP}:inventories:show'),
    Route('PUT', _INVENTORY, inventory.replace_one, f'{_RP}:inventories:update', body=inventory.REPLACE_ONE),
    Route('DELETE', _INVENTORY, inventory.delete_one, f'{_RP}:inventories:delete'),

    Route('GET', f'{_ONE}/usages', usage.of_provider, f'{_RP}:usages'),
    Route('GET', f'{_ONE}/aggregates', aggregate.index, f'{_RP}:aggregates:list', '1.1'),
    Route('PUT', f'{_ONE}/aggregates', aggregate.replace, f'{_RP}:aggregates:update', '1.1',
          body=aggregate.BODY),
    Route('GET', f'{_ONE}/allocations', allocation.of_provider, f'{_RP}:allocations:list'),
    Route('GET', f'{_ONE}/traits', trait.index_of_provider, f'{_RP}:traits:list', '1.6'),
    Route('PUT', f'{_ONE}/traits', trait.replace_of_provider, f'{_RP}:traits:update', '1.6', body=trait.BODY),
    Route('DELETE', f'{_ONE}/traits', trait.delete_of_provider, f'{_RP}:traits:delete', '1.6'),
)

_TRAITS = (
    Route('GET', '/traits', trait.index, 'traits:list', '1.6', query=trait.QUERY),
    Route('GET', '/traits/{name}', trait.show, 'traits:show', '1.6'),
    Route('PUT', '/traits/{name}', trait.ensure, 'traits:update', '1.6'),
    Route('DELETE', '/traits/{name}', trait.delete, 'traits:delete', '1.6'),
)

_ALLOCATIONS = (
    Route('POST', '/allocations', allocation.manage, 'allocations:manage', '1.13', body=allocation.MANAGE),
    Route('GET', '/allocations/{consumer_uuid}', allocation.show, 'allocations:list'),
    Route('PUT', '/allocations/{consumer_uuid}', allocation.replace, 'allocations:update',
          body=allocation.REPLACE),
    Route('DELETE', '/allocations/{consumer_uuid}', allocation.delete, 'allocations:delete'),
    Route('GET', '/allocation_candidates', allocation_candidate.index, 'allocation_candidates:list', '1.10',
          query=allocation_candidate.QUERY),
    Route('GET', '/usages', usage.of_project, 'usages', '1.9', role=READER_OF_PROJECT, query=usage.QUERY,
          of_project=True),
    Route('POST', '/reshaper', reshaper.reshape, 'reshaper:reshape', '1.30', role=SERVICE, body=reshaper.BODY),
)

TABLE: tuple[Route, ...] = (
    Route('GET', '/', root.show, None), *_RESOURCE_CLASSES, *_PROVIDERS, *_TRAITS, *_ALLOCATIONS,
)

COMPLETE: tuple[Route, ...] = (
    *TABLE, Route('GET', '/openapi.json', functools.partial(openapi.show, TABLE), None),
)
"""The table and, made from it, its own description."""

OPEN_PATHS = frozenset(route.path for route in COMPLETE if route.rule is None)
"""Paths that need no token."""
