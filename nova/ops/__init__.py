"""The rooms: one per operation on a server, found by listing this folder; there is no registry to edit.

A module that declares a `Flow` or an `Action` is known once it is imported, so `load` imports them all.
"""

import functools
from types import ModuleType

from nova.common import folder
from nova.task import action
from nova.task import flow as flows


@functools.cache
def load() -> tuple[ModuleType, ...]:
    """Import every room, by name."""
    return tuple(folder.modules(__name__, deep=True))


@functools.cache
def _actions() -> tuple[type[action.Action], ...]:
    return tuple(folder.declared(load(), action.Action))


def actions() -> list[type[action.Action]]:
    """Every action that users may ask for."""
    return list(_actions())


def all_flows() -> list[type[flows.AnyFlow]]:
    """Every flow that a conductor may run."""
    load()
    return flows.FLOWS.values()
