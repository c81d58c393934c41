"""A history checker: many clients write at once, everything they saw is kept, and the whole must make sense.

Every consumer belongs to one client, and always holds the same amount of two classes on one provider, or on
each of two. So what is true can be told from the outside:

- no answer is a server error, and no refusal is for anything but capacity;
- at no time does any reader see more used than there is, or a consumer that is half-written;
- a refusal is honest: with what others may have held meanwhile, it would not have fitted;
- in the end every consumer holds exactly what its last successful write said, and every provider's generation
  moved once for each write that gave it something.
"""

import dataclasses
import random
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

from nova.placement import direct

CLASSES = ('VCPU', 'MEMORY_MB')


@dataclasses.dataclass(frozen=True)
class Write:
    """One attempt to change what a consumer holds (amount by provider)."""

    consumer: str
    begun: float
    ended: float
    before: dict[str, int]
    after: dict[str, int]
    status: int
    code: str | None
    generation: int | None


@dataclasses.dataclass
class History:
    """All that happened."""

    capacity: int
    providers: list[str]
    first_generation: int
    writes: list[Write] = dataclasses.field(default_factory=list)
    oddities: list[str] = dataclasses.field(default_factory=list)


class Worker:
    """One client with consumers of its own."""

    def __init__(self, client: direct.Client, history: History, seed: int) -> None:
        self._client = client
        self._history = history
        self._random = random.Random(seed)
        self._held: dict[str, tuple[dict[str, int], int]] = {}

    def step(self) -> None:
        """One random write."""
        choice = self._random.random()
        if self._held and choice < 0.25:
            self._delete(self._pick())
        elif self._held and choice < 0.5:
            self._put(self._pick(), self._amounts())
        elif len(self._held) > 1 and choice < 0.65:
            self._swap()
        else:
            self._put(str(uuid.UUID(int=self._random.getrandbits(128), version=4)), self._amounts())

    def _pick(self) -> str:
        return self._random.choice(sorted(self._held))

    def _amounts(self) -> dict[str, int]:
        amount = self._random.randint(1, 4)
        count = min(self._random.choice((1, 1, 1, 2)), len(self._history.providers))
        return dict.fromkeys(self._random.sample(self._history.providers, count), amount)

    def _document(self, consumer: str, amounts: dict[str, int]) -> dict[str, Any]:
        _, generation = self._held.get(consumer, ({}, None))
        return {'allocations': {provider: {'resources': dict.fromkeys(CLASSES, amount)}
                                for provider, amount in amounts.items()},
                'project_id': 'p', 'user_id': 'u', 'consumer_type': 'INSTANCE',
                'consumer_generation': generation}

    def _put(self, consumer: str, amounts: dict[str, int]) -> None:
        begun = time.monotonic()
        answer = self._client.put(f'/allocations/{consumer}', json=self._document(consumer, amounts))
        self._note({consumer: amounts}, begun, answer)

    def _swap(self) -> None:
        """What a migration does: exchange what two consumers hold, in one write."""
        one, other = self._random.sample(sorted(self._held), 2)
        after = {one: self._held[other][0], other: self._held[one][0]}
        begun = time.monotonic()
        answer = self._client.post('/allocations', json={
            consumer: self._document(consumer, amounts) for consumer, amounts in after.items()})
        self._note(after, begun, answer)
        if answer.status_code != 204:
            self._history.oddities.append(f'a swap was refused: {answer.text}')

    def _delete(self, consumer: str) -> None:
        begun = time.monotonic()
        answer = self._client.delete(f'/allocations/{consumer}')
        self._note({consumer: {}}, begun, answer)
        if answer.status_code != 204:
            self._history.oddities.append(f'a delete was refused: {answer.text}')

    def _note(self, after: dict[str, dict[str, int]], begun: float, answer: direct.Response) -> None:
        ended = time.monotonic()
        code = answer.json()['errors'][0].get('code') if answer.status_code != 204 else None
        for consumer, amounts in after.items():
            before, generation = self._held.get(consumer, ({}, None))
            self._history.writes.append(Write(consumer, begun, ended, before, amounts, answer.status_code,
                                              code, generation))
        if answer.status_code == 204:
            for consumer, amounts in after.items():
                _, generation = self._held.pop(consumer, ({}, None))
                if amounts:
                    self._held[consumer] = (amounts, (generation or 0) + 1)


class Observer:
    """Reads while others write."""

    def __init__(self, client: direct.Client, history: History) -> None:
        self._client = client
        self._history = history

    def step(self) -> None:
        """Read every provider, and the consumers found on it."""
        for provider in self._history.providers:
            found = self._client.get(f'/resource_providers/{provider}/allocations')
            if found.status_code != 200:
                self._history.oddities.append(f'{found.status_code} from a read: {found.text}')
                continue
            held = found.json()['allocations'].values()
            for name in CLASSES:
                used = sum(one['resources'].get(name, 0) for one in held)
                if used > self._history.capacity:
                    self._history.oddities.append(f'{used} {name} used of {self._history.capacity}')
            for one in held:
                if len(one['resources']) != 2 or len(set(one['resources'].values())) != 1:
                    self._history.oddities.append(f'half a consumer: {one}')
            for consumer in list(found.json()['allocations'])[:3]:
                self._whole(consumer)

    def _whole(self, consumer: str) -> None:
        shown = self._client.get(f'/allocations/{consumer}').json()['allocations']
        amounts = {amount for one in shown.values() for amount in one['resources'].values()}
        if len(amounts) > 1 or any(len(one['resources']) != 2 for one in shown.values()):
            self._history.oddities.append(f'half a consumer: {shown}')


def prepare(client: direct.Client, providers: int, capacity: int) -> History:
    """Providers with room for `capacity` of each class."""
    uuids = [str(uuid.uuid4()) for _ in range(providers)]
    for number, one in enumerate(uuids):
        client.post('/resource_providers', json={'name': f'host-{number}', 'uuid': one})
        answer = client.put(f'/resource_providers/{one}/inventories', json={
            'resource_provider_generation': 0,
            'inventories': {name: {'total': capacity} for name in CLASSES}})
        assert answer.status_code == 200, answer.text
    return History(capacity, uuids, 1)


def play(clients: list[direct.Client], history: History, steps: int, observers: int = 2) -> None:
    """Let every client write `steps` times, all at once, while observers read."""
    done = threading.Event()
    start = threading.Barrier(len(clients) + observers)
    failures: list[BaseException] = []

    def work(worker: Worker) -> None:
        start.wait()
        try:
            for _ in range(steps):
                worker.step()
        except BaseException as error:  # noqa: BLE001  a thread's failure must reach the test
            failures.append(error)

    def watch(observer: Observer) -> None:
        start.wait()
        try:
            while not done.is_set():
                observer.step()
        except BaseException as error:  # noqa: BLE001  as above
            failures.append(error)
    workers = [threading.Thread(target=work, args=[Worker(client, history, seed)])
               for seed, client in enumerate(clients)]
    watchers = [threading.Thread(target=watch, args=[Observer(clients[0], history)])
                for _ in range(observers)]
    for thread in (*workers, *watchers):
        thread.start()
    for thread in workers:
        thread.join()
    done.set()
    for thread in watchers:
        thread.join()
    assert not failures, failures


def check(client: direct.Client, history: History) -> None:
    """Fail unless the whole history makes sense."""
    assert not history.oddities, history.oddities[:5]
    refused = [write for write in history.writes if write.status != 204]
    strange = [write for write in refused if (write.status, write.code) != (409, 'placement.undefined_code')]
    assert not strange, strange[:5]
    dishonest = [write for write in refused if not _may_be_full(history, write)]
    assert not dishonest, dishonest[:5]
    _check_end(client, history)


def _may_be_full(history: History, refused: Write) -> bool:
    """Whether, with all that may have been held at some moment of that write, it would not have fitted."""
    return any(amount + sum(_most(history, provider, refused)) > history.capacity
               for provider, amount in refused.after.items())


def _most(history: History, provider: str, during: Write) -> Iterator[int]:
    """What each other consumer may have held of a provider at some moment of a write."""
    by_consumer: dict[str, int] = {}
    for write in history.writes:
        if write.status != 204 or write.consumer == during.consumer or write.begun > during.ended:
            continue
        if write.ended < during.begun:
            by_consumer[write.consumer] = write.after.get(provider, 0)
        else:
            by_consumer[write.consumer] = max(
                by_consumer.get(write.consumer, 0), write.before.get(provider, 0), write.after.get(provider, 0))
    yield from by_consumer.values()


def _check_end(client: direct.Client, history: History) -> None:
    last: dict[str, dict[str, int]] = {}
    gained = dict.fromkeys(history.providers, 0)
    counted: set[tuple[str, float]] = set()
    for write in history.writes:
        if write.status == 204:
            last[write.consumer] = write.after
            for provider in write.after:
                if (provider, write.begun) not in counted:
                    counted.add((provider, write.begun))
                    gained[provider] += 1
    for provider in history.providers:
        shown = client.get(f'/resource_providers/{provider}/allocations').json()
        expected = {consumer: dict.fromkeys(CLASSES, amounts[provider])
                    for consumer, amounts in last.items() if provider in amounts}
        assert {consumer: one['resources'] for consumer, one in shown['allocations'].items()} == expected
        moved = shown['resource_provider_generation'] - history.first_generation
        assert bool(gained[provider]) <= moved <= gained[provider]  # claims that come at once move it once
