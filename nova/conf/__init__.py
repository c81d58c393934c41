"""Configuration: one module an option group, found by listing this folder; no global object.

A module has `register_opts(conf)` and `list_opts()`. Whoever starts a process calls `new` and hands the result
on.
"""

import importlib
import pkgutil
from types import ModuleType
from typing import Any

from oslo_config import cfg
from oslo_log import log

from nova import version
from nova.common import settings


def modules() -> list[ModuleType]:
    """Every option module, by name."""
    return [importlib.import_module(f'{__name__}.{module.name}') for module in pkgutil.iter_modules(__path__)
            if module.name != 'opts' and not module.name.startswith('_')]


def register(conf: cfg.ConfigOpts) -> cfg.ConfigOpts:
    """Register every option on `conf`, logging's included."""
    log.register_options(conf)
    for module in modules():
        module.register_opts(conf)
    return conf


def new(args: list[str] | None = None, config_files: list[str] | None = None, **overrides: Any
        ) -> cfg.ConfigOpts:
    """A configuration of its own, with everything registered and the files read.

    Args:
        args: command line without the program's name; None is an empty one.
        config_files: read in order; None searches the usual places for nova.conf, an empty list reads nothing.
        overrides: ``'group.option'`` (or ``'option'`` of ``[DEFAULT]``) to value; they win over files.

    Raises:
        oslo_config.cfg.Error: a file is missing, or an option has a value that it cannot have.
    """
    conf = register(cfg.ConfigOpts())
    conf(args or [], project='nova', version=version.package(), default_config_files=config_files)
    for name, value in overrides.items():
        group, _, option = name.rpartition('.')
        conf.set_override(option, value, group or None)
    settings.check(conf)
    return conf
