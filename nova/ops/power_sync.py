"""A hypervisor was seen to disagree with a server's record: the record follows, or the guest is stopped.

What was seen may be old when it is acted upon, a message being as late as it likes. So these are operations
like any other: they hold the server, and the host looks again before it does anything.
"""


import sqlalchemy as sa

from nova import context, objects, states
from nova.objects import task as rows
from nova.states import VM, Power
from nova.steps import power, turn
from nova.task import journal
from nova.task.flow import SHARING, Flow, Step, Wait
from nova.task.handles import Conductor, Host

_STOP = frozenset({
    (VM.ACTIVE, Power.SHUTDOWN), (VM.ACTIVE, Power.CRASHED), (VM.ACTIVE, Power.SUSPENDED),
    (VM.STOPPED, Power.RUNNING), (VM.STOPPED, Power.PAUSED), (VM.STOPPED, Power.SUSPENDED),
    (VM.PAUSED, Power.SHUTDOWN), (VM.PAUSED, Power.CRASHED),
})
"""Combinations after which the server is to be stopped, as if its owner had asked."""


def stops(vm_state: str, seen: Power) -> bool:
    """Whether a server in `vm_state` whose guest is `seen` so is to be stopped."""
    return (vm_state, seen) in _STOP


def settle(h: Host, state: objects.State) -> None:
    """Look at the guest again, and change the record, or stop the server, by what is seen now."""
    power.observe(h, state)
    if stops(h.instance.vm_state, Power(h.instance.power_state)):
        h.driver.power_off(h, timeout=h.conf.shutdown_timeout)
        power.observe(h, state)
        h.instance.vm_state = str(VM.STOPPED)


class SyncStop(Flow[objects.State]):
    """Stops a server whose guest has ended; users see a stop."""

    name = 'sync_stop'
    action = 'stop'
    steps = (Step(settle, undo=power.accept, at='host', shows=states.Task.POWERING_OFF),)


class SyncPower(Flow[objects.State]):
    """Changes the record to what the guest does, without an operation that users see.

    The server may be in any state, and keeps it when this fails: the host reports the guest again later.
    """

    name = 'sync_power'
    steps = (Step(settle, at='host'),)


# After a step that nobody waited for -------------------------------------------------------------

def host_is_heard(h: Conductor, state: objects.State) -> bool:
    return h.instance.host is None or h.host_is_up(h.instance.host)


def accept_as_found(h: Host, state: objects.State) -> None:
    """The server is what its guest is; one whose guest is gone is an error."""
    if h.instance.vm_state not in power.MEANS.values():
        power.observe(h, state)
    elif h.driver.state(h) is None:
        power.observe(h, state)
        h.instance.vm_state = str(VM.ERROR)
    else:
        power.accept(h, state)


class SyncLate(Flow[objects.State]):
    """A host has returned, and done what it owed: its answer came too late to be written down.

    What the host reports of the guest waits for that (`nova.conductor.power_sync`).
    """

    name = 'sync_late'
    exclusion = SHARING
    deadline = 24 * 3600.0
    steps = (
        Step(turn.hold_server, timeout=24 * 3600.0),
        Wait(host_is_heard, timeout=60.0),
        Step(accept_as_found, at='host', elsewhere=True, awaits_upgrade=True),
    )


def begin_late(conn: sa.Connection, host: str, servers: set[str]) -> list[rows.Task]:
    """Look at those of the servers that are on a host; the tasks want to be woken."""
    here = objects.Instance.all(conn, uuid=sorted(servers), host=host) if servers else []
    return [journal.insert(conn, SyncLate, objects.State(), context.admin(), instance_uuid=server.uuid)
            for server in here]
