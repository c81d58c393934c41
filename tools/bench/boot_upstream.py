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


class Client(Load):
    """Requests to a cluster, whoever wrote what runs there: it is asked for servers, never its database."""

    def listed(self, query: str = '') -> set[str]:
        """Ids of the servers."""
        return {server['id'] for server in self._get(f'{self._url}/servers?{query}')['servers']}

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


def one_round(client: Client, count: int) -> dict[str, float]:
    """Boot and delete `count` servers: a second, and milliseconds of processor time each.

    Raises:
        SystemExit: a request failed, or a server is not ACTIVE.
    """
    cpu, began = Cpu(client.cluster), time.monotonic()
    uuids, posts = client.each(client.boot, list(range(count)))
    booted = client.until('built', lambda: not client.listed('status=BUILD')) - began
    boot = sum(cpu.spent(count).values())
    if wrong := set(uuids) - client.listed('status=ACTIVE'):
        raise SystemExit(f'{len(wrong)} of {count} servers are not ACTIVE: {sorted(wrong)[:3]}')
    cpu, began = Cpu(client.cluster), time.monotonic()
    _, deletes = client.each(client.delete, uuids)
    gone = client.until('deleted', lambda: not client.listed()) - began
    return {'boots a second': count / booted, 'a boot, ms of processor time': boot,
            'POST, median ms': 1e3 * statistics.median(posts), 'deletions a second': count / gone,
            'a deletion, ms of processor time': sum(cpu.spent(count).values()),
            'DELETE, median ms': 1e3 * statistics.median(deletes)}


def compare(ours: Load, directory: pathlib.Path, count: int, rounds: int) -> dict[str, dict[str, float]]:
    """Print the medians of the rounds, each of which is one of ours and one of upstream's."""
    theirs = upstream.Upstream.at(directory.absolute())
    clients = {'ours': Client(ours.cluster, ours.clients), 'upstream': Client(theirs, ours.clients)}
    figures: dict[str, list[dict[str, float]]] = {name: [] for name in clients}
    for client in clients.values():  # what is done for the first time only
        one_round(client, client.clients)
    for number in range(rounds):
        for name, client in clients.items():
            idle = Cpu(client.cluster)
            time.sleep(IDLE)
            found = {'an idle second, ms of processor time': sum(idle.spent(IDLE).values())}
            figures[name].append(found | one_round(client, count))
            print(f'round {number + 1}, {name}: ' + ', '.join(
                f'{what} {figure:.1f}' for what, figure in figures[name][-1].items()), flush=True)
    medians = {name: {what: statistics.median(one[what] for one in each) for what in each[0]}
               for name, each in figures.items()}
    print(f'{count} servers, {ours.clients} clients, medians of {rounds} rounds{"ours":>10}{"upstream":>10}')
    for what, figure in medians['ours'].items():
        print(f'{what:48}{figure:10.1f}{medians["upstream"][what]:10.1f}')
    return medians
