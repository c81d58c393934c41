"""What a process counts, for Prometheus, and the small loopback page that shows it.

Metrics are the one thing kept per process rather than handed in: they describe the process.
"""

import contextlib
import errno
import http.server
import json
from collections.abc import Iterator, Mapping

import prometheus_client
from oslo_config import cfg
from prometheus_client import exposition, metrics_core, registry

from nova.common import clock, health, threads

GROUP = 'prometheus'
OPTS: list[cfg.Opt] = [
    cfg.PortOpt('port', help='''
Port of /metrics and /healthcheck of the service; its further worker processes take the ports after it. Unset
opens none.'''),
    cfg.HostAddressOpt('address', default='127.0.0.1', help='''
Address of that port. The page needs no password, so it should not be reachable from elsewhere.'''),
]
MOST_WORKERS = 256
"""Ports that the worker processes of one service may take."""

REGISTRY = prometheus_client.CollectorRegistry()

RPC_SENT = prometheus_client.Counter(
    'nova_rpc_sent', 'Messages sent', ['kind', 'topic', 'method'], registry=REGISTRY)
RPC_DROPPED = prometheus_client.Counter(
    'nova_rpc_dropped', 'Casts given up because no broker took them', ['what'], registry=REGISTRY)
NOTIFICATIONS = prometheus_client.Counter(
    'nova_notifications_sent', 'Notifications sent', registry=REGISTRY)
RPC_SERVED = prometheus_client.Histogram(
    'nova_rpc_served_seconds', 'Time spent in RPC methods', ['topic', 'method', 'outcome'], registry=REGISTRY,
    buckets=(.001, .005, .02, .1, .5, 2, 10, 60))
_LONG = (.01, .05, .2, 1, 5, 20, 60, 300, 1800)
TASKS = prometheus_client.Histogram(
    'nova_task_seconds', 'Time from a task\'s beginning to its end', ['flow', 'outcome'], registry=REGISTRY,
    buckets=_LONG)
STEPS = prometheus_client.Histogram(
    'nova_step_seconds', 'Time spent in steps, on this host or in this conductor',
    ['flow', 'step', 'direction', 'outcome'], registry=REGISTRY, buckets=_LONG)
STEPS_WAITING = prometheus_client.Gauge(
    'nova_steps_open', 'Host steps running or waiting', ['host'], registry=REGISTRY)
REFUSED = prometheus_client.Counter(
    'nova_refused', 'Messages refused because too much waits here; their senders come again',
    ['what'], registry=REGISTRY)
AUDIT_FOUND = prometheus_client.Gauge(
    'nova_audit_differences', 'What the last audit found that does not agree', ['kind'], registry=REGISTRY)
AUDIT_SERVERS = prometheus_client.Gauge(
    'nova_audit_servers', 'Servers that the last audit compared', registry=REGISTRY)
AUDIT_SILENT = prometheus_client.Gauge(
    'nova_audit_silent', 'Cells, hosts and services that the last audit could not ask', registry=REGISTRY)
AUDIT_TIME = prometheus_client.Gauge(
    'nova_audit_time_seconds', 'When the last audit ended, as seconds since 1970', registry=REGISTRY)
HTTP = prometheus_client.Histogram(
    'nova_http_seconds', 'Time spent in HTTP requests, by the template of their path',
    ['method', 'path', 'status'], registry=REGISTRY, buckets=(.002, .01, .05, .2, 1, 5, 20, 60))


class Pools(registry.Collector):
    """The pools of threads of the process, asked when somebody looks."""

    def collect(self) -> Iterator[metrics_core.Metric]:
        size = metrics_core.GaugeMetricFamily('nova_pool_threads', 'Most threads of a pool', labels=['pool'])
        depth = metrics_core.GaugeMetricFamily(
            'nova_pool_calls', 'Calls that run in a pool or wait for it', labels=['pool'])
        refused = metrics_core.CounterMetricFamily(
            'nova_pool_refused', 'Calls that a full pool refused', labels=['pool'])
        pools: dict[str, list[threads.Pool]] = {}
        for pool in threads.pools():
            pools.setdefault(pool.name, []).append(pool)
        for name, same in pools.items():
            size.add_metric([name], sum(pool.size for pool in same))
            depth.add_metric([name], sum(pool.depth() for pool in same))
            refused.add_metric([name], sum(pool.refused for pool in same))
        yield from (size, depth, refused)


REGISTRY.register(Pools())


@contextlib.contextmanager
def step(flow: str, name: str, direction: str) -> Iterator[None]:
    """Time a step that runs in this process: one that raises has failed."""
    began, outcome = clock.monotonic(), 'failed'
    try:
        yield
        outcome = 'done'
    finally:
        STEPS.labels(flow, name, direction, outcome).observe(clock.monotonic() - began)


class Page:
    """``/metrics`` and ``/healthcheck`` on the loopback interface, in a daemon thread.

    The health check answers 200 ``{"status": "ok"}``, or 503 with the reason of every check that gave one.

    Raises:
        OSError: the port is taken.
    """

    def __init__(self, port: int, checks: Mapping[str, health.Check], address: str = '127.0.0.1') -> None:
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
            ill = health.reasons(self._checks)
            body = {'status': 'failing', 'reasons': ill} if ill else {'status': 'ok'}
            return 503 if ill else 200, 'application/json', json.dumps(body).encode()
        return 404, 'text/plain', b'not found\n'

    def start(self) -> 'Page':
        threads.start('metrics', self._server.serve_forever)
        return self

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def page_of(conf: cfg.ConfigOpts, checks: Mapping[str, health.Check], number: int | None) -> Page | None:
    """The page that ``[prometheus]`` wants, started; None when it wants none.

    Args:
        number: which worker of its service this process is. None does not know, being the child of a server of
            somebody else's: then the first port is taken that no other worker has.

    Raises:
        OSError: the port is taken.
    """
    options = conf[GROUP]
    if not options.port:
        return None
    ports = [options.port + number] if number is not None else range(options.port, options.port + MOST_WORKERS)
    for port in ports:
        try:
            return Page(port, checks, options.address).start()
        except OSError as error:
            if error.errno != errno.EADDRINUSE or port == ports[-1]:
                raise
    return None
