"""Filters: may this host have that server? One file a filter; operators enable them by class name.

A filter of one's own derives from `BaseHostFilter` and is named by its import path in
``[filter_scheduler] available_filters``.
"""

import abc
import importlib
from collections.abc import Sequence

from oslo_config import cfg

from nova.common import folder
from nova.scheduler.host_state import HostState, Wanted

ALL = 'nova.scheduler.filters.all_filters'


class BaseHostFilter(abc.ABC):
    """A filter.

    `run_filter_once_per_request`: the answer is the same for all servers of one request, so it is asked once.
    `run_filter_for_rebuild`: asked again when a server gets another image on its host.
    """

    run_filter_once_per_request = False
    run_filter_for_rebuild = False

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self.conf = conf

    @abc.abstractmethod
    def host_passes(self, host_state: HostState, spec_obj: Wanted) -> bool:
        """Whether the host may have the server."""

    def filter_all(self, hosts: Sequence[HostState], wanted: Wanted) -> list[HostState]:
        """Those that may; filters that can tell at once that all or none may override this."""
        return [host for host in hosts if self.host_passes(host, wanted)]


def all_filters() -> list[type[BaseHostFilter]]:
    """Every filter of this folder."""
    return folder.declared(folder.modules(__name__), BaseHostFilter)  # type: ignore[type-abstract]


def named(path: str) -> object:
    """What an import path names.

    Raises:
        ValueError: nothing.
    """
    module, _, name = path.rpartition('.')
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f'{path!r} cannot be loaded: {error}') from error


def available(paths: Sequence[str]) -> dict[str, type[BaseHostFilter]]:
    """Filters by class name: those of this folder, and others by path.

    Raises:
        ValueError: a path that names no filter.
    """
    found: dict[str, type[BaseHostFilter]] = {}
    for path in paths:
        item = named(path)
        if isinstance(item, type) and issubclass(item, BaseHostFilter):
            classes = [item]
        elif callable(item):
            classes = list(item())
        else:
            raise ValueError(f'{path!r} is no filter')
        found.update({one.__name__: one for one in classes})
    return found


def enabled(conf: cfg.ConfigOpts) -> list[BaseHostFilter]:
    """The filters that the configuration enables, in its order.

    Raises:
        ValueError: an enabled filter that is not available.
    """
    section = conf.filter_scheduler
    known = available(section.available_filters)
    missing = [name for name in section.enabled_filters if name not in known]
    if missing:
        raise ValueError(f'[filter_scheduler] enabled_filters: {", ".join(missing)} not found among '
                         f'available_filters ({", ".join(sorted(known))})')
    return [known[name](conf) for name in section.enabled_filters]
