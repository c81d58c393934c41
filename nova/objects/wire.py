"""The form of records on buses and in journals: JSON values in an envelope that names record and version."""

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING

from nova import release
from nova.common import registry
from nova.common.jsonutil import JsonObject

if TYPE_CHECKING:
    from nova.objects.base import Record

NAME, VERSION = 'nova_object.name', 'nova_object.version'
DATA, CHANGES = 'nova_object.data', 'nova_object.changes'
KINDS: registry.Registry[type['Record']] = registry.Registry('record')
"""Every record class (`nova.objects.base.Record`, which is built on this) by its name."""


@functools.cache
def number(version: str) -> tuple[int, ...]:
    """To compare versions by."""
    return tuple(map(int, version.split('.')))


def reads(kind: type['Record'], version: str) -> bool:
    """Whether the release that this process is of reads that version of a record."""
    theirs, ours = number(version), number(release.own().records.get(kind.__name__, kind.VERSION))
    return theirs[0] == ours[0] and theirs <= ours


def versions() -> dict[str, str]:
    """Record name to the version that this release speaks."""
    return {kind.__name__: kind.VERSION for kind in KINDS.values()}


def backport(wire: JsonObject, known: Mapping[str, str]) -> JsonObject:
    """A record's wire form as an older reader knows it: newer fields dropped, in child records too.

    Args:
        known: record name to the version that the reader knows; records not named stay as they are.
    """
    kind, target = KINDS.get(wire[NAME]), known.get(wire[NAME])
    data, lower = wire[DATA], dict(wire)
    if kind is not None and target is not None and number(target) < number(wire[VERSION]):
        data = {name: value for name, value in data.items()
                if name in kind.fields and number(kind.fields[name].since) <= number(target)}
        lower[VERSION] = target
        if CHANGES in wire:
            lower[CHANGES] = [name for name in wire[CHANGES] if name in data]
    lower[DATA] = {name: _backport_value(value, known) for name, value in data.items()}
    return lower


def _backport_value(value: object, known: Mapping[str, str]) -> object:
    if isinstance(value, list):
        return [_backport_value(item, known) for item in value]
    if isinstance(value, dict):
        if NAME in value:
            return backport(value, known)
        return {name: _backport_value(item, known) for name, item in value.items()}
    return value


def plain(wire: JsonObject) -> JsonObject:
    """A wire form without its envelopes: the fields as plain dicts and lists, for views."""
    return {name: _plain(value) for name, value in wire.get(DATA, wire).items()}


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return plain(value)
    return [_plain(item) for item in value] if isinstance(value, list) else value
