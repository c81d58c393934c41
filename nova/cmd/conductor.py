"""nova-conductor: runs tasks. ``[conductor] role`` says whose."""

import sys
from typing import TYPE_CHECKING

from nova.common import threads

if TYPE_CHECKING:
    import socket

    from oslo_config import cfg

    from nova.cmd.launch import Service


def build(conf: 'cfg.ConfigOpts', listen: 'socket.socket | None' = None) -> 'Service':
    """A conductor."""
    from nova import clients
    from nova.cmd import launch
    from nova.conductor import service
    from nova.db import session
    from nova.rpc import transport
    buses, dbs = transport.Buses(conf), session.Databases(conf)
    made = service.ConductorService(conf, conf.conductor.role, host=conf.host, dbs=dbs, buses=buses,
                                    clients=clients.build(conf))
    return launch.Service(made.start, (made.stop, buses.close, dbs.dispose),
                          {'bus': buses.health, **made.checks()})


def main() -> int:
    threads.choose()
    from nova.cmd import launch
    return launch.main('nova-conductor', 'nova.cmd.conductor', build, lambda conf: conf.conductor.workers or 1)


if __name__ == '__main__':
    sys.exit(main())
