"""Configuration: one module an option group, found by listing this folder; no global object.

A module has `register_opts(conf)` and `list_opts()`. Whoever starts a process calls `new` and hands the result
on.
"""

import pathlib
from collections.abc import Sequence
from types import ModuleType

from oslo_config import cfg
from oslo_log import log

from nova import version
from nova.common import folder, settings


def modules() -> list[ModuleType]:
    """Every option module, by name."""
    return [module for module in folder.modules(__name__) if module.__name__ != f'{__name__}.opts']


def register(conf: cfg.ConfigOpts) -> cfg.ConfigOpts:
    """Register every option on `conf`, logging's included."""
    log.register_options(conf)
    for module in modules():
        module.register_opts(conf)
    return conf


def new(args: list[str] | None = None, config_files: list[str] | None = None, **overrides: object
        ) -> cfg.ConfigOpts:
    """A configuration of its own, with everything registered and the files read.

    Args:
        args: command line without the program's name; None is an empty one.
        config_files: read in order; None searches the usual places for nova.conf, an empty list reads nothing.
            What lies in ``nova.conf.d`` beside a ``nova.conf`` is read after it, wherever that was found.
        overrides: ``'group.option'`` (or ``'option'`` of ``[DEFAULT]``) to value; they win over files.

    Raises:
        oslo_config.cfg.Error: a file is missing, or an option has a value that it cannot have.
    """
    conf = register(cfg.ConfigOpts())
    conf(_with_folders(args or []), project='nova', version=version.package(),
         default_config_files=config_files,
         default_config_dirs=_beside(config_files) if config_files is not None else None)
    for name, value in overrides.items():
        group, _, option = name.rpartition('.')
        conf.set_override(option, value, group or None)
    settings.check(conf)
    return conf


def _with_folders(args: Sequence[str]) -> list[str]:
    """The command line with ``--config-dir nova.conf.d`` behind each file that has such a folder beside it."""
    out: list[str] = []
    for before, arg in zip(['', *args], args, strict=False):
        out.append(arg)
        file = arg if before == '--config-file' else arg.partition('--config-file=')[2]
        out += [f'--config-dir={folder}' for folder in _beside([file] if file else [])]
    return out


def _beside(files: Sequence[str]) -> list[str]:
    """The folders with more of the same, ``nova.conf.d`` beside ``nova.conf``, where there are any."""
    return [f'{file}.d' for file in files if pathlib.Path(f'{file}.d').is_dir()]
