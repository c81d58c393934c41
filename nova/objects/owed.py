"""Steps that a host owes: it was down when it should have been told of them, and operations went on.

What is owed is an undo of something that the host may have done, or a step beyond a point of no return. The
host is told of it when it is heard again, before anything else is sent to it: ``services.epoch`` is raised with
each debt, and a host that beats with another epoch has first to join anew.
"""


import sqlalchemy as sa

from nova.common import dbkit
from nova.db.cell import models
from nova.objects.step import StepCall

_BINARY = 'nova-compute'
_OWED = sa.select(models.owed_steps.c.call).where(
    models.owed_steps.c.host == sa.bindparam('its_host')).order_by(models.owed_steps.c.id)


def give_up(conn: sa.Connection, host: str) -> None:
    """Raise the epoch of a host: it has to join anew before anything else is sent to it."""
    table = models.services
    conn.execute(table.update().where(table.c.host == host, table.c.binary == _BINARY).values(
        epoch=table.c.epoch + 1))


def owe(conn: sa.Connection, host: str, call: StepCall) -> None:
    """Keep the `StepCall` that `host` cannot be told of now; secrets that the state is lent are left out."""
    kept = call.copy()
    kept.state = call.state.returned()
    conn.execute(models.owed_steps.insert(), {
        'host': host, 'task_uuid': call.task, 'attempt': call.attempt, 'call': kept.to_wire(),
        'created_at': dbkit.now(conn)})
    give_up(conn, host)


def owed_by(conn: sa.Connection, host: str) -> list[StepCall]:
    """The `StepCall` of everything that `host` owes, in the order in which it should have happened."""
    return [StepCall.from_wire(call) for call in conn.execute(_OWED, {'its_host': host}).scalars()]


def owes(conn: sa.Connection, host: str, instance_uuid: str) -> bool:
    """Whether a host owes a step on this server."""
    return any(call.instance.uuid == instance_uuid for call in owed_by(conn, host) if call.instance is not None)


def paid(conn: sa.Connection, task: str, attempt: int) -> StepCall | None:
    """Delete an owed step that the host has done; returns it, or None when nothing was owed under this
    attempt."""
    table = models.owed_steps
    this = (table.c.task_uuid == task) & (table.c.attempt == attempt)
    call = conn.execute(sa.select(table.c.call).where(this).with_for_update()).scalar()
    if call is None or not conn.execute(table.delete().where(this)).rowcount:
        return None
    return StepCall.from_wire(call)


def forget(conn: sa.Connection, host: str) -> None:
    """Delete what a host owes that is no more."""
    conn.execute(models.owed_steps.delete().where(models.owed_steps.c.host == host))
