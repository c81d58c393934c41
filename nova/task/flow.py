"""The declaration language of operations: a `Flow` is a tuple of `Step`s, each with its undo beside it.

A flow says what happens and in which order; who runs it, when, and how often is the engine's business. Steps
run again after a crash, so each must be idempotent, and each undo must cope with a `do` that never happened,
happened half, or happened wholly.
"""

import dataclasses
import typing
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypedDict, TypeVar, Unpack, overload

from nova import errors, release, states
from nova.common import jsonutil, registry
from nova.objects import base, progress

if TYPE_CHECKING:
    from nova.task.handles import Conductor, Host, SuperConductor

Place = Literal['cell', 'super', 'host', 'source', 'dest']
Function = Callable[..., object]  # type: ignore[explicit-any]
"""``fn(handle, state)``; which handle follows from `Step.at`."""
S = TypeVar('S', contravariant=True)
F = TypeVar('F', bound=base.State)

HOST_PLACES = frozenset({'host', 'source', 'dest'})


class Options(TypedDict, total=False):
    """What a step may declare besides its functions; see `Step`."""

    shows: states.Task | None
    choice: bool
    elsewhere: bool
    timeout: float
    pivot: bool
    limit: str | None
    awaits_upgrade: bool
    signals: tuple[states.Signal, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Step(Generic[S]):
    """One effect and its undo.

    Both are functions ``fn(handle, state)``. The handle is a `handles.Conductor` in the cell, a
    `handles.SuperConductor` above, and a `handles.Host` on a host; the state is the flow's.

    Attributes:
        do: the effect. What it changes on ``handle.instance`` and on the state is saved in the transaction that
            finishes the step.
        undo: takes the effect back; None where there is nothing to take back.
        at: who runs both: a conductor of the cell, a super-conductor, or a host (``host`` is the server's,
            ``source`` and ``dest`` are named by the state's fields). An undo goes to the host that the step was
            given to, wherever the server is by then.
        shows: the task_state that clients see while this step runs; None keeps the one before.
        when: skip the step unless this is true of the state.
        awaited: while this is true of the state, its undo is waited for though its host is down, rather than
            owed, because only what is found there says where the flow goes on. It is owed all the same once an
            operator says that the host is dead, or the server is to be deleted.
        choice: a host's refusal unwinds to here and comes forward again, to the next alternate.
        elsewhere: what fails on this host may go right on another, so it has refused rather than failed, unless
            the error says that it is the same everywhere.
        timeout: seconds that it may take from its first start, waiting for neighbours that are away included;
            then it has failed. Beyond a pivot, and when undone, that is one try's time.
        pivot: once it is done nothing is undone any more; later steps are retried until the deadline.
        limit: the option (``name`` or ``group.name``) that says how many such steps a host runs at once; 0 is
            any number. Who waits for room holds no thread. Undoing is not limited.
        awaits_upgrade: a host of the release before, which does not know the flow, is waited for until it is
            upgraded, while the step's time lasts. Else it has refused, where another may do (`elsewhere`),
            or the step has failed. An undo, and a step beyond a pivot, waits in any case.
        signals: what it hears of while it runs on a host. One that hears of `ABORT` raises `Cancelled`, or goes
            on to its end; any other step is stopped and undone by it.
    """

    do: Function
    undo: Function | None = None
    at: Place = 'cell'
    shows: states.Task | None = None
    when: Callable[[S], bool] | None = None
    awaited: Callable[[S], bool] | None = None
    choice: bool = False
    elsewhere: bool = False
    timeout: float = 600.0
    pivot: bool = False
    limit: str | None = None
    awaits_upgrade: bool = False
    signals: tuple[states.Signal, ...] = ()
    waits: ClassVar[bool] = False

    if TYPE_CHECKING:
        @overload
        def __init__(self, do: Callable[[Conductor, S], object],
                     undo: Callable[[Conductor, S], object] | None = None, *, at: Literal['cell'] = 'cell',
                     when: Callable[[S], bool] | None = None, **more: Unpack[Options]) -> None: ...

        @overload
        def __init__(self, do: Callable[[SuperConductor, S], object],
                     undo: Callable[[SuperConductor, S], object] | None = None, *, at: Literal['super'],
                     when: Callable[[S], bool] | None = None, **more: Unpack[Options]) -> None: ...

        @overload
        def __init__(self, do: Callable[[Host, S], object], undo: Callable[[Host, S], object] | None = None, *,
                     at: Literal['host', 'source', 'dest'], when: Callable[[S], bool] | None = None,
                     awaited: Callable[[S], bool] | None = None, **more: Unpack[Options]) -> None: ...

        def __init__(self, do: Function, undo: Function | None = None, *, at: Place = 'cell',
                     when: Callable[[S], bool] | None = None, awaited: Callable[[S], bool] | None = None,
                     **more: Unpack[Options]) -> None: ...

    @property
    def name(self) -> str:
        return self.do.__name__

    @property
    def on_host(self) -> bool:
        return self.at in HOST_PLACES

    def verdict(self, error: Exception) -> Exception:
        """What an error of `do` on a host means to the flow."""
        if not self.elsewhere or getattr(error, 'everywhere', False) or getattr(error, 'again', False):
            return error
        said = error.message if isinstance(error, errors.NovaError) else type(error).__name__
        refusal = errors.task.Refused(said)
        refusal.__cause__ = error
        return refusal


class Wait(Step[S]):
    """A step that ends when ``do(handle, state)`` returns true; asked on every wake-up, and by the keeper.

    The task holds no thread meanwhile. It fails when ``do`` raises, or when its `timeout` has passed; a shorter
    time that is configured is ``do``'s to look at, from ``handle.task.step_started_at`` on. What others
    announce may come before the wait begins: ``do`` finds it in `nova.objects.event`.
    """

    waits: ClassVar[bool] = True

    if TYPE_CHECKING:
        def __init__(self, do: Callable[[Conductor, S], bool],
                     undo: Callable[[Conductor, S], object] | None = None, *,
                     when: Callable[[S], bool] | None = None, **more: Unpack[Options]) -> None: ...


def cancel_holder(h: 'Conductor', state: base.State) -> bool:
    """First step of a pre-empting flow: cancel who holds the server and wait until it has unwound."""
    return h.cancel_holder()


EXCLUSIVE, QUEUED, PREEMPTING, SHARING = 'exclusive', 'queued', 'preempting', 'sharing'
FLOWS: registry.Registry[type['AnyFlow']] = registry.Registry('flow')


class Flow(Generic[F]):
    """An operation: ``class Pause(Flow[PauseState])``. Declaring a subclass registers it under `name`.

    Attributes:
        name: stable; tasks in the database refer to it.
        version: raised when steps change meaning; a worker takes only versions it knows. That of the release
            before is declared beside it, under the same name (``before.py`` of its room).
        action: the name under which clients see the operation in os-instance-actions; None hides it.
        State: record class of what the flow knows, saved after every step: the one in the brackets.
        Progress: record class of how far its steps on hosts are.
        exclusion: ``exclusive`` (one such operation a server), ``queued`` (several may be asked for; they run
            one at a time, in that order, beside no exclusive one, and show no task_state), ``preempting``
            (cancels what runs and what waits for its turn) or ``sharing`` (runs beside anything).
        ends: vm_state after success; None keeps it.
        fails: vm_state after a failure that was undone; None keeps it.
        deadline: seconds after which a task goes forward no more: it is undone; or, when its steps beyond the
            pivot keep failing, stuck. There is no deadline for going back.

    `arrived` is for flows whose point of no return is seen rather than decided.
    """

    name: ClassVar[str] = ''
    version: ClassVar[str] = '1.0'
    action: ClassVar[str | None] = None
    State: ClassVar[type[base.State]]
    Progress: ClassVar[type[progress.Progress]] = progress.Progress
    exclusion: ClassVar[str] = EXCLUSIVE
    steps: tuple[Step[F], ...] = ()
    ends: ClassVar[states.VM | None] = None
    fails: ClassVar[states.VM | None] = None
    deadline: ClassVar[float] = 3600.0

    def __init_subclass__(cls) -> None:
        for parent in cls.__dict__.get('__orig_bases__', ()):
            cls.State, = typing.get_args(parent)
        if 'name' not in cls.__dict__:
            cls.name = cls.__name__.lower()
        if cls.exclusion == PREEMPTING:
            cls.steps = (Wait(cancel_holder, timeout=cls.deadline), *cls.steps)
        names = [step.name for step in cls.steps]
        if len(set(names)) != len(names) or not names:
            raise TypeError(f'flow {cls.name}: steps must be there and have distinct names, not {names}')
        if cls.exclusion == QUEUED and any(step.shows for step in cls.steps):
            raise TypeError(f'flow {cls.name}: queued operations show no task_state')
        for at in ('source', 'dest'):
            if any(step.at == at for step in cls.steps) and at not in cls.State.fields:
                raise TypeError(f'flow {cls.name}: a step at {at!r} needs a field of that name in the state')
        FLOWS.add(cls.key(), cls)

    @classmethod
    def key(cls) -> str:
        """Under which it is registered."""
        return key_of(cls.name, cls.version)

    @classmethod
    def kept(cls, state: base.State) -> jsonutil.JsonObject:
        """The form in which a task keeps its state: that of the release before, if that runs this flow."""
        shared = release.PREVIOUS.flows.get(cls.name) == cls.version
        return state.to_wire(release.PREVIOUS.records if shared else None)

    @classmethod
    def looks_later(cls, state: F) -> 'tuple[type[AnyFlow], base.State] | None':
        """What looks, a while after a task that did not go right at once, at what came late for it.

        Only a flow that has no server of its own says so; at the server of others is looked anyway.
        """
        return None

    @classmethod
    def looks_above(cls) -> bool:
        """Whether some step needs a super-conductor; then one is woken, and saves a hand-over."""
        return any(step.at == 'super' for step in cls.steps)

    @classmethod
    def index(cls, name: str) -> int:
        for index, step in enumerate(cls.steps):
            if step.name == name:
                return index
        raise LookupError(f'flow {cls.name} {cls.version} has no step {name!r}')

    @classmethod
    def step(cls, name: str) -> 'AnyStep':
        return cls.steps[cls.index(name)]

    @classmethod
    def slot(cls) -> str | None:
        """Value of the task's `exclusive` column, unique per server; None leaves it unguarded."""
        return {EXCLUSIVE: 'main', QUEUED: 'main', PREEMPTING: 'delete', SHARING: None}[cls.exclusion]

    @classmethod
    def first(cls, state: F) -> 'AnyStep | None':
        """The first step that applies to `state`."""
        return cls.after(-1, state)

    @classmethod
    def after(cls, index: int, state: F) -> 'AnyStep | None':
        """The next step forward that applies; None past the end."""
        return next((s for s in cls.steps[index + 1:] if s.when is None or s.when(state)), None)

    @classmethod
    def before(cls, index: int, state: F) -> 'AnyStep | None':
        """The next step backward that applies and has something to undo or to choose again."""
        return next((s for s in reversed(cls.steps[:max(index, 0)])
                     if (s.undo or s.choice) and (s.when is None or s.when(state))), None)

    @classmethod
    def arrived(cls, state: F) -> bool:
        """Whether there is no way back by what the state says, wherever the task stands.

        One that goes back comes forward again at the next choice that it meets, whatever it goes back for.
        """
        return False

    @classmethod
    def unanswered(cls, state: F, step: str) -> None:
        """A step is given up whose host has not said what became of it: what the state has to know of that."""

    @classmethod
    def beyond_pivot(cls, index: int) -> bool:
        """Whether the step at `index` comes after a point of no return."""
        return any(step.pivot for step in cls.steps[:index])

    @classmethod
    def committed(cls, index: int, state: F) -> bool:
        """Whether there is no way back from the step at `index`."""
        return cls.beyond_pivot(index) or cls.arrived(state)

    @classmethod
    def choice_before(cls, index: int) -> 'AnyStep | None':
        """Where a refusal at `index` turns to; None when this flow has no other choice to make."""
        return next((step for step in reversed(cls.steps[:index]) if step.choice), None)


AnyStep = Step[Any]  # type: ignore[explicit-any]
AnyFlow = Flow[Any]  # type: ignore[explicit-any]
"""One of which only the engine's part is of interest."""


def key_of(name: str, version: str) -> str:
    """`Flow.key` of the flow of this name and version, known here or not."""
    return f'{name}/{version}'


def known(name: str, version: str) -> type[AnyFlow] | None:
    """The flow of this name and version, if this release knows it and a module that was loaded declares it."""
    flow = FLOWS.get(key_of(name, version))
    return flow if flow is None or _runs(release.own(), flow) else None


def keys() -> list[str]:
    """Those of every flow that this release knows."""
    mine = release.own()
    return sorted(flow.key() for flow in FLOWS.values() if _runs(mine, flow))


def _runs(which: release.Release, flow: type[AnyFlow]) -> bool:
    return which.is_current or which.flows.get(flow.name) == flow.version


def at(flow: type[AnyFlow], oldest: release.Release) -> type[AnyFlow] | None:
    """The version of a flow that workers and hosts of a release run; None where they do not know it at all."""
    if oldest.is_current:
        return flow
    found = oldest.flows.get(flow.name)
    return None if found is None else known(flow.name, found)


def find(name: str) -> type[AnyFlow]:
    """The newest flow of this name.

    Raises:
        LookupError: no module that was loaded declares it.
    """
    found = [flow for flow in FLOWS.values() if flow.name == name]
    if not found:
        raise LookupError(f'no flow named {name!r}')
    return max(found, key=lambda flow: tuple(int(part) for part in flow.version.split('.')))
