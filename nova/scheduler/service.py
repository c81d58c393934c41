"""The scheduler service: serves `rpc.scheduler.Scheduler` on the top bus. Any number of them may run."""

import zlib
from typing import TYPE_CHECKING

from oslo_config import cfg

from nova import cells, heartbeat, objects
from nova import context as nova_context
from nova.common import dbkit, tickers
from nova.rpc import scheduler as interface
from nova.rpc import transport
from nova.scheduler import hosts, select

if TYPE_CHECKING:
    from nova.clients import Clients
    from nova.db.session import Databases


LOOK = 30.0
"""Seconds between two looks at the hosts while nobody asks. The first look, or one after a long rest, may take
longer than who asks would wait, and a cell that is not known yet gets no servers."""


class Endpoint:
    """What a scheduler answers."""

    def __init__(self, selector: select.Selector) -> None:
        self._selector = selector

    def select(self, context: nova_context.RequestContext,
               request: objects.SelectRequest) -> objects.Selections:
        return self._selector.select(request)


def begins(host: str) -> float:
    """Where among equal hosts the scheduler of this name begins: schedulers need not know of one another."""
    return zlib.crc32(host.encode()) / 2 ** 32


class SchedulerService:
    """A scheduler process.

    Args:
        host: name under which it listens; None is ``[DEFAULT] host``.
        clients: has ``placement``.
        fresh: seconds for which what is known of hosts is used as it is.
    """

    def __init__(self, conf: cfg.ConfigOpts, *, dbs: 'Databases', buses: transport.Buses, clients: 'Clients',
                 host: str | None = None, fresh: float = hosts.FRESH) -> None:
        self.hosts = hosts.Hosts(conf, dbs, fresh)
        name = host or conf.host
        self.selector = select.Selector(conf, self.hosts, clients.placement, dbs, begins(name))
        self._cells = cells.Cells(dbs)
        self._looks = tickers.ticker(f'hosts-{name}', LOOK, self._look)
        self._server = interface.Scheduler.server(buses.top, name, Endpoint(self.selector))
        self._heartbeat = heartbeat.Heartbeat(self._listed_in, name, cells.SCHEDULER, conf.report_interval)

    def _listed_in(self) -> dbkit.Database:
        """Where our row among the services is: cell0's database, since we are in no cell."""
        return self._cells.db(self._cells.cell0())

    def _look(self) -> None:
        self.hosts.view()

    def start(self) -> None:
        """Begin to serve."""
        self._looks.start()
        self._server.start()
        self._heartbeat.start()

    def stop(self) -> None:
        """Take no more requests and let those that run end."""
        self._heartbeat.stop()
        self._looks.stop()
        self._server.stop()
        self._server.wait()
        self.hosts.close()
