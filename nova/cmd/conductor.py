"""nova-conductor: runs tasks. ``[conductor] role`` says whose."""

import sys
from typing import Any

from nova.common import health, threads


class Conductor:
    """A conductor and what it holds."""

    def __init__(self, conf: Any) -> None:
        from nova import clients
        from nova.conductor import service
        from nova.db import session
        from nova.rpc import transport
        self._buses, self._dbs = transport.Buses(conf), session.Databases(conf)
        self._service = service.ConductorService(
            conf, conf.conductor.role, host=conf.host, dbs=self._dbs, buses=self._buses,
            clients=clients.build(conf))

    def start(self) -> None:
        self._service.start()

    def stop(self) -> None:
        self._service.stop()
        self._buses.close()
        self._dbs.dispose()

    def checks(self) -> dict[str, health.Check]:
        return {'bus': self._buses.health, **self._service.checks()}


def main() -> int:
    threads.choose()
    from nova.cmd import launch
    return launch.main('nova-conductor', 'nova.cmd.conductor',
                       lambda conf, listen: Conductor(conf), lambda conf: conf.conductor.workers or 1)


if __name__ == '__main__':
    sys.exit(main())
