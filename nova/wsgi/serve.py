"""The Compute API under a web server of others.

A wrong option ends the process while it starts; databases and buses are not needed for that. Nothing is opened
before the first request comes, in the process that serves it: servers fork after loading.
"""

import os
import pathlib
import sys
from collections.abc import Iterable
from typing import Any

from oslo_config import cfg
from oslo_log import log

from nova import clients
from nova import conf as nova_conf
from nova.api import app as nova_app
from nova.common import health, metrics, threads
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


class Application:
    """The WSGI callable, made when it is first called."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._conf = conf
        self._lock = threads.lock()
        self._app: Any = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if self._app is None:
            with self._lock:
                if self._app is None:
                    log.setup(self._conf, 'nova')
                    dbs = session.Databases(self._conf)
                    made = nova_app.make_app(self._conf, dbs=dbs, buses=transport.Buses(self._conf),
                                             clients=clients.build(self._conf))
                    database = health.Probe('the API database', lambda: dbs.api.ping())
                    metrics.page_of(self._conf, {'database': database}, None)
                    self._app = made
        return self._app(environ, start_response)


def start() -> Application:
    """Read the configuration; one line and the end of the process where it is wrong."""
    try:
        return Application(load())
    except cfg.Error as error:
        sys.stderr.write(f'nova-api: {error}\n')
        sys.exit(BOOT_ERROR)
