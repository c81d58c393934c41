"""POST /servers/{id}/action: os-migrateLive."""


from nova import errors, objects, states
from nova.common import clock, problem, threads, uuids
from nova.common.jsonutil import JsonObject
from nova.domain import pci
from nova.objects import LiveMove
from nova.objects import move as kinds
from nova.objects import task as rows
from nova.ops.live_migrate import flow, host
from nova.policies import migrate_server as rules
from nova.rest import types
from nova.rest.field import Field, Span
from nova.rest.resource import Body
from nova.steps import moves, shares
from nova.task.guard import From
from nova.task.handles import Request

PATIENCE, PAUSE = 60.0, 0.1
"""Seconds for which an answer waits for the checks of hosts, and between two looks at how far they are."""

_AUTO = types.enum(*types.BOOLEANS, 'auto')


class MigrateLiveAction(shares.WithoutShares):
    """Whether the hosts will do is found out in the background; before 2.34 the answer waits for it.

    Before 2.30 the host that is named is taken as it is; from then on the scheduler checks it, until 2.67
    unless it is told not to.
    """

    key = 'os-migrateLive'
    rule = rules.MIGRATE_LIVE
    rules = (rules.MIGRATE_LIVE_HOST,)
    body = Body(
        host=Field(types.nullable(types.HOST), required=True, body='2.1'),
        block_migration=Field(required=True, body=(Span('2.1', '2.24', type=types.BOOLISH),
                                                   Span('2.25', type=_AUTO))),
        disk_over_commit=Field(types.BOOLISH, body=Span('2.1', '2.24', required=True)),
        force=Field(types.BOOLISH, body=Span('2.30', '2.67')))
    start = From(states.VM.ACTIVE, states.VM.PAUSED, host=True)
    flow = flow.LiveMigrate

    def prepare(self, req: Request, instance: objects.Instance, body: JsonObject) -> LiveMove:
        host, force = body['host'], types.is_true(body.get('force', False))
        if force and host is None:
            raise problem.BadRequest("Can't force to a non-provided destination")
        if host is not None:
            req.authorize(rules.MIGRATE_LIVE_HOST)
            if not req.cells.has_node(host, None):
                raise errors.Invalid(f'Compute host {host} could not be found.')
            if host == instance.host:
                raise errors.Invalid('The server is on that host already: the destination must be another one.')
        if not req.host_is_up(instance.host):
            raise errors.Invalid(f'Compute service of {instance.host} is unavailable at this time.')
        if pci.has_devices(instance.network_info):
            raise errors.Invalid('Ports of this server are devices of its host, which cannot go along with a '
                                 'guest that runs: migrate it cold.')
        block = body['block_migration']
        return moves.started(
            instance, kinds.LIVE, LiveMove, migration=uuids.generate(), wanted_host=host,
            forced=host is not None and (force or not req.at('2.30')), ignored=[instance.host],
            block_migration=None if block == 'auto' else types.is_true(block))

    def reply(self, req: Request, instance: objects.Instance, body: JsonObject, state: LiveMove,
              task: rows.Task) -> None:
        """Nothing; before 2.34 only once a host has been found that will do.

        Raises:
            errors.Invalid: no host will; all is as before by then.
        """
        if req.at('2.34'):
            return
        end, seen = clock.monotonic() + PATIENCE, task
        while not _checked(seen) and clock.monotonic() < end:
            threads.sleep(PAUSE)
            with req.place.db.read() as conn:
                seen = rows.get(conn, task.uuid) or seen
        if seen.ended and seen.error is not None:
            raise errors.Invalid(errors.from_dict(seen.error).message)


def _checked(task: rows.Task) -> bool:
    """Whether the hosts of a live migration have said that they will do; or it has ended."""
    last = flow.LiveMigrate.index(host.check_source.__name__)
    return task.ended or (task.direction == 'do' and flow.LiveMigrate.index(task.step or '') > last)
