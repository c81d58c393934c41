"""nova-compute: the service of one host. What it must remember is below ``state_path``/compute/HOST."""

import functools
import pathlib
import sys
from typing import TYPE_CHECKING

from nova.common import threads

if TYPE_CHECKING:
    import socket

    from oslo_config import cfg

    from nova.cmd.launch import Service


def build(conf: 'cfg.ConfigOpts', listen: 'socket.socket | None' = None) -> 'Service':
    """A host's agent."""
    from nova import clients, ops
    from nova.cmd import launch
    from nova.compute import agent
    from nova.rpc import transport
    from nova.virt import loader
    ops.load()
    buses = transport.Buses(conf)
    state_dir = pathlib.Path(conf.state_path) / 'compute' / conf.host
    driver = loader.load(conf, conf.host, state_dir)
    made = agent.ComputeAgent(conf, conf.host, driver, buses.own, clients.build(conf), state_dir)
    stop = functools.partial(made.stop, conf.graceful_shutdown_timeout)
    return launch.Service(made.start, (stop, buses.close), {'bus': buses.health, **made.checks()})


def main() -> int:
    threads.choose()
    from nova.cmd import launch
    return launch.main('nova-compute', 'nova.cmd.compute', build)


if __name__ == '__main__':
    sys.exit(main())
