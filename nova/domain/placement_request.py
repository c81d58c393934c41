"""What is asked of Placement for one server: request groups, from the flavor and everything that narrows it.

A request is data (`ResourceRequest`), built by pure functions and narrowed by the scheduler's prefilters; only
`ResourceRequest.params` knows how the Placement API spells it.
"""

import dataclasses
import re
from collections.abc import Iterable, Mapping

from nova import errors, objects
from nova.common.jsonutil import JsonObject
from nova.domain import numa

VCPU, PCPU, MEMORY_MB, DISK_GB = 'VCPU', 'PCPU', 'MEMORY_MB', 'DISK_GB'

MULTIATTACH = 'COMPUTE_VOLUME_MULTI_ATTACH'
"""Trait of hosts that can share a volume between servers."""

_SUFFIX = r'(?P<suffix>[a-zA-Z0-9_-]{1,64})?'
_RESOURCES = re.compile(rf'resources{_SUFFIX}:(?P<name>[A-Z0-9_]+)')
_TRAIT = re.compile(rf'trait{_SUFFIX}:(?P<name>[A-Z0-9_]+)')
_GROUP_POLICY = 'group_policy'
_SAME_SUBTREE = re.compile(r'same_subtree(?P<name>.*)')


class BadSpec(ValueError):
    """An extra spec that asks for something no request can say; the text names it and what is legal."""


@dataclasses.dataclass(slots=True)
class Group:
    """One request group: amounts by resource class, and what the providers that serve it must be.

    `member_of` is a conjunction of alternatives: a provider is in at least one aggregate of *each* set.
    `any_of` likewise for traits.
    """

    resources: dict[str, int] = dataclasses.field(default_factory=dict)
    required: set[str] = dataclasses.field(default_factory=set)
    forbidden: set[str] = dataclasses.field(default_factory=set)
    any_of: list[frozenset[str]] = dataclasses.field(default_factory=list)
    member_of: list[frozenset[str]] = dataclasses.field(default_factory=list)
    not_member_of: set[str] = dataclasses.field(default_factory=set)
    in_tree: str | None = None

    def merge(self, other: 'Group') -> None:
        """Ask for what another group asks as well; amounts of the same class add up."""
        for name, amount in other.resources.items():
            self.resources[name] = self.resources.get(name, 0) + amount
        self.required |= other.required
        self.forbidden |= other.forbidden
        self.any_of += other.any_of
        self.member_of += other.member_of
        self.not_member_of |= other.not_member_of
        self.in_tree = other.in_tree or self.in_tree

    def params(self, suffix: str) -> list[tuple[str, str]]:
        """The group as query parameters of the Placement API."""
        out: list[tuple[str, str]] = []
        if self.resources:
            out.append((f'resources{suffix}', ','.join(f'{name}:{amount}' for name, amount in
                                                       sorted(self.resources.items()))))
        plain = sorted(self.required) + [f'!{name}' for name in sorted(self.forbidden)]
        if plain:
            out.append((f'required{suffix}', ','.join(plain)))
        out += [(f'required{suffix}', 'in:' + ','.join(sorted(names))) for names in self.any_of]
        out += [(f'member_of{suffix}', 'in:' + ','.join(sorted(names))) for names in self.member_of]
        if self.not_member_of:
            out.append((f'member_of{suffix}', '!in:' + ','.join(sorted(self.not_member_of))))
        if self.in_tree:
            out.append((f'in_tree{suffix}', self.in_tree))
        return out


@dataclasses.dataclass(slots=True)
class ResourceRequest:
    """All groups of one server. The group '' may be served by several providers of a tree, others by one."""

    groups: dict[str, Group] = dataclasses.field(default_factory=lambda: {'': Group()})
    group_policy: str | None = None
    same_subtree: list[frozenset[str]] = dataclasses.field(default_factory=list)
    root_required: set[str] = dataclasses.field(default_factory=set)
    root_forbidden: set[str] = dataclasses.field(default_factory=set)
    limit: int | None = None

    @property
    def main(self) -> Group:
        """The group without a suffix."""
        return self.groups['']

    def group(self, suffix: str) -> Group:
        """The group of a suffix, made when it is new."""
        return self.groups.setdefault(suffix, Group())

    def amounts(self) -> dict[str, int]:
        """Total amount by resource class, over all groups."""
        total: dict[str, int] = {}
        for group in self.groups.values():
            for name, amount in group.resources.items():
                total[name] = total.get(name, 0) + amount
        return total

    def params(self) -> list[tuple[str, str]]:
        """Query parameters of ``GET /allocation_candidates`` (microversion 1.39)."""
        out = [pair for suffix in sorted(self.groups) for pair in self.groups[suffix].params(suffix)]
        suffixed = [suffix for suffix in self.groups if suffix]
        policy = self.group_policy or ('none' if len(suffixed) > 1 else None)
        if policy and suffixed:
            out.append(('group_policy', policy))
        out += [('same_subtree', ','.join(sorted(names))) for names in self.same_subtree]
        root = sorted(self.root_required) + [f'!{name}' for name in sorted(self.root_forbidden)]
        if root:
            out.append(('root_required', ','.join(root)))
        if self.limit is not None and self.limit > 0:
            out.append(('limit', str(self.limit)))
        return out


def flavor_amounts(vcpus: int, memory_mb: int, root_gb: int, ephemeral_gb: int, swap_mb: int, *,
                   volume_backed: bool = False) -> dict[str, int]:
    """Amounts a flavor stands for; swap is rounded up to GB, a root on a volume takes no disk of the host."""
    disk = (0 if volume_backed else root_gb) + ephemeral_gb + -(-swap_mb // 1024)
    return {VCPU: vcpus, MEMORY_MB: memory_mb, DISK_GB: disk}


def _amount(key: str, text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = -1
    if value < 0:
        raise BadSpec(f"Extra spec '{key}' has the value '{text}'; it must be an integer of at least 0.")
    return value


def _apply_trait(group: Group, key: str, name: str, value: str) -> None:
    if value == 'required':
        group.required.add(name)
    elif value == 'forbidden':
        group.forbidden.add(name)
    else:
        raise BadSpec(f"Extra spec '{key}' has the value '{value}'; it must be 'required' or 'forbidden'.")


def _cpu_policy(specs: Mapping[str, str], properties: Mapping[str, object]) -> str | None:
    """``dedicated``, ``shared``, ``mixed`` or None, by flavor and image; the flavor is stronger."""
    word = specs.get('hw:cpu_policy')
    return word or (str(properties['hw_cpu_policy']) if properties.get('hw_cpu_policy') else None)


def apply_specs(request: ResourceRequest, specs: Mapping[str, str]) -> None:
    """Apply ``resources[S]:``, ``trait[S]:``, ``group_policy`` and ``same_subtree[S]`` of a flavor.

    An amount in the group without suffix overrides what the flavor said; 0 removes the class.

    Raises:
        BadSpec: a value that no request can say.
    """
    for key, value in specs.items():
        if match := _RESOURCES.fullmatch(key):
            group = request.group(match['suffix'] or '')
            amount = _amount(key, value)
            if amount:
                group.resources[match['name']] = amount
            else:
                group.resources.pop(match['name'], None)
        elif match := _TRAIT.fullmatch(key):
            _apply_trait(request.group(match['suffix'] or ''), key, match['name'], value)
        elif key == _GROUP_POLICY:
            if value not in ('none', 'isolate'):
                raise BadSpec(f"Extra spec 'group_policy' is '{value}'; it must be 'none' or 'isolate'.")
            request.group_policy = value
        elif _SAME_SUBTREE.fullmatch(key):
            request.same_subtree.append(frozenset(word.strip() for word in value.split(',') if word.strip()))


def _apply_cpus(request: ResourceRequest, specs: Mapping[str, str], properties: Mapping[str, object]) -> None:
    """Dedicated CPUs are another resource class, unless the flavor names the class itself."""
    main = request.main
    if PCPU in main.resources or main.resources.get(VCPU, 0) == 0:
        return
    cpus = main.resources[VCPU]
    pinned = _pinned(cpus, specs, properties)
    if pinned:
        main.resources[PCPU] = pinned
        main.resources[VCPU] = cpus - pinned
    if not main.resources[VCPU]:
        del main.resources[VCPU]
    thread = specs.get('hw:cpu_thread_policy') or properties.get('hw_cpu_thread_policy')
    if PCPU in main.resources and thread == 'isolate':
        main.forbidden.add('HW_CPU_HYPERTHREADING')
    elif PCPU in main.resources and thread == 'require':
        main.required.add('HW_CPU_HYPERTHREADING')


def _pinned(cpus: int, specs: Mapping[str, str], properties: Mapping[str, object]) -> int:
    """How many CPUs of a server have a CPU of the host each."""
    mask = specs.get('hw:cpu_dedicated_mask') or properties.get('hw_cpu_dedicated_mask')
    try:
        return len(numa.dedicated(_cpu_policy(specs, properties), str(mask) if mask else None, cpus))
    except (errors.Invalid, ValueError) as error:
        raise BadSpec(f'Which CPUs are dedicated cannot be read: {error}') from None


def _apply_image(request: ResourceRequest, properties: Mapping[str, object],
                 traits: Iterable[str]) -> None:
    request.main.required.update(traits)
    for name, value in properties.items():
        if match := _TRAIT.fullmatch(name):
            if value != 'required':
                raise BadSpec(f"Image property '{name}' has the value '{value}'; it must be 'required'.")
            request.group(match['suffix'] or '').required.add(match['name'])


def build(amounts: Mapping[str, int], specs: Mapping[str, str], *,
          properties: Mapping[str, object] | None = None, traits: Iterable[str] = (),
          extra_groups: Iterable[tuple[str, Group]] = (), limit: int | None = None) -> ResourceRequest:
    """The request of one server.

    Args:
        amounts: what the flavor stands for (`flavor_amounts`); zeros are left out.
        specs: the flavor's extra specs.
        properties: image properties; ``trait:NAME=required`` among them counts.
        traits: further required traits of the group without suffix.
        extra_groups: suffix and group of what does not come from the flavor (ports, devices, volumes); '' adds
            to the flavor's own group.
        limit: candidates wanted at most.

    Raises:
        BadSpec: an extra spec or property that no request can say.
    """
    request = ResourceRequest(limit=limit)
    request.main.resources.update({name: amount for name, amount in amounts.items() if amount})
    apply_specs(request, specs)
    _apply_cpus(request, specs, properties or {})
    _apply_image(request, properties or {}, traits)
    for suffix, group in extra_groups:
        request.group(suffix).merge(group)
    clash = request.main.required & request.main.forbidden
    if clash:
        raise BadSpec(f'Traits both required and forbidden: {", ".join(sorted(clash))}.')
    return request


def group_from_json(form: JsonObject) -> tuple[str, Group]:
    """Suffix and group of one of a request spec's ``requested_resources``.

    Args:
        form: ``{"suffix": "_port1", "resources": {"NET_BW_EGR_KILOBIT_PER_SEC": 1000}, "required": [...],
            "forbidden": [...], "member_of": [[...], ...], "in_tree": uuid}``; all but the suffix may be absent.
            An empty suffix adds to the flavor's own group: ``{"suffix": "", "required": [MULTIATTACH]}``.
    """
    return form['suffix'], Group(
        resources=dict(form.get('resources', {})), required=set(form.get('required', ())),
        forbidden=set(form.get('forbidden', ())), in_tree=form.get('in_tree'),
        member_of=[frozenset(names) for names in form.get('member_of', ())])


def request_of(server: objects.Instance) -> ResourceRequest:
    """What a server's flavor and image ask of its host."""
    flavor, image = server.flavor, server.image_meta
    amounts = flavor_amounts(flavor.vcpus, flavor.memory_mb, flavor.root_gb, flavor.ephemeral_gb, flavor.swap,
                             volume_backed=server.is_volume_backed)
    return build(amounts, flavor.extra_specs,
                 properties=image.properties.to_image() if image is not None else {})


def amounts_of(server: objects.Instance) -> dict[str, int]:
    """What a server's flavor and image ask of its host, by class: what its consumer is to hold."""
    return request_of(server).amounts()
