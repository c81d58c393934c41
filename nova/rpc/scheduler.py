"""What schedulers are asked."""

from nova.objects import selection
from nova.rpc import kernel


class Scheduler(kernel.Interface):
    """Served by the schedulers, on the top bus."""

    topic = 'scheduler'
    select = kernel.call(selection.SelectRequest, returns=selection.Selections, timeout='long')
