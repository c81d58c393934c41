"""Placement under a web server of others.

A wrong option ends the process while it starts. The database is not needed for that: see `app.Readiness`.
Nothing is opened before the first request comes, in the process that serves it: servers fork after loading.
"""

import sys
import warnings
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from oslo_config import cfg
from oslo_log import log

from nova.common import garbage, health, metrics, threads
from nova.placement import app
from nova.placement import conf as options
from nova.placement.db import session

with warnings.catch_warnings():
    # The cache of tokens imports it with the first request. Imported in a thread of a web server's pool it
    # takes that thread for the main one, and the process that is told to end waits for the pool for ever.
    warnings.simplefilter('ignore')
    import eventlet  # noqa: F401

BOOT_ERROR = 3
"""Exit code that tells gunicorn not to try another worker."""


class Application:
    """The WSGI callable, made when it is first called."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._conf = conf
        self._guard = threads.lock()
        self._app: WSGIApplication | None = None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if self._app is None:
            with self._guard:
                if self._app is None:
                    log.setup(self._conf, 'placement')
                    db = session.open_database(self._conf)
                    made = app.make_app(self._conf, db)
                    metrics.page_of(self._conf, {'database': health.Probe('the database', db.ping)}, None)
                    garbage.spare()
                    self._app = made
        return self._app(environ, start_response)


def start() -> Application:
    """Read the configuration; one line and the end of the process where it is wrong."""
    try:
        conf = options.load()
        session.open_database(conf).dispose()
    except (cfg.Error, session.NotConfigured) as error:
        sys.stderr.write(f'placement: {error}\n')
        sys.exit(BOOT_ERROR)
    return Application(conf)
