"""Flows whose steps say where they are: so effects are told by step, and runs of one attempt are counted."""

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Iterator
from typing import Any

from nova.task import flow as flows
from nova.tests.simulation.loop import Loop

Place = tuple[str, str, str, str, int]
"""flow, step, direction, task, attempt."""


class Steps:
    """Which attempts run now, and where.

    Attributes:
        twice: attempts that ran in two places at the same time.
    """

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.running: dict[Place, list[Any]] = {}
        self.twice: list[str] = []

    def enter(self, place: Place) -> Any:
        actor = self.loop.actor
        outer, actor.place = actor.place, place
        there = self.running.setdefault(place, [])
        alive = [other for other in there if not other.process.dead and not other.ended]
        if alive and place[1] != 'cancel_holder':
            self.twice.append(f'{self.loop.now:.3f}: {place[0]}.{place[1]} ({place[2]}) attempt {place[4]} '
                              f'runs in {actor} while it runs in {alive[0]}')
        there[:] = [*alive, actor]
        return outer

    def leave(self, place: Place, outer: Any) -> None:
        actor = self.loop.actor
        actor.place = outer
        there = self.running.get(place, [])
        if actor in there:
            there.remove(actor)


_current: list[Steps] = []


def _wrapped(flow: str, step: str, direction: str, fn: Callable[[Any, Any], Any] | None) -> Any:
    if fn is None:
        return None

    @functools.wraps(fn)
    def run(h: Any, state: Any) -> Any:
        if not _current:
            return fn(h, state)
        task = h.task if isinstance(h.task, str) else h.task.uuid
        attempt = h.attempt if isinstance(h.task, str) else h.task.attempt
        place = (flow, step, direction, task, attempt)
        steps = _current[-1]
        outer = steps.enter(place)
        try:
            return fn(h, state)
        finally:
            steps.leave(place, outer)
    return run


def _watch(kind: type[flows.Flow]) -> tuple[flows.Step, ...]:
    return tuple(dataclasses.replace(
        step, do=_wrapped(kind.name, step.name, 'do', step.do),
        undo=_wrapped(kind.name, step.name, 'undo', step.undo)) for step in kind.steps)


_made: dict[type[flows.Flow], tuple[tuple[flows.Step, ...], tuple[flows.Step, ...]]] = {}
"""The steps of each flow as they are, and those that tell."""


@contextlib.contextmanager
def watched(steps: Steps) -> Iterator[None]:
    """Have every registered flow tell `steps` meanwhile."""
    for kind in flows.FLOWS.values():
        if kind not in _made:
            _made[kind] = kind.steps, _watch(kind)
    for kind, (_, telling) in _made.items():
        kind.steps = telling
    _current.append(steps)
    try:
        yield
    finally:
        _current.remove(steps)
        for kind, (plain, _) in _made.items():
            kind.steps = plain
