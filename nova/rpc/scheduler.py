"""What schedulers are asked."""

from nova import release
from nova.objects import selection
from nova.rpc import kernel


class Scheduler(kernel.Interface):
    """Served by the schedulers, on the top bus.

    `select` may run twice for a request, since claims of the same server replace one another: a scheduler that
    died over it is not waited for.
    """

    topic = 'scheduler'
    records = '1.1'
    levels = {'1.0': release.PREVIOUS.records}
    select = kernel.call(selection.SelectRequest, returns=selection.Selections, timeout='long', silence=4,
                         tries=5)
