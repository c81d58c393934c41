"""nova-api-metadata: the metadata service on a web server of its own.

Elsewhere it is ``nova.wsgi.metadata:application``.
"""

import socket
import sys
from typing import Any

from nova.cmd.api import WebServer
from nova.common import health, threads


class Metadata:
    """The service and what it holds."""

    def __init__(self, conf: Any, listen: socket.socket) -> None:
        from nova import clients
        from nova.api.metadata import app
        from nova.db import session
        self._dbs = session.Databases(conf)
        made = app.make_app(conf, dbs=self._dbs, clients=clients.build(conf))
        self._asked = self._dbs.main if conf.api.local_metadata_per_cell else self._dbs.api
        self._web = WebServer(made, listen, conf.wsgi.default_pool_size, conf.graceful_shutdown_timeout)

    def start(self) -> None:
        self._web.start()

    def stop(self) -> None:
        self._web.stop()
        self._dbs.dispose()

    def checks(self) -> dict[str, health.Check]:
        return {'database': health.Probe('the database', lambda: self._asked.ping())}


def main() -> int:
    threads.choose('threading')
    from nova.cmd import launch
    return launch.main(
        'nova-api-metadata', 'nova.cmd.api_metadata',
        lambda conf, listen: Metadata(conf, listen),  # type: ignore[arg-type]
        lambda conf: conf.metadata_workers or 1,
        lambda conf: (conf.metadata_listen, conf.metadata_listen_port))


if __name__ == '__main__':
    sys.exit(main())
