"""Reading queries: amounts, traits and aggregates, and the request groups of allocation candidates."""

import dataclasses
import re
from collections.abc import Iterable, Mapping
from typing import Literal

from nova.common import uuids
from nova.common.microversion import V
from nova.placement import errors
from nova.placement.cache import NameTable
from nova.placement.candidates.search import CandidateRequest, RequestGroup

_FORBIDDEN_TRAITS = V('1.22')
_MANY_MEMBER_OF = V('1.24')
_FORBIDDEN_AGGREGATES = V('1.32')
_ANY_TRAITS = V('1.39')

REPEATABLE = {'member_of': _MANY_MEMBER_OF, 'required': _ANY_TRAITS, 'same_subtree': V('1.36')}
"""Query keys of which every occurrence counts, and since when."""

_CLASS_AND_AMOUNT = re.compile(r'^([A-Z0-9_]+):([0-9]{1,18})$')
_TRAIT = re.compile(r'^[A-Z0-9_]+$')

Query = Mapping[str, list[str]]


@dataclasses.dataclass(frozen=True, slots=True)
class Traits:
    """What `required` says: of every set one trait at least, and none of the forbidden."""

    required: tuple[frozenset[str], ...] = ()
    forbidden: frozenset[str] = frozenset()

    def names(self) -> list[str]:
        return sorted(self.forbidden.union(*self.required))

    def conflicts(self) -> list[str]:
        """Traits that are required and forbidden at once."""
        alone = {name for names in self.required if len(names) == 1 for name in names}
        return sorted(alone & self.forbidden)


@dataclasses.dataclass(frozen=True, slots=True)
class Members:
    """What `member_of` says: in one aggregate at least of every set, and in none of the forbidden."""

    required: tuple[frozenset[str], ...] = ()
    forbidden: frozenset[str] = frozenset()


def resources(text: str) -> dict[str, int]:
    """Read ``VCPU:2,MEMORY_MB:1024``."""
    found = {}
    for part in text.split(','):
        match = _CLASS_AND_AMOUNT.match(part.strip())
        if not match or int(match[2]) < 1:
            raise errors.BadRequest(
                f"Malformed resources parameter. Expected a string of the form "
                f"?resources=$CLASS:AMOUNT,$CLASS:AMOUNT. Got: '{text}'.")
        found[match[1]] = int(match[2])
    return found


def traits(values: Iterable[str], version: V) -> Traits:
    """Read the values of `required`, or the last one before they could be repeated (1.39)."""
    required: list[frozenset[str]] = []
    forbidden: set[str] = set()
    values = list(values)
    for value in values if version >= _ANY_TRAITS else values[-1:]:
        if value.startswith('in:') and version < _ANY_TRAITS:
            raise errors.BadRequest(f"Any-of traits ('{value}') are not supported before microversion 1.39.")
        if value.startswith('in:'):
            required.append(frozenset(_trait(name, value) for name in value.removeprefix('in:').split(',')))
            continue
        for name in value.split(','):
            if name.startswith('!') and version < _FORBIDDEN_TRAITS:
                raise errors.BadRequest(f"Forbidden traits ('{name}') are not supported before microversion "
                                        f"1.22.")
            if name.startswith('!'):
                forbidden.add(_trait(name.removeprefix('!'), value))
            else:
                required.append(frozenset([_trait(name, value)]))
    return Traits(tuple(required), frozenset(forbidden))


def _trait(name: str, value: str) -> str:
    name = name.strip()
    if not _TRAIT.match(name):
        raise errors.BadRequest(f"Invalid query string parameters: expected 'required' parameter value of "
                                f"the form: HW_CPU_X86_VMX,CUSTOM_MAGIC. Got: '{value}'.")
    return name


def member_of(values: list[str], version: V) -> Members:
    """Read the values of `member_of`."""
    if len(values) > 1 and version < _MANY_MEMBER_OF:
        raise errors.BadRequest('Multiple member_of parameters are not supported before microversion 1.24.')
    required: list[frozenset[str]] = []
    forbidden: set[str] = set()
    for value in values:
        text = value
        if text.startswith('!'):
            if version < _FORBIDDEN_AGGREGATES:
                raise errors.BadRequest('Forbidden member_of parameters are not supported before '
                                        'microversion 1.32.')
            text = text.removeprefix('!')
        listed = text.startswith('in:')
        members = text.removeprefix('in:').split(',') if listed else [text]
        found = frozenset(_uuid(member.strip(), 'member_of') for member in members)
        if value.startswith('!'):
            forbidden.update(found)
        else:
            required.append(found)
    return Members(tuple(required), frozenset(forbidden))


def _uuid(text: str, key: str) -> str:
    found = uuids.normal(text)
    if found is None:
        raise errors.BadRequest(f"Invalid uuid value in '{key}' parameter: {text}.")
    return found


def suffix_pattern(version: V) -> str:
    """Regular expression of what may name a request group."""
    if version >= V('1.33'):
        return '[a-zA-Z0-9_-]{1,64}'
    return '[1-9][0-9]*'


def candidate_request(query: Query, version: V, names: NameTable) -> CandidateRequest:
    """Read the query of ``GET /allocation_candidates``, whose keys are known to be allowed.

    Raises:
        BadRequest, BadQueryValue, DuplicateQueryKey, MissingQueryValue: 400.
    """
    for key in ('limit', 'group_policy'):
        if len(query.get(key, ())) > 1:
            raise errors.DuplicateQueryKey(key=key)
    keys = re.compile(rf'^(resources|required|member_of|in_tree)({suffix_pattern(version)})?$')
    parts: dict[str, dict[str, list[str]]] = {}
    for key, values in query.items():
        match = keys.match(key)
        if match:
            parts.setdefault(match[2] or '', {})[match[1]] = values
    groups = [_group(suffix, parts[suffix], version, names) for suffix in sorted(parts)]
    subtrees = _same_subtree(query.get('same_subtree', []), parts)
    _check_resources(groups, subtrees, version)
    policy = _policy(query)
    if policy is None and sum(1 for group in groups if group.suffix) > 1:
        raise errors.BadRequest('The group_policy parameter is required when specifying more than one '
                                'suffixed group of resources.')
    root = _root_required(query.get('root_required', []), version, names)
    limit = query.get('limit')
    return CandidateRequest(
        groups=groups, group_policy=policy, limit=int(limit[-1]) if limit else None,
        root_required=frozenset(name for one in root.required for name in one),
        root_forbidden=root.forbidden, same_subtree=subtrees, version=version)


def _policy(query: Query) -> Literal['none', 'isolate'] | None:
    if 'group_policy' not in query:
        return None
    return 'isolate' if query['group_policy'][-1] == 'isolate' else 'none'


def _group(suffix: str, part: Query, version: V, names: NameTable) -> RequestGroup:
    asked = resources(part['resources'][-1]) if 'resources' in part else {}
    unknown = sorted(asked.keys() - names.classes.keys())
    if unknown:
        raise errors.BadRequest(f'Invalid resource class in resources parameter: {", ".join(unknown)}.')
    wanted = traits(part.get('required', []), version)
    check_traits(wanted, names)
    conflicts = wanted.conflicts()
    if conflicts:
        raise errors.BadRequest(f'Conflicting required and forbidden traits in required{suffix}: '
                                f'{", ".join(conflicts)}.')
    members = member_of(part.get('member_of', []), version)
    in_tree = part.get('in_tree')
    return RequestGroup(
        suffix=suffix, resources=asked, required=list(wanted.required), forbidden=wanted.forbidden,
        member_of=list(members.required), forbidden_aggs=members.forbidden,
        in_tree=_uuid(in_tree[-1], f'in_tree{suffix}') if in_tree else None)


def check_traits(wanted: Traits, names: NameTable) -> None:
    """Raise BadRequest for traits that do not exist."""
    unknown = sorted(set(wanted.names()) - names.traits.keys())
    if unknown:
        raise errors.BadRequest(f'No such trait(s): {", ".join(unknown)}.')


def _check_resources(groups: list[RequestGroup], subtrees: list[frozenset[str]], version: V) -> None:
    without = {group.suffix for group in groups if not group.resources}
    if version < V('1.36'):
        if without or not groups:
            raise errors.BadRequest('All request groups must specify resources.')
        return
    if len(without) == len(groups):
        raise errors.MissingQueryValue(
            'There must be at least one resources or resources[$S] parameter.')
    stray = without - frozenset().union(*subtrees)
    if stray:
        raise errors.BadQueryValue(
            f'Resourceless suffixed group request should be specified in same_subtree query param: bad '
            f'group(s) - {sorted(stray)}.')


def _same_subtree(values: list[str], groups: Iterable[str]) -> list[frozenset[str]]:
    known = set(groups) - {''}
    found = []
    for value in values:
        suffixes = frozenset(suffix.strip() for suffix in value.split(','))
        stray = sorted(suffixes - known)
        if stray:
            raise errors.BadQueryValue(f"same_subtree must name suffixes of request groups, and not be empty: "
                                       f"'{value}'.")
        found.append(suffixes)
    return found


def _root_required(values: list[str], version: V, names: NameTable) -> Traits:
    if len(values) > 1:
        raise errors.DuplicateQueryKey(key='root_required')
    if any(value.startswith('in:') for value in values):
        raise errors.BadRequest('root_required does not support the in: syntax.')
    found = traits(values, version)
    check_traits(found, names)
    conflicts = found.conflicts()
    if conflicts:
        raise errors.BadQueryValue(f'Conflicting required and forbidden traits in root_required: '
                                   f'{", ".join(conflicts)}.')
    return found
