"""Listing the servers of one cell: conditions, order and keyset paging, in SQL and in Python.

Python's side is for servers that are in no cell's tables yet. Both sides of a filter stand together, so that
they say the same. NULL comes before every value, on every database.
"""

import dataclasses
import datetime
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

import sqlalchemy as sa
from oslo_db import exception as db_exc

from nova import errors, states
from nova.common import dbkit, expressions
from nova.common.jsonutil import JsonObject
from nova.db import paging, types
from nova.db.cell import models
from nova.db.paging import Key

T = TypeVar('T')
Sort = Sequence[tuple[str, str]]
"""``(key, 'asc' or 'desc')``, most significant first."""

DEFAULT_SORT: Sort = (('created_at', 'desc'),)

_I = models.instances.c
_TAGS = models.instance_tags


class Server(Protocol):
    """What is read of a server that no cell's tables have yet, beside the columns that filters name."""

    @property
    def created_at(self) -> datetime.datetime | None: ...

    @property
    def updated_at(self) -> datetime.datetime | None: ...

    @property
    def vm_state(self) -> str | None: ...

    @property
    def task_state(self) -> str | None: ...

    @property
    def locked_by(self) -> str | None: ...

    @property
    def tags(self) -> Collection[str]: ...


States = Iterable[tuple[str, Collection[str] | None]]
"""``(vm_state, task_states)`` pairs of which one has to be the server's; None is any task_state."""
Tags = Collection[str] | str
"""Tags, or one."""


@dataclasses.dataclass(frozen=True)
class Filter(Generic[T]):
    """One filter by a value of a type: its SQL condition, and the same said of a record."""

    sql: Callable[[T], sa.ColumnElement[bool]]
    holds: Callable[[Server, T], bool]


def _listed(value: object) -> list:
    return list(value) if isinstance(value, (list, tuple, set, frozenset)) else [value]


def _exact(name: str) -> Filter[object]:
    """Equal to the value, or to one of a list; None in a list is NULL."""
    column = _I[name]

    def sql(value: object) -> sa.ColumnElement[bool]:
        wanted = _listed(value)
        some = [item for item in wanted if item is not None]
        found = column.in_(some) if len(some) != 1 else column == some[0]
        return sa.or_(found, column.is_(None)) if None in wanted else found
    return Filter(sql, lambda server, value: getattr(server, name) in _listed(value))


def _pattern(name: str) -> Filter[str]:
    """Text in which the value, a regular expression, is found."""
    column = _I[name]

    def sql(value: str) -> sa.ColumnElement[bool]:
        _expression(value)
        return column.regexp_match(sa.literal(str(value), types.Expression()))

    def holds(server: Server, value: str) -> bool:
        text = getattr(server, name)
        return text is not None and _expression(value).search(str(text))
    return Filter(sql, holds)


def _expression(value: str) -> expressions.Expression:
    try:
        return expressions.read(str(value))
    except expressions.Wrong as error:
        raise errors.Invalid(
            f'Invalid filter: {value!r} is not a regular expression that every database understands: {error}.'
        ) from None


def _changed(server: Server, meets: Callable[[datetime.datetime], bool]) -> bool:
    """Whether the time of the last change meets a condition; none meets any, as NULL does in SQL."""
    changed = server.updated_at or server.created_at
    return changed is not None and meets(changed)


_changed_at = sa.func.coalesce(_I.updated_at, _I.created_at)


def _states(value: States) -> sa.ColumnElement[bool]:
    return sa.or_(sa.false(), *(
        _I.vm_state == vm if tasks is None else sa.and_(_I.vm_state == vm, _I.task_state.in_(sorted(tasks)))
        for vm, tasks in value))


def _in_states(server: Server, value: States) -> bool:
    return any(server.vm_state == vm and (tasks is None or server.task_state in tasks) for vm, tasks in value)


def _has_tags(value: Tags) -> sa.Select:
    return sa.select(_TAGS.c.instance_uuid).where(_TAGS.c.tag.in_(_listed(value)))


def _has_all(value: Tags) -> sa.Select:
    return _has_tags(value).group_by(_TAGS.c.instance_uuid).having(
        sa.func.count() == len(set(_listed(value))))


FILTERS: Mapping[str, Filter] = {
    **{name: _exact(name) for name in (
        'uuid', 'project_id', 'user_id', 'image_ref', 'flavorid', 'vm_state', 'task_state', 'power_state',
        'host', 'launch_index', 'reservation_id', 'config_drive', 'auto_disk_config', 'progress', 'locked_by',
        'launched_at', 'terminated_at', 'created_at')},
    **{name: _pattern(name) for name in (
        'display_name', 'display_description', 'hostname', 'node', 'key_name', 'availability_zone', 'kernel_id',
        'ramdisk_id', 'root_device_name', 'access_ip_v4', 'access_ip_v6')},
    'states': Filter[States](_states, _in_states),
    'locked': Filter[bool](lambda value: _I.locked_by.is_not(None) if value else _I.locked_by.is_(None),
                     lambda server, value: (server.locked_by is not None) is bool(value)),
    'changes-since': Filter[datetime.datetime](
        lambda value: _changed_at >= value,
        lambda server, value: _changed(server, lambda time: time >= value)),
    'changes-before': Filter[datetime.datetime](
        lambda value: _changed_at <= value,
        lambda server, value: _changed(server, lambda time: time <= value)),
    'tags': Filter[Tags](lambda value: _I.uuid.in_(_has_all(value)),
                   lambda server, value: set(_listed(value)) <= set(server.tags)),
    'tags-any': Filter[Tags](lambda value: _I.uuid.in_(_has_tags(value)),
                       lambda server, value: bool(set(_listed(value)) & set(server.tags))),
    'not-tags': Filter[Tags](lambda value: _I.uuid.not_in(_has_all(value)),
                       lambda server, value: not set(_listed(value)) <= set(server.tags)),
    'not-tags-any': Filter[Tags](lambda value: _I.uuid.not_in(_has_tags(value)),
                           lambda server, value: not set(_listed(value)) & set(server.tags)),
}

ALIASES = {'name': 'display_name', 'description': 'display_description', 'image': 'image_ref',
           'flavor': 'flavorid', 'tenant_id': 'project_id'}
"""Names of the API for columns."""


def normal(filters: Mapping[str, object]) -> JsonObject:
    """Filters by their own names, ``status`` turned into ``states``.

    Raises:
        nova.errors.Invalid: one that does not exist.
    """
    found: JsonObject = {}
    for given, value in filters.items():
        name = ALIASES.get(given, given)
        if name == 'status':
            name, value = 'states', [pair for word in _listed(value) for pair in states.from_status(word)]
        if name not in FILTERS and name not in ('deleted', 'soft_deleted', 'hidden'):
            raise errors.Invalid(f'Invalid filter: {given}')
        found[name] = value
    return found


def _kinds(filters: JsonObject) -> tuple[bool | None, bool]:
    """Which of deleted servers are wanted (None: those too), and whether soft-deleted ones are."""
    changes = 'changes-since' in filters or 'changes-before' in filters
    deleted = filters.get('deleted', None if changes else False)
    named = [vm for vm, _ in filters.get('states', ())] + _listed(filters.get('vm_state', ()))
    soft = bool(filters.get('soft_deleted')) or changes or states.VM.SOFT_DELETED in named
    return deleted, soft


def conditions(filters: JsonObject) -> list[sa.ColumnElement[bool]]:
    """The WHERE of `normal` filters.

    Without ``deleted`` only living servers are found, unless changes are asked for; without ``soft_deleted`` no
    soft-deleted ones, unless their state is named.
    """
    deleted, soft = _kinds(filters)
    found: list[sa.ColumnElement[bool]] = [_I.hidden.is_(bool(filters.get('hidden', False)))]
    if deleted is False:
        found.append(_I.deleted == 0)
        if not soft:
            found.append(_I.vm_state != str(states.VM.SOFT_DELETED))
    elif deleted and soft:
        found.append(sa.or_(_I.deleted != 0, _I.vm_state == str(states.VM.SOFT_DELETED)))
    elif deleted:
        found.append(_I.deleted != 0)
    return found + [FILTERS[name].sql(value) for name, value in filters.items() if name in FILTERS]


def holds(server: Server, filters: JsonObject) -> bool:
    """Whether a server that is being built passes `normal` filters."""
    deleted, _ = _kinds(filters)
    return not deleted and not filters.get('hidden') and all(
        FILTERS[name].holds(server, value) for name, value in filters.items() if name in FILTERS)


# Order -------------------------------------------------------------------------------------------

_NEVER_SORTED = frozenset({'system_metadata', 'hidden'})


def keys(sort: Sort) -> list[Key]:
    """The whole order: what was asked for, then the uuid, in the direction of the first key.

    Keys that mean nothing here (columns that older releases had) are left out.

    Raises:
        nova.errors.Invalid: a direction that is neither asc nor desc.
    """
    found: list[Key] = []
    sort = sort or DEFAULT_SORT
    for asked, direction in sort:
        name = {'locked': 'locked_by', **ALIASES}.get(asked, asked)
        if direction not in ('asc', 'desc'):
            raise errors.Invalid(f"Unknown sort direction '{direction}', must be 'desc' or 'asc'")
        if name in _I and name not in _NEVER_SORTED and all(key.name != name for key in found):
            found.append(Key(_I[name], direction == 'desc'))
    if all(key.name != 'uuid' for key in found):
        found.append(Key(_I.uuid, sort[0][1] == 'desc'))
    return found


def keys_query(where: Sequence[sa.ColumnElement[bool]], order: Sequence[Key], start: paging.Values | None,
               limit: int) -> sa.Select:
    """Sort values and uuid (last) of up to `limit` servers behind `start`, in order.

    With the default order this is read from an index alone.
    """
    columns = [key.column for key in order]
    if order[-1].name != 'uuid':
        columns.append(_I.uuid)
    query = sa.select(*columns).where(*where).order_by(*paging.ordering(order)).limit(limit)
    if start is not None:
        query = query.where(paging.after(order, start))
    return query


def page_of_keys(conn: sa.Connection, query: sa.Select) -> list[tuple]:
    """The rows of a `keys_query`.

    Raises:
        nova.errors.Invalid: a regular expression is beyond the database.
    """
    try:
        return [tuple(row) for row in conn.execute(query)]
    except db_exc.DBError as error:
        if dbkit.gave_up_matching(error):
            raise errors.Invalid('A regular expression of the filters takes the database too long.') from None
        raise
