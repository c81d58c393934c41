"""What a compute host is told."""

from nova import release
from nova.objects import step
from nova.rpc import kernel


class ComputeHost(kernel.Interface):
    """Served by every compute host under its own name.

    `run_step` is answered by `Conductor.step_done`, whenever the step has ended. Both may be repeated: a host
    knows by its journal what it has done. A call of a step that runs brings it the signals that came since.
    `cancel_step` stops the attempt it names, or an older one. `set_status` says whether its service is
    disabled, when that has changed; a host that missed it is told again after its next heartbeat. `rejoin`:
    something that it was told to do was given up while it was not heard of; before it is sent anything else it
    has to join as at its start.
    """

    topic = 'compute'
    alone = True
    records = '1.2'
    levels = {'1.0': release.PREVIOUS.records, '1.1': {'StepCall': '1.0'}}
    run_step = kernel.cast(step.StepCall, keep=10)
    cancel_step = kernel.cast(step.StepRef)
    set_status = kernel.cast(step.HostStatus)
    rejoin = kernel.cast(step.HostEpoch, since='1.1')
