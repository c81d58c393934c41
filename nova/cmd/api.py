"""nova-api: the Compute API on a web server of its own, for those who want no other one.

Elsewhere it is ``nova.wsgi.osapi_compute:application``.
"""

import socket
import sys
from typing import Any

from nova.common import clock, health, threads

_POLL = 0.05
"""Seconds between two looks at the requests that are left when it stops."""
_CONNECTIONS = 10_000
"""Clients and proxies keep idle ones open; what comes after waitress's own limit of 100 would have to wait."""


class WebServer:
    """A WSGI application on waitress and a listening socket."""

    def __init__(self, app: Any, listen: socket.socket, size: int, grace: float) -> None:
        import waitress
        self._server = waitress.create_server(
            app, sockets=[listen], threads=size, ident=None, connection_limit=_CONNECTIONS,
            asyncore_use_poll=True)
        self._grace = grace

    def start(self) -> None:
        threads.start('web', self._server.run)

    def stop(self) -> None:
        """Accept no more connections, close those that idle, and answer the requests that have come."""
        server = self._server
        server.accepting = False
        server.adj.channel_timeout = 0
        server.next_channel_cleanup = 0
        server.pull_trigger()
        deadline = clock.Deadline(self._grace)
        while not deadline.passed() and any(
                channel.requests or channel.total_outbufs_len
                for channel in list(server.active_channels.values())):
            threads.sleep(_POLL)
        server.task_dispatcher.shutdown(timeout=deadline.left() or 0)


class Api:
    """The API and what it holds."""

    def __init__(self, conf: Any, listen: socket.socket) -> None:
        from nova import clients
        from nova.api import app, waits
        from nova.db import session
        from nova.rpc import transport
        self._buses, self._dbs = transport.Buses(conf), session.Databases(conf)
        self._waits = waits.Waits(conf.api.max_waiting)
        made = app.make_app(conf, dbs=self._dbs, buses=self._buses, clients=clients.build(conf),
                            waiting=self._waits)
        self._web = WebServer(made, listen, conf.wsgi.default_pool_size, conf.graceful_shutdown_timeout)

    def start(self) -> None:
        self._web.start()

    def stop(self) -> None:
        self._waits.close()
        self._web.stop()
        self._buses.close()
        self._dbs.dispose()

    def checks(self) -> dict[str, health.Check]:
        """The API answers without a bus, so that one that is away does not make it ill."""
        return {'database': health.Probe('the API database', lambda: self._dbs.api.ping())}


def main() -> int:
    threads.choose('threading')
    from nova.cmd import launch
    return launch.main(
        'nova-api', 'nova.cmd.api', lambda conf, listen: Api(conf, listen),  # type: ignore[arg-type]
        lambda conf: conf.osapi_compute_workers or 1,
        lambda conf: (conf.osapi_compute_listen, conf.osapi_compute_listen_port))


if __name__ == '__main__':
    sys.exit(main())
