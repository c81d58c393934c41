"""What a client of GET /allocation_candidates asks for, parsed and valid."""

import dataclasses
from typing import Literal

from nova.common.microversion import V


@dataclasses.dataclass(frozen=True)
class RequestGroup:
    """One group of the request.

    The group without a suffix may be split by resource class over a tree and its sharing providers; one with
    a suffix is served by exactly one provider. Resources may be empty in a group that `same_subtree` names.
    """

    suffix: str
    resources: dict[str, int]
    required: list[frozenset[str]] = dataclasses.field(default_factory=list)
    """Every one of these sets must be met by any of its traits."""
    forbidden: frozenset[str] = frozenset()
    member_of: list[frozenset[str]] = dataclasses.field(default_factory=list)
    """Every one of these sets must be met by any of its aggregates (uuids)."""
    forbidden_aggs: frozenset[str] = frozenset()
    in_tree: str | None = None
    """uuid of any provider of the tree that alone may serve the group."""

    @property
    def one_provider(self) -> bool:
        """Whether a single provider serves the group, so that its traits are required of that one."""
        return bool(self.suffix) or len(self.resources) < 2


@dataclasses.dataclass(frozen=True)
class CandidateRequest:
    """A whole request; at most one group has the suffix ''."""

    groups: list[RequestGroup]
    group_policy: Literal['none', 'isolate'] | None = None
    limit: int | None = None
    root_required: frozenset[str] = frozenset()
    root_forbidden: frozenset[str] = frozenset()
    same_subtree: list[frozenset[str]] = dataclasses.field(default_factory=list)
    version: V = V('1.39')

    @property
    def nested(self) -> bool:
        """Whether several providers of one tree may serve together, as from 1.29."""
        return self.version >= V('1.29')

    def names(self) -> set[str]:
        """Every resource class that the request mentions."""
        return {name for group in self.groups for name in group.resources}
