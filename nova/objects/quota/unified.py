"""Unified limits: those that the identity service keeps for all services, by its names and ours."""

import dataclasses
from collections.abc import Collection, Mapping

CLASS = 'class:'
"""Before the name of a resource class, in the name of the limit on it."""

PROJECT = {'instances': 'servers', 'cores': 'class:VCPU', 'ram': 'class:MEMORY_MB'}
"""Our names of what a project uses up, and the names of the limits."""

DEFAULTS = {
    'metadata_items': 'server_metadata_items', 'injected_files': 'server_injected_files',
    'injected_file_content_bytes': 'server_injected_file_content_bytes',
    'injected_file_path_length': 'server_injected_file_path_bytes', 'key_pairs': 'server_key_pairs',
    'server_groups': 'server_groups', 'server_group_members': 'server_group_members'}
"""The same of what is limited for all projects alike."""

NAMES = {**PROJECT, **DEFAULTS}

REQUIRE, IGNORE = 'require', 'ignore'


@dataclasses.dataclass(frozen=True, slots=True)
class Known:
    """What the identity service says.

    Attributes:
        registered: limits for all projects, by name.
        own: those of one project.
    """

    registered: Mapping[str, int]
    own: Mapping[str, int]


@dataclasses.dataclass(frozen=True, slots=True)
class Policy:
    """Which limits have to be registered: without one, nobody gets anything of the resource.

    Attributes:
        strategy: `REQUIRE` those of `names` and no others, or `IGNORE` those of `names` and no others.
    """

    strategy: str
    names: Collection[str]

    def unregistered(self, name: str) -> int:
        """The limit on a resource for which none is registered: 0, or -1 for none."""
        return 0 if (name in self.names) == (self.strategy == REQUIRE) else -1

    def limit(self, known: Known, name: str) -> int:
        """The limit of a project on a resource; -1 is none."""
        found = known.registered.get(name)
        if found is None:
            found = self.unregistered(name)
        return found if name in DEFAULTS.values() else known.own.get(name, found)
