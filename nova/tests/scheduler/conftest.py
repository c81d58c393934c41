"""A small cloud to schedule in: databases, Placement, hosts."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from keystoneauth1 import session as ks_session
from keystoneauth1 import token_endpoint

from nova import conf as nova_conf
from nova import errors, objects
from nova.clients import fake, session
from nova.clients.placement import client as placement_client
from nova.common import clock, dbkit, uuids
from nova.domain.provider_tree import Provider, ProviderTree
from nova.scheduler import hosts, select
from nova.tests.fixtures import databases, wsgi
from nova.tests.fixtures import placement as placement_fixture

FLAVOR = {'flavorid': 'small', 'name': 'small', 'vcpus': 1, 'memory_mb': 512, 'root_gb': 1}


class Dbs:
    """Databases by URL, as `nova.db.session.Databases` hands them out."""

    def __init__(self, lend: databases.Lend) -> None:
        self._lend = lend
        self._open: dict[str, Any] = {}
        self.api = dbkit.Database(lend('api'))
        self._made = [self.api]

    def cell(self, url: str) -> Any:
        if url not in self._open:
            self._open[url] = dbkit.Database(self._lend('cell'))
            self._made.append(self._open[url])
        return self._open[url]

    def dispose(self) -> None:
        for db in self._made:
            db.dispose()

    def replace(self, url: str, db: Any) -> None:
        """Put something else where a cell's database was."""
        self._open[url] = db


@dataclasses.dataclass
class Cloud:
    """What tests build and ask."""

    conf: Any
    dbs: Dbs
    placement: Any
    cells: dict[str, objects.CellMapping] = dataclasses.field(default_factory=dict)
    fresh: float = 0.0

    def cell(self, name: str) -> objects.CellMapping:
        if name not in self.cells:
            mapping = objects.CellMapping(uuid=uuids.generate(), name=name, transport_url='none:',
                                          database_connection=name)
            self.dbs.api.write(mapping.create)
            self.cells[name] = mapping
        return self.cells[name]

    def db(self, name: str) -> Any:
        return self.dbs.cell(self.cell(name).database_connection)

    def host(self, name: str, cell: str = 'cell1', vcpus: int = 4, memory: int = 8192, disk: int = 100,
             traits: tuple[str, ...] = (), children: tuple[Provider, ...] = (), **node: Any) -> str:
        """A compute host that is up; returns the uuid of its node."""
        mapping, uuid = self.cell(cell), uuids.generate()

        def rows(conn: Any) -> None:
            objects.Service(uuid=uuids.generate(), host=name, binary='nova-compute',
                            last_seen_up=clock.utcnow()).create(conn)
            objects.ComputeNode(uuid=uuid, host=name, hypervisor_hostname=f'{name}.node',
                                **{'hypervisor_type': 'fake', 'host_ip': '192.0.2.1', **node}).create(conn)
        self.db(cell).write(rows)
        self.dbs.api.write(objects.HostMapping(cell_id=mapping.id, host=name).create)
        tree = ProviderTree(Provider(uuid, f'{name}.node', inventory={
            'VCPU': {'total': vcpus}, 'MEMORY_MB': {'total': memory}, 'DISK_GB': {'total': disk}},
            traits=set(traits)))
        for child in children:
            child.parent = uuid
            tree.add(child)
        self.placement.report(tree)
        return uuid

    def service(self, host: str, cell: str = 'cell1', **values: Any) -> None:
        """Change a host's service."""
        def change(conn: Any) -> None:
            found = objects.Service.get(conn, host=host, binary='nova-compute')
            for key, value in values.items():
                setattr(found, key, value)
            found.save(conn)
        self.db(cell).write(change)

    def aggregate(self, name: str, hosts: dict[str, str], mirrored: bool = True, **metadata: str) -> str:
        """An aggregate of hosts (name to node uuid), in Placement too."""
        made = objects.Aggregate(uuid=uuids.generate(), name=name, metadata=metadata)

        def rows(conn: Any) -> None:
            made.create(conn)
            for host in hosts:
                made.add_host(conn, host)
        made.hosts = []
        self.dbs.api.write(rows)
        for node in hosts.values() if mirrored else ():
            self.placement.add_to_aggregate(node, made.uuid)
        return str(made.uuid)

    def group(self, policy: str, members: list[str], **rules: Any) -> objects.InstanceGroup:
        made = objects.InstanceGroup(uuid=uuids.generate(), user_id='u', project_id='p', name='g',
                                     policy=policy, rules=rules, members=[])

        def rows(conn: Any) -> None:
            made.create(conn)
            made.add_members(conn, members)
        self.dbs.api.write(rows)
        return made

    def server(self, host: str, cell: str = 'cell1', **values: Any) -> str:
        """A server that runs on a host."""
        made = objects.Instance.new(project_id='p', user_id='u', host=host, vm_state='active', **values)
        self.db(cell).write(made.create)
        return str(made.uuid)

    def spec(self, **values: Any) -> objects.RequestSpec:
        flavor = objects.Flavor(**{**FLAVOR, 'extra_specs': values.pop('extra_specs', {}),
                                   **values.pop('flavor', {})})
        return objects.RequestSpec(**{'instance_uuid': uuids.generate(), 'project_id': 'p', 'user_id': 'u',
                                      'flavor': flavor, **values})

    def selector(self, placement: Any = None) -> select.Selector:
        views = hosts.Hosts(self.conf, self.dbs, self.fresh)
        return select.Selector(self.conf, views, placement or self.placement, self.dbs)

    def select(self, count: int = 1, alternates: bool = True, uuids_: list[str] | None = None,
               **values: Any) -> objects.Selections:
        """Ask a new scheduler."""
        names = uuids_ or [uuids.generate() for _ in range(count)]
        return self.selector().select(objects.SelectRequest(
            spec=self.spec(**values), instance_uuids=names, alternates=alternates))

    def chosen(self, **values: Any) -> list[str | None]:
        """Hosts chosen, one for each server; None for none."""
        return [choice.selections[0].service_host if choice.selections else None
                for choice in self.select(**values).choices]


@pytest.fixture
def make_cloud(lend: databases.Lend) -> Iterator[Callable[..., Cloud]]:
    made = list[Dbs]()

    def make(placement: Any, **overrides: Any) -> Cloud:
        dbs = Dbs(lend)
        made.append(dbs)
        return Cloud(nova_conf.new(config_files=[], **overrides), dbs, placement)
    yield make
    for dbs in made:
        dbs.dispose()


@pytest.fixture
def cloud(make_cloud: Callable[..., Cloud]) -> Cloud:
    """A cloud with the fake Placement."""
    return make_cloud(fake.FakePlacement())


@pytest.fixture
def real_placement(lend: databases.Lend) -> Iterator[Callable[[], placement_client.Client]]:
    """Makes clients of one real Placement application."""
    application, db = placement_fixture.make_app(lend('placement'))
    pool = requests.Session()
    pool.mount('http://placement', wsgi.Adapter(application))
    auth = token_endpoint.Token('http://placement', 'admin')
    yield lambda: placement_client.Client(session.Service(
        'placement', ks_session.Session(auth=auth, session=pool), {'service_type': 'placement'},
        errors.placement.PlacementFailed, errors.placement.PlacementAway,
        microversion_type='placement'))
    db.dispose()
