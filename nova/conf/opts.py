"""The entry point of oslo-config-generator."""

import itertools

from oslo_config import cfg

from nova import conf


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """``(group, options)`` of every module, groups merged and sorted, without the libraries' own."""
    groups: dict[str, list[cfg.Opt]] = {}
    for group, options in itertools.chain.from_iterable(
            module.list_opts().items() for module in conf.modules()):
        groups.setdefault(str(group), []).extend(options)
    return sorted(groups.items())
