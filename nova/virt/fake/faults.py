"""What goes wrong with a fake hypervisor, from within the process or from outside it.

Within: `fail`, `before` and `after` of the object. From outside, for agents in a process of their own: a file
``faults.json`` in the driver's state directory, read again whenever it changes:

    {"spawn": {"do": "refuse", "times": 2}, "destroy": {"do": "delay", "seconds": 3},
     "power_on": {"do": "die", "when": "after"}}

``do`` is ``refuse`` (another host may be tried), ``fail``, ``delay``, ``hold`` (a delay that is over as soon as
the file is gone), ``last`` (it takes ``seconds``, telling progress and hearing signals and cancelling) or
``die`` (the process ends at once, as by kill -9); ``when`` is ``before`` the effect or ``after`` it; without
``times`` it goes on for ever. A list has several faults of one operation, and ``server`` says of which server.
"""

import json
import os
import pathlib
from collections.abc import Callable

from nova import errors
from nova.common import clock, threads
from nova.common.jsonutil import JsonObject

Hook = Callable[[str, str], object]
"""``hook(operation, server uuid)``; a `BaseException` it raises passes every handler, like a crash."""


class Faults:
    """Faults of one fake driver."""

    def __init__(self, file: pathlib.Path | None = None) -> None:
        self._file = file
        self._hooks: dict[str, list[Hook]] = {'before': [], 'after': []}
        self._lock = threads.lock()
        self._durations: dict[str, float] = {}

    def before(self, hook: Hook) -> None:
        """Call before each effect; what it raises keeps the effect from happening."""
        self._hooks['before'].append(hook)

    def after(self, hook: Hook) -> None:
        """Call after each effect; what it raises hides that it happened."""
        self._hooks['after'].append(hook)

    def clear(self) -> None:
        """No hooks any more."""
        self._hooks = {'before': [], 'after': []}

    def fail(self, operation: str, error: BaseException, times: int = 1, *, late: bool = False,
             server: str | None = None) -> None:
        """Raise `error` from the next `times` calls of an operation (on one server).

        `late` raises it when the effect has happened.
        """
        left = [times]

        def hook(name: str, uuid: str) -> None:
            with self._lock:
                hit = name == operation and left[0] > 0 and server in (None, uuid)
                left[0] -= hit
            if hit:
                raise error

        self._hooks['after' if late else 'before'].append(hook)

    def delay(self, operation: str, seconds: float) -> None:
        """Make every call of an operation last so long before its effect."""
        def hook(name: str, uuid: str) -> None:
            if name == operation:
                threads.sleep(seconds)

        self.before(hook)

    def last(self, operation: str, seconds: float) -> None:
        """Make an operation take so long, telling progress, and hearing signals and cancelling meanwhile."""
        self._durations[operation] = seconds

    def duration(self, operation: str) -> float:
        """Seconds that an operation takes."""
        fault = self._take('last', operation, None)
        return float(fault.get('seconds', 1)) if fault is not None else self._durations.get(operation, 0.0)

    def strike(self, when: str, operation: str, server: str) -> None:
        """Called by the driver around each effect."""
        for hook in list(self._hooks[when]):
            hook(operation, server)
        fault = self._take(when, operation, server)
        if fault is not None and fault.get('do') == 'hold':
            self._hold(clock.Deadline(float(fault.get('seconds', 60))))
        elif fault is not None:
            _act(fault, operation)

    def _hold(self, end: clock.Deadline) -> None:
        while self._file is not None and self._file.exists() and not end.passed():
            threads.sleep(0.05)

    def _take(self, when: str, operation: str, server: str | None) -> JsonObject | None:
        """The file's fault for this moment, counted down before it acts, so that dying counts."""
        if self._file is None:
            return None
        with self._lock:
            try:
                faults = json.loads(self._file.read_text(encoding='utf-8'))
            except (FileNotFoundError, ValueError):
                return None
            found = faults.get(operation) or []
            fault: JsonObject | None = next((
                each for each in (found if isinstance(found, list) else [found])
                if _moment(each) == when and each.get('times', 1) > 0 and each.get('server') in (None, server)
            ), None)
            if fault is not None and 'times' in fault:
                fault['times'] -= 1
                new = self._file.with_suffix('.new')
                new.write_text(json.dumps(faults), encoding='utf-8')
                os.replace(new, self._file)
            return fault


def _moment(fault: JsonObject) -> str:
    return 'last' if fault.get('do') == 'last' else str(fault.get('when', 'before'))


def _act(fault: JsonObject, operation: str) -> None:
    kind = fault.get('do', 'fail')
    if kind == 'delay':
        threads.sleep(float(fault.get('seconds', 1)))
    elif kind == 'die':
        os._exit(9)
    elif kind == 'refuse':
        raise errors.task.Refused(fault.get('reason', f'{operation} was told to refuse'))
    else:
        raise errors.virt.DriverFailed(reason=fault.get('reason', f'{operation} was told to fail'))
