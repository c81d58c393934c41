"""Moving in: everything that a peer's database holds, written into ours in one transaction.

Nothing keeps its id; rows are matched by uuid or name. Generations and times stay as they are, so that clients
go on with what they have read. The peer's database is only read, and as it was at one moment.
"""

import collections
import contextlib
import dataclasses
import datetime
from collections.abc import Iterable, Iterator, Mapping

import sqlalchemy as sa

from nova.common import clock, dbkit
from nova.common.jsonutil import JsonObject
from nova.placement.db import models, peer, session

NOUNS = ('providers', 'inventories', 'aggregates', 'memberships', 'traits of providers', 'custom classes',
         'custom traits', 'consumers', 'allocations')

_EMPTIED = (models.allocations, models.consumers, models.inventories, models.resource_provider_aggregates,
            models.resource_provider_traits, models.resource_providers, models.aggregates)

Ids = dict[int, int]
"""Our id by the peer's."""


class Refused(Exception):
    """The import cannot be done; says what to do."""


class _Rehearsed(Exception):
    """Ends the transaction of a dry run."""


@dataclasses.dataclass
class Report:
    """What was imported.

    Args:
        there: rows of the peer, by noun.
        here: rows of ours when all was written, by noun.
        left_out: rows of the peer that point to what it does not have, by reason.
        completed: consumers that the peer did not have.
    """

    there: dict[str, int] = dataclasses.field(default_factory=dict)
    here: dict[str, int] = dataclasses.field(default_factory=dict)
    left_out: dict[str, int] = dataclasses.field(default_factory=collections.Counter)
    completed: int = 0

    @property
    def complete(self) -> bool:
        """Whether everything that makes sense has arrived."""
        missing = sum(self.there.values()) - sum(self.left_out.values()) + self.completed
        return missing == sum(self.here.values())


def check_source(source: dbkit.Database) -> None:
    """Raise `Refused` unless this is a database of the peer that we know."""
    state = session.state(source)
    if state is not session.State.PEER:
        raise Refused(f'The source is no database of OpenStack Placement: it {state.value}.')
    if not set(session.version(source)) <= peer.REVISIONS:
        raise Refused('The source has the schema of an older release. Run "placement-manage db sync" of '
                      'OpenStack Placement 14, 15 or 16 on it (or on a copy), and import then.')


def run(source: dbkit.Database, db: dbkit.Database, owner: tuple[str, str], *, replace: bool = False,
        dry_run: bool = False) -> Report:
    """Import everything, or nothing.

    Args:
        source: the peer's database.
        db: ours, with schema.
        owner: project and user of consumers that the peer does not have.
        replace: remove what our database holds first; otherwise it has to hold nothing.
        dry_run: do it, count it, and take it back.

    Raises:
        Refused: the source is not one, or ours is not empty.
    """
    check_source(source)
    if session.state(db) is not session.State.CURRENT:
        raise Refused('The database to import into has not the schema of this release. Run "placement-manage '
                      'db sync" first.')
    reports: list[Report] = []

    def write(connection: sa.Connection) -> None:
        with source.read(snapshot=True) as reading:
            reports.append(_Import(reading, connection, owner).run(replace))
        if dry_run:
            raise _Rehearsed
    with contextlib.suppress(_Rehearsed):
        db.write(write, attempts=1)
    return reports[-1]


class _Import:
    """One import within one transaction of each side."""

    def __init__(self, source: sa.Connection, target: sa.Connection, owner: tuple[str, str]) -> None:
        self._source, self._target, self._owner = source, target, owner
        self._report = Report()
        self._now = clock.utcnow()

    def run(self, replace: bool) -> Report:
        self._make_room(replace)
        classes = self._names(peer.resource_classes, models.resource_classes, 'custom classes')
        traits = self._names(peer.traits, models.traits, 'custom traits')
        providers = self._providers()
        aggregates = self._keyed(peer.aggregates, models.aggregates, 'uuid')
        self._count('aggregates', peer.aggregates, models.aggregates)
        self._links('memberships', peer.resource_provider_aggregates, models.resource_provider_aggregates,
                    'aggregate_id', providers, aggregates)
        self._links('traits of providers', peer.resource_provider_traits, models.resource_provider_traits,
                    'trait_id', providers, traits)
        self._inventories(providers, classes)
        self._consumers()
        self._allocations(providers, classes)
        session.bump_names(self._target)
        return self._report

    def _make_room(self, replace: bool) -> None:
        if replace:
            providers = models.resource_providers
            self._target.execute(sa.update(providers).values(root_provider_id=None, parent_provider_id=None))
            for row in self._target.execute(sa.select(providers.c.id, providers.c.uuid)).all():
                self._target.execute(sa.insert(models.provider_tombstones).values(
                    provider_id=row.id, uuid=row.uuid))
            for table in _EMPTIED:
                self._target.execute(sa.delete(table))
        elif any(self._target.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first()
                 for table in _EMPTIED):
            raise Refused('The database to import into is not empty. Import into a new one, or have what it '
                          'holds removed with --replace.')

    def _rows(self, table: dbkit.Table) -> Iterator[sa.Row]:
        order = list(table.primary_key.columns) or list(table.columns)[:2]
        yield from self._source.execute(sa.select(table).order_by(*order),
                                        execution_options={'yield_per': dbkit.PART})

    def _times(self, row: sa.Row) -> dict[str, datetime.datetime | None]:
        return {'created_at': row.created_at or row.updated_at or self._now, 'updated_at': row.updated_at}

    def _count(self, noun: str, there: dbkit.Table, here: dbkit.Table) -> None:
        for side, connection, table in ((self._report.there, self._source, there),
                                        (self._report.here, self._target, here)):
            side[noun] = connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()

    def _ids(self, table: dbkit.Table, key: str) -> dict[str, int]:
        return {row[0]: row[1] for row in self._target.execute(sa.select(table.c[key], table.c.id))}

    def _keyed(self, there: dbkit.Table, here: dbkit.Table, key: str) -> Ids:
        """Rows that are only a name."""
        rows = [row for row in self._rows(there) if row._mapping[key] is not None]
        dbkit.insert_missing(self._target, here, ({key: row._mapping[key], **self._times(row)} for row in rows))
        ids = self._ids(here, key)
        return {row.id: ids[row._mapping[key]] for row in rows}

    def _names(self, there: dbkit.Table, here: dbkit.Table, noun: str) -> Ids:
        """Classes or traits: ours know the standard ones already."""
        known, rows = self._ids(here, 'name'), list(self._rows(there))
        for row in rows:
            if row.name not in known:
                extra = {}
                if here is models.resource_classes:
                    extra['id'] = models.FIRST_CUSTOM_CLASS_ID + session.bump_names(self._target)
                self._target.execute(sa.insert(here).values(name=row.name, **extra, **self._times(row)))
        ids = self._ids(here, 'name')
        custom = {row.name for row in rows if row.name.startswith('CUSTOM_')}
        self._report.there[noun], self._report.here[noun] = len(custom), len(custom & ids.keys())
        return {row.id: ids[row.name] for row in rows}

    def _providers(self) -> Ids:
        table, rows = models.resource_providers, list(self._rows(peer.resource_providers))
        dbkit.insert(self._target, table, [
            {'uuid': row.uuid, 'name': row.name if row.name is not None else row.uuid,
             'generation': row.generation or 0, 'version': 1, **self._times(row)} for row in rows])
        ours = self._ids(table, 'uuid')
        ids = {row.id: ours[row.uuid] for row in rows}
        parents = {row.id: row.parent_provider_id for row in rows}
        places: dict[tuple[int, int | None], list[int]] = collections.defaultdict(list)
        for row in rows:
            parent = ids.get(row.parent_provider_id)
            places[ids[_root(row.id, parents)], parent].append(ids[row.id])
        for (root, parent), children in places.items():
            for some in dbkit.parts(children):
                self._target.execute(sa.update(table).where(table.c.id.in_(some)).values(
                    root_provider_id=root, parent_provider_id=parent, updated_at=table.c.updated_at))
        self._count('providers', peer.resource_providers, table)
        return ids

    def _links(self, noun: str, there: dbkit.Table, here: dbkit.Table, key: str, providers: Ids,
               others: Ids) -> None:
        def made() -> Iterator[JsonObject]:
            for row in self._rows(there):
                provider, other = providers.get(row.resource_provider_id), others.get(row._mapping[key])
                if provider is None or other is None:
                    self._report.left_out[f'{noun} of something that is gone'] += 1
                else:
                    yield {'resource_provider_id': provider, key: other, **self._times(row)}
        dbkit.insert(self._target, here, made())
        self._count(noun, there, here)

    def _pair(self, noun: str, row: sa.Row, providers: Ids, classes: Ids) -> dict[str, int] | None:
        provider, kind = providers.get(row.resource_provider_id), classes.get(row.resource_class_id)
        if provider is None or kind is None:
            self._report.left_out[f'{noun} of a provider or class that is gone'] += 1
            return None
        return {'resource_provider_id': provider, 'resource_class_id': kind}

    def _inventories(self, providers: Ids, classes: Ids) -> None:
        fields = ('total', 'reserved', 'min_unit', 'max_unit', 'step_size', 'allocation_ratio')

        def made() -> Iterator[JsonObject]:
            for row in self._rows(peer.inventories):
                pair = self._pair('inventories', row, providers, classes)
                if pair is not None:
                    yield {**pair, **{name: row._mapping[name] for name in fields}, **self._times(row)}
        dbkit.insert(self._target, models.inventories, made())
        self._count('inventories', peer.inventories, models.inventories)

    def _consumers(self) -> None:
        projects = self._keyed(peer.projects, models.projects, 'external_id')
        users = self._keyed(peer.users, models.users, 'external_id')
        types = self._keyed(peer.consumer_types, models.consumer_types, 'name')
        stand_ins = self._stand_ins()

        def made() -> Iterator[JsonObject]:
            for row in self._rows(peer.consumers):
                yield {'uuid': row.uuid, 'project_id': projects.get(row.project_id, stand_ins[0]),
                       'user_id': users.get(row.user_id, stand_ins[1]), 'generation': row.generation or 0,
                       'consumer_type_id': types.get(row.consumer_type_id), **self._times(row)}
        dbkit.insert(self._target, models.consumers, made())
        known = set(self._target.scalars(sa.select(models.consumers.c.uuid)))
        held = set(self._source.scalars(sa.select(peer.allocations.c.consumer_id).distinct()))
        missing = sorted(held - known)
        dbkit.insert(self._target, models.consumers, [
            {'uuid': uuid, 'project_id': stand_ins[0], 'user_id': stand_ins[1], 'generation': 0,
             'created_at': self._now} for uuid in missing])
        self._report.completed = len(missing)
        self._count('consumers', peer.consumers, models.consumers)

    def _stand_ins(self) -> tuple[int, int]:
        ids = []
        for table, name in zip((models.projects, models.users), self._owner, strict=True):
            dbkit.insert_missing(self._target, table, [{'external_id': name}])
            ids.append(self._ids(table, 'external_id')[name])
        return ids[0], ids[1]

    def _allocations(self, providers: Ids, classes: Ids) -> None:
        """The peer may have several rows of one consumer, provider and class; ours are one."""
        merged: dict[tuple[str, int, int], JsonObject] = {}
        for row in self._rows(peer.allocations):
            pair = self._pair('allocations', row, providers, classes)
            if pair is None:
                continue
            key = (row.consumer_id, pair['resource_provider_id'], pair['resource_class_id'])
            if key in merged:
                merged[key]['used'] += row.used
                self._report.left_out['allocations added to another one of the same'] += 1
            else:
                merged[key] = {'consumer_id': row.consumer_id, **pair, 'used': row.used, **self._times(row)}
        dbkit.insert(self._target, models.allocations, merged.values())
        self._count('allocations', peer.allocations, models.allocations)


def _root(provider: int, parents: Mapping[int, int | None]) -> int:
    """The top of a provider's tree; the peer's own note of it may be missing."""
    seen: set[int] = set()
    while (parent := parents.get(provider)) is not None and parent in parents and provider not in seen:
        seen.add(provider)
        provider = parent
    return provider


def lines(report: Report) -> Iterable[str]:
    """A report for people."""
    yield f'{"":<22}{"there":>10}{"here":>10}'
    for noun in NOUNS:
        yield f'{noun:<22}{report.there[noun]:>10}{report.here[noun]:>10}'
    for reason, number in sorted(report.left_out.items()):
        yield f'Not taken as they were: {number} {reason}.'
    if report.completed:
        yield f'Created: {report.completed} consumers that have allocations and no record.'
