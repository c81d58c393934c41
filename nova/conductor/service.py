"""The conductor service, in either role or both.

``cell`` runs the tasks of one cell and serves its hosts; it needs that cell's database and bus, nothing else.
``super`` runs the tasks that have no cell yet, and the steps of others that look into every cell.
"""

import collections
import itertools
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from oslo_config import cfg

from nova import audit, cells, heartbeat, ops
from nova import clients as clients_
from nova import context as nova_context
from nova.audit import guests
from nova.common import clock, dbkit, health, threads, tickers
from nova.conductor import audits, cell_works, echo, handle, periodic, reach, reports, work
from nova.objects import step as wire
from nova.ops import remove_late
from nova.ops.build import schedule
from nova.rpc import conductor as rpc_conductor
from nova.rpc import liveness as rpc_liveness
from nova.rpc import notifier, transport
from nova.rpc import scheduler as rpc_scheduler
from nova.task import engine as engines
from nova.task import journal, later, notify

if TYPE_CHECKING:
    from nova.db import session

LOG = logging.getLogger(__name__)

REPORTS = 4
"""Threads for what hosts report of nodes and guests."""
SIGNS = 4
"""Threads for signs of life, which do nothing else."""
QUEUE = 1000
"""What may wait for the threads of one purpose; more is refused, and whoever sent it comes again."""


SHARES = 4
"""One in so many of a super-conductor's own threads may be held up by one cell."""


class Endpoint:
    """What a conductor answers on a bus.

    Nothing is worked on in the threads that take messages: what concerns tasks is put in line for the engines,
    and what hosts report for threads of its own, so that neither waits for the other. When a line is full the
    message is dropped: the keeper of tasks, and the hosts, come again. Only what a host waits for is done at
    once.

    Args:
        pool: the engines' own.
        reports: where hosts' reports are written down.
    """

    def __init__(self, works: list[work.Work], verbs: reports.Reports | None,
                 found: cell_works.CellWorks | None, pool: threads.Pool, reports: threads.Pool) -> None:
        self._works, self._verbs, self._cells = works, verbs, found
        self._pool, self._reports = pool, reports

    def wake(self, context: nova_context.RequestContext, wake: wire.Wake) -> None:
        if self._cells is not None and wake.cell is not None:
            self._pool.background(self._wake_in_cell, self._cells, wake.cell, wake.task)
            return
        for each in self._works:
            self._pool.background(each.engine.wake, wake.task)

    @staticmethod
    def _wake_in_cell(found: cell_works.CellWorks, cell: str, task: str) -> None:
        """Where the cell is may have to be asked; its task is for the cell's own threads."""
        engine = found.work(found.get(cell)).engine
        engine.submit(engine.wake, task)

    def step_done(self, context: nova_context.RequestContext, result: wire.StepResult) -> None:
        for each in self._works:
            self._pool.background(each.engine.step_done, result)

    def progress(self, context: nova_context.RequestContext, progress: wire.StepProgress) -> None:
        for each in self._works:
            self._reports.background(each.engine.progress, progress)

    def beat(self, context: nova_context.RequestContext, report: wire.HostReport) -> None:
        self._reports.background(self._host_verbs().beat_before, context, report)

    def host_up(self, context: nova_context.RequestContext, report: wire.HostReport) -> wire.HostOrders:
        return self._host_verbs().host_up(context, report)

    def paid(self, context: nova_context.RequestContext, report: wire.HostPaid) -> None:
        self._host_verbs().paid(context, report)

    def nodes(self, context: nova_context.RequestContext, report: wire.HostNodes) -> None:
        self._reports.background(self._host_verbs().nodes, context, report)

    def power_states(self, context: nova_context.RequestContext, states: wire.GuestStates) -> None:
        self._reports.background(self._host_verbs().power_states, context, states)

    def _host_verbs(self) -> reports.Reports:
        if self._verbs is None:
            raise RuntimeError('a host reports to a super-conductor; its transport_url must be its cell\'s')
        return self._verbs


class Signs:
    """Takes signs of life, in threads that have nothing else to do: while one of them writes, the others gather
    what it writes next; where many come, for `GATHER` seconds at least. So the more hosts there are, the more
    of their signs are one statement, and where there are few each is written at once.

    Of a host that beats again before its sign is written, the newest counts: hence what waits is bounded.
    """

    MOST = 100
    """Signs that are written together: they are locked for as long as that takes."""
    GATHER = 0.2
    """Seconds from one writing to the next, where fewer than `MOST` wait."""
    MANY = 10
    """So many signs in a second are worth gathering."""

    def __init__(self, verbs: reports.Reports) -> None:
        self._verbs = verbs
        self._waiting: dict[tuple[str, str], reports.Heard] = {}
        self._writes, self._written = False, -self.GATHER
        self._came: collections.deque[float] = collections.deque(maxlen=self.MANY)
        self._lock = threads.lock()

    def beat(self, context: nova_context.RequestContext, beat: wire.HostBeat) -> None:
        with self._lock:
            self._waiting[beat.host, beat.binary] = (context, beat)
            self._came.append(clock.monotonic())
            if self._writes:
                return
            self._writes = True
        try:
            while taken := self._take():
                self._written = clock.monotonic()
                self._verbs.beats(taken)
        except BaseException:
            # What waits is written with the next sign that comes.
            self._writes = False
            raise

    def _take(self) -> list[reports.Heard]:
        """What is to be written next; nothing: then nobody writes any more."""
        now = clock.monotonic()
        pause = self._written + self.GATHER - now
        many = len(self._came) == self.MANY and now - self._came[0] < 1.0
        if many and pause > 0 and 0 < len(self._waiting) < self.MOST:
            threads.sleep(pause)
        with self._lock:
            names = list(itertools.islice(self._waiting, self.MOST))
            self._writes = bool(names)
            return [self._waiting.pop(name) for name in names]


class ConductorService:
    """A conductor process.

    Args:
        role: ``cell``, ``super`` or ``both``; ``both`` serves one bus with two journals.
        host: name under which it is listed.
    """

    def __init__(self, conf: cfg.ConfigOpts, role: str, *, host: str, dbs: 'session.Databases',
                 buses: transport.Buses, clients: clients_.Clients) -> None:
        ops.load()
        self._conf, self._host, self._dbs, self._buses, self._clients = conf, host, dbs, buses, clients
        self._role = role
        self._pool = threads.Pool(f'conductor-{role}', conf.conductor.threads, QUEUE)
        self._reports = threads.Pool('conductor-reports', REPORTS, QUEUE)
        self._signs = threads.Pool('conductor-signs', SIGNS, QUEUE)
        wanted = notify.wanted(conf)
        self._sender = notifier.Notifier(conf) if wanted is not None and wanted.sent else None
        self._works: list[work.Work] = []
        self._tickers: list[threads.Ticker] = []
        self._checks: dict[str, health.Check] = {}
        self._cells: cell_works.CellWorks | None = None
        verbs = None
        bus = buses.own if role == 'cell' else buses.top
        if role in ('cell', 'both'):
            verbs = self._serve_cell(dbs.main, buses.own)
        if role in ('super', 'both'):
            self._serve_top()
        self._servers = [rpc_conductor.Conductor.server(
            bus, host, Endpoint(self._works, verbs, self._cells, self._pool, self._reports))]
        self._heart: echo.Echo | heartbeat.Heartbeat
        if verbs is not None:
            self._servers.append(rpc_liveness.Liveness.server(bus, host, Signs(verbs), self._signs))
            self._heart = echo.Echo(bus, host, conf)
        else:
            self._heart = heartbeat.Heartbeat(self._cell0, host, cells.CONDUCTOR, conf.report_interval)

    def _cell0(self) -> dbkit.Database:
        """Where a super-conductor's row among the services is."""
        assert self._cells is not None, 'only super-conductors are in no cell'
        return self._cells.db(self._cells.cell0())

    def _serve_cell(self, db: dbkit.Database, bus: transport.Bus) -> reports.Reports:
        alive = cells.Liveness(cells.reading(lambda: db), self._conf.service_down_time, attempts=True)
        reached = reach.Reach(bus, alive)
        own = work.Work(db, self._conf, self._host, reached, self._cell_handle, self._pool,
                        after_doubt=remove_late.RemoveLate, sender=self._sender)
        self._look_after('cell', own)
        for name, seconds, begin in periodic.due(self._conf):
            self._tickers.append(tickers.ticker(name, seconds, periodic.Due(own.engine, begin)))
        self._keep_briefly(lambda: db)
        self._compare(lambda: own.engine, remove_late.begin_later)
        return reports.Reports(db, own.engine, alive, reached, echo.silence(self._conf))

    def _serve_top(self) -> None:
        found = self._cells = cell_works.CellWorks(
            self._dbs, self._buses, self._build_cell_work, self._conf.conductor.cell_threads,
            most=max(1, self._conf.conductor.threads // SHARES))
        scheduler = rpc_scheduler.Scheduler.client(
            self._buses.top, speaks=lambda: found.liveness(None).schedulers())

        def top_handle(run: engines.Run, engine: engines.Engine) -> handle.SuperConductor:
            return handle.SuperConductor(run, engine, self._conf, self._clients, found, scheduler)
        self._super_handle = top_handle
        api = work.Work(self._dbs.api, self._conf, self._host, reach.NoHosts(), top_handle, self._pool,
                        supers=True, sender=self._sender)
        self._look_after('API', api)
        self._tickers.append(tickers.ticker('cells', 1.0, found.watch))
        interval = self._conf.scheduler.discover_hosts_in_cells_interval
        if interval > 0:
            self._tickers.append(tickers.ticker('discovery', interval, periodic.Discovery(found)))
        self._tickers.append(tickers.ticker('hand-overs', 30.0, periodic.HandOvers(found)))
        self._keep_briefly(lambda: self._dbs.api)
        self._keep_briefly(self._cell0)
        self._compare(lambda: found.work(found.cell0()).engine, remove_late.begin_later)
        self._compare(lambda: api.engine, schedule.begin_later)
        seconds = self._conf.conductor.audit_interval
        if seconds > 0:
            self._tickers.append(tickers.ticker('audit', seconds, audits.Audit(
                self._deployment, self._works[-1], seconds, self._conf.conductor.audit_repair)))

    def _deployment(self) -> audit.Deployment:
        return audit.Deployment(self._dbs, self._clients, guests.asker(self._buses),
                                self._conf.service_down_time)

    def _keep_briefly(self, db: Callable[[], dbkit.Database]) -> None:
        self._tickers.append(tickers.ticker('retention', 3600, periodic.Retention(db, self._conf)))

    def _compare(self, engine: Callable[[], engines.Engine], begin: Callable[[journal.Journal], int]) -> None:
        self._tickers.append(tickers.ticker('comparison', later.EVERY.total_seconds(),
                                            periodic.Comparison(engine, begin)))

    def _look_after(self, name: str, made: work.Work) -> None:
        self._works.append(made)
        self._checks[f'{name} database'] = health.Probe(f'the {name} database', made.engine.journal.db.ping)
        self._checks[f'{name} tasks'] = made.health

    def _build_cell_work(self, db: dbkit.Database, bus: transport.Bus | None, pool: threads.Pool) -> work.Work:
        alive = cells.Liveness(cells.reading(lambda: db), self._conf.service_down_time, attempts=True)
        reached = reach.NoHosts() if bus is None else reach.Reach(bus, alive)
        return work.Work(db, self._conf, self._host, reached, self._super_handle, pool, supers=True,
                         after_doubt=remove_late.RemoveLate, sender=self._sender)

    def _cell_handle(self, run: engines.Run, engine: engines.Engine) -> handle.Conductor:
        return handle.Conductor(run, engine, self._conf, self._clients)

    def checks(self) -> dict[str, health.Check]:
        """Of the own journals. A cell that is away is that cell's trouble, not a super-conductor's."""
        return dict(self._checks)

    def start(self) -> None:
        """Begin to serve."""
        for each in self._works:
            each.start()
        for ticker in self._tickers:
            ticker.start()
        for server in self._servers:
            server.start()
        self._heart.start()

    def stop(self) -> None:
        """Take no more messages, let the steps that run end, and give up every lease."""
        self._heart.stop()
        for server in self._servers:
            server.stop()
        # Messages are tasks being run: their buses and databases must last until they have come to rest.
        for server in self._servers:
            server.wait()
        for ticker in self._tickers:
            ticker.stop()
        for each in self._works:
            each.rest()
        for pool in (self._pool, self._reports, self._signs):
            pool.close()
        if self._cells is not None:
            self._cells.stop()
        for each in self._works:
            each.stop()
        if self._sender is not None:
            self._sender.close()
