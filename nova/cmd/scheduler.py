"""nova-scheduler: chooses hosts."""

import sys
from typing import Any

from nova.common import health, threads


class Scheduler:
    """A scheduler and what it holds."""

    def __init__(self, conf: Any) -> None:
        from nova import clients
        from nova.db import session
        from nova.rpc import transport
        from nova.scheduler import service
        self._buses, self._dbs = transport.Buses(conf), session.Databases(conf)
        self._service = service.SchedulerService(
            conf, host=conf.host, dbs=self._dbs, buses=self._buses, clients=clients.build(conf))

    def start(self) -> None:
        self._service.start()

    def stop(self) -> None:
        self._service.stop()
        self._buses.close()
        self._dbs.dispose()

    def checks(self) -> dict[str, health.Check]:
        return {'bus': self._buses.health,
                'database': health.Probe('the API database', lambda: self._dbs.api.ping())}


def main() -> int:
    threads.choose()
    from nova.cmd import launch
    return launch.main('nova-scheduler', 'nova.cmd.scheduler', lambda conf, listen: Scheduler(conf),
                       lambda conf: conf.scheduler.workers or 1)


if __name__ == '__main__':
    sys.exit(main())
