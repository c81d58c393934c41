"""What conductors are told."""

from nova import release
from nova.objects import step
from nova.rpc import kernel


class Conductor(kernel.Interface):
    """Served by the conductors of a cell, and by super-conductors on the top bus, which hosts do not reach.

    `wake`: there may be something to do about a task; worth nothing later, since the keeper looks as well.
    `step_done`, `progress`: how a step on a host ended, or how far it is. A lost answer is asked for again.
    `host_up`: a host joins; the answer tells what it has to do. `paid`: it has done what it owed.
    `nodes`: its hypervisor has changed. `power_states`: what its hypervisor sees. `beat`: it lives, said in the
    form of the release before; hosts say so by `nova.rpc.liveness` once no such conductor is left.
    """

    topic = 'conductor'
    records = '1.3'
    levels = {'1.0': release.PREVIOUS.records, '1.1': {'StepCall': '1.0', 'StepProgress': '1.0'},
              '1.2': {'HostOrders': '1.1'}}
    wake = kernel.cast(step.Wake)
    step_done = kernel.cast(step.StepResult, keep=60)
    progress = kernel.cast(step.StepProgress)
    beat = kernel.cast(step.HostReport)
    host_up = kernel.call(step.HostReport, returns=step.HostOrders, timeout=10)
    paid = kernel.call(step.HostPaid, since='1.1', timeout=10)
    nodes = kernel.cast(step.HostNodes, since='1.1')
    power_states = kernel.cast(step.GuestStates)
