"""Claims of the guests of one host, in its journal: nobody gets what another has; a crash forgets nothing."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, cast

from nova.common import threads
from nova.common.jsonutil import JsonObject
from nova.domain import numa_providers
from nova.objects import Instance
from nova.task.handles import Host
from nova.virt import fitting
from nova.virt.driver import kept
from nova.virt.driver.claims import Cell, Claim, Interface
from nova.virt.driver.inventory import HostDevice

ASIDE = 'claim_aside'
"""What a guest that is moving has on the host it leaves, until the move is confirmed or reverted."""


class Claims:
    """
    Args:
        host: its name.
        node: asks the name of its node.
        cells, devices, mdevs: what the host has now.
        aliases: ``[pci] alias``.
    """

    def __init__(self, host: str, node: Callable[[], str], cells: Callable[[], Sequence[fitting.HostCell]],
                 devices: Callable[[], Sequence[HostDevice]], aliases: Sequence[str] = (),
                 mdevs: Callable[[], Sequence[HostDevice]] = tuple) -> None:
        self._host, self._node = host, node
        self._cells, self._devices, self._aliases, self._mdevs = cells, devices, aliases, mdevs
        self._lock = threads.lock()

    def of(self, h: Host) -> Claim:
        """What a guest has."""
        return _find(h, kept.CLAIM) or Claim()

    def claim(self, h: Host) -> Claim:
        """Claim what the server asks for; what it has claimed for the same wish is answered.

        Raises:
            errors.task.Refused: this host has not enough left.
            errors.Invalid: what it asks for makes no sense.
        """
        mdevs = self._mdevs()
        asked = self._wanted(h, mdevs)
        found = h.journal.get(kept.CLAIM)
        if not asked:
            if found is not None:
                h.journal.put(kept.CLAIM, None)
            return Claim()
        wish = asked.words
        if found is not None and found.get('wish') == wish:
            return self.of(h)
        on = self._promised(h, asked)
        with self._lock:
            had = {address for name in (kept.CLAIM, ASIDE) if (mine := _find(h, name))
                   for address in mine.addresses}
            made = fitting.fit(asked, self._cells(), [*self._devices(), *mdevs], self._taken(h), had, on)
            h.journal.put(kept.CLAIM, {'wish': wish, **dataclasses.asdict(made)})
        return made

    def _promised(self, h: Host, asked: fitting.Wanted) -> list[int] | None:
        """The cells of this host that Placement has given to the server, where they are providers there."""
        if not asked.cells:
            return None
        node, held = self._node(), h.clients.placement.allocations(h.instance.uuid).allocations
        places = {numa_providers.cell_uuid(self._host, node, cell.node): cell.node for cell in self._cells()}
        found = numa_providers.holding({each: part for each, part in held.items() if each in places},
                                       asked.amounts)
        return [places[each] for each in found] if found is not None else None

    def _wanted(self, h: Host, mdevs: Sequence[HostDevice]) -> fitting.Wanted:
        return fitting.wanted(cast(Instance, h.instance), self._aliases,
                              {device.resource_class for device in mdevs})

    def made_of(self, h: Host) -> dict[str, HostDevice]:
        """The mediated devices that a guest has, by uuid."""
        mine = set(self.of(h).mdevs)
        return {device.address: device for device in self._mdevs() if device.address in mine} if mine else {}

    def take(self, h: Host) -> Claim:
        """`claim`, and say in the server's record what it is, for its owner to see."""
        made = self.claim(h)
        shown = topology(made)
        if shown is not None or (h.instance.known('numa_topology') and h.instance.numa_topology):
            h.instance.numa_topology = shown
        return made

    def port_profiles(self, h: Host) -> dict[str, JsonObject]:
        """See `ClaimsDriver.port_profiles`."""
        ports = self.take(h).ports
        there = {device.address: device for device in self._devices()} if ports else {}
        return {ident: there[port.address].profile for ident, port in ports.items()}

    def _taken(self, h: Host) -> list[Claim]:
        """What others have, and what they have set aside.

        What this server has set aside itself is there for it: when it is resized where it is, the former guest
        and the new one never run at a time.
        """
        return taken(h.journal, h.instance.uuid)

    def forget_port(self, h: Host, port_id: str) -> None:
        """Give back the device that was this port. Repeatable."""
        mine = self.of(h)
        if port_id in mine.ports:
            left = {ident: each for ident, each in mine.ports.items() if ident != port_id}
            wished = self._wanted(h, self._mdevs()).without(port_id)
            h.journal.put(kept.CLAIM, {
                'wish': wished.words, **dataclasses.asdict(dataclasses.replace(mine, ports=left))})

    def unclaim(self, h: Host) -> None:
        """Give back what a guest has, but for what was set aside. Repeatable."""
        h.journal.put(kept.CLAIM, None)

    # Moves

    def set_aside(self, h: Host) -> None:
        """Keep what a guest that leaves has, though another one of it may claim here. Repeatable."""
        if h.journal.get(ASIDE) is None:
            h.journal.put(ASIDE, h.journal.get(kept.CLAIM))
            h.journal.put(kept.CLAIM, None)

    def take_back(self, h: Host) -> None:
        """It comes back. Repeatable."""
        if h.journal.get(ASIDE) is not None:
            h.journal.put(kept.CLAIM, h.journal.get(ASIDE))
            h.journal.put(ASIDE, None)

    def forget_aside(self, h: Host) -> None:
        """It has left. Repeatable."""
        h.journal.put(ASIDE, None)


def topology(claim: Claim) -> dict[str, object] | None:
    """What a server's record keeps of the cells that its guest has, for its owner to see; None without any."""
    if not claim.cells:
        return None
    return {'cells': [{'id': cell.id, 'cpuset': [cpu for cpu in cell.cpus if cpu not in cell.pinned],
                       'pcpuset': sorted(cell.pinned), 'memory': cell.memory_mb, 'pagesize': cell.page_kb,
                       'siblings': [], 'host_node': cell.node,
                       'cpu_pinning': {str(vcpu): pcpu for vcpu, pcpu in cell.pinned.items()}}
                      for cell in claim.cells]}


class Journals(Protocol):
    """What a host remembers of its servers."""

    def each(self, name: str) -> Mapping[str, dict[str, object]]:
        """What is kept under a name, by server."""


def claims(journals: Journals) -> dict[str, Claim]:
    """What each guest of a host has, by server."""
    return {uuid: _read(entry) for uuid, entry in journals.each(kept.CLAIM).items()}


def taken(journals: Journals, but: str | None = None) -> list[Claim]:
    """What the guests of a host have, and what those that are leaving have set aside.

    Args:
        but: a server that is left out.
    """
    return [_read(entry) for name in (kept.CLAIM, ASIDE) for uuid, entry in journals.each(name).items()
            if uuid != but]


def _find(h: Host, name: str) -> Claim | None:
    """What is kept of the server under a name."""
    entry = h.journal.get(name)
    return None if entry is None else _read(entry)


def _read(entry: dict[str, object]) -> Claim:
    cells = cast(list[JsonObject], entry['cells'])
    ports = cast(dict[str, JsonObject], entry.get('ports', {}))
    return Claim(tuple(_cell(cell) for cell in cells), tuple(cast(list[str], entry['devices'])),
                 {ident: Interface(**port) for ident, port in ports.items()})


def _cell(values: JsonObject) -> Cell:
    return Cell(**{**values, 'cpus': tuple(values['cpus']),
                   'pinned': {int(vcpu): pcpu for vcpu, pcpu in values['pinned'].items()}})
