"""From which states an operation may start: the 409s that every action of a server derives."""

from collections.abc import Callable, Iterable

from nova import states
from nova.common.jsonutil import JsonObject
from nova.context import RequestContext
from nova.errors import server as errors
from nova.objects import Instance

Check = Callable[[Instance], None]
"""``check(instance)``: nothing, or a conflict. Called once before, and once inside the transaction that takes
the server's slot."""

IDLE: tuple[None] = (None,)
ANY: None = None


class From:
    """The states from which an operation may start.

    Args:
        vm_states: none given means any.
        task: the task_states allowed; `ANY` of them, or `IDLE` alone.
        but: task_states not allowed although `task` has them.
        launched: the server must have been up once.
        lock: a locked server refuses everyone but administrators.
        host: the server must have a host.
        host_up: and the compute service there must be alive.
    """

    def __init__(self, *vm_states: states.VM, task: Iterable[str | None] | None = IDLE,
                 but: Iterable[str] = (), launched: bool = True, lock: bool = True, host: bool = False,
                 host_up: bool = False) -> None:
        self.vm_states = frozenset(vm_states)
        self.task = None if task is None else frozenset(task)
        self.but = frozenset(but)
        self.launched = launched
        self.lock = lock
        self.host = host or host_up
        self.host_up = host_up

    def check(self, instance: Instance, action: str) -> None:
        """Accept the states of `instance`.

        Raises:
            ServerInState, ServerNotLaunched, ServerNotReady: 409.
        """
        facts: JsonObject = {'action': action, 'server': instance.uuid}
        if self.vm_states and instance.vm_state not in self.vm_states:
            raise errors.ServerInState(attribute='vm_state', state=instance.vm_state, **facts)
        task = instance.task_state
        if (self.task is not None and task not in self.task) or task in self.but:
            raise errors.ServerInState(attribute='task_state', state=task, **facts)
        if self.launched and not instance.launched_at:
            raise errors.ServerNotLaunched(**facts)
        if self.host and not instance.host:
            raise errors.ServerNotReady(server=instance.uuid)

    def check_lock(self, instance: Instance, context: RequestContext) -> None:
        """Refuse to touch a server that someone locked, unless an administrator asks.

        Raises:
            ServerLocked: 409.
        """
        if self.lock and instance.locked_by and not context.is_admin:
            raise errors.ServerLocked(server=instance.uuid)

    def guard(self, action: str) -> Check:
        """The check of the states alone, for the transaction that takes the slot."""
        return lambda instance: self.check(instance, action)


ANYTIME = From(task=ANY, launched=False)
"""From every state. A locked server still refuses everyone but administrators."""
