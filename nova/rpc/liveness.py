"""Signs of life."""

from nova.objects import step
from nova.rpc import kernel


class Liveness(kernel.Interface):
    """Served by the conductors of a cell, with threads that do nothing else.

    `beat`: a host lives, or a conductor: whoever takes it writes it down. A host that has to join first, or
    that is wrong about itself, is told so by `ComputeHost.rejoin` and `set_status`.
    """

    topic = 'liveness'
    beat = kernel.cast(step.HostBeat)
