"""Odd requests over every route that is served: how many there are, from which seed, and what must not come."""

import os
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from nova.tests.api import fuzz

REQUESTS = int(os.environ.get('NOVA_TEST_REQUESTS', '0'))
SEED = int(os.environ.get('NOVA_TEST_SEED', '0'))
"""On demand: so many requests, and from this seed. Otherwise it is a sample."""

BOOT = ('/servers', 'post')
"""What most of the others need."""

Send = Callable[[dict[str, Any]], Any]
"""Sends what `fuzz.Fuzz.request` made; answers a response with ``status_code`` and ``text``."""


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """``(path, method, operation)`` of an OpenAPI document."""
    return [(path, method, operation) for path, methods in document['paths'].items()
            for method, operation in methods.items()]


class Sweep:
    """Requests of one microversion.

    Attributes:
        answers: how many there were of each status.
        failed: the first request of each operation that ended in a server error, and what was answered.
    """

    def __init__(self, document: dict[str, Any], requests: fuzz.Fuzz, send: Send) -> None:
        self._operations, self._requests, self._send = operations(document), requests, send
        # Those that say much are asked more often than those that are gone.
        self._weights = [0.2 + len(str(operation)) / 1000 + (20 if (path, method) == BOOT else 0)
                         for path, method, operation in self._operations]
        self.answers: Counter[int] = Counter()
        self.failed: dict[str, Any] = {}

    def run(self, count: int) -> None:
        """Send so many more, each operation at least once where there is room."""
        first: Iterable[Any] = self._operations if not self.answers and count > len(self._operations) else ()
        chosen = [*first, *self._requests.chance.choices(self._operations, self._weights, k=count)][:count]
        for path, method, operation in chosen:
            made = self._requests.request(path, method, operation)
            answer = self._send(made)
            self.answers[answer.status_code] += 1
            if answer.status_code >= 500 and answer.status_code != 501:
                self.failed.setdefault(f'{method} {path}', (made, answer.status_code, answer.text))
