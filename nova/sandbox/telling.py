"""What the network stand-in tells Compute: that a port is plugged in, that its floating address has changed."""

import datetime
import json
import logging
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence

from nova.common import clock, threads
from nova.sandbox.store import Document

LOG = logging.getLogger(__name__)
_SECONDS = 30.0
_TOKEN_LIFE = datetime.timedelta(minutes=10)


class Telling:
    """Tells Compute of events, best effort, as Neutron does it.

    Args:
        compute_url: base URL of the Compute API.
        token: a new token of the service that tells; None where there is no such user.
    """

    def __init__(self, compute_url: Callable[[], str], token: Callable[[], str | None]) -> None:
        self._compute_url, self._token = compute_url, token
        self._kept: tuple[datetime.datetime, str | None] | None = None

    def changed(self, ports: Sequence[Document]) -> None:
        """Addresses of these ports are others now; those of servers are told, a moment later."""
        events = [{'name': 'network-changed', 'server_uuid': port['device_id'], 'tag': port['id']}
                  for port in ports if port['device_owner'].startswith('compute:') and port['device_id']]
        if events:
            threads.later('tell compute', 0.0, self._changed, events)

    def _changed(self, events: list[Document]) -> None:
        now = clock.utcnow()
        if self._kept is None or self._kept[0] < now:
            self._kept = now + _TOKEN_LIFE, self._token()
        if self._kept[1] is not None:
            self.tell(events, self._kept[1])

    def tell(self, events: list[Document], token: str) -> None:
        """Tell now; who does not hear it has missed it."""
        request = urllib.request.Request(
            f'{self._compute_url()}/v2.1/os-server-external-events', json.dumps({'events': events}).encode(),
            {'Content-Type': 'application/json', 'X-Auth-Token': token})
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
                LOG.info('Compute was told: %s: %d', events, answer.status)
        except (OSError, urllib.error.HTTPError) as error:
            LOG.warning('Compute was not told: %s: %s', events, error)
