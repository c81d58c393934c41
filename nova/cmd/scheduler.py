"""nova-scheduler: chooses hosts."""

import sys
from typing import TYPE_CHECKING

from nova.common import health, threads

if TYPE_CHECKING:
    import socket

    from oslo_config import cfg

    from nova.cmd.launch import Service


def build(conf: 'cfg.ConfigOpts', listen: 'socket.socket | None' = None) -> 'Service':
    """A scheduler."""
    from nova import clients
    from nova.cmd import launch
    from nova.db import session
    from nova.rpc import transport
    from nova.scheduler import service
    buses, dbs = transport.Buses(conf), session.Databases(conf)
    made = service.SchedulerService(conf, host=conf.host, dbs=dbs, buses=buses, clients=clients.build(conf))
    return launch.Service(made.start, (made.stop, buses.close, dbs.dispose),
                          {'bus': buses.health,
                           'database': health.Probe('the API database', lambda: dbs.api.ping())})


def main() -> int:
    threads.choose()
    from nova.cmd import launch
    return launch.main('nova-scheduler', 'nova.cmd.scheduler', build, lambda conf: conf.scheduler.workers or 1)


if __name__ == '__main__':
    sys.exit(main())
