"""The Compute API and the metadata service under a web server of others.

A wrong option ends the process while it starts; databases and buses are not needed for that. Nothing is opened
before the first request comes, in the process that serves it: servers fork after loading.
"""

import os
import pathlib
import sys
from collections.abc import Callable, Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from oslo_config import cfg
from oslo_log import log

from nova import clients
from nova import conf as nova_conf
from nova.api import app as nova_app
from nova.api.metadata import app as metadata_app
from nova.common import garbage, health, metrics, threads
from nova.db import session
from nova.rpc import transport

BOOT_ERROR = 3
"""Exit code that tells gunicorn not to try another worker."""


def load() -> cfg.ConfigOpts:
    """Read ``nova.conf`` in the directory that ``OS_NOVA_CONFIG_DIR`` names, or else in the usual places.

    Raises:
        oslo_config.cfg.Error: the file is missing, or an option has a value that it cannot have.
    """
    folder = os.environ.get('OS_NOVA_CONFIG_DIR')
    return nova_conf.new(config_files=[str(pathlib.Path(folder) / 'nova.conf')] if folder else None)


def compute(conf: cfg.ConfigOpts, dbs: session.Databases) -> WSGIApplication:
    """The Compute API."""
    return nova_app.make_app(conf, dbs=dbs, buses=transport.Buses(conf), clients=clients.build(conf))


def metadata(conf: cfg.ConfigOpts, dbs: session.Databases) -> WSGIApplication:
    """The metadata service."""
    return metadata_app.make_app(conf, dbs=dbs, clients=clients.build(conf))


Make = Callable[[cfg.ConfigOpts, session.Databases], WSGIApplication]


class Application:
    """The WSGI callable, made when it is first called."""

    def __init__(self, conf: cfg.ConfigOpts, make: Make = compute) -> None:
        self._conf, self._make = conf, make
        self._lock = threads.lock()
        self._app: WSGIApplication | None = None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if self._app is None:
            with self._lock:
                if self._app is None:
                    log.setup(self._conf, 'nova')
                    dbs = session.Databases(self._conf)
                    made = self._make(self._conf, dbs)
                    asked = dbs.main if self._own_cell_alone() else dbs.api
                    metrics.page_of(self._conf, {'database': health.Probe('the database', asked.ping)}, None)
                    garbage.spare()
                    self._app = made
        return self._app(environ, start_response)

    def _own_cell_alone(self) -> bool:
        return self._make is metadata and self._conf.api.local_metadata_per_cell


def start(name: str = 'nova-api', make: Make = compute) -> Application:
    """Read the configuration; one line and the end of the process where it is wrong."""
    try:
        return Application(load(), make)
    except cfg.Error as error:
        sys.stderr.write(f'{name}: {error}\n')
        sys.exit(BOOT_ERROR)
