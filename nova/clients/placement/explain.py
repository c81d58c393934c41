"""Why nothing fits: how many providers are left after each constraint of a request.

Our Placement says so itself when it is asked with a header. Others are asked constraint by constraint.
"""

from nova.clients import session
from nova.common.jsonutil import JsonObject
from nova.domain import placement_request

VERSION = '1.39'
HEADER = {'OpenStack-Placement-Explain': 'true'}
_MOST = 12
"""Questions at most, so that a failing burst of boots does not become a burst of explanations."""


def told(entries: list[JsonObject]) -> list[JsonObject]:
    """What our Placement says, as `explain` would."""
    return [{'constraint': f'{entry["constraint"]} (group {entry["group"]})' if entry['group']
             else entry['constraint'], 'left': entry['remaining']} for entry in entries]


def _parts(suffix: str, group: placement_request.Group) -> list[tuple[str, placement_request.Group]]:
    """Constraints of a group one by one, each as a question about single providers."""
    parts = []
    for name, amount in sorted(group.resources.items()):
        parts.append((f'resources{suffix} {name}:{amount}',
                      placement_request.Group(resources={name: amount})))
    for name in sorted(group.required):
        parts.append((f'required{suffix} {name}', placement_request.Group(required={name})))
    for name in sorted(group.forbidden):
        parts.append((f'forbidden{suffix} {name}', placement_request.Group(forbidden={name})))
    for names in group.any_of:
        parts.append((f'required{suffix} one of {", ".join(sorted(names))}',
                      placement_request.Group(any_of=[names])))
    for aggregates in group.member_of:
        parts.append((f'member_of{suffix} {", ".join(sorted(aggregates))}',
                      placement_request.Group(member_of=[aggregates])))
    if group.not_member_of:
        parts.append((f'not member_of{suffix} {", ".join(sorted(group.not_member_of))}',
                      placement_request.Group(not_member_of=group.not_member_of)))
    if group.in_tree:
        parts.append((f'in_tree{suffix} {group.in_tree}', placement_request.Group(in_tree=group.in_tree)))
    return parts


def _roots(service: session.Service, params: list[tuple[str, str]]) -> set[str]:
    answer = service.call('GET', '/resource_providers', params=params, microversion=VERSION, allow=(400,))
    if answer.status == 400:
        return set()
    return {one['root_provider_uuid'] for one in answer.json()['resource_providers']}


def explain(service: session.Service, request: placement_request.ResourceRequest) -> list[JsonObject]:
    """How many provider trees are left after each constraint.

    Every constraint is asked of single providers, and trees are intersected, so the counts are upper bounds:
    constraints that only fail together on one provider show as the last line with none left.

    Returns:
        ``{"constraint": "resources VCPU:4", "left": trees that meet all so far}``.
    """
    out: list[JsonObject] = []
    left: set[str] | None = None
    parts = [part for suffix in sorted(request.groups) for part in _parts(suffix, request.groups[suffix])]
    for text, group in parts[:_MOST]:
        alone = _roots(service, group.params(''))
        left = alone if left is None else left & alone
        out.append({'constraint': text, 'left': len(left)})
        if not left:
            return out
    if left:
        out.append({'constraint': 'all constraints together', 'left': 0})
    return out
