"""What users ask for: each request is an actor of the API's process, past the checks of words."""

import base64
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from nova import cells, errors, objects, ops, release
from nova import context as nova_context
from nova.clients.trust import Trust
from nova.common import uuids
from nova.ops.build import place, schedule
from nova.ops.delete import api as delete_api
from nova.ops.delete import flow as deletion
from nova.ops.delete import wire as deletion_wire
from nova.rpc import conductor as rpc_conductor
from nova.steps import injection
from nova.task import action, guard, journal
from nova.task import flow as flows

PROJECT, USER = 'project', 'user'
Also = Callable[[Any, Any, Any], None]
"""Writes to a cell what a request writes there with its task: of connection, server and state."""


def entrusted() -> str | None:
    """The word of the user, as his request leaves it with a task."""
    return Trust(['secret']).entrust(nova_context.RequestContext(USER, PROJECT, auth_token='users'))


def action_of(kind: type[flows.Flow]) -> type[action.Action] | None:
    """The action that begins a flow: it says so, or it has its name; None where no user can begin it."""
    return next((each for each in ops.actions() if inspect.isclass(each) and issubclass(each, action.Action)
                 and (each.flow is kind or each.name == kind.name)), None)


def start_of(kind: type[flows.Flow]) -> guard.From:
    """From which states the action that begins a flow may start."""
    found = action_of(kind)
    return found.start if found is not None else guard.ANYTIME


def a_server(world: Any, index: int, volumes: Sequence[str], new: Sequence[str],
             networks: Sequence[objects.NetworkRequest], flavor: Any,
             fields: dict[str, Any]) -> tuple[Any, Any]:
    """The record of a server as the API makes it, and its request; for worlds of ``nova/tests/crash``, too.

    Args:
        volumes: ids of volumes to attach.
        new: sources (``image``, ``blank``) of volumes to be made; they go with their server.
        networks: what to ask for instead of a port on the only network.
    """
    flavor = flavor or world.flavor
    devices = [objects.BlockDeviceMapping(
        source_type='volume', destination_type='volume', volume_id=volume, device_name=f'/dev/vd{n}')
        for n, volume in enumerate(volumes)]
    devices += [objects.BlockDeviceMapping(
        source_type=source, destination_type='volume', volume_size=1, device_name=f'/dev/vd{n}',
        image_id=world.image.id if source == 'image' else None, delete_on_termination=True)
        for n, source in enumerate(new, len(volumes))]
    instance = objects.Instance.new(
        uuid=uuids.generate(), project_id=PROJECT, user_id=USER, display_name=f's{index}',
        hostname=f's{index}', image_ref=world.image.id, image_meta=world.image, flavor=flavor,
        task_state='scheduling', block_devices=devices, **fields)
    spec = objects.RequestSpec(
        instance_uuid=instance.uuid, project_id=PROJECT, user_id=USER, flavor=flavor, image=world.image,
        requested_networks=networks or [objects.NetworkRequest(network_id=world.network)], security_groups=[],
        requested_resources=[claim for request in networks for claim in request.claims])
    return instance, spec


def injected(files: Sequence[tuple[str, bytes]]) -> list[injection.InjectedFile]:
    """Files to be put into a server."""
    return [injection.InjectedFile(path=path, contents=base64.b64encode(contents).decode())
            for path, contents in files]


class Users:
    """The requests of one project.

    Attributes:
        servers: what was ordered, in order, whatever became of it.
    """

    def __init__(self, world: Any) -> None:
        self._world = world
        self.servers: list[str] = []

    def order(self, count: int = 1, volumes: Sequence[str] = (), new: Sequence[str] = (),
              files: Sequence[tuple[str, bytes]] = (), ports: Sequence[str] = (), flavor: Any = None,
              **fields: Any) -> list[str]:
        """POST /servers: uuids of the new servers.

        Args:
            volumes: ids of volumes to attach.
            new: sources (``image``, ``blank``) of volumes to be made; they go with their server.
            ports: ids of ports of the user's.
            fields: of the servers' records.
        """
        world = self._world
        networks = [objects.NetworkRequest(port_id=port) for port in ports]
        servers = [a_server(world, index, volumes, new, networks, flavor, fields) for index in range(count)]
        found = [instance.uuid for instance, _ in servers]
        self.servers += found
        trust = world.clients.trust.entrust(world.asking)

        def post() -> None:
            flow = self._fitting(schedule.Schedule, world.api_dbs.main)
            task = world.api_dbs.api.write(
                lambda conn: place.insert(conn, world.context, servers, trust=trust,
                                          files=injected(files), flow=flow))
            self._wake(task, None)
        world.ask(f'POST /servers {" ".join(one[:8] for one in found)}', post)
        return found

    def delete(self, uuid: str, kind: type[flows.Flow] = deletion.Delete) -> None:
        """DELETE /servers/{id}."""
        def act() -> None:
            if not self._world.api_dbs.api.write(lambda conn: delete_api.withdraw(conn, uuid)):
                self._begin(uuid, kind, deletion_wire.DeleteState(), None)
        self._world.ask(f'DELETE {uuid[:8]} ({kind.name})', act)

    def restore(self, uuid: str) -> None:
        """Back from a soft delete: the server counts again before it begins."""
        def count(queued: bool) -> Callable[[Any], Any]:
            return lambda conn: objects.InstanceMapping.queue_for_delete(conn, uuid, queued=queued)

        def act() -> None:
            api = self._world.api_dbs.api
            api.write(count(False))
            try:
                self._begin(uuid, deletion.Restore, deletion_wire.DeleteState(), start_of(deletion.Restore))
            except errors.NovaError:
                api.write(count(True))
                raise
        self._world.ask(f'restore {uuid[:8]}', act)

    def begin(self, uuid: str, kind: type[flows.Flow], state: Any = None, checked: bool = True,
              also: Also | None = None) -> None:
        """Any other operation on a server in a cell.

        Args:
            also: what the request writes with the task.
        """
        start = start_of(kind) if checked else None
        self._world.ask(f'{kind.name} {uuid[:8]}',
                        lambda: self._begin(uuid, kind, state or kind.State(), start, also))

    def _begin(self, uuid: str, kind: type[flows.Flow], state: Any, start: guard.From | None,
               also: Also | None = None) -> None:
        world = self._world
        with world.api_dbs.api.read() as conn:
            mapping = objects.InstanceMapping.find(conn, instance_uuid=uuid)
        cell = next((each for each in world.mappings.values()
                     if mapping is not None and each.id == mapping.cell_id), None)
        if cell is None:
            raise errors.server.ServerNotFound(server=uuid)

        db = world.api_dbs.cell(cell.database_connection)
        kind = self._fitting(kind, db, uuid)

        def judge(conn: Any) -> Any:
            fresh = objects.Instance.get(conn, (), uuid=uuid)
            if start is not None:
                start.check(fresh, kind.name)
                if (asked := action_of(kind)) is not None:
                    asked().guard()(fresh)
                    asked().also(conn, fresh)
            if also is not None:
                also(conn, fresh, state)
            return fresh
        task = db.write(lambda conn: journal.insert(
            conn, kind, state, world.context, instance_uuid=uuid, guard=judge))
        if task.status != 'queued':
            self._wake(task, cell, kind.looks_above())

    def _fitting(self, kind: type[flows.Flow], db: Any, server: str | None = None) -> type[flows.Flow]:
        """The version of a flow that the conductors of a cell know, and the host of a server."""
        world = self._world
        if not world.shape.older:
            return kind
        lives = cells.Liveness(cells.reading(lambda: db), world.conf.service_down_time)
        workers = lives.conductors()
        if kind.looks_above():
            above = cells.Liveness(cells.reading(lambda: world.api_dbs.main), world.conf.service_down_time)
            workers = release.oldest(workers, above.conductors())
        found = flows.at(kind, workers)
        if found is None:
            raise errors.task.NotYet(action=kind.name)
        if server is None:
            return found
        with db.read() as conn:
            record = objects.Instance.find(conn, (), uuid=server)
        host = None if record is None else record.host
        return found if host is None else flows.at(found, lives.release_of(host)) or found

    def _wake(self, task: Any, cell: Any, above: bool = False) -> None:
        buses = self._world.api_bus
        away = above or cell is None or cell.is_cell0
        bus = buses.top if away else buses.cell(cell.transport_url)
        rpc_conductor.Conductor.client(bus).wake(self._world.context, objects.Wake(
            task=task.uuid, cell=cell.uuid if cell is not None else None))
