"""Deleting a server, for good or for later; and taking a soft delete back.

A deletion comes before everything else: it cancels what holds the server and waits until that has unwound. Past
the guest's end nothing is taken back, only finished.
"""

import functools

import sqlalchemy as sa

from nova import objects, states
from nova.objects import owed
from nova.ops.delete import host, wire
from nova.steps import allocate, mapping, ports, power, shares, shelving, tpm, volumes
from nova.task.flow import PREEMPTING, Flow, Step
from nova.task.handles import Conductor


def look_at_host(h: Conductor, state: wire.DeleteState) -> None:
    """Whether there is a host to be told. One that is down is not waited for: its agent, when it returns, finds
    a guest that the conductor no longer knows, and destroys it."""
    state.guest = h.instance.host is not None and h.host_is_up(h.instance.host)
    if h.instance.migration_context is not None:
        state.move = objects.Move.from_wire(h.instance.migration_context)
        state.source = state.move.source


def reaches_guest(state: wire.DeleteState) -> bool:
    return bool(state.guest)


def was_resized(state: wire.DeleteState) -> bool:
    return state.source is not None


def close_moves(h: Conductor, state: wire.DeleteState) -> None:
    """Give up what other hosts hold for the server because of moves; a resize counts as confirmed (MIG-F3)."""
    with h.db.read() as conn:
        found = objects.Migration.unfinished(conn, h.instance.uuid)
    for migration in found:
        h.clients.placement.drop(migration.uuid)
        if migration.status == 'finished':
            h.db.write(functools.partial(objects.Migration.mark, uuid=migration.uuid, status='confirmed'))
    if h.instance.migration_context is not None:
        h.instance.migration_context = None


def purge(h: Conductor, state: wire.DeleteState) -> None:
    """Give up what neighbours hold for the server, and delete its row last; it stays as history, without its
    devices, tags and tokens. All of this may be repeated, whatever a crash has left."""
    close_moves(h, state)
    ports.release_ports(h, state)
    volumes.release_volumes(h, state)
    shares.release_shares(h, state)
    allocate.drop_allocation(h, state)
    shelving.drop_image(h, h.instance)
    tpm.drop_passphrase(h)

    def write(conn: sa.Connection) -> None:
        h.instance.copy().destroy(conn)
        if h.instance.host is not None and not state.guest:
            # It may have joined again before the row was gone; only a host that joins is told of its guest.
            owed.give_up(conn, h.instance.host)
    h.db.write(write)
    h.instance.vm_state, h.instance.task_state = str(states.VM.DELETED), None
    h.instance.clean()


class Delete(Flow[wire.DeleteState]):
    """For good. What super-conductors alone may do comes first, so that all that follows the guest's end is the
    cell's; and who waits until the server is gone finds its project's quota free."""

    version = '1.2'
    action = 'delete'
    exclusion = PREEMPTING
    steps = (
        Step(look_at_host, choice=True, shows=states.Task.DELETING),
        Step(mapping.forget, undo=mapping.remember, at='super'),
        Step(host.destroy_guest, undo=power.observe, at='host', when=reaches_guest, pivot=True,
             timeout=1800.0),
        Step(host.forget_source, at='source', when=was_resized, timeout=1800.0),
        Step(purge),
    )
    ends = states.VM.DELETED
    fails = states.VM.ERROR


def mark_reclaimable(h: Conductor, state: wire.DeleteState) -> None:
    """Note the time from which on the server waits to be deleted for good."""
    h.instance.deleted_at = h.db.now()


class SoftDelete(Flow[wire.DeleteState]):
    """For later: the guest is off, its project's quota free, and for a while it can be had back.

    Where that fails, the server is what it was: a resize can still be taken back.
    """

    name = 'soft_delete'
    version = '1.2'
    action = 'delete'
    exclusion = PREEMPTING
    steps = (
        Step(look_at_host, choice=True, shows=states.Task.SOFT_DELETING),
        Step(mapping.uncount, undo=mapping.count, at='super'),
        Step(host.switch_off, undo=power.as_before, at='host', when=reaches_guest),
        Step(mark_reclaimable, pivot=True),
        Step(host.forget_source, at='source', when=was_resized, timeout=1800.0),
        Step(volumes.drop_unnamed, when=was_resized),
        Step(close_moves, when=was_resized),
        Step(mapping.count_flavor, at='super', when=was_resized),
    )
    ends = states.VM.SOFT_DELETED


def lift_mark(h: Conductor, state: wire.DeleteState) -> None:
    h.instance.deleted_at = None


class Restore(Flow[wire.DeleteState]):
    """A soft delete taken back. The API has counted the server again already; a failure gives that back."""

    action = 'restore'
    steps = (
        Step(mapping.count, undo=mapping.uncount, at='super', shows=states.Task.RESTORING),
        Step(host.switch_on, undo=host.switch_off, at='host'),
        Step(lift_mark),
    )
    ends = states.VM.ACTIVE
