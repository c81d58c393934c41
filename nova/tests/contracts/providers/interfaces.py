"""Interfaces on the bus."""

from collections.abc import Iterator

from nova.rpc import conductor, host, liveness, scheduler
from nova.tests.contracts.lock import Contract

INTERFACES = (conductor.Conductor, host.ComputeHost, liveness.Liveness, scheduler.Scheduler)


def contracts() -> Iterator[Contract]:
    for interface in INTERFACES:
        lines = [f'topic {interface.topic}'] + [
            f"{name}: {method.kind}({getattr(method.takes, '__name__', '')})"
            f" -> {getattr(method.returns, '__name__', '')} since={method.since}"
            for name, method in sorted(interface.methods.items())]
        yield Contract('interface', interface.__name__, interface.version, '\n'.join(lines),
                       "mark new methods with since='next version'")
