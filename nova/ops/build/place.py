"""What a request for servers leaves in the API database, all of it in one transaction."""

import dataclasses
from collections.abc import Sequence

import sqlalchemy as sa

from nova import context as nova_context
from nova import objects
from nova.common import uuids
from nova.domain import quota
from nova.objects import task as rows
from nova.ops.build import schedule, wire
from nova.steps import injection
from nova.task import journal, notify
from nova.task.flow import AnyFlow


def build_of(conn: sa.Connection, server: str) -> rows.Task | None:
    """The build of a server that no cell has yet, as what its cell will have under this uuid; `conn` is the API
    database's."""
    for plain in rows.open_tasks(conn):
        task = rows.get(conn, plain.uuid) if plain.flow == schedule.Schedule.name else None
        state = None if task is None else wire.ScheduleState.from_wire(task.state)
        for planned in () if state is None else state.servers:
            if task is not None and planned.uuid == server:
                return dataclasses.replace(task, uuid=planned.build, action='create')
    return None


def insert(conn: sa.Connection, context: nova_context.RequestContext,
           servers: Sequence[tuple[objects.Instance, objects.RequestSpec]], group: str | None = None,
           trust: str | None = None, files: Sequence[injection.InjectedFile] = (),
           password: str | None = None, flow: type[AnyFlow] = schedule.Schedule) -> rows.Task:
    """Mapping, request spec and build request of each server, and one task that will place them all.

    Args:
        servers: each server's `Instance` and `RequestSpec`.
        group: uuid of the server group they join.
        trust, files, password: see `wire.BuildState`.
        flow: `schedule.Schedule`, in the version that super-conductors know.
    """
    for instance, spec in servers:
        objects.InstanceMapping(
            instance_uuid=instance.uuid, project_id=instance.project_id, user_id=instance.user_id,
            vcpus=instance.vcpus, memory_mb=instance.memory_mb,
            resources=dict(quota.demand(instance).resources)).create(conn)
        spec.num_instances = len(servers)
        spec.create(conn)
        objects.BuildRequest.of(instance).create(conn)
    if group is not None:
        found = objects.InstanceGroup.get(conn, uuid=group)
        found.add_members(conn, [instance.uuid for instance, _ in servers])
        notify.of_group(conn, 'add_member', found)
    planned = [wire.Planned(uuid=instance.uuid, build=uuids.generate()) for instance, _ in servers]
    state = wire.ScheduleState(servers=planned, trust=trust, files=list(files), password=password)
    return journal.insert(conn, flow, state, context)
