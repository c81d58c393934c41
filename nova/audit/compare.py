"""Where what is held for servers is not what servers have (the invariants of ``contributor/architecture``)."""

import dataclasses
from collections.abc import Iterator

from nova.audit.facts import ALLOCATIONS, RESTS, VOLUMES, Facts

KINDS = ('allocation', 'attachment', 'guest', 'operation', 'place', 'port', 'state')


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Difference:
    """One thing that does not belong, or is missing.

    Attributes:
        kind: one of `KINDS`.
        server: its uuid, or that of a move; empty where it concerns none.
        cell: name of the cell that has the server's row, or had it.
        repairable: one answer is right, and `repair` knows it.
    """

    kind: str
    server: str
    cell: str | None
    what: str
    repairable: bool = False


def differences(seen: Facts) -> list[Difference]:
    """All of them but those of servers with an open operation; a silent cell's servers are not judged."""
    found = [*_places(seen), *_states(seen), *_allocations(seen), *_ports(seen), *_attachments(seen),
             *_guests(seen)]
    return sorted({one for one in found if one.server not in seen.busy} | set(_operations(seen)))


def _living(seen: Facts, uuid: str) -> bool:
    return uuid in seen.building or (uuid in seen.servers and not seen.servers[uuid].deleted)


def _judged(seen: Facts, uuid: str) -> bool:
    """Whether everybody who may know the server was heard."""
    cell = seen.mapped.get(uuid)
    return seen.heard(cell) if cell is not None else not seen.silent & set(seen.databases)


def _gone(seen: Facts, kind: str, uuid: str, what: str) -> Difference:
    """Something of a server that is not there: ours to remove where a cell remembers the server."""
    known = seen.servers.get(uuid)
    if known is not None:
        return Difference(kind, uuid, known.cell, f'{what} is left of a server that is deleted', True)
    return Difference(kind, uuid, None, f'{what} is of a server that no cell knows: it may be of another '
                                        'deployment, or of a server that was archived')


def _places(seen: Facts) -> Iterator[Difference]:
    for uuid, cells in seen.places.items():
        if len(cells) > 1:
            yield Difference('place', uuid, None, f'is in several cells: {", ".join(sorted(cells))}')
        elif uuid in seen.building:
            yield Difference('place', uuid, cells[0], 'is in a cell and still waits to be built')
        elif uuid not in seen.mapped:
            yield Difference('place', uuid, cells[0], 'is not mapped to its cell, so users do not see it')
        elif seen.mapped[uuid] != cells[0]:
            yield Difference('place', uuid, cells[0], f'is mapped to another cell: {seen.mapped[uuid]}')
    for uuid, cell in seen.mapped.items():
        if cell is not None and seen.heard(cell) and uuid not in seen.servers:
            yield Difference('place', uuid, cell, 'is mapped to a cell that does not have it')


def _states(seen: Facts) -> Iterator[Difference]:
    for uuid, server in seen.servers.items():
        if server.task_state is not None and not server.deleted:
            yield Difference('state', uuid, server.cell,
                             f'shows the task state {server.task_state}, and no operation is open')
    for move in seen.moves.values():
        known = seen.servers.get(move.server)
        if not move.ended and move.status != 'finished' and known is not None and move.server not in seen.busy:
            yield Difference('state', move.server, known.cell,
                             f'shows a migration that is {move.status}, and no operation is open')


def _operations(seen: Facts) -> Iterator[Difference]:
    for cell, uuid, flow, step in seen.late:
        yield Difference('operation', uuid, cell, f'{flow} is at {step} long after its time')


def _allocations(seen: Facts) -> Iterator[Difference]:
    if not seen.heard(ALLOCATIONS):
        return
    held: dict[str, set[str]] = {}
    for consumer, node in seen.allocations:
        held.setdefault(consumer, set()).add(node)
    for consumer, nodes in held.items():
        for node in nodes:
            yield from _of_nobody(seen, held, consumer, node)
    for uuid, server in seen.servers.items():
        if server.deleted or server.node is None or server.node not in seen.nodes:
            continue
        nodes = held.get(uuid, set())
        if server.node not in nodes and not any(_holds_for(seen, each, uuid, server.node) for each in held):
            yield Difference('allocation', uuid, server.cell, f'has no allocation on its host {server.host}')
        for node in nodes - {server.node}:
            yield Difference('allocation', uuid, server.cell,
                             f'has an allocation on {seen.nodes[node]} too, and is on {server.host}')
        if uuid in seen.others and server.node in nodes:
            yield Difference('allocation', uuid, server.cell,
                             f'holds {_said(seen.allocations[uuid, server.node])} on its host, and its flavor '
                             f'stands for {_said(seen.others[uuid])}')


def is_orphan(seen: Facts, consumer: str) -> bool:
    """Whether what a consumer holds is of no server that lives, and of no move that may need it."""
    if consumer in seen.busy:
        return False
    if consumer not in seen.moves:
        return _judged(seen, consumer) and not _living(seen, consumer)
    move = seen.moves[consumer]
    known = seen.servers.get(move.server)
    return known is None or known.deleted or (
        move.ended and move.status != 'done' and move.server not in seen.busy and not any(
            node == known.node for each, node in seen.allocations if each == consumer))


def _said(amounts: dict[str, int]) -> str:
    return ', '.join(f'{amount} {name}' for name, amount in sorted(amounts.items())) or 'nothing'


def _of_nobody(seen: Facts, held: dict[str, set[str]], consumer: str, node: str) -> Iterator[Difference]:
    """What nobody should hold: of a server that is gone, or of a move that has ended."""
    host = seen.nodes[node]
    if consumer in seen.moves:
        move = seen.moves[consumer]
        if not move.ended or move.status == 'done' or move.server in seen.busy:
            return
        known = seen.servers.get(move.server)
        if known is not None and not known.deleted and known.node == node and node not in held.get(
                move.server, ()):
            yield Difference('allocation', move.server, known.cell,
                             f'its migration {consumer}, which has ended, holds for it what it has on {host}',
                             True)
            return
        yield Difference('allocation', consumer, known.cell if known is not None else None,
                         f'an allocation on {host} is left of a move that has ended', True)
    elif _judged(seen, consumer) and not _living(seen, consumer):
        yield _gone(seen, 'allocation', consumer, f'an allocation on {host}')


def _holds_for(seen: Facts, consumer: str, server: str, node: str) -> bool:
    """Whether a migration that has ended holds what a server has on its host."""
    return (consumer in seen.moves and seen.moves[consumer].server == server
            and (consumer, node) in seen.allocations)


def _guests(seen: Facts) -> Iterator[Difference]:
    """Rows without guests, and guests without rows; of the hosts that have answered."""
    for uuid, host in seen.guests:
        server = seen.servers.get(uuid)
        if server is None and _judged(seen, uuid):
            yield Difference('guest', uuid, None, f'a guest on {host} is of a server that no cell knows')
        elif server is not None and server.deleted:
            yield Difference('guest', uuid, server.cell,
                             f'a guest on {host} is left of a server that is deleted', True)
        elif server is not None and server.host != host and (uuid, host) not in seen.kept:
            yield Difference('guest', uuid, server.cell, f'has a guest on {host}, and is on {server.host}')
    for uuid, server in seen.servers.items():
        if (not server.deleted and server.vm_state in RESTS and server.host in seen.hosts
                and (uuid, server.host) not in seen.guests):
            yield Difference('guest', uuid, server.cell, f'has no guest on its host {server.host}')


def abandoned(before: Facts, now: Facts) -> Iterator[Difference]:
    """Operations that nobody cares for: no worker that lives has them in hand, or could take them over."""
    alive = {key for key, beat in now.beats.items() if before.beats.get(key, beat) != beat}
    for key, (server, flow, step, owner) in now.running.items():
        name, _ = key
        cared = owner is None or before.running.get(key) != now.running[key] or (name, owner) in alive
        if not any(where == name for where, _ in alive) or not cared:
            yield Difference('operation', server, name, f'{flow} is at {step}, and nobody looks after it')


def _ports(seen: Facts) -> Iterator[Difference]:
    for port, uuid in seen.ports:
        if _judged(seen, uuid) and not _living(seen, uuid):
            yield _gone(seen, 'port', uuid, f'port {port}')


def _attachments(seen: Facts) -> Iterator[Difference]:
    if not seen.heard(VOLUMES):
        return
    there = {ident for ident, _, _ in seen.attachments}
    for ident, volume, uuid in seen.attachments:
        if not _judged(seen, uuid):
            continue
        if not _living(seen, uuid):
            yield _gone(seen, 'attachment', uuid, f'attachment {ident} of volume {volume}')
        elif uuid in seen.servers and ident not in seen.servers[uuid].attachments:
            yield Difference('attachment', uuid, seen.servers[uuid].cell,
                             f'attachment {ident} of volume {volume} is none of its own', True)
    for uuid, server in seen.servers.items():
        for ident in server.attachments - there if not server.deleted else ():
            yield Difference('attachment', uuid, server.cell,
                             f'its attachment {ident} is not known to the block storage service')
