"""What an operation costs, as upper bounds that only fall: SQL statements by database, messages, HTTP calls.

Measured over several operations, of which the cheapest counts: in the others a heartbeat, or a look at the
journal, came between. What is awaited is read past SQLAlchemy, so that waiting costs nothing.
"""

import collections
import contextlib
import dataclasses
import logging
import pathlib
import re
import sqlite3
import threading
import time

import pytest
import sqlalchemy as sa

from nova.common import metrics
from nova.tests.fixtures import waiting
from nova.tests.functional import leaks, volumes

pytestmark = pytest.mark.parametrize('cloud', ['sqlite'], indirect=True)

TRIES = 5
WORKERS = ('waitress-', 'rpc-', 'conductor-')
"""Threads that serve requests, messages and tasks; others look round by the clock."""
BY_THE_CLOCK = re.compile(r'\b(workers|services|cell_mappings|host_mappings|aggregates|compute_nodes)\b')
"""Heartbeats, and what is known of cells and hosts for a second or so: the slower the machine, the more."""


@dataclasses.dataclass
class Cost:
    """SQL statements as (database, text), messages as (kind, topic, method), HTTP calls as 'VERB /path'."""

    sql: list = dataclasses.field(default_factory=list)
    rpc: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    http: list = dataclasses.field(default_factory=list)

    def summary(self):
        of = collections.Counter(name for name, _ in self.sql)
        return {'api': of['api'], 'cell': of['cell1'] + of['cell2'], 'placement': of['placement'],
                'messages': self.rpc.total(), 'http': len(self.http)}


def _sent():
    return collections.Counter({
        tuple(sample.labels[name] for name in ('kind', 'topic', 'method')): int(sample.value)
        for family in metrics.RPC_SENT.collect() for sample in family.samples
        if sample.name.endswith('_total') and sample.labels['method'] not in ('beat', 'nodes', 'power_states')})


class _Calls(logging.Handler):
    """Hears the access log of every HTTP service but Compute itself."""

    def __init__(self, calls):
        super().__init__()
        self._calls = calls

    def emit(self, record):
        found = re.search(r'"(\w+ /\S*)"', record.getMessage())
        if found and '/v2.1/' not in found[1]:
            self._calls.append(found[1])


@contextlib.contextmanager
def counting():
    cost, before = Cost(), _sent()

    def note(conn, cursor, statement, *_):
        worker = threading.current_thread().name.startswith(WORKERS)
        if worker and not statement.startswith('BEGIN') and not BY_THE_CLOCK.search(statement):
            cost.sql.append((pathlib.Path(conn.engine.url.database).stem, statement))
    log, handler = logging.getLogger('nova.common.middleware'), _Calls(cost.http)
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    sa.event.listen(sa.Engine, 'before_cursor_execute', note)
    try:
        yield cost
    finally:
        sa.event.remove(sa.Engine, 'before_cursor_execute', note)
        log.removeHandler(handler)
        log.setLevel(level)
        cost.rpc = _sent() - before


def until(cloud, uuid, question, *values):
    """Wait until a cell's database answers a question about a server with a row."""
    def answered():
        for cell in cloud.deployment.cells:
            with contextlib.closing(sqlite3.connect(cloud.deployment.directory / f'{cell}.db')) as db:
                if db.execute(question, (uuid, *values)).fetchone():
                    return True
        return False
    waiting.until(answered, pause=0.02)
    time.sleep(0.05)  # what an operation still does after its row has changed counts, too


STATE = 'SELECT 1 FROM instances WHERE uuid = ? AND vm_state = ? AND task_state IS NULL'
IN_USE = 'SELECT 1 FROM tasks WHERE instance_uuid = ? AND flow = ? AND finished_at IS NOT NULL'
GONE = 'SELECT 1 FROM instances WHERE uuid = ? AND deleted != 0'


@pytest.fixture(scope='module')
def costs(cloud, demo, admin):
    """{operation: [cost, ...]}."""
    found, mine = collections.defaultdict(list), volumes.Volumes(demo)
    demo.delete(demo.booted('first')['id'])
    for _ in range(TRIES):
        with counting() as cost:
            uuid = demo.boot('one').json()['server']['id']
            until(cloud, uuid, STATE, 'active')
        found['boot'].append(cost)
        volume = mine.make()
        for operation, ask in (('attach_volume', mine.attach), ('detach_volume', mine.detach)):
            with counting() as cost:
                assert ask(uuid, volume).status_code == 202
                until(cloud, uuid, IN_USE, operation)
            found[operation].append(cost)
        with counting() as cost:
            assert demo.call('POST', f'/servers/{uuid}/action', {'pause': None}).status_code == 202
            until(cloud, uuid, STATE, 'paused')
        found['pause'].append(cost)
        with counting() as cost:
            assert demo.call('DELETE', f'/servers/{uuid}').status_code == 204
            until(cloud, uuid, GONE)
        found['delete'].append(cost)
    for _ in range(TRIES):
        with counting() as cost:
            servers = demo.boot('many', min_count=8, max_count=8)
            assert servers.status_code == 202
            for server in demo.get('/servers')['servers']:
                until(cloud, server['id'], STATE, 'active')
        found['boot of eight'].append(cost)
        for server in demo.get('/servers')['servers']:
            demo.delete(server['id'])
    leaks.check(cloud, admin)
    return found


LIMITS = {
    'boot': {'api': 23, 'cell': 26, 'placement': 12, 'messages': 4, 'http': 10},
    'attach_volume': {'api': 1, 'cell': 24, 'placement': 0, 'messages': 3, 'http': 6},
    'detach_volume': {'api': 1, 'cell': 29, 'placement': 0, 'messages': 5, 'http': 3},
    'pause': {'api': 1, 'cell': 15, 'placement': 0, 'messages': 3, 'http': 0},
    # Three of the cell read the server again once nobody holds it.
    'delete': {'api': 3, 'cell': 36, 'placement': 5, 'messages': 3, 'http': 4},
    # Those on hosts of their own are claimed for at once.
    'boot of eight': {'api': 80, 'cell': 240, 'placement': 25, 'messages': 18, 'http': 44},
}
"""A port is two calls and two steps: it is made by its user, and bound by us once the host is known.

Lower one when you have lowered what it bounds; the eight compete for locks, hence some room."""


def test_no_operation_costs_more_than_it_did(costs):
    """Statements to the API database, the cells and Placement; messages; HTTP calls to neighbours."""
    cheapest = {name: {what: min(cost.summary()[what] for cost in each) for what in limits}
                for (name, each), limits in zip(costs.items(), LIMITS.values(), strict=True)}
    over = {name: [found, LIMITS[name]] for name, found in cheapest.items()
            if any(found[what] > LIMITS[name][what] for what in found)}
    assert not over, over


def test_the_messages_of_a_boot_are_those_of_the_design(costs):
    """POST to the driver: wake, select, run_step; then the host's answer."""
    assert [cost.rpc for cost in costs['boot']] == [{
        ('cast', 'conductor', 'wake'): 1, ('call', 'scheduler', 'select'): 1,
        ('cast', 'compute', 'run_step'): 1, ('cast', 'conductor', 'step_done'): 1}] * TRIES


def test_a_deletion_is_handed_over_once(costs):
    """DELETE to the driver: wake, run_step; then the host's answer, after which the cell needs nobody above."""
    assert [cost.rpc for cost in costs['delete']] == [{
        ('cast', 'conductor', 'wake'): 1, ('cast', 'compute', 'run_step'): 1,
        ('cast', 'conductor', 'step_done'): 1}] * TRIES


FEW = frozenset((
    'flavors', 'flavor_extra_specs', 'quotas', 'quota_classes', 'user_quotas', 'aggregates',
    'aggregate_metadata', 'resource_providers', 'inventories', 'traits', 'resource_classes', 'services',
    'compute_nodes', 'cell_mappings', 'host_mappings', 'provider_tombstones'))
"""Tables that have as many rows as there are hosts, flavors or projects: to read all of one costs the same
however many servers there are."""


def _scanned(deployment, name, statement):
    """The tables, by the names that the statement has for them, of which SQLite would read every row."""
    path = sa.make_url(deployment.database(name)).database
    with contextlib.closing(sqlite3.connect(path)) as db:
        plan = db.execute(f'EXPLAIN QUERY PLAN {statement}', [None] * statement.count('?')).fetchall()
    named = (re.match(r'SCAN (?!CONSTANT|SUBQUERY|anon_)(\w+)', line) for *_, line in plan)
    return {found[1] for found in named if found}


def test_no_statement_of_an_operation_reads_every_row_of_a_table_that_grows(cloud, costs):
    """With ten thousand servers each would cost more than all the others together."""
    asked = {one for each in costs.values() for cost in each for one in cost.sql
             if one[1].startswith(('SELECT', 'UPDATE', 'DELETE', 'INSERT', 'WITH'))}
    found = {one: names for one in asked if (names := _scanned(cloud.deployment, *one) - FEW)}
    assert asked and not found, found
