"""What a process counts, for Prometheus, and the small loopback page that shows it.

Metrics are the one thing kept per process rather than handed in: they describe the process.
"""

import http.server
import json
import threading
from collections.abc import Callable

import prometheus_client
from prometheus_client import exposition

REGISTRY = prometheus_client.CollectorRegistry()

RPC_SENT = prometheus_client.Counter(
    'nova_rpc_sent', 'Messages sent', ['kind', 'topic', 'method'], registry=REGISTRY)
RPC_DROPPED = prometheus_client.Counter(
    'nova_rpc_dropped', 'Casts given up because no broker took them', ['what'], registry=REGISTRY)
RPC_SERVED = prometheus_client.Histogram(
    'nova_rpc_served_seconds', 'Time spent in RPC methods', ['topic', 'method', 'outcome'], registry=REGISTRY,
    buckets=(.001, .005, .02, .1, .5, 2, 10, 60))
STEPS = prometheus_client.Histogram(
    'nova_step_seconds', 'Time spent in host steps', ['flow', 'step', 'direction', 'outcome'],
    registry=REGISTRY, buckets=(.01, .05, .2, 1, 5, 20, 60, 300, 1800))
STEPS_WAITING = prometheus_client.Gauge(
    'nova_steps_open', 'Host steps running or waiting', ['host'], registry=REGISTRY)

Check = Callable[[], str | None]
"""Says why the service is not well; None when it is."""


class Page:
    """``/metrics`` and ``/healthcheck`` on the loopback interface, in a daemon thread.

    The health check answers 200 ``{"status": "ok"}``, or 503 with the reason of every check that gave one.
    """

    def __init__(self, port: int, checks: dict[str, Check], address: str = '127.0.0.1') -> None:
        page = self
        self._checks = checks

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, kind, body = page.answer(self.path)
                self.send_response(status)
                self.send_header('Content-Type', kind)
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                """Scrapes are not worth a line."""

        self._server = http.server.ThreadingHTTPServer((address, port), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]

    def answer(self, path: str) -> tuple[int, str, bytes]:
        """Status, content type and body for `path`."""
        if path == '/metrics':
            return 200, exposition.CONTENT_TYPE_LATEST, prometheus_client.generate_latest(REGISTRY)
        if path == '/healthcheck':
            ill = {name: why for name, check in self._checks.items() if (why := check())}
            body = {'status': 'failing', 'reasons': ill} if ill else {'status': 'ok'}
            return 503 if ill else 200, 'application/json', json.dumps(body).encode()
        return 404, 'text/plain', b'not found\n'

    def start(self) -> 'Page':
        threading.Thread(target=self._server.serve_forever, name='metrics', daemon=True).start()
        return self

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
