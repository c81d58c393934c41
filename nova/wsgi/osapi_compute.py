"""The Compute API for any WSGI server: ``nova.wsgi.osapi_compute:application``.

Configuration is ``nova.conf`` in the directory that ``OS_NOVA_CONFIG_DIR`` names, or else in the usual places.
Nothing starts when the module is imported: the app is made by the first request, so that servers that fork
after importing share no connection.
"""

import os
import pathlib
from collections.abc import Iterable
from typing import Any

from oslo_log import log

from nova import clients
from nova import conf as nova_conf
from nova.api import app as nova_app
from nova.common import health, metrics, threads
from nova.db import session
from nova.rpc import transport


def _config_files() -> list[str] | None:
    folder = os.environ.get('OS_NOVA_CONFIG_DIR')
    return [str(pathlib.Path(folder) / 'nova.conf')] if folder else None


class Lazy:
    """Makes the app once, when it is first called."""

    def __init__(self) -> None:
        self._lock = threads.lock()
        self._app: Any = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if self._app is None:
            with self._lock:
                if self._app is None:
                    conf = nova_conf.new(config_files=_config_files())
                    log.setup(conf, 'nova')
                    dbs = session.Databases(conf)
                    made = nova_app.make_app(
                        conf, dbs=dbs, buses=transport.Buses(conf), clients=clients.build(conf))
                    database = health.Probe('the API database', lambda: dbs.api.ping())
                    metrics.page_of(conf, {'database': database}, None)
                    self._app = made
        return self._app(environ, start_response)


application = Lazy()
