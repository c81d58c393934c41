"""What the modules of a folder declare. The folder is the registry: rooms, filters, policy rules, options.

Who adds one adds a file; nothing else names it.
"""

import importlib
import pkgutil
import sys
from collections.abc import Iterable
from types import ModuleType
from typing import TypeVar

T = TypeVar('T')


def modules(package: str, deep: bool = False) -> list[ModuleType]:
    """The modules of a package that is imported already, by name; names with an underscore first are left out.

    Args:
        package: its full name; a package's own ``__init__`` gives ``__name__``.
        deep: those of its packages, rather than the packages, too.
    """
    path, prefix = sys.modules[package].__path__, f'{package}.'
    found = pkgutil.walk_packages(path, prefix) if deep else pkgutil.iter_modules(path, prefix)
    names = sorted(one.name for one in found if not (deep and one.ispkg))
    return [importlib.import_module(name) for name in names if not name.rpartition('.')[2].startswith('_')]


def declared(among: Iterable[ModuleType], base: type[T]) -> list[type[T]]:
    """The subclasses of `base` that modules themselves declare, by module and name.

    What a module only imports is another's; a name with an underscore first is a base of others.
    """
    return [value for module in among for name, value in sorted(vars(module).items())
            if isinstance(value, type) and issubclass(value, base) and value is not base
            and value.__module__ == module.__name__ and not name.startswith('_')]
