"""nova-api: the Compute API on a web server of its own.

Elsewhere it is ``nova.wsgi.osapi_compute:application``.
"""

import sys
from typing import TYPE_CHECKING

from nova.common import health, threads

if TYPE_CHECKING:
    import socket

    from oslo_config import cfg

    from nova.cmd.launch import Service


def build(conf: 'cfg.ConfigOpts', listen: 'socket.socket | None') -> 'Service':
    """The API; it answers without a bus, so that one that is away does not make it ill."""
    from nova import clients
    from nova.api import app, waits
    from nova.cmd import launch, web
    from nova.db import session
    from nova.rpc import transport
    assert listen is not None
    buses, dbs, waiting = transport.Buses(conf), session.Databases(conf), waits.Waits(conf.api.max_waiting)
    made = app.make_app(conf, dbs=dbs, buses=buses, clients=clients.build(conf), waiting=waiting)
    server = web.WebServer(made, listen, conf.wsgi.default_pool_size, conf.graceful_shutdown_timeout)
    return launch.Service(server.start, (waiting.close, server.stop, buses.close, dbs.dispose),
                          {'database': health.Probe('the API database', lambda: dbs.api.ping())})


def main() -> int:
    threads.choose('threading')
    from nova.cmd import launch
    return launch.main('nova-api', 'nova.cmd.api', build, lambda conf: conf.osapi_compute_workers or 1,
                       lambda conf: (conf.osapi_compute_listen, conf.osapi_compute_listen_port))


if __name__ == '__main__':
    sys.exit(main())
