"""DELETE /servers/{id}, forceDelete and restore."""


import sqlalchemy as sa

from nova import errors, objects, states
from nova.objects import task as rows
from nova.ops.delete import flow, wire
from nova.policies import deferred_delete
from nova.policies import servers as rules
from nova.steps import mapping
from nova.task.action import Action
from nova.task.flow import AnyFlow
from nova.task.guard import ANY, From
from nova.task.handles import Request

_ALWAYS = From(task=ANY, launched=False)


class DeleteServer(Action):
    """Deletes a server in any state, also one that no cell has yet; a second request changes nothing."""

    method, path = 'DELETE', '/servers/{server_id}'
    name = 'delete'
    rule = rules.DELETE
    start = _ALWAYS
    status = 204

    def answer(self, req: Request, instance: objects.Instance, body: object) -> object:
        later = req.conf.reclaim_instance_interval > 0 and instance.launched_at is not None
        if not (later and instance.vm_state == states.VM.SOFT_DELETED):
            _remove(req, instance, flow.SoftDelete if later else flow.Delete)
        return None


class ForceDelete(Action):
    key = 'forceDelete'
    rule = deferred_delete.FORCE
    start = _ALWAYS

    def answer(self, req: Request, instance: objects.Instance, body: object) -> object:
        _remove(req, instance, flow.Delete)
        return None


def _remove(req: Request, instance: objects.Instance, kind: type[AnyFlow]) -> None:
    """Withdraw a server that no cell has; have its cell delete any other."""
    if req.place.mapping is None:
        if req.dbs.api.write(lambda conn: withdraw(conn, instance.uuid)):
            return
        instance = req.server(instance.uuid)
    for _ in range(3):
        try:
            req.submit(kind, instance, wire.DeleteState())
            return
        except errors.server.ServerInState as busy:
            instance = req.server(instance.uuid)
            if instance.task_state in _BUSY_ENOUGH[kind.name]:
                return
            last = busy
    raise last


_BUSY_ENOUGH = {'delete': (states.Task.DELETING,), 'soft_delete': states.ENDING}
"""What a server may be doing so that nothing more needs to be begun."""


def withdraw(conn: sa.Connection, uuid: str) -> bool:
    """Take a server back before any cell has it; False when its build request is gone.

    What was made for it is cleared by the task that is to place it. Where that task has given up, and left the
    server in error without a cell, nothing was made, and its rows go at once.
    """
    request = objects.BuildRequest.find(conn, instance_uuid=uuid)
    if request is None or not objects.BuildRequest.take(conn, uuid, request.revision):
        return False
    objects.InstanceMapping.queue_for_delete(conn, uuid)
    if request.instance.vm_state == states.VM.ERROR:
        mapping.erase(conn, uuid)
        rows.remove_of(conn, uuid)
    return True


class RestoreServer(Action):
    """Restores a softly deleted server if the quota of its project has room for it."""

    key = 'restore'
    rule = deferred_delete.RESTORE
    start = From(states.VM.SOFT_DELETED)

    def answer(self, req: Request, instance: objects.Instance, body: object) -> None:
        allowed = req.quota(instance.project_id, instance.user_id)
        req.dbs.api.write(lambda conn: objects.quota.recount(conn, allowed, instance.uuid))
        try:
            req.submit(flow.Restore, instance, wire.DeleteState(), guard=self.guard())
        except errors.NovaError:
            req.dbs.api.write(lambda conn: _uncount(conn, req, instance.uuid))
            raise


def _uncount(conn: sa.Connection, req: Request, uuid: str) -> None:
    """A server that stays deleted is not counted; one that somebody else restores meanwhile is.

    Whoever counts it next waits for this transaction.
    """
    objects.hold(conn, objects.InstanceMapping, instance_uuid=uuid)
    with req.place.db.read() as cell:
        server = objects.Instance.find(cell, (), uuid=uuid)
    if server is None or (server.vm_state == states.VM.SOFT_DELETED and server.task_state is None):
        objects.InstanceMapping.queue_for_delete(conn, uuid)
