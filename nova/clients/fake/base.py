"""What the fakes share: hooks around every effect, scripted faults, one lock."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from nova.common import threads

Hook = Callable[[str, tuple[object, ...]], object]
P = ParamSpec('P')
R = TypeVar('R')
F = TypeVar('F', bound='Fake')


@dataclasses.dataclass(slots=True)
class _Fault:
    name: str
    error: BaseException
    times: int
    late: bool
    when: Callable[[tuple[object, ...]], bool] | None


class Hooks:
    """Who looks on, and what goes wrong. A crash is a hook that raises a `BaseException`: it passes handlers.

    Names are the methods of the fake: ``claim``, ``create_port``, ``reserve``.
    """

    def __init__(self) -> None:
        self._before: list[Hook] = []
        self._after: list[Hook] = []
        self._faults: list[_Fault] = []
        self._lock = threads.lock()

    def before(self, hook: Hook) -> None:
        """Call ``hook(name, args)`` before each effect; what it raises keeps the effect from happening."""
        self._before.append(hook)

    def after(self, hook: Hook) -> None:
        """Call ``hook(name, args)`` after each effect; what it raises hides the answer of one that happened."""
        self._after.append(hook)

    def clear(self) -> None:
        """No hooks and no faults any more."""
        self._before, self._after, self._faults = [], [], []

    def fail(self, name: str, error: BaseException, times: int = 1, *, late: bool = False,
             when: Callable[[tuple[object, ...]], bool] | None = None) -> None:
        """Raise `error` from the next `times` calls of a method (whose arguments please `when`).

        Args:
            late: raise after the effect has happened, like an answer that is lost.
        """
        self._faults.append(_Fault(name, error, times, late, when))

    def _fault(self, name: str, args: tuple[object, ...], late: bool) -> None:
        with self._lock:
            for fault in self._faults:
                if (fault.name, fault.late) == (name, late) and fault.times > 0 and (
                        fault.when is None or fault.when(args)):
                    fault.times -= 1
                    raise fault.error

    def enter(self, name: str, args: tuple[object, ...], effect: bool) -> None:
        self._fault(name, args, late=False)
        for hook in self._before if effect else ():
            hook(name, args)

    def leave(self, name: str, args: tuple[object, ...], effect: bool) -> None:
        for hook in self._after if effect else ():
            hook(name, args)
        self._fault(name, args, late=True)


class Fake:
    """A fake: its hooks, and a lock that makes each method atomic."""

    def __init__(self, hooks: Hooks | None = None) -> None:
        self.hooks = hooks or Hooks()
        self.before, self.after = self.hooks.before, self.hooks.after
        self.fail, self.clear = self.hooks.fail, self.hooks.clear
        self.lock = threads.rlock()


def _wrapped(method: Callable[Concatenate[F, P], R], effect: bool) -> Callable[Concatenate[F, P], R]:
    name = method.__name__

    @functools.wraps(method)
    def call(self: F, *args: P.args, **kwargs: P.kwargs) -> R:
        seen = (*args, *kwargs.values())
        self.hooks.enter(name, seen, effect)
        with self.lock:
            result = method(self, *args, **kwargs)
        self.hooks.leave(name, seen, effect)
        return result

    call.changes = effect  # type: ignore[attr-defined]
    return call


def effect(method: Callable[Concatenate[F, P], R]) -> Callable[Concatenate[F, P], R]:
    """A method that changes something: hooks and faults."""
    return _wrapped(method, True)


def probe(method: Callable[Concatenate[F, P], R]) -> Callable[Concatenate[F, P], R]:
    """A method that only reads: faults, no hooks."""
    return _wrapped(method, False)
