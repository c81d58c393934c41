"""Deletions as the release before begins them, and as they are begun while services of it are left."""

from nova import states
from nova.ops.delete import flow, host, wire
from nova.steps import allocate, mapping, ports, power, volumes
from nova.task.flow import PREEMPTING, Flow, Step
from nova.task.handles import Conductor


def bury_row(h: Conductor, state: wire.DeleteState) -> None:
    """The row stays as history. All that `flow.purge` gives up is given up, though that release had less."""
    if h.instance is not None:
        flow.purge(h, state)


class Delete(Flow[wire.DeleteState]):
    """What super-conductors alone may do comes last."""

    version = '1.0'
    action = 'delete'
    exclusion = PREEMPTING
    steps = (
        Step(flow.look_at_host, choice=True, shows=states.Task.DELETING),
        Step(mapping.uncount, undo=mapping.count, at='super'),
        Step(host.destroy_guest, undo=power.observe, at='host', when=flow.reaches_guest, pivot=True,
             timeout=1800.0),
        Step(ports.release_ports),
        Step(volumes.release_volumes),
        Step(allocate.drop_allocation),
        Step(bury_row),
        Step(mapping.forget, at='super'),
    )
    ends = states.VM.DELETED
    fails = states.VM.ERROR


class SoftDelete(Flow[wire.DeleteState]):
    """A soft delete of a server that no resize left in between."""

    name = 'soft_delete'
    version = '1.0'
    action = 'delete'
    exclusion = PREEMPTING
    steps = (
        Step(flow.look_at_host, choice=True, shows=states.Task.SOFT_DELETING),
        Step(mapping.uncount, undo=mapping.count, at='super'),
        Step(host.switch_off, undo=power.observe, at='host', when=flow.reaches_guest),
        Step(flow.mark_reclaimable, pivot=True),
    )
    ends = states.VM.SOFT_DELETED
    fails = states.VM.ERROR
