"""Reshaping: moving inventories between providers together with the allocations against them."""

from collections.abc import Collection

import sqlalchemy as sa

from nova.common import dbkit
from nova.placement import errors
from nova.placement.cache import Agents, Names
from nova.placement.db import transaction
from nova.placement.objects import allocation, inventory, provider
from nova.placement.objects.allocation import Change, Writer
from nova.placement.objects.inventory import Inventory

Plan = dict[str, tuple[int, dict[str, Inventory]]]
"""Expected generation and all future inventories by class name, by provider uuid."""


def reshape(db: dbkit.Database, names: Names, agents: Agents, plan: Plan, changes: Collection[Change],
            attempts: int) -> None:
    """Write inventories and allocations in one transaction.

    New and grown inventories come first, then the allocations are checked against them and moved, and what
    is left without inventory at the end must not be allocated any more.

    Raises:
        ReshapeProviderNotFound, BadRequest: unknown provider or class.
        ConcurrentUpdate, ConsumerConflict, InventoryInUse, NoCapacity, WriteRace: 409.
    """
    owners = allocation.owners_of(agents, changes)

    def once(connection: sa.Connection) -> None:
        writer = Writer(connection, names, changes, owners, also=plan)
        leftover = []
        for uuid, (generation, future) in plan.items():
            locked = writer.providers.get(uuid)
            if locked is None:
                raise errors.ReshapeProviderNotFound(uuid=uuid)
            locked.expect(generation)
            wanted = {inventory.class_id(writer.names, name): one for name, one in future.items()}
            there = inventory.read(connection, locked)
            inventory.put(connection, locked, there, wanted)
            leftover.append((locked, there.keys() - wanted.keys()))
        gained = writer.apply()
        for locked, class_ids in leftover:
            inventory.remove(connection, locked, class_ids, writer.names)
        gained |= {writer.providers[uuid].id for uuid in plan}
        provider.bump(connection, gained)
        provider.touch(connection, writer.losers(gained))
    transaction.run(db, attempts, once)
