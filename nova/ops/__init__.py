"""The rooms: one per operation on a server, found by listing this folder; there is no registry to edit.

A module that declares a `Flow` or an `Action` is known once it is imported, so `load` imports them all.
"""

import functools
import importlib
import inspect
import pkgutil
from types import ModuleType

from nova.task import action
from nova.task import flow as flows


@functools.cache
def load() -> tuple[ModuleType, ...]:
    """Import every room, by name."""
    names = sorted(info.name for info in pkgutil.walk_packages(__path__, f'{__name__}.') if not info.ispkg)
    return tuple(importlib.import_module(name) for name in names)


@functools.cache
def _declared(base: type) -> tuple[type, ...]:
    return tuple(
        member for module in load() for _, member in inspect.getmembers(module, inspect.isclass)
        if issubclass(member, base) and member is not base and member.__module__ == module.__name__)


def actions() -> list[type[action.Action]]:
    """Every action that users may ask for."""
    return list(_declared(action.Action))


def all_flows() -> list[type[flows.AnyFlow]]:
    """Every flow that a conductor may run."""
    load()
    return flows.FLOWS.values()
