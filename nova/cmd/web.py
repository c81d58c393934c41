"""A web server of one's own, for those who want no other one."""

import socket
from wsgiref.types import WSGIApplication

from nova.common import clock, threads

_POLL = 0.05
"""Seconds between two looks at the requests that are left when it stops."""
_CONNECTIONS = 10_000
"""Clients and proxies keep idle ones open; what comes after waitress's own limit of 100 would have to wait."""


class WebServer:
    """A WSGI application on waitress and a listening socket.

    Args:
        size: threads for requests.
        grace: seconds in which requests that have come may be answered once it stops.
    """

    def __init__(self, app: WSGIApplication, listen: socket.socket, size: int, grace: float) -> None:
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
