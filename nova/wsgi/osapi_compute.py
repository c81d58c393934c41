"""The Compute API for any WSGI server: ``nova.wsgi.osapi_compute:application``.

Configuration is read from the usual places. Nothing starts when the module is imported: the app is made by the
first request, so that servers that fork after importing share no connection.
"""

import threading
from collections.abc import Iterable
from typing import Any

from nova import conf as nova_conf
from nova.api import app as nova_app


class Lazy:
    """Makes the app once, when it is first called."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._app: Any = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if self._app is None:
            with self._lock:
                if self._app is None:
                    self._app = nova_app.make_app(nova_conf.new())
        return self._app(environ, start_response)


application = Lazy()
