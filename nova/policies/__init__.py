"""Policy rules, one module a subject, and their enforcement."""

import importlib
import pkgutil

from nova.policies import base


def load() -> list[base.Rule]:
    """Every rule, by name: import each module of this folder and ask what they declared."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f'{__name__}.{module.name}')
    return base.declared()
