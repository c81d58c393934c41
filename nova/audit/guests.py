"""Which guests hosts have, asked of many hosts at a time."""

from collections.abc import Callable, Collection, Sequence

from nova import context, errors, objects
from nova.common import threads
from nova.objects.question import GuestsQuestion
from nova.rpc import questions, transport

ASKED_AT_ONCE = 16

Ask = Callable[[objects.CellMapping, str], Collection[str]]
"""``ask(cell, host)``: uuids of the servers whose guests the host has.

Raises:
    errors.Unavailable: it does not answer, or is too old to.
"""


def asker(buses: transport.Buses) -> Ask:
    """Asks by the buses of the cells."""
    def ask(cell: objects.CellMapping, host: str) -> Collection[str]:
        client = questions.Questions.client(buses.cell(cell.transport_url), host)
        found: Sequence[str] = client.guests(context.admin(), GuestsQuestion(host=host)).servers
        return found
    return ask


def of_hosts(ask: Ask, cell: objects.CellMapping, hosts: Sequence[str]) -> dict[str, Collection[str] | None]:
    """The guests of each host; None where a host did not answer."""
    def one(host: str) -> Collection[str] | None:
        try:
            return ask(cell, host)
        except errors.Unavailable:
            return None
    return dict(zip(hosts, threads.each('audit-hosts', one, hosts, ASKED_AT_ONCE), strict=True))
