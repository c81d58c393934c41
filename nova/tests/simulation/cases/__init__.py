"""Worlds in which flows begin, simulated ones and those of ``nova/tests/crash``.

There is one module for each room that needs more than a running server.

A module here has ``CASES``: flow name to ``start(world) -> server uuid``, which makes the server ready and
begins the flow. A flow without a case begins on a running server, put into the first state its action allows,
with an empty state. Where its state depends on the server, ``ON`` makes it, and ``WRITES`` is what a request
writes with the task: ``write(conn, server, state)``.
"""

import inspect

from nova import ops, states
from nova.common import folder
from nova.states import VM, Power
from nova.task.action import Action

_POWER = {VM.STOPPED: Power.SHUTDOWN, VM.PAUSED: Power.PAUSED, VM.SUSPENDED: Power.SUSPENDED}


def flows():
    """Every flow of the rooms, by name."""
    return {kind.name: kind for kind in ops.all_flows() if kind.__module__.startswith('nova.ops.')}


def starts():
    """Flow name to the function that begins it."""
    found = {name: _plain(kind) for name, kind in flows().items()}
    for module in folder.modules(__name__):
        found.update(module.CASES)
    return found


def states_of(name):
    """The state with which a flow begins: what its case's module says in ``STATES``, else an empty one."""
    made = _said('STATES', name)
    return flows()[name].State() if made is None else made()


def state_on(world, uuid, name):
    """`states_of` on a server; None where it is no server for this, as its case's module says in ``ON``."""
    made = _said('ON', name)
    if made is None:
        return states_of(name)
    server = world.server(uuid)
    return None if server is None else made(world, server)


def writes_of(name):
    """What a request that begins a flow writes with the task."""
    return _said('WRITES', name)


def _said(what, name):
    for module in folder.modules(__name__):
        made = getattr(module, what, {}).get(name)
        if made is not None:
            return made
    return None


def put(world, uuid, vm_state):
    """Make a running server one that is paused, stopped or suspended, its guest too."""
    power = _POWER.get(VM(vm_state), Power.RUNNING)
    server = world.server(uuid)
    world.drivers[server.host].set_power(uuid, power)
    world.change(uuid, vm_state=str(vm_state), power_state=int(power))


def _plain(kind):
    def start(world):
        uuid = world.running()
        allowed = next((action.start.vm_states for action in ops.actions()
                        if inspect.isclass(action) and issubclass(action, Action) and action.flow is kind), ())
        if allowed and states.VM.ACTIVE not in allowed:
            put(world, uuid, sorted(allowed)[0])
        world.begin(uuid, kind)
        return uuid
    return start
