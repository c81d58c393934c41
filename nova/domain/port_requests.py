"""What ports ask of their host (``resource_request``): of Placement, and how a port says who serves it.

A port with a QoS policy that has a minimum asks for one or more groups of resources, each of one provider. A
group is a *claim*: one of a request spec's ``requested_resources`` (as of `placement_request.group_from_json`),
with the port that it is for, and the groups that have to be in one subtree with it. Which provider serves it is
said by the candidate that was chosen; the network service reads it in ``binding:profile``.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from nova.common import jsonutil, uuids
from nova.common.jsonutil import JsonObject
from nova.objects.network_model import NetworkInfo

REQUEST, ALLOCATION = 'resource_request', 'allocation'
"""What a port asks for, and the key of its profile that says who serves it."""

Serving = dict[str, str]
"""The provider that serves a group, by the group's suffix."""


def claims(port: JsonObject) -> list[JsonObject]:
    """What a port asks for, as the network service shows it to us.

    The suffix is the id of the group; without ``port-resource-request-groups`` there is one group a port, which
    has the port's.
    """
    request = port.get(REQUEST) or {}
    groups = request.get('request_groups')
    if groups is None:
        groups = [{**request, 'id': port['id']}] if request.get('resources') else []
    together = sorted(request.get('same_subtree', ()))
    return [{'suffix': group['id'], 'port': port['id'], 'resources': dict(group['resources']),
             'required': sorted(group.get('required', ())), 'same_subtree': together} for group in groups]


def subtrees(asked: Iterable[JsonObject]) -> list[frozenset[str]]:
    """Groups that have to be served in one subtree each."""
    return list(dict.fromkeys(frozenset(each['same_subtree']) for each in asked if each.get('same_subtree')))


def renewed(asked: Sequence[JsonObject], ports: Callable[[], Iterable[JsonObject]]) -> list[JsonObject]:
    """Resources that a server asks for, those of its ports as they are now.

    Args:
        ports: gives its ports; asked only where one of them has ever claimed anything.
    """
    others = [each for each in asked if 'port' not in each]
    if len(others) == len(asked):
        return list(asked)
    return others + [claim for port in ports() for claim in claims(port)]


def serving(allocation_request: str) -> Serving:
    """Who serves what ports asked for, in a candidate of Placement's."""
    mappings = jsonutil.loads(allocation_request).get('mappings', {})
    return {suffix: providers[0] for suffix, providers in mappings.items() if uuids.is_uuid(suffix)}


def served(info: NetworkInfo | None) -> Serving:
    """Who serves what the ports of a server asked for, as their profiles say it."""
    found: Serving = {}
    for vif in info.vifs if info is not None else ():
        said = (vif.profile or {}).get(ALLOCATION)
        found.update(said if isinstance(said, dict) else {vif.id: said} if said else {})
    return found


def allocation(asked: Sequence[JsonObject], who: Mapping[str, str]) -> JsonObject:
    """What the profile of a port says of its claims; nothing where not all of them are served.

    Args:
        asked: the claims of this port.
    """
    if not asked or not all(each['suffix'] in who for each in asked):
        return {}
    if asked[0]['suffix'] == asked[0]['port']:
        return {ALLOCATION: who[asked[0]['suffix']]}
    return {ALLOCATION: {each['suffix']: who[each['suffix']] for each in asked}}


def without(held: Mapping[str, JsonObject], asked: Iterable[JsonObject], who: Mapping[str, str]) -> JsonObject:
    """What a server holds in Placement once these claims are given back."""
    left = {provider: dict(each['resources']) for provider, each in held.items()}
    for claim in asked:
        mine = left.get(who.get(claim['suffix'], ''), {})
        for name, amount in claim['resources'].items():
            mine[name] = mine.get(name, 0) - amount
    kept = {provider: {name: amount for name, amount in mine.items() if amount > 0}
            for provider, mine in left.items()}
    return {provider: {'resources': mine} for provider, mine in kept.items() if mine}
