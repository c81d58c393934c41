"""nova-compute: the service of one host. What it must remember is below ``state_path``/compute/HOST."""

import pathlib
import sys
from typing import Any

from nova.common import health, threads


class Compute:
    """A host's agent and what it holds."""

    def __init__(self, conf: Any) -> None:
        from nova import clients, ops
        from nova.compute import agent
        from nova.rpc import transport
        from nova.virt import loader
        ops.load()
        self._grace = conf.graceful_shutdown_timeout
        self._buses = transport.Buses(conf)
        state_dir = pathlib.Path(conf.state_path) / 'compute' / conf.host
        driver = loader.load(conf, conf.host, state_dir)
        self._agent = agent.ComputeAgent(
            conf, conf.host, driver, self._buses.own, clients.build(conf), state_dir)

    def start(self) -> None:
        self._agent.start()

    def stop(self) -> None:
        self._agent.stop(self._grace)
        self._buses.close()

    def checks(self) -> dict[str, health.Check]:
        return {'bus': self._buses.health, **self._agent.checks()}


def main() -> int:
    threads.choose()
    from nova.cmd import launch
    return launch.main('nova-compute', 'nova.cmd.compute', lambda conf, listen: Compute(conf))


if __name__ == '__main__':
    sys.exit(main())
