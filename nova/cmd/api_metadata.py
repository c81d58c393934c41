"""nova-api-metadata: the metadata service on a web server of its own.

Elsewhere it is ``nova.wsgi.metadata:application``.
"""

import sys
from typing import TYPE_CHECKING

from nova.common import health, threads

if TYPE_CHECKING:
    import socket

    from oslo_config import cfg

    from nova.cmd.launch import Service


def build(conf: 'cfg.ConfigOpts', listen: 'socket.socket | None') -> 'Service':
    """The metadata service."""
    from nova import clients
    from nova.api.metadata import app
    from nova.cmd import launch, web
    from nova.db import session
    assert listen is not None
    dbs = session.Databases(conf)
    asked = dbs.main if conf.api.local_metadata_per_cell else dbs.api
    server = web.WebServer(app.make_app(conf, dbs=dbs, clients=clients.build(conf)), listen,
                           conf.wsgi.default_pool_size, conf.graceful_shutdown_timeout)
    return launch.Service(server.start, (server.stop, dbs.dispose),
                          {'database': health.Probe('the database', asked.ping)})


def main() -> int:
    threads.choose('threading')
    from nova.cmd import launch
    return launch.main('nova-api-metadata', 'nova.cmd.api_metadata', build,
                       lambda conf: conf.metadata_workers or 1,
                       lambda conf: (conf.metadata_listen, conf.metadata_listen_port))


if __name__ == '__main__':
    sys.exit(main())
