"""A small cloud for conversations with the Compute API: SQLite databases, two cells, no other process."""

import dataclasses
from collections.abc import Callable
from typing import Any

import falcon.testing

from nova import errors, objects, states
from nova.api import app as nova_app
from nova.clients import fake
from nova.common import clock, dbkit, uuids
from nova.common.jsonutil import JsonObject
from nova.domain.capabilities import OFFERS
from nova.objects import question
from nova.objects import task as task_rows
from nova.tests.fixtures import nova_db

PROJECT = 'c0ffee00c0ffee00c0ffee00c0ffee00'
OTHER = 'deadbeef0000deadbeef0000deadbeef'
ADMIN = {'X-Auth-Token': f'admin:{PROJECT}'}
MEMBER = {'X-Auth-Token': f'alice:{PROJECT}'}
READER = {**MEMBER, 'X-Roles': 'reader'}
STRANGER = {'X-Auth-Token': f'mallory:{OTHER}'}


class Cloud:
    """The API over its databases, and ways to put things there.

    Attributes:
        told: what Placement was told: (verb, provider, aggregate).
        woken: (cell name or None, task uuid) of every wake-up.
        takes: called before a host answers.
        looks: (cell name, host, what, lines) of what hosts were asked about guests and themselves.
        seen: what they answer, or an error.
        statuses: (cell name, host, disabled) of what hosts were told of their services.
    """

    def __init__(self, made: nova_db.Deployment) -> None:
        self.dbs, self.conf = made.databases, made.conf
        self.cells = [made.cell0, *made.cells]
        self.woken: list[tuple[str | None, str]] = []
        self.statuses: list[tuple[str | None, str, bool]] = []
        self.told: list[tuple[str, str, str]] = []
        self.takes: Callable[[], object] = lambda: None
        self.looks: list[tuple[str | None, str, str, int | None]] = []
        self.seen: Any = ''
        self.clients = dataclasses.replace(fake.build(), placement=_Placement(self.told))
        self.buses = _Buses(self)
        self.app = nova_app.make_app(self.conf, dbs=self.dbs, buses=self.buses, clients=self.clients)
        self.http = falcon.testing.TestClient(self.app)

    def db(self, cell: int) -> dbkit.Database:
        return self.dbs.cell(self.cells[cell].database_connection)

    def call(self, method: str, path: str, version: str | None = None, headers: dict[str, str] | None = None,
             **kwargs: Any) -> Any:
        """A request to /v2.1, as an administrator unless `headers` say otherwise."""
        sent = dict(ADMIN if headers is None else headers)
        if version:
            sent['OpenStack-API-Version'] = f'compute {version}'
        return self.http.simulate_request(method, f'/v2.1{path}', headers=sent, **kwargs)

    # What is there

    def flavor(self, **values: Any) -> Any:
        made = objects.Flavor(**{
            'flavorid': uuids.generate(), 'name': uuids.generate(), 'memory_mb': 512, 'vcpus': 1, 'root_gb': 1,
            **values})
        self.dbs.api.write(lambda conn: made.copy().create(conn))
        with self.dbs.api.read() as conn:
            return objects.Flavor.get(conn, flavorid=made.flavorid)

    def host(self, name: str, cell: int = 1, zone: str | None = None, offers: list[JsonObject] | None = None,
             **service: Any) -> None:
        """A compute host with its service and one node.

        Args:
            offers: what the node's providers offer; see `nova.domain.capabilities`.
        """
        def in_cell(conn: Any) -> None:
            objects.Service(uuid=uuids.generate(), host=name, binary='nova-compute', topic='compute',
                            last_seen_up=clock.utcnow(), **service).create(conn)
            objects.ComputeNode(uuid=uuids.generate(), host=name, hypervisor_hostname=name, vcpus=8,
                                memory_mb=8192, local_gb=100, hypervisor_type='fake', host_ip='192.0.2.1',
                                cpu_info={'arch': 'x86_64'}, supported_instances=[['x86_64', 'fake', 'hvm']],
                                stats={OFFERS: offers} if offers else {}).create(conn)

        def in_api(conn: Any) -> None:
            objects.HostMapping(host=name, cell_id=self.cells[cell].id).create(conn)
            if zone:
                aggregate = objects.Aggregate(uuid=uuids.generate(), name=f'{zone}-{name}',
                                              metadata={'availability_zone': zone})
                aggregate.create(conn)
                aggregate.add_host(conn, name)
        self.db(cell).write(in_cell)
        self.dbs.api.write(in_api)

    def server(self, cell: int | None = 1, **values: Any) -> Any:
        """A server in a cell, active unless `values` say otherwise; None is a request that no cell has."""
        image = objects.ImageMeta(id=uuids.generate(), name='cirros', status='active', properties=(
            objects.ImageProperties.from_image({'hw_disk_bus': 'virtio', 'owner': 'me'})))
        made = objects.Instance.new(**{
            'project_id': PROJECT, 'user_id': 'alice', 'display_name': 'one', 'vm_state': str(states.VM.ACTIVE),
            'power_state': 1, 'launched_at': clock.utcnow(), 'flavor': self.flavor(), 'image_ref': image.id,
            'image_meta': image, 'hostname': 'one', 'auto_disk_config': True, **values})
        made.flavorid = made.flavor.flavorid

        def in_api(conn: Any) -> None:
            objects.InstanceMapping(
                instance_uuid=made.uuid, cell_id=None if cell is None else self.cells[cell].id,
                project_id=made.project_id, user_id=made.user_id, vcpus=1, memory_mb=512).create(conn)
            objects.RequestSpec(
                instance_uuid=made.uuid, project_id=made.project_id, user_id=made.user_id, flavor=made.flavor,
                image=image, availability_zone='zone-1', scheduler_hints={'group': ['g']}).create(conn)
            if cell is None:
                objects.BuildRequest.of(made).create(conn)
        if cell is not None:
            self.db(cell).write(lambda conn: made.copy().create(conn))
        self.dbs.api.write(in_api)
        return made

    def instance(self, uuid: str, cell: int = 1, prefetch: tuple[str, ...] = ('metadata', 'tags')) -> Any:
        with self.db(cell).read() as conn:
            return objects.Instance.get(conn, prefetch, uuid=uuid)


    def node(self, host: str, cell: int = 1) -> Any:
        with self.db(cell).read() as conn:
            return objects.ComputeNode.get(conn, host=host)

    def fail(self, server: Any, error: dict[str, Any], cell: int | None = 1) -> None:
        """A task of the server that ended with this error, and its one step; None is one that no cell has."""
        task = task_rows.Task(
            uuid=uuids.generate(), flow='reboot', flow_version='1.0', instance_uuid=server.uuid, exclusive=None,
            status=task_rows.UNDONE, state={}, context={}, action='reboot', error=error,
            request_id=f'req-{uuids.generate()}', user_id='alice', project_id=PROJECT, step='reboot_soft',
            finished_at=clock.utcnow())
        note = task_rows.Note('reboot_soft', 'do', 1, 'failed', host='host1', detail='it did not')

        def write(conn: Any) -> None:
            task_rows.insert(conn, task)
            task_rows.save(conn, task, note, error=error)
        (self.dbs.api if cell is None else self.db(cell)).write(write)

    def break_cell(self, cell: int) -> None:
        """The cell's database cannot be reached any more."""
        broken = self.cells[cell].copy()
        broken.database_connection = f'sqlite:////nowhere/{uuids.generate()}/cell.sqlite'
        self.dbs.api.write(lambda conn: broken.save(conn))


class _Placement:
    """Notes what Placement is told about providers; all of them have the traits `capable`."""

    def __init__(self, told: list[tuple[str, str, str]]) -> None:
        self._told = told
        self.capable = {'COMPUTE_VOLUME_ATTACH_WITH_TAG', 'COMPUTE_VOLUME_MULTI_ATTACH',
                        'COMPUTE_STORAGE_VIRTIO_FS', 'COMPUTE_MEM_BACKING_FILE'}

    def traits(self, provider: str) -> set[str]:
        return self.capable

    def add_to_aggregate(self, provider: str, aggregate: str) -> None:
        self._told.append(('add', provider, aggregate))

    def remove_from_aggregate(self, provider: str, aggregate: str) -> None:
        self._told.append(('remove', provider, aggregate))

    def delete_provider(self, uuid: str) -> None:
        self._told.append(('delete', uuid, ''))


class _Bus:
    def __init__(self, cloud: Cloud, name: str | None) -> None:
        self._cloud, self._name = cloud, name
        self.conf = cloud.conf

    def cast(self, target: Any, context: dict, method: str, args: dict, *options: Any) -> None:
        said = args['record']['nova_object.data']
        if method == 'set_status':
            self._cloud.statuses.append((self._name, target.server, said['disabled']))
        else:
            self._cloud.woken.append((self._name, said['task']))

    def call(self, target: Any, context: dict, method: str, args: dict, *options: Any) -> dict:
        look = objects.Record.from_wire(args['record'])
        self._cloud.looks.append((self._name, target.server, method, getattr(look, 'lines', None)))
        self._cloud.takes()
        if isinstance(self._cloud.seen, errors.NovaError):
            return {'error': errors.to_dict(self._cloud.seen)}
        if method == 'uptime':
            return {'record': question.HostUptime(text=self._cloud.seen).to_wire()}
        return {'record': question.GuestAnswer(value=self._cloud.seen).to_wire()}


class _Buses:
    """Buses that note who was woken."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.top = _Bus(cloud, None)

    def cell(self, transport_url: str) -> _Bus:
        return _Bus(self._cloud, transport_url.rpartition('/')[2])
