"""The life of a service process: configuration, logging, signals, workers, the page for its operators.

SIGTERM and SIGINT end it gracefully: no more work is taken, what was begun may end, exit code 0; a second one
ends it at once. SIGHUP reads the configuration files again, for the options that may change while it runs.
"""

import contextlib
import dataclasses
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence

from oslo_config import cfg
from oslo_log import log

from nova import conf as nova_conf
from nova import errors
from nova.cmd import signals, workers
from nova.common import garbage, health, metrics, threads

LOG = log.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Service:
    """What a process runs.

    Attributes:
        start: begins to serve.
        stops: what ends it, in this order: no more work is taken and what was begun ends; then what it held
            meanwhile is closed.
        checks: whether it is well: what it depends on, by name.
    """

    start: Callable[[], object]
    stops: Sequence[Callable[[], object]] = ()
    checks: Mapping[str, health.Check] = dataclasses.field(default_factory=dict)

    def stop(self) -> None:
        for stop in self.stops:
            stop()


Build = Callable[[cfg.ConfigOpts, socket.socket | None], Service]


def main(name: str, module: str, build: Build, count: Callable[[cfg.ConfigOpts], int] = lambda conf: 1,
         address: Callable[[cfg.ConfigOpts], tuple[str, int]] | None = None,
         arguments: list[str] | None = None) -> int:
    """Run a service until it is told to stop.

    Args:
        name: the program's, such as nova-conductor.
        module: what ``python -m`` runs for a worker.
        build: makes the service of one process.
        count: how many worker processes the configuration wants.
        address: where it listens; the socket is shared by the workers.

    Returns:
        The exit code.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        conf = nova_conf.new(arguments)
    except (cfg.Error, OSError) as error:
        print(f'{name}: {error}', file=sys.stderr)
        return 1
    log.setup(conf, 'nova')
    try:
        listen = _listen(address(conf)) if address is not None else None
    except OSError as error:
        print(f'{name}: cannot listen: {error}', file=sys.stderr)
        return 1
    wanted = count(conf)
    if workers.number() is None and wanted > 1:
        descriptor = listen.fileno() if listen is not None else None
        LOG.info('%s starts %d workers', name, wanted)
        return workers.Supervisor(module, arguments, wanted, conf.graceful_shutdown_timeout, descriptor).run()
    return _run(name, conf, build, listen)


def _listen(address: tuple[str, int]) -> socket.socket:
    inherited = workers.descriptor(workers.LISTEN)
    if inherited is not None:
        return socket.socket(fileno=inherited)
    family = socket.AF_INET6 if ':' in address[0] else socket.AF_INET
    return socket.create_server(address, family=family, backlog=1024)


def _run(name: str, conf: cfg.ConfigOpts, build: Build, listen: socket.socket | None) -> int:
    came = signals.Signals((signal.SIGTERM, signal.SIGINT, signal.SIGHUP),
                           workers.descriptor(workers.LIFELINE))
    try:
        service = build(conf, listen)
    except (errors.NovaError, cfg.Error) as error:
        print(f'{name}: {error}', file=sys.stderr)
        return 1
    try:
        page = metrics.page_of(conf, service.checks, workers.number() or 0)
    except OSError as error:
        print(f'{name}: the page for operators cannot be opened: {error}', file=sys.stderr)
        return 1
    service.start()
    garbage.spare()
    LOG.info('%s has started', name)
    while (what := came.wait()) == signal.SIGHUP:
        _reload(conf)
    LOG.info('%s stops', name)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    threads.later('overdue', conf.graceful_shutdown_timeout + 5, _give_up, name)
    service.stop()
    if page is not None:
        page.stop()
    LOG.info('%s has stopped after signal %s', name, what)
    return 0


def _reload(conf: cfg.ConfigOpts) -> None:
    """Take over what may change while we run; a file that cannot be read changes nothing.

    oslo.config forgets the values it keeps before it reads the files, so that a thread that asks meanwhile
    makes it keep an old one. The second time forgets that.
    """
    try:
        conf.mutate_config_files()
        conf.mutate_config_files()
    except (cfg.Error, OSError) as error:
        LOG.error('The configuration was not read again: %s', error)
        return
    LOG.info('The configuration was read again')


def _give_up(name: str) -> None:
    LOG.error('%s did not end in time', name)
    with contextlib.suppress(OSError):
        sys.stderr.flush()
    os._exit(1)
