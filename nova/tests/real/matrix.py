"""Many operations of a cluster at once, each with a server of its own: all of them rest at their steps when
processes are taken from under them, so that a process dies once for all the cases in which it dies.
"""

import collections
import json
import logging
import statistics
import time

import httpx

from nova.tests.fixtures.waiting import PATIENCE
from nova.tests.real import process_crash

LOG = logging.getLogger(__name__)

SOURCE, DEST = 'compute1', 'compute3'
"""The two hosts of the first cell."""
OTHER_SOURCE, OTHER_DEST = 'compute2', 'compute4'
"""And those of the second."""
UNLIMITED = {'max_concurrent_live_migrations': 0, 'max_concurrent_builds': 0, 'quota.instances': -1,
             'quota.cores': -1, 'quota.ram': -1}
"""Options of a cluster where that many operations are under way on one host."""
LONGEST = 300.0
"""Seconds for which something is held when nobody releases it."""


class Holds:
    """What keeps operations from going on: hosts at effects on guests, neighbours at requests; until `release`.

    As a context it releases them in the end.
    """

    def __init__(self, cluster):
        deployment = cluster.deployment
        self._files = [deployment.directory / 'state' / 'compute' / host / 'faults.json'
                       for host in deployment.hosts]
        self._url = f'http://127.0.0.1:{deployment.ports["sandbox"]}/sandbox/faults'

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.release()

    def release(self):
        for file in self._files:
            file.unlink(missing_ok=True)
        httpx.delete(self._url, timeout=PATIENCE).raise_for_status()

    # Hosts

    def at_hosts(self, effects):
        """Hosts take their time at ``{server: (effect, when)}``, before any of them is asked for.

        Further effects are held as they come: those without a server hold whichever is the next.
        """
        for file in self._files:
            faults = collections.defaultdict(list, self._read(file))
            for server, (effect, when) in effects.items():
                faults[effect].append({'do': 'hold', 'when': when, 'seconds': LONGEST, 'times': 1,
                                       **({'server': server} if server else {})})
            new = file.with_suffix('.made')
            new.write_text(json.dumps(faults))
            new.replace(file)

    @staticmethod
    def _read(file):
        return json.loads(file.read_text()) if file.exists() else {}

    def _struck(self):
        return [each for file in self._files for every in self._read(file).values() for each in every
                if not each['times']]

    def held(self):
        """Servers that hosts hold."""
        return {each['server'] for each in self._struck() if 'server' in each}

    def next_at_hosts(self, effect, when):
        """Hold the next server, whichever it is, at an effect; returns what says whether one is held.

        Nobody else is on the way then.
        """
        before = len(self._struck())
        self.at_hosts({None: (effect, when)})
        return lambda: len(self._struck()) > before

    # Neighbours

    def next_at_neighbour(self, service, method, path, when):
        """Hold the next such request; returns what says whether it is held."""
        httpx.post(self._url, timeout=PATIENCE, json={
            'service': service, 'method': method, 'path': path, 'delay': LONGEST,
            'after': when == 'after'}).raise_for_status()
        number = len(self._faults()) - 1
        return lambda: self._faults()[number]['hits'] > 0

    def _faults(self):
        return httpx.get(self._url, timeout=PATIENCE).raise_for_status().json()['faults']


def all_end(late, ended, told, seconds=process_crash.BACK):
    """Wait until every operation has ended, and log how long it took, since everybody was back.

    Args:
        late: the names of their cases.
        ended: ``ended(late)``, those of them that have ended as they should.
        told: ``told(late)``, what to say of those that have not.
    """
    began, late, took = time.monotonic(), set(late), {}
    while late:
        took |= dict.fromkeys(ended(late), time.monotonic() - began)
        late -= set(took)
        assert not late or time.monotonic() - began < seconds, told(late)
        time.sleep(0.1)
    each = sorted(round(seconds, 1) for seconds in took.values())
    LOG.info('%d operations ended after %.1f s (median), %.1f s (the last one, %s); each: %s',
             len(each), statistics.median(each), each[-1], max(took, key=took.__getitem__), each)
