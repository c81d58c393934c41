"""The conductor service, in either role or both.

``cell`` runs the tasks of one cell and serves its hosts; it needs that cell's database and bus, nothing else.
``super`` runs the tasks that have no cell yet, and the steps of others that look into every cell.
"""

import logging
from typing import Any

from oslo_config import cfg

from nova import context as nova_context
from nova import ops
from nova.common import dbkit, health, threads
from nova.conductor import cells, handle, hosts, liveness, periodic, reach, work
from nova.objects import service as services
from nova.objects.cell_mapping import CELL0_UUID
from nova.rpc import conductor as rpc_conductor
from nova.rpc import scheduler as rpc_scheduler
from nova.rpc import transport
from nova.task import engine as engines

LOG = logging.getLogger(__name__)

BINARY = 'nova-conductor'


class Endpoint:
    """What a conductor answers on a bus: wake-ups and hosts' answers go to the engines, reports to `hosts`."""

    def __init__(self, works: list[work.Work], verbs: hosts.Hosts | None, cells: cells.Cells | None) -> None:
        self._works, self._verbs, self._cells = works, verbs, cells

    def wake(self, context: nova_context.RequestContext, wake: Any) -> None:
        if self._cells is not None and wake.cell is not None:
            self._cells.work(self._cells.mapping(wake.cell)).engine.wake(wake.task)
            return
        for each in self._works:
            each.engine.wake(wake.task)

    def step_done(self, context: nova_context.RequestContext, result: Any) -> None:
        for each in self._works:
            each.engine.step_done(result)

    def progress(self, context: nova_context.RequestContext, progress: Any) -> None:
        for each in self._works:
            each.engine.progress(progress)

    def host_up(self, context: nova_context.RequestContext, report: Any) -> Any:
        return self._host_verbs().host_up(context, report)

    def beat(self, context: nova_context.RequestContext, report: Any) -> None:
        self._host_verbs().beat(context, report)

    def power_states(self, context: nova_context.RequestContext, states: Any) -> None:
        self._host_verbs().power_states(context, states)

    def _host_verbs(self) -> hosts.Hosts:
        if self._verbs is None:
            raise RuntimeError('a host reports to a super-conductor; its transport_url must be its cell\'s')
        return self._verbs


class ConductorService:
    """A conductor process.

    Args:
        role: ``cell``, ``super`` or ``both``; ``both`` serves one bus with two journals.
        host: name under which it is listed.
    """

    def __init__(self, conf: cfg.ConfigOpts, role: str, *, host: str, dbs: Any, buses: transport.Buses,
                 clients: Any) -> None:
        ops.load()
        self._conf, self._host, self._dbs, self._buses, self._clients = conf, host, dbs, buses, clients
        self._role = role
        self._pool = threads.Pool(f'conductor-{role}', conf.conductor.threads)
        self._works: list[work.Work] = []
        self._tickers: list[threads.Ticker] = []
        self._checks: dict[str, health.Check] = {}
        self._cells: cells.Cells | None = None
        verbs = None
        bus = buses.own if role == 'cell' else buses.top
        if role in ('cell', 'both'):
            verbs = self._serve_cell(dbs.main, buses.own)
        if role in ('super', 'both'):
            self._serve_top()
        self._server = rpc_conductor.Conductor.server(bus, host, Endpoint(self._works, verbs, self._cells))
        self._heartbeat = services.Heartbeat(self._listed_in, host, BINARY, conf.report_interval)

    def _listed_in(self) -> dbkit.Database:
        """Where our row among the services is: in our cell's database; a super-conductor's is in cell0's."""
        if self._role != 'super' or self._cells is None:
            return self._dbs.main
        return self._cells.db(self._cells.mapping(CELL0_UUID))

    def _serve_cell(self, db: dbkit.Database, bus: transport.Bus) -> hosts.Hosts:
        alive = liveness.Liveness(db, self._conf)
        reached = reach.Reach(bus, alive)
        own = work.Work(db, self._conf, self._host, reached, self._cell_handle, self._pool)
        self._look_after('cell', own)
        self._tickers.append(periodic.ticker('reclaim', 60, periodic.Reclaim(own.engine, self._conf)))
        self._tickers.append(periodic.ticker('retention', 3600, periodic.Retention(db, self._conf)))
        return hosts.Hosts(db, own.engine, alive, reached)

    def _serve_top(self) -> None:
        scheduler = rpc_scheduler.Scheduler.client(self._buses.top)
        found = self._cells = cells.Cells(self._dbs, self._buses, self._build_cell_work, self._pool)

        def top_handle(run: engines.Run, engine: engines.Engine) -> handle.SuperConductor:
            return handle.SuperConductor(run, engine, self._conf, self._clients, found, scheduler)
        self._super_handle = top_handle
        self._look_after('API', work.Work(self._dbs.api, self._conf, self._host, reach.NoHosts(), top_handle,
                                          self._pool, supers=True))
        self._tickers.append(periodic.ticker('cells', 1.0, found.watch))
        interval = self._conf.scheduler.discover_hosts_in_cells_interval
        if interval > 0:
            self._tickers.append(periodic.ticker('discovery', interval, periodic.Discovery(found)))
        self._tickers.append(periodic.ticker('hand-overs', 30.0, periodic.HandOvers(found)))
        self._tickers.append(periodic.ticker('retention', 3600, periodic.Retention(self._dbs.api, self._conf)))

    def _look_after(self, name: str, made: work.Work) -> None:
        self._works.append(made)
        self._checks[f'{name} database'] = health.Probe(f'the {name} database', made.engine.journal.db.ping)
        self._checks[f'{name} tasks'] = made.health

    def _build_cell_work(self, db: dbkit.Database, bus: transport.Bus | None) -> work.Work:
        reached = reach.NoHosts() if bus is None else reach.Reach(bus, liveness.Liveness(db, self._conf))
        return work.Work(db, self._conf, self._host, reached, self._super_handle, self._pool, supers=True)

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
        self._server.start()
        self._heartbeat.start()

    def stop(self) -> None:
        """Take no more messages, let the steps that run end, and give up every lease."""
        self._heartbeat.stop()
        self._server.stop()
        # Messages are tasks being run: their buses and databases must last until they have come to rest.
        self._server.wait()
        for ticker in self._tickers:
            ticker.stop()
        self._pool.close()
        if self._cells is not None:
            self._cells.stop()
        for each in self._works:
            each.stop()
