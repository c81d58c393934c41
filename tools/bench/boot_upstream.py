"""Boots and deletions of our cluster and of upstream's, over HTTP alone, in turns."""

import pathlib
import statistics
import sys
import time
from collections.abc import Callable

from cluster_load import ROOT, Cpu, Load

sys.path.insert(0, str(ROOT / 'tools' / 'lib'))

import upstream

SECONDS = 1800.0
"""Longest time that all servers of a round may take."""
PAUSE = 0.25
"""Seconds between two looks at those that are underway."""
IDLE = 5.0
BOOT, DELETION = 'a boot, ms of processor time', 'a deletion, ms of processor time'


class Client(Load):
    """Requests to a cluster, whoever wrote what runs there: it is asked for servers, never its database."""

    def some(self, query: str = '') -> bool:
        """Whether there is a server."""
        return bool(self._servers(f'limit=1&{query}'))

    def listed(self, query: str = '') -> set[str]:
        """Ids of the servers, page by page."""
        found: set[str] = set()
        page = self._servers(query)
        while page:
            found.update(page)
            page = self._servers(f'{query}&marker={page[-1]}')
        return found

    def state(self, uuid: str) -> str:
        """What a server is, and what it says about that."""
        shown = self._get(f'{self._url}/servers/{uuid}')['server']
        where = self.cluster.deployment.directory
        return f'{uuid} in {where} is {shown["status"]}: {shown.get("fault", {}).get("message")}'

    def _servers(self, query: str) -> list[str]:
        return [server['id'] for server in self._get(f'{self._url}/servers?{query}')['servers']]

    def until(self, what: str, there: Callable[[], bool]) -> float:
        """When something was so.

        Raises:
            SystemExit: time is over.
        """
        end = time.monotonic() + SECONDS
        while not there():
            if time.monotonic() > end:
                raise SystemExit(f'After {SECONDS:.0f} s not all servers are {what}')
            time.sleep(PAUSE)
        return time.monotonic()


def clients(ours: Load, directory: pathlib.Path) -> dict[str, Client]:
    """One of ours, and one of the upstream in a directory."""
    theirs = upstream.Upstream.at(directory.absolute())
    return {'ours': Client(ours.cluster, ours.clients), 'upstream': Client(theirs, ours.clients)}


def boots(client: Client, numbers: range) -> tuple[list[str], list[str], dict[str, float]]:
    """Boot servers of these numbers: they, those that did not become ACTIVE, and what it took, processor time
    in milliseconds each.

    Raises:
        SystemExit: a request failed.
    """
    cpu, began = Cpu(client.cluster), time.monotonic()
    uuids, posts = client.each(client.boot, list(numbers))
    booted = client.until('built', lambda: not client.some('status=BUILD')) - began
    spent = sum(cpu.spent(len(uuids)).values())
    active = client.listed('status=ACTIVE')
    return uuids, [one for one in uuids if one not in active], {
        'boots a second': len(uuids) / booted, BOOT: spent, 'POST, median ms': 1e3 * statistics.median(posts)}


def deletions(client: Client, uuids: list[str]) -> dict[str, float]:
    """Delete all servers; what it took, as of `boots`."""
    cpu, began = Cpu(client.cluster), time.monotonic()
    _, deletes = client.each(client.delete, uuids)
    gone = client.until('deleted', lambda: not client.some()) - began
    return {'deletions a second': len(uuids) / gone, DELETION: sum(cpu.spent(len(uuids)).values()),
            'DELETE, median ms': 1e3 * statistics.median(deletes)}


def one_round(client: Client, count: int) -> dict[str, float]:
    """Boot and delete `count` servers; what it took.

    Raises:
        SystemExit: a request failed, or a server did not become ACTIVE.
    """
    uuids, failed, found = boots(client, range(count))
    if failed:
        raise SystemExit(f'{len(failed)} of {count} servers are not ACTIVE: {client.state(failed[0])}')
    return found | deletions(client, uuids)


def compare(ours: Load, directory: pathlib.Path, count: int, rounds: int) -> dict[str, dict[str, float]]:
    """Print the medians of the rounds, each of which is one of ours and one of upstream's."""
    both = clients(ours, directory)
    figures: dict[str, list[dict[str, float]]] = {name: [] for name in both}
    for client in both.values():  # what is done for the first time only
        one_round(client, client.clients)
    for number in range(rounds):
        for name, client in both.items():
            idle = Cpu(client.cluster).during(IDLE)
            found = {'an idle second, ms of processor time': sum(idle.values())}
            figures[name].append(found | one_round(client, count))
            print(f'round {number + 1}, {name}: ' + ', '.join(
                f'{what} {figure:.1f}' for what, figure in figures[name][-1].items()), flush=True)
    medians = {name: {what: statistics.median(one[what] for one in each) for what in each[0]}
               for name, each in figures.items()}
    print(f'{count} servers, {ours.clients} clients, medians of {rounds} rounds{"ours":>10}{"upstream":>10}')
    for what, figure in medians['ours'].items():
        print(f'{what:48}{figure:10.1f}{medians["upstream"][what]:10.1f}')
    return medians
