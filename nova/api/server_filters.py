"""From the query of a server list to the filters and the order of `nova.listing.servers`."""

import dataclasses
import datetime
import ipaddress
import re
from collections.abc import Callable, Mapping

from nova import states
from nova.api.request import Request
from nova.common import clock, expressions, problem, units
from nova.common.jsonutil import JsonObject
from nova.policies import base as policies
from nova.policies import servers as rules
from nova.rest import types
from nova.schema.server import query

_PART = re.compile('[0-9a-fA-F.:]+')
"""Text that is meant as it stands: nobody who asks for 10.0.0.7 means 10.0.057 too."""
_MOST_ADDRESSES = 10000
"""Ports that one request looks through."""
_NOT_FILTERS = frozenset({'limit', 'marker', 'sort_key', 'sort_dir', 'all_tenants'})
_POWER = {power.name.lower(): int(power) for power in states.Power}


@dataclasses.dataclass
class Wanted:
    """What a list request asks for.

    Attributes:
        filters, sort: for `list_servers`.
        nothing: no server can fit.
        plain: nothing was asked but the first page, so that stubs of down cells belong to it.
    """

    filters: JsonObject
    sort: list[tuple[str, str]]
    nothing: bool = False
    plain: bool = False


def _boolean(text: str) -> bool:
    if types.is_true(text) or text.lower() in ('t', 'y', 'true', 'yes', 'on'):
        return True
    if types.is_false(text) or text.lower() in ('f', 'n', 'false', 'no', 'off'):
        return False
    raise problem.BadRequest(f"Unrecognized value '{text}'; use a boolean.")


def _lenient(text: str) -> bool:
    try:
        return _boolean(text)
    except problem.BadRequest:
        return False


def _number(text: str) -> int:
    try:
        return units.number(text)
    except ValueError:
        raise problem.BadRequest(f"'{text}' is not a number.") from None


def _power(text: str) -> int:
    return _POWER[text.lower()] if text.lower() in _POWER else _number(text)


def _time(text: str) -> datetime.datetime:
    try:
        return clock.parse(text)
    except ValueError:
        raise problem.BadRequest(f"'{text}' is not a time.") from None


def _words(text: str) -> list[str]:
    return text.split(',')


_READ: Mapping[str, Callable[[str], object]] = {
    'config_drive': _lenient, 'auto_disk_config': _lenient, 'deleted': _lenient, 'soft_deleted': _lenient,
    'locked': _boolean, 'power_state': _power, 'progress': _number, 'launch_index': _number,
    'changes-since': _time, 'changes-before': _time, 'created_at': _time, 'launched_at': _time,
    'terminated_at': _time, 'tags': _words, 'tags-any': _words, 'not-tags': _words, 'not-tags-any': _words,
}
"""How the text of a filter becomes its value; the others are taken as they are."""


def read(req: Request, all_tenants_rule: policies.Rule) -> Wanted:
    """What the request asks for.

    Raises:
        BadRequest, Forbidden: it cannot be asked, or not by this caller.
    """
    asked = dict(req.query)
    for name in (*query.FORBIDDEN, *(key for key in asked if key.startswith('_'))):
        if name in asked:
            raise problem.BadRequest(f'Invalid filter: {name}')
    given = {name: text for name, text in asked.items() if name not in _NOT_FILTERS}
    if not req.can(rules.ALLOW_ALL_FILTERS):
        allowed = query.open_to_all(req.version)
        given = {name: text for name, text in given.items() if name in allowed}
    wanted = Wanted({}, _sort(req), plain=not (set(asked) - {'all_tenants'}))
    for name, text in given.items():
        if name not in ('status', 'ip', 'ip6'):
            wanted.filters[name] = _READ.get(name, str)(text)
    _scope(req, asked, wanted.filters, all_tenants_rule)
    _status(req, given, wanted)
    _changes(wanted.filters)
    for name, version in (('ip', 4), ('ip6', 6)):
        if name in given and not wanted.nothing:
            _address(req, given[name], version, wanted)
    return wanted


def _sort(req: Request) -> list[tuple[str, str]]:
    keys, directions = req.query.all('sort_key'), req.query.all('sort_dir')
    if query.SORT_ADMIN_ONLY & set(keys) and not req.can(rules.ALLOW_ALL_FILTERS):
        raise problem.Forbidden('Only administrators can sort servers by host or node.')
    keys = keys or (['created_at'] if directions else [])
    return [(key, directions[index] if index < len(directions) else 'desc') for index, key in enumerate(keys)]


def _address(req: Request, text: str, version: int, wanted: Wanted) -> None:
    """Servers with an address that the text is a part of, or that it fits as a regular expression: which these
    are, the network service knows.

    Raises:
        BadRequest: there are too many to tell.
    """
    plain = _PART.fullmatch(text) is not None
    expression = None if plain else expressions.read(text)
    part = text.lower() if expression is None else expression.literal
    found = req.clients.network.servers_at(part, wanted.filters.get('project_id'), _MOST_ADDRESSES)
    if found is None:
        raise problem.BadRequest(f"More than {_MOST_ADDRESSES} ports may have an address that '{text}' fits. "
                                 'Ask for a longer part of the address.')
    uuids = {uuid for uuid, addresses in found.items() if any(
        ipaddress.ip_address(each).version == version
        and (part in each if expression is None else expression.search(each)) for each in addresses)}
    named = wanted.filters.get('uuid')
    if named is not None:
        uuids &= {named} if isinstance(named, str) else set(named)
    wanted.filters['uuid'] = sorted(uuids)
    wanted.nothing = not uuids


def _scope(req: Request, asked: Mapping[str, str], filters: JsonObject, rule: policies.Rule) -> None:
    """Whose servers: the caller's project's, or with ``all_tenants`` any."""
    text = asked.get('all_tenants')
    project = filters.pop('tenant_id', None) or filters.pop('project_id', None)
    if text is not None and (text == '' or _boolean(text)):
        req.authorize(rule)
        if project:
            filters['project_id'] = project
        return
    filters['project_id'] = req.context.project_id


def _status(req: Request, given: Mapping[str, str], wanted: Wanted) -> None:
    if 'status' not in given:
        return
    words = req.query.all('status')
    known = [word for word in words if states.from_status(word)]
    if not known:
        if req.at('2.38'):
            raise problem.BadRequest('Invalid status value')
        wanted.nothing = True
        return
    if any(word.upper() == 'DELETED' for word in known):
        if not req.context.is_admin:
            raise problem.Forbidden('Only administrators may list deleted instances')
        wanted.filters['deleted'] = True
    wanted.filters['status'] = known


def _changes(filters: JsonObject) -> None:
    since, before = filters.get('changes-since'), filters.get('changes-before')
    if since and before and since > before:
        raise problem.BadRequest('The value of changes-since must be less than or equal to changes-before.')
