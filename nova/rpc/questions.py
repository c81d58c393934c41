"""What a compute host is asked about itself and its guests while somebody waits for the answer."""

from nova.objects import question
from nova.rpc import kernel

SECONDS = 20.0
UPTIME_SECONDS = 5.0
"""A list of hosts shows without its uptime one that says nothing for so long."""


class Questions(kernel.Interface):
    """Served by every compute host under its own name, by threads of its own: a hypervisor that does not answer
    holds up other questions, but no step and no sign of life. Nothing is changed by a question, and
    `cache_images`, which nobody waits for, is of no effect on guests either.
    """

    topic = 'compute-questions'
    alone = True
    console = kernel.call(question.GuestQuestion, returns=question.ConsolePlace, timeout=SECONDS)
    console_output = kernel.call(question.GuestQuestion, returns=question.GuestAnswer, timeout=SECONDS)
    cache_images = kernel.cast(question.ImageList, since='1.1')
    guests = kernel.call(question.GuestsQuestion, returns=question.GuestList, timeout=SECONDS, since='1.2')
    uptime = kernel.call(question.HostQuestion, returns=question.HostUptime, timeout=UPTIME_SECONDS,
                         since='1.3')
    diagnostics = kernel.call(question.GuestQuestion, returns=question.GuestAnswer, timeout=SECONDS)
