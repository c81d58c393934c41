"""How a conductor reaches the compute hosts of one cell."""

import datetime

from nova import context as nova_context
from nova import release
from nova.cells import Liveness
from nova.objects import step as wire
from nova.rpc import host as rpc_host
from nova.rpc import transport


class Reach:
    """The hosts of a cell, over its bus; see `nova.task.runner.Reach`."""

    def __init__(self, bus: transport.Bus, alive: Liveness) -> None:
        self._bus, self._alive = bus, alive
        self._clients: dict[str, rpc_host.ComputeHost] = {}

    def _client(self, host: str) -> rpc_host.ComputeHost:
        client = self._clients.get(host)
        if client is None:
            client = self._clients[host] = rpc_host.ComputeHost.client(
                self._bus, host, speaks=lambda: self._alive.release_of(host))
        return client

    def run_step(self, context: nova_context.RequestContext, call: wire.StepCall) -> None:
        self._client(call.host).run_step(context, call)

    def cancel_step(self, context: nova_context.RequestContext, host: str, ref: wire.StepRef) -> None:
        self._client(host).cancel_step(context, ref)

    def set_status(self, context: nova_context.RequestContext, host: str, status: wire.HostStatus) -> None:
        self._client(host).set_status(context, status)

    def rejoin(self, context: nova_context.RequestContext, host: str, wanted: wire.HostEpoch) -> None:
        """Hosts of the release before cannot be told so, and have joined at no epoch."""
        if self._client(host).can('rejoin'):
            self._client(host).rejoin(context, wanted)

    def is_up(self, host: str) -> bool:
        return self._alive.is_up(host)

    def is_dead(self, host: str) -> bool:
        return self._alive.is_dead(host)

    def heard(self, host: str) -> datetime.datetime | None:
        return self._alive.heard(host)

    def holds(self, host: str, task: str, attempt: int) -> bool:
        return self._alive.holds(host, task, attempt)

    def oldest(self, host: str | None = None) -> release.Release:
        return self._alive.oldest(host)


class NoHosts:
    """Where there is no host to reach: the API database's journal."""

    def run_step(self, context: nova_context.RequestContext, call: wire.StepCall) -> None:
        raise RuntimeError(f'flow {call.flow} has a step on a host, but its task has no cell')

    def cancel_step(self, context: nova_context.RequestContext, host: str, ref: wire.StepRef) -> None:
        raise RuntimeError('no host has a step of a task without a cell')

    def is_up(self, host: str) -> bool:
        return False

    def is_dead(self, host: str) -> bool:
        return True

    def heard(self, host: str) -> datetime.datetime | None:
        return None

    def holds(self, host: str, task: str, attempt: int) -> bool:
        return False

    def oldest(self, host: str | None = None) -> release.Release:
        return release.own()
