"""lock and unlock: keep everyone but administrators from acting on a server by accident.

Answered within the request: nothing waits and no guest is touched.
"""

from collections.abc import Mapping

from nova import objects
from nova.common.jsonutil import JsonObject
from nova.policies import lock_server
from nova.rest.field import Field
from nova.rest.resource import Body
from nova.rest.types import text
from nova.task.action import Action
from nova.task.guard import ANY, From
from nova.task.handles import Request

OWNER, ADMIN = 'owner', 'admin'
REASON = 'locked_reason'
"""Under this key our notes about a server (`system_metadata`) keep why."""

_ALWAYS = From(task=ANY, launched=False, lock=False)


class Lock(Action):
    key = 'lock'
    rule = lock_server.LOCK
    body = Body(locked_reason=Field(text(1, 255), 'Why.'), null=True, since='2.73')
    start = _ALWAYS

    def answer(self, req: Request, instance: objects.Instance, body: JsonObject) -> None:
        """An owner who locks once more changes nothing, so an administrator's lock stays."""
        is_owner = instance.project_id == req.context.project_id
        reason = body.get(REASON) if req.at('2.73') and body else None

        def alter(fresh: objects.Instance) -> None:
            if not (fresh.locked_by and is_owner):
                fresh.locked_by = OWNER if is_owner else ADMIN
                fresh.system_metadata = _with(fresh.system_metadata, reason)
        req.record(instance, 'lock', alter)


class Unlock(Action):
    key = 'unlock'
    rule = lock_server.UNLOCK
    rules = (lock_server.UNLOCK_OVERRIDE,)
    start = _ALWAYS

    def answer(self, req: Request, instance: objects.Instance, body: object) -> None:
        is_owner = instance.project_id == req.context.project_id

        def alter(fresh: objects.Instance) -> None:
            if fresh.locked_by == ADMIN and is_owner:
                req.authorize(lock_server.UNLOCK_OVERRIDE,
                              {'project_id': fresh.project_id, 'user_id': fresh.user_id})
            fresh.locked_by, fresh.system_metadata = None, _with(fresh.system_metadata, None)
        req.record(instance, 'unlock', alter)


def _with(notes: Mapping[str, str] | None, reason: str | None) -> dict[str, str]:
    """Our notes about a server, with this reason and no other."""
    kept = {key: value for key, value in (notes or {}).items() if key != REASON}
    return {**kept, REASON: reason} if reason else kept
