"""Events of other services: judged one by one, written down, then told to whoever waits for them.

An event that an operation may wait for is in the cell's database before anybody is woken, so it does not matter
whether the wait has begun: see `nova.objects.event`.
"""

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence

import sqlalchemy as sa

from nova import objects
from nova.objects import event as events
from nova.objects import task as rows
from nova.ops.external_events.extend import ExtendState, ExtendVolume
from nova.ops.external_events.flow import RefreshNetwork
from nova.policies import server_external_events as rules
from nova.rest import types
from nova.rest.field import ABSENT, Document, Field, Span
from nova.rest.resource import Body, Many, Reply, Resource, post
from nova.task import journal
from nova.task.handles import Request

NAMES = ('network-changed', 'network-vif-deleted', 'network-vif-plugged', 'network-vif-unplugged')
LATER = {'2.51': 'volume-extended', '2.76': 'power-update', '2.82': 'accelerator-request-bound',
         '2.93': 'volume-reimaged'}
GROWN = 'volume-extended'
"""After this one a server's host and guest are told of the volume's size."""

_STALE = frozenset({'network-changed', 'network-vif-deleted'})
"""After these the server's interfaces are asked of the network service."""

_AWAITED = frozenset({events.PLUGGED, 'network-vif-unplugged', 'accelerator-request-bound', 'volume-reimaged'})
"""An operation may wait for these."""

_TAGGED = frozenset(LATER.values())
"""These say nothing without a tag."""

_STATUS = types.enum('completed', 'failed', 'in-progress')


def _names() -> tuple[Span, ...]:
    known, since, spans = list(NAMES), '2.1', []
    for first, name in LATER.items():
        last = f'2.{int(first.partition(".")[2]) - 1}'
        spans.append(Span(since, last, type=types.enum(*known)))
        known, since = [*known, name], first
    return (*spans, Span(since, type=types.enum(*known)))


class EventDocument(Document):
    """Faces: ``body``; ``list``, with the code that says what became of it."""

    name = Field(types.TEXT, 'What happened.', required=True, body=_names(), list=_names())
    server_uuid = Field(types.UUID, 'To which server.', required=True, body='2.1', list='2.1')
    status = Field(_STATUS, 'How it went.', body='2.1', list='2.1')
    tag = Field(types.text(high=255), 'To what of the server: a port, a volume, a device.', maybe=True,
                get=lambda told, look: ABSENT if told.tag is None else told.tag, body='2.1', list='2.1')
    code = Field(types.enum(200, 400, 404, 422), 'What became of the event.', list='2.1')


@dataclasses.dataclass(slots=True)
class Told:
    """An event of a request, and what became of it."""

    name: str
    server_uuid: str
    status: str = events.COMPLETED
    tag: str | None = None
    code: int = 200

    def refuse(self, code: int) -> None:
        self.code, self.status = code, events.FAILED


class ExternalEvents(Resource):

    @post('/os-server-external-events', rule=rules.CREATE, also=207, returns=Many('events', EventDocument),
          body=Body(events=Field(types.array(EventDocument, low=1), required=True)))
    def create(self, req: Request) -> Reply:
        """Take note of what happened to servers' ports, volumes and devices; 207 when some was refused."""
        told = [Told(**each) for each in req.body['events']]
        places = _places(req, sorted({each.server_uuid for each in told}))
        by_cell: dict[int, tuple[objects.CellMapping, list[Told]]] = {}
        for each in told:
            cell, host = places.get(each.server_uuid, (None, None))
            if cell is None:
                each.refuse(404)
            elif each.name in _TAGGED and not each.tag:
                each.refuse(400)
            elif host is None:
                each.refuse(422)
            else:
                by_cell.setdefault(cell.id, (cell, []))[1].append(each)
        for cell, accepted in by_cell.values():
            _take(req, cell, accepted)
        return Reply(subject=told, status=200 if all(each.code == 200 for each in told) else 207)


def _places(req: Request, uuids: Sequence[str]) -> Mapping[str, tuple[objects.CellMapping, str | None]]:
    """Cell and host of each server that a cell has; no host is known while its cell cannot be asked."""
    with req.dbs.api.read() as conn:
        mapped = {one.instance_uuid: one.cell_id
                  for one in objects.InstanceMapping.all(conn, instance_uuid=uuids) if one.cell_id is not None}
        cells = objects.CellMapping.all(conn, id=sorted(set(mapped.values()))) if mapped else []
    answers = req.cells.ask(lambda conn: objects.Instance.all(conn, uuid=uuids), cells)
    found: dict[str, tuple[objects.CellMapping, str | None]] = {}
    for cell, servers in answers:
        if servers is None:
            found.update({uuid: (cell, None) for uuid, home in mapped.items() if home == cell.id})
        else:
            found.update({server.uuid: (cell, server.host) for server in servers})
    return found


def _take(req: Request, cell: objects.CellMapping, told: Iterable[Told]) -> None:
    """Write down what was told about servers of one cell, and wake who waits for it.

    A later event about the same thing takes the place of the earlier. What is to be looked at anew is looked at
    once, however often it is told, as long as nobody has begun to look.
    """
    grown = {(each.server_uuid, each.tag) for each in told if each.name == GROWN}
    kept = [events.Event(each.server_uuid, each.name, each.tag or '', each.status)
            for each in told if each.name in _AWAITED]
    stale = sorted({each.server_uuid for each in told if each.name in _STALE})

    def write(conn: sa.Connection) -> list[str]:
        events.store(conn, kept)
        looks = rows.not_begun(conn, RefreshNetwork.name, stale) if stale else set()
        begun = [journal.insert(conn, RefreshNetwork, objects.State(), req.context, instance_uuid=uuid).uuid
                 for uuid in stale if uuid not in looks]
        begun += [journal.insert(conn, ExtendVolume, ExtendState(volume_id=device.volume_id), req.context,
                                 instance_uuid=device.instance_uuid).uuid
                  for device in _devices(conn, grown)]
        return begun + (rows.waiting_on(conn, sorted({each.instance_uuid for each in kept})) if kept else [])
    db = req.cells.db(cell)
    for task in db.write(write) if kept or stale or grown else ():
        req.wake(cell, task)


def _devices(conn: sa.Connection, grown: Collection[tuple[str, str | None]]
             ) -> list[objects.BlockDeviceMapping]:
    """The devices of servers whose volumes have grown."""
    if not grown:
        return []
    found = objects.BlockDeviceMapping.all(conn, instance_uuid=sorted({server for server, _ in grown}))
    return [device for device in found if (device.instance_uuid, device.volume_id) in grown]
